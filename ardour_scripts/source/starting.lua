--[[ A running NRX Bridge, or a sentence that says how to get one: where it is absent, the user may have it started. ]]
local dialogs, here = require ("dialogs"), require ("here")

local M = {}

local PATIENCE_S = 30
local ROUND_US = 100000

M.NOT_RUNNING = "NRX Bridge is not running. Start it with “nrx serve” in a terminal (or once and for all with "
	.. "“nrx service install”), then run this again."

local function start (client, command)
	local window, deadline = dialogs.progress (), os.time () + PATIENCE_S
	os.forkexec (table.unpack (command))
	while not client:daemon () and os.time () < deadline do
		if window:tell (0, "Starting NRX Bridge.") then break end
		ARDOUR.LuaAPI.usleep (ROUND_US)
	end
	window.close ()
	return client:daemon () ~= nil
end

--- Return whether NRX Bridge runs now; the user has been told if not.
function M.is_running (client)
	if client:daemon () then return true end
	local command = os.forkexec and here.start_command (client)
	if not command then
		dialogs.tell (M.NOT_RUNNING, true)
		return false
	end
	if not dialogs.ask ("NRX Bridge is not running. Start it?") then return false end
	if start (client, command) then return true end
	dialogs.tell ("NRX Bridge did not start. Run “nrx doctor” in a terminal: it says what is missing.", true)
	return false
end

return M
