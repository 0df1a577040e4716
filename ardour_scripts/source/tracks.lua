--[[ A return as new tracks: one for each file of the manifest, at its sample, with its gain, mute and colour.

Nothing that was there is touched. The new tracks go into a route group of their own (switched off, so that their
faders stay free), for all of them to be selected, hidden or removed at once: Ardour cannot undo adding tracks.
Regions come without fades: a fade would dull the first beat, and keep separated stems from summing to their source.
]]
local M = {}

local function ids_and_names ()
	local ids, names = {}, {}
	for route in Session:get_routes ():iter () do
		ids[route:to_stateful ():id ():to_s ()] = true
		names[route:name ()] = true
	end
	return ids, names
end

local function free_name (wanted, names)
	local name, count = wanted, 1
	while names[name] do
		count = count + 1
		name = string.format ("%s %d", wanted, count)
	end
	return name
end

--- Import one file at a sample. Returns the new track, or nil.
local function import (path, start_frame, known)
	local list = C.StringVector ()
	list:push_back (path)
	Editor:do_import (list, Editing.ImportDistinctFiles, Editing.ImportAsTrack, ARDOUR.SrcQuality.SrcBest,
		ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore,
		Temporal.timepos_t (start_frame), ARDOUR.PluginInfo (), ARDOUR.Track (), false)
	for route in Session:get_tracks ():iter () do
		if not known[route:to_stateful ():id ():to_s ()] then return route:to_track () end
	end
end

local function without_fades (track)
	for region in track:playlist ():region_list ():iter () do
		local audio = region:to_audioregion ()
		if not audio:isnil () then
			audio:set_fade_in_active (false)
			audio:set_fade_out_active (false)
		end
	end
end

local function rgba (colour)
	local digits = tostring (colour):match ("^#(%x%x%x%x%x%x)$")
	return digits and (tonumber (digits, 16) << 8) + 0xFF
end

local function dress (track, wanted, comment)
	local alone = PBD.GroupControlDisposition.NoGroup
	without_fades (track)
	track:gain_control ():set_value (10 ^ (wanted.gain_db / 20), alone)
	track:mute_control ():set_value (wanted.muted and 1 or 0, alone)
	track:set_comment (comment, nil)
	local colour = rgba (wanted.colour)
	if colour then track:presentation_info_ptr ():set_color (colour) end
end

--- Where a track of a manifest starts, in frames of this session.
function M.start_frame (wanted)
	local rate = Session:nominal_sample_rate ()
	if wanted.sample_rate == rate then return wanted.start_frame end
	return math.floor (wanted.start_frame * rate / wanted.sample_rate + 0.5)
end

--- Lay all tracks of a manifest. job: as in `jobs`. tell(fraction, name) is called before each.
-- Returns the names of the new tracks. Raises an error that says what is missing; tracks laid by then stay.
function M.lay (manifest, job, tell)
	local title = "NRX " .. job.track .. (job.style and " " .. job.style or "")
	local comment = string.format ("NRX Bridge: %s of %s\n%s", job.action, job.track, manifest.folder)
	local wanted_tracks, laid = manifest.tracks or {}, {}
	for _, wanted in ipairs (wanted_tracks) do
		if not ARDOUR.LuaAPI.file_test (wanted.path, ARDOUR.LuaAPI.FileTest.Exists) then
			error ("A file of the return is gone: " .. wanted.path, 0)
		end
	end
	local group = #wanted_tracks > 0 and Session:new_route_group (title)
	if group then group:set_color (false) end -- each track has its own
	for i, wanted in ipairs (wanted_tracks) do
		if tell then tell ((i - 1) / #wanted_tracks, wanted.name) end
		local ids, names = ids_and_names ()
		local track = import (wanted.path, M.start_frame (wanted), ids)
		if not track then error ("Ardour did not import " .. wanted.path, 0) end
		local name = free_name (title .. " - " .. wanted.name, names)
		track:set_name (name)
		dress (track, wanted, comment)
		group:add (track)
		laid[i] = name
	end
	if group then group:set_active (false, nil) end
	return laid
end

return M
