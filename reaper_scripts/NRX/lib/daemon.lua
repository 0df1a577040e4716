-- @noindex
--[[ The daemon from the side of a script: whether it runs, and how it is started without a console window.

Its heartbeat in `daemon.json` is what counts, never what starting returned. Windows: ExecProcess without waiting, with the
interpreter that has no console (pythonw); elsewhere the shell, detached, since ExecProcess does not start programs in the
background on every macOS.
]]
local places = require("places")

local M = {}

M.START_S = 30
M.ABSENT = "NRX Bridge is not running. Start it with “nrx serve” in a terminal (or once and for all with "
	.. "“nrx service install”); “nrx doctor” says what is missing."
M.NOT_INSTALLED = "NRX Bridge is not set up on this computer. Run this in a terminal, then try again:\n\n"
	.. "    nrx install reaper\n\n(If the terminal does not know nrx: pip install nrx-bridge, then the same again.)"

local function is_windows()
	return reaper.GetOS():find("^Win") ~= nil
end

local function in_shell(word)
	return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Return the command that starts the daemon of this NRX_HOME.
function M.command(python, home, on_windows)
	if on_windows then
		local windowless = python:gsub("[Pp]ython%.exe$", "pythonw.exe")
		return ('"%s" -m bridge.doors.cli serve --home "%s"'):format(windowless, home)
	end
	return ("%s -m bridge.doors.cli serve --home %s </dev/null >/dev/null 2>&1 &"):format(in_shell(python), in_shell(home))
end

--- Start the daemon. Returns false where nothing is known of how.
function M.start()
	if not places.python then return false end
	local on_windows = is_windows()
	local command = M.command(places.python, places.home, on_windows)
	if on_windows then
		reaper.ExecProcess(command, -1)
	else
		os.execute(command)
	end
	return true
end

--- Keeps a daemon running while a job waits: `keep (client)` is called every tick, and returns a sentence or nil.
function M.keeper()
	local started_at
	return function(client)
		if client:daemon() then
			started_at = nil
			return nil
		end
		local now = reaper.time_precise()
		if not started_at then
			started_at = now
			if not M.start() then return M.ABSENT end
		end
		return now - started_at > M.START_S and M.ABSENT or nil
	end
end

return M
