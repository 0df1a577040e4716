--[[ Where NRX Bridge is on this computer: `nrx_bridge.json`, which `nrx install ardour` leaves beside the scripts. ]]
local json, files, spool = require ("json"), require ("files"), require ("spool")

local M = {}

local function note ()
	local text = files.read (ARDOUR.user_config_directory (-1) .. "/scripts/nrx_bridge.json")
	local found = text and json.decode (text)
	return type (found) == "table" and found or {}
end

--- Return a client of the spool.
function M.client ()
	return spool.at (spool.home (note ().home), "ardour")
end

--- Return the words of the command that starts NRX Bridge, or nil where they are not known.
function M.start_command (client)
	local python = note ().python
	if not python or python:match ("^%a:") then return nil end -- Windows: no way without a console window
	return { "/usr/bin/env", "NRX_HOME=" .. client.home, python, "-m", "bridge.doors.cli", "serve" }
end

return M
