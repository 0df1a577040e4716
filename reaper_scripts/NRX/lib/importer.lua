-- @noindex
--[[ Lays a plan (see `plan`) into a project: tracks, items, MIDI, markers, tempo; one undo point, or nothing at all.

The folder comes under the last source track, inside whatever folder that lies in; selection and the user's own folders
stay as they are. If the source tracks are gone, it comes last.
]]
local channels = require("channels")
local files = require("files")
local midi_file = require("midi_file")
local project_of = require("project")
local refuse = require("trouble").refuse

local M = {}

local CUSTOM_COLOUR = 0x1000000
local BUILD_PEAKS = 40047 -- Peaks: Build any missing peaks
local TIMEBASE_TIME = 0
local NONE = -1

local function set(track, key, number)
	reaper.SetMediaTrackInfo_Value(track, key, number)
end

local function depth_of(track)
	return math.floor(reaper.GetMediaTrackInfo_Value(track, "I_FOLDERDEPTH"))
end

local function track_by_guid(project, guid)
	for index = 0, reaper.CountTracks(project) - 1 do
		local track = reaper.GetTrack(project, index)
		if reaper.GetTrackGUID(track) == guid then return track, index end
	end
	return nil
end

--- Return the last track of the folder that a track opens (itself if it opens none), and its index.
local function end_of_folder(project, track, index)
	if depth_of(track) ~= 1 then return track, index end
	local own, last, at = reaper.GetTrackDepth(track), track, index
	for next_index = index + 1, reaper.CountTracks(project) - 1 do
		local child = reaper.GetTrack(project, next_index)
		if reaper.GetTrackDepth(child) <= own then break end
		last, at = child, next_index
	end
	return last, at
end

--- Return where the folder goes: its index, the track before it, and the folders that it must close at its end.
local function place(project, guids)
	local source, source_index
	for _, guid in ipairs(guids) do
		local track, index = track_by_guid(project, guid)
		if track and (not source_index or index > source_index) then source, source_index = track, index end
	end
	if not source then
		local count = reaper.CountTracks(project)
		return { index = count, closes = 0 }
	end
	local before, index = end_of_folder(project, source, source_index)
	local inner = reaper.GetTrackDepth(before) - reaper.GetTrackDepth(source)
	local closing = math.max(0, -depth_of(before))
	if closing > 0 then set(before, "I_FOLDERDEPTH", -math.min(inner, closing)) end
	return { index = index + 1, closes = math.max(0, closing - inner) }
end

local function new_track(project, index, name, colour)
	if reaper.InsertTrackInProject then
		reaper.InsertTrackInProject(project, index, 0)
	else
		reaper.InsertTrackAtIndex(index, false)
	end
	local track = reaper.GetTrack(project, index)
	reaper.GetSetMediaTrackInfo_String(track, "P_NAME", name, true)
	if colour then
		set(track, "I_CUSTOMCOLOR", reaper.ColorToNative(colour[1], colour[2], colour[3]) | CUSTOM_COLOUR)
	end
	return track
end

local function source_of(path)
	local source = reaper.PCM_Source_CreateFromFile(path)
	if not source then refuse("REAPER cannot read %s.", path) end
	return source
end

local function mark(track, record, row)
	reaper.GetSetMediaTrackInfo_String(track, "P_EXT:nrx_job", record.id, true)
	reaper.GetSetMediaTrackInfo_String(track, "P_EXT:nrx_part", row.kind == "generated" and row.name or "", true)
end

--- An item that lies where it lies: no loop, no stretch, no fade, fixed to time and not to beats.
local function fix_item(item, position_s, length_s)
	local values = {
		D_POSITION = position_s, D_LENGTH = length_s, B_LOOPSRC = 0, C_BEATATTACHMODE = TIMEBASE_TIME, D_FADEINLEN = 0,
		D_FADEOUTLEN = 0, D_FADEINLEN_AUTO = NONE, D_FADEOUTLEN_AUTO = NONE,
	}
	for key, number in pairs(values) do reaper.SetMediaItemInfo_Value(item, key, number) end
end

local function add_audio(track, row, record)
	local item = reaper.AddMediaItemToTrack(track)
	local take = reaper.AddTakeToMediaItem(item)
	local source = source_of(row.path)
	reaper.SetMediaItemTake_Source(take, source)
	fix_item(item, row.position_s, reaper.GetMediaSourceLength(source))
	reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", 0)
	reaper.SetMediaItemTakeInfo_Value(take, "D_PLAYRATE", 1)
	reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", row.name, true)
	reaper.GetSetMediaItemInfo_String(item, "P_EXT:nrx_job", record.id, true)
end

local function add_midi(track, row)
	local text = files.read(row.path)
	local notes = text and midi_file.notes(text)
	if not notes then refuse("The MIDI file %s of the return cannot be read.", row.path) end
	local item = reaper.CreateNewMIDIItemInProj(track, row.position_s, row.position_s + row.length_s, false)
	local take = reaper.GetActiveTake(item)
	for _, note in ipairs(notes) do
		local from = reaper.MIDI_GetPPQPosFromProjTime(take, row.position_s + note.start_s)
		local to = reaper.MIDI_GetPPQPosFromProjTime(take, row.position_s + note.end_s)
		reaper.MIDI_InsertNote(take, false, false, from, to, note.channel, note.pitch, note.velocity, true)
	end
	reaper.MIDI_Sort(take)
	reaper.SetMediaItemInfo_Value(item, "C_BEATATTACHMODE", TIMEBASE_TIME)
	reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
	reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", row.name, true)
end

local function add_tracks(project, plan, record)
	local rows = #plan.tracks + #plan.midi
	if rows == 0 then return end
	local where = place(project, record.sources)
	local parent = new_track(project, where.index, plan.folder)
	mark(parent, record, {})
	local index, last = where.index, parent
	for _, row in ipairs(plan.tracks) do
		index = index + 1
		last = new_track(project, index, row.name, row.colour)
		set(last, "D_VOL", row.volume)
		set(last, "D_PAN", row.pan)
		set(last, "B_MUTE", row.muted and 1 or 0)
		mark(last, record, row)
		add_audio(last, row, record)
	end
	for _, row in ipairs(plan.midi) do
		index = index + 1
		last = new_track(project, index, row.name, row.colour)
		set(last, "B_MUTE", 1)
		mark(last, record, {})
		add_midi(last, row)
	end
	set(parent, "I_FOLDERDEPTH", 1)
	set(last, "I_FOLDERDEPTH", -1 - where.closes)
end

local function add_markers(project, plan)
	for _, marker in ipairs(plan.markers) do
		local is_region = marker.end_s ~= nil
		reaper.AddProjectMarker2(project, is_region, marker.position_s, marker.end_s or 0, marker.name, -1, 0)
	end
end

local KEPT_IN_ITEM = { "D_POSITION", "D_LENGTH", "D_FADEINLEN", "D_FADEOUTLEN" }

--- Return what puts audio items back where they lie now: a change of tempo moves and stretches those on a beat timebase.
local function audio_where_it_lies(project)
	local kept = {}
	for index = 0, reaper.CountMediaItems(project) - 1 do
		local item = reaper.GetMediaItem(project, index)
		local active = reaper.GetActiveTake(item)
		if active and not reaper.TakeIsMIDI(active) then
			local row = { item = item, rates = {} }
			for _, key in ipairs(KEPT_IN_ITEM) do row[key] = reaper.GetMediaItemInfo_Value(item, key) end
			for number = 0, reaper.CountTakes(item) - 1 do
				local take = reaper.GetTake(item, number)
				if take then row.rates[take] = reaper.GetMediaItemTakeInfo_Value(take, "D_PLAYRATE") end
			end
			kept[#kept + 1] = row
		end
	end
	return function()
		for _, row in ipairs(kept) do
			for _, key in ipairs(KEPT_IN_ITEM) do reaper.SetMediaItemInfo_Value(row.item, key, row[key]) end
			for take, rate in pairs(row.rates) do reaper.SetMediaItemTakeInfo_Value(take, "D_PLAYRATE", rate) end
		end
	end
end

--- Give the project the return's tempo for as long as the return lasts; after it, the tempo that was there. What was
--- heard in audio must not move that audio: with `write_tempo` it stays where it lies.
local function set_tempo(project, plan, record)
	local first = plan.tempo[1]
	if not first then return end
	local put_back = record.options.write_tempo and audio_where_it_lies(project) or nil
	local _, _, bpm_after = reaper.TimeMap_GetTimeSigAtTime(project, record.end_s)
	local goes_on = reaper.GetProjectLength(project) > record.end_s + 1
	for index = reaper.CountTempoTimeSigMarkers(project) - 1, 0, -1 do
		local _, time_s = reaper.GetTempoTimeSigMarker(project, index)
		if time_s >= first.position_s - 1e-6 and time_s <= record.end_s then
			reaper.DeleteTempoTimeSigMarker(project, index)
		end
	end
	for _, row in ipairs(plan.tempo) do
		reaper.SetTempoTimeSigMarker(project, -1, row.position_s, -1, -1, row.bpm, row.numerator, row.denominator, row.is_ramp)
	end
	if goes_on then
		reaper.SetTempoTimeSigMarker(project, -1, record.end_s, -1, -1, bpm_after, 0, 0, false)
	end
	if put_back then put_back() end
	reaper.UpdateTimeline()
end

--- Set the user's own tracks as a mix says. Returns sentences on what could not be set.
local function set_channels(project, plan)
	local said = {}
	for _, row in ipairs(plan.channels) do
		local track = track_by_guid(project, row.guid)
		if track then
			local missed = channels.set(track, row.channel)
			if #missed > 0 then
				said[#said + 1] = ("“%s”: REAPER has not %s."):format(row.channel.name, table.concat(missed, ", "))
			end
		else
			said[#said + 1] = ("“%s” is no longer there."):format(row.channel.name)
		end
	end
	return said
end

local function mute_sources(project, plan, record)
	if not record.options.mute_source or #plan.channels > 0 then return end
	for _, guid in ipairs(record.sources) do
		local track = track_by_guid(project, guid)
		if track then set(track, "B_MUTE", 1) end
	end
end

local function selected_ones(project)
	local selected = {}
	for index = 0, reaper.CountTracks(project) - 1 do
		local track = reaper.GetTrack(project, index)
		selected[track] = reaper.IsTrackSelected(track)
	end
	return selected
end

local function select_again(project, selected)
	for index = 0, reaper.CountTracks(project) - 1 do
		local track = reaper.GetTrack(project, index)
		if reaper.IsTrackSelected(track) ~= (selected[track] or false) then
			reaper.SetTrackSelected(track, selected[track] or false)
		end
	end
end

--- Run changes as one undo point of a project; if they fail half-way, they are taken back.
local function as_one(project, name, act)
	project_of.within(project, function()
		local selected = selected_ones(project)
		reaper.Undo_BeginBlock2(project)
		reaper.PreventUIRefresh(1)
		local ok, problem = xpcall(act, require("trouble").with_place)
		select_again(project, selected)
		reaper.PreventUIRefresh(-1)
		reaper.Undo_EndBlock2(project, name, -1)
		if not ok then
			reaper.Undo_DoUndo2(project)
			error(problem, 0)
		end
		reaper.TrackList_AdjustWindows(false)
		reaper.UpdateArrange()
		reaper.Main_OnCommandEx(BUILD_PEAKS, 0, project)
	end)
end

--- Lay a plan into a project. Returns sentences on what could not be done.
function M.import(project, plan, record)
	local said
	as_one(project, "NRX: " .. record.title .. " of " .. record.source_name, function()
		set_tempo(project, plan, record)
		add_tracks(project, plan, record)
		add_markers(project, plan)
		said = set_channels(project, plan)
		mute_sources(project, plan, record)
	end)
	return said
end

local function returned_item(track)
	for index = 0, reaper.CountTrackMediaItems(track) - 1 do
		local item = reaper.GetTrackMediaItem(track, index)
		local _, job = reaper.GetSetMediaItemInfo_String(item, "P_EXT:nrx_job", "", false)
		if job ~= "" then return item end
	end
	return nil
end

--- Lay one part that was played anew into the track that it came from, as a further take of its item.
function M.import_part(project, row, record)
	as_one(project, "NRX: Re-roll " .. row.name, function()
		local track = track_by_guid(project, record.sources[1])
		local item = track and returned_item(track)
		if not track then
			track = new_track(project, reaper.CountTracks(project), row.name, row.colour)
			set(track, "D_VOL", row.volume)
		end
		mark(track, record, row)
		if not item then
			add_audio(track, row, record)
			return
		end
		local take = reaper.AddTakeToMediaItem(item)
		reaper.SetMediaItemTake_Source(take, source_of(row.path))
		reaper.SetMediaItemTakeInfo_Value(take, "D_PLAYRATE", 1)
		reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", ("%s, take %d"):format(row.name, reaper.CountTakes(item)), true)
		reaper.SetActiveTake(take)
	end)
end

return M
