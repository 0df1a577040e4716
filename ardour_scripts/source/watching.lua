--[[ The hook: looks every two seconds whether a job of this session has ended, and imports its return.

It never waits: a look is a few small files, and importing happens only between two takes. Errors go to a log, and
never out of here, because Ardour would drop the hook.
]]
local files, jobs, importing = require ("files"), require ("jobs"), require ("importing")

local M = {}

local TICKS_PER_LOOK = 20 -- Ardour ticks ten times a second

local function look (client)
	for _, job in ipairs (jobs.all ()) do
		if importing.is_due (job) and not jobs.is_held (job) then
			local state, status, ended = importing.state (client, job)
			if state == "succeeded" then
				local _, why = importing.lay (client, job, status)
				if why then error (why, 0) end
				return -- the list on disk has changed
			end
			if ended then importing.give_up (job, status) end
		end
	end
end

--- Return what the hook calls at each tick.
function M.new (client)
	local ticks, busy = 0, false
	return function ()
		ticks = ticks + 1
		if busy or ticks % TICKS_PER_LOOK ~= 0 then return end
		if not Session or Session:actively_recording () then return end
		busy = true -- importing pumps the events, and so calls this again
		local ok, trouble = pcall (look, client)
		if not ok then files.append (client.home .. "/ardour.log", os.date ("%Y-%m-%d %H:%M:%S ") .. tostring (trouble) .. "\n") end
		busy = false
	end
end

return M
