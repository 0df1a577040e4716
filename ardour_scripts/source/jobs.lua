--[[ Which jobs this session has sent, kept in `nrx_jobs.json` in the session's folder.

A job is { id, action, style, track, sent_at, state, sentence }; its state is

    sent        handed in, and neither imported nor given up
    importing   its tracks are being laid
    imported    they lie in the session
    failed      it failed or was cancelled; `sentence` says why

`held_until` keeps the hook away from a job whose progress window is open. The file is read anew each time, since
every script in Ardour has a Lua of its own.
]]
local json, files = require ("json"), require ("files")

local M = {}

M.MOST = 40
M.HOLD_S = 10

local function path ()
	return Session:path ():gsub ("/+$", "") .. "/nrx_jobs.json"
end

--- Return the jobs of this session, the newest last.
function M.all ()
	local text = files.read (path ())
	local document = text and json.decode (text)
	return type (document) == "table" and type (document.jobs) == "table" and document.jobs or {}
end

local function keep (list)
	while #list > M.MOST do table.remove (list, 1) end
	local written, why = files.replace (path (), json.encode ({ jobs = json.array (list) }))
	if not written then error ("The session's list of NRX jobs cannot be written: " .. tostring (why), 0) end
end

--- Write a new job down.
function M.add (job)
	local list = M.all ()
	list[#list + 1] = job
	keep (list)
end

--- Change fields of a job; returns it as it is now, or nil where there is none.
function M.change (id, fields)
	local list = M.all ()
	for _, job in ipairs (list) do
		if job.id == id then
			for name, value in pairs (fields) do job[name] = value end
			keep (list)
			return job
		end
	end
end

--- Return whether a progress window waits for a job at this moment.
function M.is_held (job)
	return (job.held_until or 0) > os.time ()
end

return M
