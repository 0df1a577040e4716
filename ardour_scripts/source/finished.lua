--[[ "Import finished NRX jobs": a list of this session's jobs that have a return; those not yet imported are ticked. ]]
local jobs, importing, dialogs = require ("jobs"), require ("importing"), require ("dialogs")

local M = {}

local MOST_ROWS = 12

local function title (job)
	local what = job.style and job.action .. " " .. job.style or job.action
	local when = os.date ("%d.%m. %H:%M", job.sent_at)
	return string.format ("%s: %s, sent %s%s", job.track, what, when, job.state == "imported" and " (imported already)" or "")
end

--- Jobs with a return, the newest first; what has failed; and how many still run.
local function sorted_out (client)
	local ready, failed, open = {}, {}, 0
	local list = jobs.all ()
	for i = #list, 1, -1 do
		local job = list[i]
		local state, status = importing.state (client, job)
		if state == "succeeded" then
			if #ready < MOST_ROWS then ready[#ready + 1] = { job = job, status = status } end
		elseif job.state == "sent" and (state == "failed" or state == "cancelled") then
			failed[#failed + 1] = job.track .. ": " .. importing.give_up (job, status)
		elseif job.state == "sent" then
			open = open + 1
		end
	end
	return ready, failed, open
end

local function import (client, ready, ids)
	local chosen, trouble = {}, {}
	for _, id in ipairs (ids) do chosen[id] = true end
	local window = dialogs.progress ()
	for i = #ready, 1, -1 do
		local entry = ready[i]
		if chosen[entry.job.id] then
			local laid, why = importing.lay (client, entry.job, entry.status, function (fraction, name)
				window:tell (fraction, "Importing " .. name .. ".")
			end)
			if not laid then trouble[#trouble + 1] = why end
		end
	end
	window.close ()
	return trouble
end

--- Show the list and import what is ticked.
function M.run (client)
	local ready, failed, open = sorted_out (client)
	if #ready == 0 then
		local running = open > 0 and string.format ("%d of this session's jobs still run or wait.", open)
		return dialogs.tell (failed[1] or running or "NRX Bridge has finished nothing for this session.")
	end
	local rows = {}
	for i, entry in ipairs (ready) do
		rows[i] = { id = entry.job.id, title = title (entry.job), ticked = importing.is_due (entry.job) }
	end
	local ids = dialogs.choose (rows)
	if not ids or #ids == 0 then return end
	local trouble = import (client, ready, ids)
	if #trouble > 0 then dialogs.tell (table.concat (trouble, "\n"), true) end
end

return M
