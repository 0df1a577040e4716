-- @noindex
--[[ Starts an action: finds the modules beside this file, runs one, and tells about an error instead of failing silently.

Each module is a file of this folder or of shared/ (which daw_lua/ is copied to), loaded once a script, with a
`require` of our own: REAPER's would find modules of other scripts that have the same names.
]]
local M = {}

local function loader(folder)
	local loaded = {}
	local function find(name)
		for _, place in ipairs({ "", "shared/" }) do
			local path = folder .. place .. name .. ".lua"
			local file = io.open(path, "rb")
			if file then
				file:close()
				return path
			end
		end
		error("NRX Bridge's file " .. name .. ".lua is missing; run “nrx install reaper” again", 0)
	end
	local function load_module(name)
		if loaded[name] == nil then
			local environment = setmetatable({ require = load_module }, { __index = _G })
			local chunk, why = loadfile(find(name), "t", environment)
			if not chunk then error(why, 0) end
			loaded[name] = chunk()
		end
		return loaded[name]
	end
	return load_module
end

--- Run an action (see `actions`); `folder` is the one of the action's own file, with its last slash.
function M.run(folder, action)
	local require_own = loader(folder .. "lib/")
	local ok, trouble = xpcall(function() require_own("app").run(folder, action) end, debug.traceback)
	if not ok then require_own("trouble").tell(trouble) end
end

return M
