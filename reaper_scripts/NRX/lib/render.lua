-- @noindex
--[[ Renders the selected tracks (or the master) into files with action 42230, and puts every render setting back.

The call may return at once or after the render ("Render in background" in the preferences), so only the files decide:
a render is done when no project is being rendered and every file is whole and has kept its size over three ticks.
Settings stay ours until then and are put back whatever happens: `M.restore` runs at the end, on errors and at exit. REAPER
renders the tracks that are selected, so that the selection is ours for as long, too.
]]
local project_of = require("project")
local refuse = require("trouble").refuse
local wav_check = require("wav_check")

local M = {}

local RENDER = 42230 -- File: Render project, using the most recent render settings, auto-close render dialog
local RENDERING_NOW = 0x40000000
local FLOAT_WAV = "ZXZhdyAAAQ=="
local STABLE_TICKS = 3
local GROWTH_S, APPEAR_S = 60, 5

local NUMBERS = {
	"RENDER_SETTINGS", "RENDER_BOUNDSFLAG", "RENDER_CHANNELS", "RENDER_SRATE", "RENDER_STARTPOS", "RENDER_ENDPOS",
	"RENDER_TAILFLAG", "RENDER_TAILMS", "RENDER_ADDTOPROJ", "RENDER_DITHER", "RENDER_NORMALIZE",
}
local STRINGS = { "RENDER_FILE", "RENDER_PATTERN", "RENDER_FORMAT", "RENDER_FORMAT2" }
local WHAT = { tracks = 3, master = 0 }

local saved -- { project, numbers, strings, selected, ours } while the settings are ours

local function get_string(project, key)
	local _, text = reaper.GetSetProjectInfo_String(project, key, "", false)
	return text
end

local function selected_tracks(project)
	local found = {}
	for index = 0, reaper.CountSelectedTracks(project) - 1 do found[index + 1] = reaper.GetSelectedTrack(project, index) end
	return found
end

local function is_same(some, others)
	for index, track in ipairs(some) do
		if track ~= others[index] then return false end
	end
	return #some == #others
end

local function select_only(project, tracks)
	local wanted = {}
	for _, track in ipairs(tracks) do wanted[track] = true end
	for index = 0, reaper.CountTracks(project) - 1 do
		local track = reaper.GetTrack(project, index)
		reaper.SetTrackSelected(track, wanted[track] or false)
	end
end

local function save(project, tracks)
	saved = { project = project, numbers = {}, strings = {}, selected = selected_tracks(project), ours = tracks }
	for _, key in ipairs(NUMBERS) do saved.numbers[key] = reaper.GetSetProjectInfo(project, key, 0, false) end
	for _, key in ipairs(STRINGS) do saved.strings[key] = get_string(project, key) end
end

--- Put the user's render settings back, if they are ours now.
function M.restore()
	if not saved then return end
	local before = saved
	saved = nil
	if not project_of.is_open(before.project) then return end
	for key, number in pairs(before.numbers) do reaper.GetSetProjectInfo(before.project, key, number, true) end
	for key, text in pairs(before.strings) do reaper.GetSetProjectInfo_String(before.project, key, text, true) end
	local is_ours = is_same(selected_tracks(before.project), before.ours)
	if is_ours and not is_same(before.selected, before.ours) then select_only(before.project, before.selected) end
end

local function apply(project, wanted)
	local numbers = {
		RENDER_SETTINGS = WHAT[wanted.what], RENDER_BOUNDSFLAG = 0, RENDER_CHANNELS = 2, RENDER_SRATE = wanted.sample_rate,
		RENDER_STARTPOS = wanted.range.start_s, RENDER_ENDPOS = wanted.range.end_s, RENDER_TAILFLAG = 0, RENDER_TAILMS = 0,
		RENDER_ADDTOPROJ = 0, RENDER_DITHER = 16, RENDER_NORMALIZE = 0,
	}
	for key, number in pairs(numbers) do reaper.GetSetProjectInfo(project, key, number, true) end
	local pattern = wanted.count > 1 and "source-$tracknumber" or "source"
	local strings = {
		RENDER_FILE = wanted.folder, RENDER_PATTERN = pattern, RENDER_FORMAT = FLOAT_WAV, RENDER_FORMAT2 = "",
	}
	for key, text in pairs(strings) do reaper.GetSetProjectInfo_String(project, key, text, true) end
end

--- Return the number of the track that a stem is named after, 0 for none.
local function number_in(path)
	return math.tointeger(tonumber(path:match("source%-(%d+)[^/\\]*$") or "0")) or 0
end

local function by_number(a, b)
	local first, second = number_in(a), number_in(b)
	if first ~= second then return first < second end
	return a < b
end

--- Return the files that will be rendered, in the order of the tracks; a version that does not tell gets our guess.
local function targets_of(project, wanted)
	local found = {}
	for path in get_string(project, "RENDER_TARGETS"):gmatch("[^;]+") do found[#found + 1] = path end
	if #found == 0 then
		for index = 1, wanted.count do found[index] = ("%s/source-%d.wav"):format(wanted.folder, index) end
	end
	table.sort(found, by_number)
	return found
end

--- Begin. `wanted`: { what = "tracks" | "master", tracks, count, folder, sample_rate, range }. Returns what `step` takes.
function M.start(project, wanted)
	save(project, wanted.tracks)
	if not is_same(saved.selected, wanted.tracks) then select_only(project, wanted.tracks) end
	apply(project, wanted)
	local targets = targets_of(project, wanted)
	if #targets ~= wanted.count then
		refuse("REAPER would render %d files for %d tracks; save the project, then run this again.", #targets, wanted.count)
	end
	for _, path in ipairs(targets) do
		if wav_check.bytes(path) then refuse("The file %s is there already and is not overwritten.", path) end
	end
	project_of.within(project, function() reaper.Main_OnCommandEx(RENDER, 0, project) end)
	local now = reaper.time_precise()
	return { project = project, targets = targets, wanted = wanted, began = now, grew = now, sizes = {}, stable = 0 }
end

local function waves_in(folder)
	local found, index = {}, 0
	reaper.EnumerateFiles(folder, -1)
	while true do
		local name = reaper.EnumerateFiles(folder, index)
		if not name then break end
		if name:find("^source.*%.wav$") then found[#found + 1] = folder .. "/" .. name end
		index = index + 1
	end
	table.sort(found, by_number)
	return found
end

--- Some versions add to the names of stems, or do not tell them: where the expected files are not there and just as many
--- others are, these are they.
local function adopt_other_names(render)
	if wav_check.bytes(render.targets[1]) then return end
	local found = waves_in(render.wanted.folder)
	if #found == render.wanted.count then render.targets = found end
end

local function all_sizes(render)
	adopt_other_names(render)
	local grew, complete = false, true
	for index, path in ipairs(render.targets) do
		local size = wav_check.bytes(path) or 0
		if size ~= render.sizes[index] then grew = true end
		render.sizes[index] = size
		local header = size > 0 and wav_check.header(path)
		if not (header and header.is_whole and header.frames > 0) then complete = false end
	end
	return grew, complete
end

--- Return true when the files are there, false while REAPER renders. Refuses a render that was cancelled or stopped.
function M.step(render)
	if not project_of.is_open(render.project) then refuse("The project was closed while it was being rendered.") end
	local now, is_rendering = reaper.time_precise(), reaper.EnumProjects(RENDERING_NOW) ~= nil
	local grew, complete = all_sizes(render)
	if grew then render.grew = now end
	render.stable = (complete and not grew and not is_rendering) and render.stable + 1 or 0
	if render.stable >= STABLE_TICKS then
		M.restore()
		return true
	end
	if not is_rendering and not complete and now - render.grew > APPEAR_S then
		refuse("REAPER rendered nothing: the render was cancelled, or the disk is full.")
	end
	if now - render.grew > GROWTH_S then
		refuse("The render has stood still for a minute. In Preferences > Rendering switch “Automatically close when "
			.. "finished” on in the render window, then run this again.")
	end
	return false
end

--- Return the files after checking each: rate, float, length to the frame, and that there is sound in one at least.
function M.checked(render)
	local wanted, sounding = render.wanted, false
	for _, path in ipairs(render.targets) do
		local header, why = wav_check.header(path)
		if not header then refuse("REAPER's render cannot be used (%s: %s).", path, why) end
		if header.format ~= 3 or header.bits ~= 32 or header.sample_rate ~= wanted.sample_rate then
			refuse("REAPER rendered %d bit at %d Hz instead of 32-bit float at %d Hz; check the render format of the project.",
				header.bits, header.sample_rate, wanted.sample_rate)
		end
		if math.abs(header.frames - wanted.range.frames) > 1 then
			refuse("REAPER rendered %.2f s instead of %.2f s; was the render cancelled?",
				header.frames / header.sample_rate, wanted.range.frames / wanted.sample_rate)
		end
		sounding = sounding or wav_check.sounds(path, header)
	end
	if not sounding then
		refuse("The render is silent. Is the media offline, an instrument bypassed, or the fader down?")
	end
	return render.targets
end

return M
