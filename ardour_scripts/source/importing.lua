--[[ Finished jobs of this session become tracks, each once, whoever sees it first: progress window, hook or menu. ]]
local jobs, tracks = require ("jobs"), require ("tracks")

local M = {}

local TOO_LONG_S = 600 -- after which an import that never ended counts as one that Ardour did not survive

--- Return how a job is according to NRX Bridge, and whether it has ended. A job that nothing is known of is "unknown".
function M.state (client, job)
	local status = client:status (job.id)
	local state = status and status.state or "unknown"
	return state, status, state == "succeeded" or state == "failed" or state == "cancelled"
end

--- Return whether a job waits for its tracks.
function M.is_due (job)
	if job.state == "importing" then return (job.importing_at or 0) < os.time () - TOO_LONG_S end
	return job.state == "sent"
end

--- Lay the return of a job that succeeded. Returns the names of the new tracks, or nil and what went wrong.
function M.lay (client, job, status, tell)
	jobs.change (job.id, { state = "importing", importing_at = os.time () })
	local manifest, why = client:manifest (status)
	local ok, laid = false, why
	if manifest then ok, laid = pcall (tracks.lay, manifest, job, tell) end
	collectgarbage ()
	if not ok then
		jobs.change (job.id, { state = "failed", sentence = tostring (laid) })
		return nil, tostring (laid)
	end
	jobs.change (job.id, { state = "imported" })
	return laid
end

--- Write down that a job ended without a return. Returns the sentence.
function M.give_up (job, status)
	local sentence = status.error and status.error.sentence or status.message or "The job failed."
	jobs.change (job.id, { state = "failed", sentence = sentence })
	return sentence
end

return M
