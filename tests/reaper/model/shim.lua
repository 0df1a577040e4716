-- Stands between a script and the model. It gets Python's ends as arguments and returns what Python calls.
-- Handles are userdata that are made once, so that they compare and serve as keys as REAPER's do.
local python = ...
local lookup, call, new_handle, failed_at = python.lookup, python.call, python.new_handle, python.failed_at
local gfx_kind, gfx_get, gfx_set, gfx_call = python.gfx_kind, python.gfx_get, python.gfx_set, python.gfx_call
local run_process, tick = python.run_process, python.tick
local traceback, sethook = debug.traceback, debug.sethook
python = nil

local handles = {}

local function handle(number)
  if number == nil then return nil end
  local found = handles[number]
  if found == nil then
    found = new_handle(number)
    handles[number] = found
  end
  return found
end

local function answer(positions, ok, ...)
  if not ok then
    failed_at(traceback("", 2))
    error((...), 3)
  end
  if positions == "" then return ... end
  local values = table.pack(...)
  for position in positions:gmatch("%d+") do
    local at = math.tointeger(tonumber(position))
    values[at] = handle(values[at])
  end
  return table.unpack(values, 1, values.n)
end

local function closed(name, make)
  return setmetatable({}, {
    __index = make,
    __newindex = function(_, key) error("the table '" .. name .. "' is REAPER's own: " .. tostring(key), 2) end,
    __metatable = false,
  })
end

local functions = {}
reaper = closed("reaper", function(_, name)
  local known = functions[name]
  if known then return known end
  local state, positions = lookup(name)
  if state == "absent" then return nil end
  if state == "unknown" then
    failed_at(traceback("", 2))
    error(positions, 2)
  end
  known = function(...)
    local values = table.pack(answer(positions, call(name, ...)))
    return table.unpack(values, 1, values.n)
  end
  functions[name] = known
  return known
end)

local drawing = {}
gfx = setmetatable({}, {
  __index = function(_, name)
    local known = drawing[name]
    if known then return known end
    local state, what = gfx_kind(name)
    if state == "field" then return gfx_get(name) end
    if state == "unknown" then error(what, 2) end
    known = function(...)
      local values = table.pack(answer("", gfx_call(name, ...)))
      return table.unpack(values, 1, values.n)
    end
    drawing[name] = known
    return known
  end,
  __newindex = function(_, name, value)
    local ok, message = gfx_set(name, value)
    if not ok then error(message, 2) end
  end,
  __metatable = false,
})

local function outside(kind)
  return function(...)
    local values = table.pack(answer("", run_process(kind, ...)))
    return table.unpack(values, 1, values.n)
  end
end
os.execute = outside("os.execute")
os.exit = outside("os.exit")
local lines_of = outside("io.popen")
io.popen = function(command, mode)
  local text = lines_of(command, mode)
  local file = assert(io.tmpfile())
  file:write(text)
  file:seek("set")
  return file
end

local function watched(run, ...)
  sethook(function()
    local message = tick()
    if message then error(message, 2) end
  end, "", 1000000)
  local outcome = table.pack(xpcall(run, function(message)
    return traceback(tostring(message), 2)
  end, ...))
  sethook()
  return table.unpack(outcome, 1, outcome.n)
end

local function start(path)
  local chunk, message = loadfile(path)
  if not chunk then return false, message end
  return watched(chunk)
end

return start, watched
