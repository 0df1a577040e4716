--[[ From the selected track to new tracks: ask, render, hand in, wait with a progress window, import. ]]
local spool, jobs = require ("spool"), require ("jobs")
local bounce, tempo_map = require ("bounce"), require ("tempo_map")
local dialogs, starting, importing = require ("dialogs"), require ("starting"), require ("importing")

local M = {}

local RENDER_SHARE, IMPORT_SHARE = 0.05, 0.05 -- of the progress bar
local ROUND_US = 100000
local ROUNDS_PER_LOOK = 3
local SILENT_S = 15
local MOST_LETTERS = 60

M.LEFT = "NRX Bridge has stopped answering. The job is kept; once NRX Bridge runs again, bring it in with "
	.. "“Import finished NRX jobs”."

--- The user's time selection where there is one that overlaps `first` to `stop`.
local function selected_range (first, stop)
	local time = Editor:get_selection ().time
	if not time or time:length ():samples () <= 0 then return nil end
	local start, finish = math.max (first, time:start_sample ()), math.min (stop, time:end_sample ())
	if finish > start then return start, finish end
end

--- A file name for the track: no folders in it, and not too long.
local function file_name (track_name)
	local name = track_name:gsub ("[/\\]", "-")
	local cut = utf8.len (name) and utf8.offset (name, MOST_LETTERS + 1)
	return (cut and name:sub (1, cut - 1) or name) .. ".wav"
end

--- The request of an action; what the dialog does not ask keeps NRX Bridge's own default.
local function request (action, options, path, track_name, first, stop)
	local rate = Session:nominal_sample_rate ()
	local asked = {
		action = action,
		inputs = { { path = path, name = file_name (track_name) } },
		tempo_map = tempo_map.read (first, stop),
		timeline = { start_s = first / rate, end_s = stop / rate, sample_rate = rate, project = Session:name () },
	}
	if action == "remix" then
		asked.style, asked.energy, asked.brightness = options.style, options.energy, options.brightness
		asked.tempo = options.tempo == "bpm" and options.bpm or options.tempo
	end
	return asked
end

--- Watch a job until it has ended or cannot be watched any more. Returns its last status, or nil and why.
local function wait (client, id, window)
	local round, cancelling, last_seen, held_at, status = 0, false, os.time (), 0, nil
	while true do
		if round % ROUNDS_PER_LOOK == 0 then
			if os.time () - held_at >= jobs.HOLD_S // 2 then
				held_at = os.time ()
				jobs.change (id, { held_until = held_at + jobs.HOLD_S })
			end
			status = client:status (id) or status
			if client:daemon () then last_seen = os.time () end
			if status and status.accepted then os.remove (client:audio_path (id)) end
			if status and spool.ENDED[status.state] then return status end
			if os.time () - last_seen > SILENT_S then return nil, M.LEFT end
		end
		round = round + 1
		local done = RENDER_SHARE + (1 - RENDER_SHARE - IMPORT_SHARE) * (status and status.fraction or 0)
		local text = cancelling and "Cancelling." or status and status.message or "Handing the track to NRX Bridge."
		if window:tell (done, text) and not cancelling then cancelling = client:cancel (id) end
		ARDOUR.LuaAPI.usleep (ROUND_US)
	end
end

--- Render the track and hand the request in. Returns the job, or nil and why not.
local function hand_in (client, action, track, options, first, stop, window)
	local id, name = client:new_id (), track:name ()
	local path = client:audio_path (id)
	local written, why = bounce.write (track, first, stop, path, function (fraction)
		return window:tell (RENDER_SHARE * fraction, "Rendering the track.")
	end)
	if not written then return nil, why end
	local handed_in, refusal = client:submit (id, request (action, options, path, name, first, stop))
	if not handed_in then
		os.remove (path)
		return nil, "The request cannot be written: " .. tostring (refusal)
	end
	local job = { id = id, action = action, style = options.style, track = name, sent_at = os.time (), state = "sent" }
	jobs.add (job)
	return job
end

local function send (client, action, track, options, first, stop, window)
	local job, why = hand_in (client, action, track, options, first, stop, window)
	if not job then return why end
	if options.background then return nil end
	local status, left = wait (client, job.id, window)
	if not status then return left end
	if status.state ~= "succeeded" then
		local sentence = importing.give_up (job, status)
		return status.state == "failed" and sentence or nil
	end
	local laid, trouble = importing.lay (client, job, status, function (fraction, name)
		window:tell (1 - IMPORT_SHARE * (1 - fraction), "Importing " .. name .. ".")
	end)
	return not laid and trouble or nil
end

--- Run an action on the selected track, from the dialog to the new tracks. Problems are told in a message.
function M.run (client, action)
	if not starting.is_running (client) then return end
	local track, why = bounce.selected_track ()
	if not track then return dialogs.tell (why, true) end
	local first, stop = bounce.extent (track)
	if not first then return dialogs.tell (string.format ("There is nothing on “%s”.", track:name ()), true) end
	local from, to = selected_range (first, stop)
	local styles = client:styles ()
	if action == "remix" and #styles == 0 then return dialogs.tell ("NRX Bridge has not said its styles; restart it.", true) end
	local options = dialogs.options ({ action = action, track = track:name (), styles = styles, has_range = from ~= nil })
	if not options then return end
	if options.range == "range" then first, stop = from, to end
	local window = dialogs.progress ()
	local ok, sentence = pcall (send, client, action, track, options, first, stop, window)
	window.close ()
	track = nil
	collectgarbage ()
	if not ok then error (sentence, 0) end
	if sentence and sentence ~= "cancelled" then dialogs.tell (sentence, true) end
end

return M
