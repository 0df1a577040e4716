-- @noindex
--[[ What the windows remember from run to run: the options of each action, kept as JSON in REAPER's extension state. ]]
local json = require("json")

local M = {}

local SECTION = "NRX_Bridge"

--- Return what is remembered under a name, a table.
function M.recall(name)
	local value = json.decode(reaper.GetExtState(SECTION, name))
	return type(value) == "table" and value or {}
end

--- Remember a table.
function M.keep(name, value)
	reaper.SetExtState(SECTION, name, json.encode(value), true)
end

return M
