-- @noindex
--[[ What actions do, step by step, each from top to bottom like a recipe. They run in a coroutine (see `app`). ]]
local daemon, fields, licences = require("daemon"), require("fields"), require("licences")
local memory, places = require("memory"), require("places")
local project_of, records, render, request_of = require("project"), require("records"), require("render"), require("request")
local json, screens, selection = require("json"), require("screens"), require("selection")
local spool, tempo = require("spool"), require("tempo")
local refuse = require("trouble").refuse

local M = {}

local WIDTH = 560
local LOOKS = 2 -- after so many looks at all open jobs, what was finished at the first one is in
local PROGRESS_HEIGHT = 190
local CLOSE, CANCEL = "Close (the job goes on)", "Cancel the job"

local function styles_of(app)
	local styles = app.client:styles()
	if #styles == 0 then return { { id = "lofi_chill", name = "Lo-fi chill", description = "The list of styles comes once "
		.. "NRX Bridge has run." } } end
	return styles
end

local function described(picked)
	local names = {}
	for index, track in ipairs(picked.tracks) do names[index] = track.name end
	local source = #names > 0 and table.concat(names, ", ") or "the project's master"
	local range = picked.range
	local where = range.is_time_selection and "in the time selection" or "all of it"
	return ("%s, %.1f s, %s"):format(source, range.end_s - range.start_s, where)
end

local function source_name(picked)
	if #picked.tracks == 0 then return project_of.name_of(picked.path) end
	if #picked.tracks == 1 then return picked.tracks[1].name end
	return ("%s and %d more"):format(picked.tracks[1].name, #picked.tracks - 1)
end

local function new_seed()
	return math.random(0, 0x7FFFFFFF)
end

--- An unsaved project has no folder of its own for media: say where returns would go.
local function agreed_to_unsaved(picked)
	if picked.path ~= "" then return true end
	local folder = reaper.GetProjectPathEx(picked.project)
	local sentence = "This project has not been saved yet, so what comes back is put into %s. Save the project first to have it "
		.. "beside the project. Go on?"
	return reaper.MB(sentence:format(folder), "NRX Bridge", 1) == 1
end

--- Render what is picked into the job's own folder; returns the files, or nil if the user cancelled.
local function rendered(app, picked, id)
	local folder = places.job(id)
	if not places.make(folder) then refuse("The folder %s cannot be written; is the disk full?", folder) end
	selection.check_again(picked)
	local tracks = {}
	for index, row in ipairs(picked.tracks) do tracks[index] = row.track end
	local wanted = { what = #tracks > 0 and "tracks" or "master", tracks = tracks, count = math.max(1, #tracks),
		folder = folder, sample_rate = picked.sample_rate, range = picked.range }
	local rendering = render.start(picked.project, wanted)
	while not render.step(rendering) do
		if screens.working(app, "Rendering", "REAPER renders what is selected.", 0, { "Cancel" }) then
			render.restore()
			return nil
		end
	end
	return render.checked(rendering)
end

local function inputs_of(picked, paths, takes_roles)
	local inputs = json.array()
	for index, path in ipairs(paths) do
		local track = picked.tracks[index]
		local name = (track and track.name or project_of.name_of(picked.path)):sub(1, 200)
		inputs[index] = { path = path:gsub("\\", "/"), name = name .. ".wav", role = takes_roles and track.role or nil }
	end
	return inputs
end

local function guids_of(picked)
	local guids = json.array()
	for index, track in ipairs(picked.tracks) do guids[index] = track.guid end
	return guids
end

--- Send a request and keep its record. Returns the record.
local function sent(app, record, request)
	record.state, record.created = "sent", os.time()
	local is_kept = places.make(places.home .. "/spool/new") and records.keep_request(record.id, request)
	if not is_kept or not records.write(record) then
		refuse("The folder %s cannot be written; is the disk full?", places.home)
	end
	local id, why = app.client:submit(record.id, request)
	if not id then
		records.update(record.id, { state = "failed", error = why })
		refuse("The job could not be handed in (%s); is the disk full?", why)
	end
	app.collector:add(record)
	return record
end

local function record_of(app, picked, options, id)
	return {
		id = id, action = app.name, engine = app.action.engine, title = app.action.title, source_name = source_name(picked),
		project = project_of.identify(picked.project), project_path = picked.path,
		project_name = project_of.name_of(picked.path), sources = guids_of(picked), options = options,
		start_s = picked.range.start_s, end_s = picked.range.end_s, sample_rate = picked.sample_rate,
	}
end

local function told_end(app, record)
	if record.state == "imported" then
		local lines = {}
		for _, sentence in ipairs(record.licences or {}) do lines[#lines + 1] = { text = sentence, tone = "warning" } end
		for _, sentence in ipairs(record.said or {}) do lines[#lines + 1] = { text = sentence } end
		if #lines == 0 then return end
		table.insert(lines, 1, { text = record.result .. " came back." })
		screens.tell(app, "Done", lines)
	elseif record.state ~= "cancelled" then
		screens.tell(app, "This did not work", { { text = record.error or "The reason is not known." } })
	end
end

--- Show a job until it has ended, the user has cancelled it, or closed the window.
local function watch(app, record)
	app:open("NRX: " .. record.title, WIDTH, PROGRESS_HEIGHT)
	local is_cancelling = false
	while true do
		local seen = app.collector:look(record.id)
		local state = seen.record and seen.record.state or "failed"
		if not records.OPEN[state] then return told_end(app, seen.record or { state = "failed" }) end
		local status = seen.status or {}
		local message = app.collector.problem or status.message or "Waiting for NRX Bridge."
		if status.state == "succeeded" then message = "Bringing the return into the project." end
		local title = ("%s: %s"):format(record.title, record.source_name)
		local pressed = screens.working(app, title, is_cancelling and "Cancelling." or message, status.fraction or 0,
			{ CLOSE, CANCEL })
		if pressed == "closed" then return end
		if pressed == "cancel" and not is_cancelling then
			is_cancelling = true
			app.client:cancel(record.id)
		end
	end
end

--- Pick, render, send, watch.
local function run_job(app, picked, options)
	local id = app.client:new_id()
	local seed = app.action.new_seed and new_seed() or 0
	local paths = rendered(app, picked, id)
	if not paths then return end
	local takes_roles = #picked.tracks > 1 or app.action.engine == "sync"
	local record = record_of(app, picked, options, id)
	local job = {
		engine = app.action.engine, seed = seed, inputs = inputs_of(picked, paths, takes_roles and #picked.tracks > 0),
		tempo_map = tempo.read(picked.project, picked.range.start_s, picked.range.end_s, app.action.bars_from or "containing"),
		start_s = picked.range.start_s, end_s = picked.range.end_s, sample_rate = picked.sample_rate,
		offset_s = reaper.GetProjectTimeOffset(picked.project, false), project_name = record.project_name,
	}
	if app.action.engine == "sync" then job.inputs[1].role = "vocals" end
	watch(app, sent(app, record, request_of.build(job, options)))
end

--- Ask for options, then run the job.
function M.new_job(app)
	local picked = selection.pick(app.action)
	if not agreed_to_unsaved(picked) then return end
	local options = fields.options(app.action, memory.recall(app.name))
	local licence = licences.before(app.action.engine)
	app:open("NRX: " .. app.action.title, WIDTH, screens.height(app.action, picked.tracks, licence))
	local about = { title = app.action.title, what = described(picked), go = app.action.title }
	if not screens.options(app, about, options, picked.tracks, styles_of(app), licence) then return end
	memory.keep(app.name, options)
	run_job(app, picked, options)
end

--- Remix again with the options of the last time.
function M.again(app)
	local picked = selection.pick(app.action)
	if not agreed_to_unsaved(picked) then return end
	app:open("NRX: Remix", WIDTH, PROGRESS_HEIGHT)
	run_job(app, picked, fields.options(app.action, memory.recall("remix")))
end

local function extension_of(track, key)
	local _, value = reaper.GetSetMediaTrackInfo_String(track, "P_EXT:" .. key, "", false)
	return value
end

--- Play one returned part anew; the others stay.
function M.reroll(app)
	local project, path = project_of.active()
	if reaper.CountSelectedTracks(project) ~= 1 then refuse("Select the one returned track that is to be played anew.") end
	local track = reaper.GetSelectedTrack(project, 0)
	local part, before = extension_of(track, "nrx_part"), records.read(extension_of(track, "nrx_job"))
	if part == "" then
		refuse("“%s” is not a part that NRX Bridge played; select such a track of a remix.", selection.name_of(track))
	end
	local asked = before and records.request(before.id)
	local input = asked and asked.inputs[1]
	local file = input and io.open(input.path, "rb")
	if not file then refuse("The audio of that remix is no longer kept; remix the source track again instead.") end
	file:close()
	local id = app.client:new_id()
	local record = {
		id = id, action = app.name, engine = "remix", title = "Re-roll", part = part, source_name = part,
		project = project_of.identify(project), project_path = path, project_name = project_of.name_of(path),
		sources = json.array({ reaper.GetTrackGUID(track) }), options = before.options, start_s = before.start_s,
		end_s = before.end_s, sample_rate = before.sample_rate,
	}
	if not places.make(places.job(id)) then refuse("The folder %s cannot be written.", places.job(id)) end
	watch(app, sent(app, record, request_of.rerolled(asked, part, new_seed())))
end

local STATE_WORDS = {
	sent = "waiting", imported = "in the project", failed = "failed", cancelled = "cancelled", stuck = "could not be imported",
}

local JOB_BUTTONS = { "Close", "Import into this project", CANCEL, "Remove from list" }
local IMPORT, STOP, REMOVE = 2, 3, 4

local function line_of(app, record)
	local seen = app.collector:look(record.id)
	local status = seen.status or {}
	local words = STATE_WORDS[record.state] or record.state
	if record.state == "sent" and status.state == "running" then
		words = ("%d %%"):format(math.floor((status.fraction or 0) * 100))
	elseif record.state == "sent" and status.state == "succeeded" then
		words = "finished; open " .. record.project_name
	end
	return ("%s  %s: %s, %s"):format(os.date("%H:%M", record.created), record.title, record.source_name, words)
end

--- What is known of a job, in a sentence or two.
local function told(app, record)
	if app.collector.problem or record.error then return app.collector.problem or record.error end
	if record.state == "imported" then
		return ("%s came back. %s"):format(record.result or "It", table.concat(record.notes or {}, " "))
	end
	local status = app.collector:look(record.id).status
	return status and status.message or ""
end

--- Do what a button says. Returns a sentence where that cannot be.
local function act_on(app, record, pressed)
	local status = app.client:status(record.id)
	local state = status and status.state
	if pressed == IMPORT then
		if state ~= "succeeded" then return "There is nothing to import yet; the job has not finished." end
		app.collector:ask(record.id, (project_of.active()))
	elseif pressed == STOP then
		if not records.OPEN[record.state] or state == "succeeded" then return "The job has ended already." end
		app.client:cancel(record.id)
	elseif pressed == REMOVE then
		if records.OPEN[record.state] and status and not spool.ENDED[state] then
			return "The job is still being worked on; cancel it first."
		end
		records.remove(record.id)
	end
	return nil
end

--- Show all jobs; import and cancel them.
function M.jobs(app)
	app:open("NRX jobs", WIDTH, 420)
	records.sweep()
	local chosen, next_list, all = 1, 0, {}
	local answer, answered
	while true do
		local pressed
		if reaper.time_precise() >= next_list then
			all, next_list = records.all(), reaper.time_precise() + 0.5
		end
		local open = app:frame(function(ui)
			ui:heading("NRX jobs")
			if #all == 0 then
				ui:text("There are no jobs yet.", "dim")
			else
				local names = {}
				for index, record in ipairs(all) do names[index] = line_of(app, record) end
				chosen = math.min(ui:list(names, math.min(chosen, #all), 11), #all)
				local record = all[chosen]
				ui:text(answered == record.id and answer or told(app, record), "dim", 4)
			end
			pressed = ui:buttons(JOB_BUTTONS)
			if pressed == 1 or ui.escape then pressed = "close" end
		end)
		if not open or pressed == "close" then return end
		if pressed and all[chosen] then
			answer, answered = act_on(app, all[chosen], pressed), all[chosen].id
			next_list = 0
		end
	end
end

--- Show the jobs if some are still open; for the start of REAPER.
function M.reopen(app)
	for _, record in ipairs(records.all()) do
		if records.OPEN[record.state] then return M.jobs(app) end
	end
end

--- Import what is finished, without a window. Started by hand it says if there was nothing.
function M.import(app)
	local context = select(8, reaper.get_action_context())
	local is_woken, before = context:find("^osc:") ~= nil, 0
	for _, record in ipairs(records.all()) do
		if records.OPEN[record.state] then before = before + 1 end
	end
	while app.collector.looks < LOOKS do coroutine.yield() end
	if before == 0 and not is_woken then refuse("There is no open job; “NRX: Show NRX jobs” lists those of the last 30 days.") end
end

--- Show where things are, and forget what was remembered if asked.
function M.settings(app)
	app:open("NRX settings", WIDTH, 330)
	while true do
		local pressed
		local running = app.client:daemon()
		local open = app:frame(function(ui)
			ui:heading("NRX settings")
			ui:text(running and ("NRX Bridge %s runs%s."):format(running.version, running.http and " at " .. running.http or "")
				or "NRX Bridge is not running; it is started when a job needs it.", running and "text" or "warning", 2)
			ui:text("Folder: " .. places.home, "dim", 2)
			ui:text("Program: " .. (places.python or "not known; run “nrx install reaper” in a terminal"), "dim", 2)
			ui:text("Log of the scripts: " .. places.log_file(), "dim", 2)
			pressed = ui:buttons({ running and "Close" or "Start NRX Bridge", "Forget remembered options" })
			if ui.escape then pressed = "close" end
		end)
		if not open or pressed == "close" or (pressed == 1 and running) then return end
		if pressed == 1 and not daemon.start() then refuse(daemon.ABSENT) end
		if pressed == 2 then
			for name in pairs(require("actions")) do memory.keep(name, {}) end
		end
	end
end

return M
