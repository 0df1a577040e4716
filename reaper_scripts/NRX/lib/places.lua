-- @noindex
--[[ Where things are: NRX_HOME, the interpreter that runs the daemon, the folder of each job.

`nrx install reaper` leaves `nrx_paths.json` beside the actions: {"home", "python", "version"}. Without it (scripts that
came by ReaPack) NRX_HOME is the variable or ~/.nrx, and the daemon cannot be started from here.
]]
local files, json, spool = require("files"), require("json"), require("spool")

local M = { home = "", python = nil }

--- Read nrx_paths.json in the folder of the actions.
function M.read(folder)
	local text = files.read(folder .. "nrx_paths.json")
	local note = text and json.decode(text)
	if type(note) ~= "table" then note = {} end
	M.home = (note.home or spool.home()):gsub("\\", "/"):gsub("/+$", "")
	M.python = note.python
	M.folder = folder
	return M
end

--- Return the folder of all jobs that came from REAPER.
function M.jobs()
	return M.home .. "/reaper/jobs"
end

--- Return the folder of one job.
function M.job(id)
	return M.jobs() .. "/" .. id
end

--- Return the file that errors of the scripts are written to.
function M.log_file()
	return (M.home ~= "" and M.home .. "/reaper" or reaper.GetResourcePath()) .. "/nrx_scripts.log"
end

--- Return whether NRX Bridge has ever been set up here.
function M.is_installed()
	return M.home ~= "" and (M.python ~= nil or files.read(M.home .. "/styles.json") ~= nil)
end

--- Make a folder. Returns whether a file can be written in it.
function M.make(folder)
	reaper.RecursiveCreateDirectory(folder, 0)
	local probe = folder .. "/.nrx-probe"
	local file = io.open(probe, "wb")
	if not file then return false end
	file:close()
	os.remove(probe)
	return true
end

return M
