-- @noindex
--[[ What the user has selected: tracks, their roles, the range in time; and everything that would give a silent or a
wrong render, said in one sentence before anything starts. ]]
local project_of = require("project")
local refuse = require("trouble").refuse
local roles = require("roles")

local M = {}

local function value(track, key)
	return reaper.GetMediaTrackInfo_Value(track, key)
end

--- Return a track's name for people.
function M.name_of(track)
	local _, name = reaper.GetTrackName(track)
	return name
end

local function selected_tracks(project)
	local found = {}
	for index = 0, reaper.CountSelectedTracks(project) - 1 do
		found[#found + 1] = reaper.GetSelectedTrack(project, index)
	end
	return found
end

local function ancestors(track)
	local found, parent = {}, reaper.GetParentTrack(track)
	while parent do
		found[#found + 1] = parent
		parent = reaper.GetParentTrack(parent)
	end
	return found
end

--- Return a track and everything in it, if it is a folder.
function M.with_children(project, track)
	local found, count = { track }, reaper.CountTracks(project)
	if value(track, "I_FOLDERDEPTH") ~= 1 then return found end
	local own_depth = reaper.GetTrackDepth(track)
	local index = math.floor(value(track, "IP_TRACKNUMBER"))
	while index < count do
		local child = reaper.GetTrack(project, index)
		if reaper.GetTrackDepth(child) <= own_depth then break end
		found[#found + 1] = child
		index = index + 1
	end
	return found
end

local function refuse_nested(tracks)
	local selected = {}
	for _, track in ipairs(tracks) do selected[track] = true end
	for _, track in ipairs(tracks) do
		for _, parent in ipairs(ancestors(track)) do
			if selected[parent] then
				refuse(
					"“%s” lies in the folder “%s”, which is selected as well and already contains it; select one of the two.",
					M.name_of(track), M.name_of(parent)
				)
			end
		end
	end
end

local function refuse_muted(track)
	local path = ancestors(track)
	table.insert(path, 1, track)
	for _, each in ipairs(path) do
		if value(each, "B_MUTE") ~= 0 then
			refuse("“%s” is muted and would render as silence; un-mute it, then run this again.", M.name_of(each))
		end
	end
end

local function refuse_soloed_away(project, track)
	if not reaper.AnyTrackSolo(project) then return end
	for _, each in ipairs(ancestors(track)) do
		if value(each, "I_SOLO") ~= 0 then return end
	end
	for _, each in ipairs(M.with_children(project, track)) do
		if value(each, "I_SOLO") ~= 0 then return end
	end
	refuse("Another track is soloed, so “%s” would render as silence; take the solo off, then run this again.", M.name_of(track))
end

local function root_source(take)
	local source = reaper.GetMediaItemTake_Source(take)
	while source do
		local parent = reaper.GetMediaSourceParent(source)
		if not parent then return source end
		source = parent
	end
	return nil
end

local function refuse_missing_media(track)
	for index = 0, reaper.CountTrackMediaItems(track) - 1 do
		local take = reaper.GetActiveTake(reaper.GetTrackMediaItem(track, index))
		local source = take and root_source(take)
		local file = source and reaper.GetMediaSourceFileName(source) or ""
		if file ~= "" and not reaper.file_exists(file) then
			refuse("A file on “%s” is missing or offline (%s); put it back or set it online, then run this again.",
				M.name_of(track), file)
		end
	end
end

--- Return the start and end of what lies on tracks and their children, or nil where they hold no items.
local function extent(project, tracks)
	local first, last = math.huge, -math.huge
	for _, selected in ipairs(tracks) do
		for _, track in ipairs(M.with_children(project, selected)) do
			for index = 0, reaper.CountTrackMediaItems(track) - 1 do
				local item = reaper.GetTrackMediaItem(track, index)
				local start = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
				first = math.min(first, start)
				last = math.max(last, start + reaper.GetMediaItemInfo_Value(item, "D_LENGTH"))
			end
		end
	end
	if last <= first then return nil end
	return first, last
end

--- Return the range to render: the time selection, else what lies on the tracks, on whole frames of the project.
local function range_of(project, tracks, rate)
	local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
	local is_selected = last > first
	if not is_selected then
		if #tracks > 0 then
			first, last = extent(project, tracks)
		else
			first, last = 0, reaper.GetProjectLength(project)
		end
	end
	if not first or last <= first then
		if #tracks == 0 then refuse("The project is empty.") end
		refuse("“%s” holds nothing; select a track with items, or make a time selection.", M.name_of(tracks[1]))
	end
	first, last = math.max(0, first), math.max(0, last)
	local first_frame, last_frame = math.floor(first * rate + 0.5), math.floor(last * rate + 0.5)
	if last_frame - first_frame < rate then
		refuse("Only %.1f s are selected; NRX Bridge needs at least one second.", last - first)
	end
	return { start_s = first_frame / rate, end_s = last_frame / rate, frames = last_frame - first_frame,
		is_time_selection = is_selected }
end

--- Refuse what can no longer be rendered, since the user has gone on working while a window was open.
function M.check_again(picked)
	if not project_of.is_open(picked.project) then refuse("The project was closed; nothing was sent.") end
	if reaper.GetPlayStateEx(picked.project) & 4 ~= 0 then
		refuse("REAPER is recording; stop recording, then run this again.")
	end
	for _, row in ipairs(picked.tracks) do
		if not reaper.ValidatePtr2(picked.project, row.track, "MediaTrack*") then
			refuse("“%s” was deleted meanwhile; select a track, then run this again.", row.name)
		end
		refuse_muted(row.track)
		refuse_soloed_away(picked.project, row.track)
	end
end

--- Return what an action works on: { project, path, sample_rate, range, tracks = { { track, name, guid, role } … } }.
--- `spec` is a row of `actions`. Refuses what cannot work.
function M.pick(spec)
	local project, path = project_of.active()
	if reaper.GetPlayStateEx(project) & 4 ~= 0 then
		refuse("REAPER is recording; stop recording, then run this again.")
	end
	local tracks = selected_tracks(project)
	if #tracks == 0 and not spec.takes_project then
		refuse("Select %s first: click its name in the track list, then run this again.",
			spec.most_tracks == 1 and "a track" or "one or more tracks")
	end
	if spec.most_tracks and #tracks > spec.most_tracks then
		refuse("%d tracks are selected, and this works on one; select one and run this again.", #tracks)
	end
	refuse_nested(tracks)
	local rate = project_of.sample_rate(project)
	local range = range_of(project, tracks, rate)
	local found = {}
	for _, track in ipairs(tracks) do
		refuse_muted(track)
		refuse_soloed_away(project, track)
		for _, each in ipairs(M.with_children(project, track)) do refuse_missing_media(each) end
		local name = M.name_of(track)
		found[#found + 1] = { track = track, name = name, guid = reaper.GetTrackGUID(track), role = roles.guess(name) }
	end
	return { project = project, path = path, sample_rate = rate, range = range, tracks = found }
end

return M
