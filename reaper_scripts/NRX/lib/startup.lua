-- @noindex
--[[ Runs when REAPER starts (one line of Scripts/__startup.lua): registers actions that are not in the list yet, and shows
the jobs if some were still open when REAPER was closed. ]]
local folder = reaper.GetResourcePath():gsub("\\", "/") .. "/Scripts/NRX/"

local function action_files()
	local found, index = {}, 0
	reaper.EnumerateFiles(folder, -1)
	while true do
		local name = reaper.EnumerateFiles(folder, index)
		if not name then return found end
		if name:find("^NRX_.*%.lua$") then found[#found + 1] = name end
		index = index + 1
	end
end

--- Register each action once, unless `nrx install` has done so; one that the user takes off the list stays off.
local function register(names)
	local note = io.open(folder .. "nrx_paths.json", "rb")
	local text = note and note:read("a") or ""
	if note then note:close() end
	for index, name in ipairs(names) do
		local quoted = name:gsub("%p", "%%%0")
		local id = text:match('"' .. quoted .. '": "(RS%x+)"')
		local is_known = id and reaper.NamedCommandLookup("_" .. id) ~= 0
		if not is_known and reaper.GetExtState("NRX_Bridge", "registered " .. name) == "" then
			reaper.AddRemoveReaScript(true, 0, folder .. name, index == #names)
		end
		reaper.SetExtState("NRX_Bridge", "registered " .. name, "1", true)
	end
end

register(action_files())
dofile(folder .. "lib/boot.lua").run(folder, "reopen")
