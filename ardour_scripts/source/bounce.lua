--[[ The selected track as one audio file: what it plays, with its plug-ins and fader, before the panner.

Ardour renders the track into the session (a source "NRX …" that no region on the timeline uses; "Clean-up Unused
Sources" removes it), and that is written to one WAV file. The fades that every region has at its ends, 64 samples
unless set otherwise, are part of what the track plays and so part of the render; no second fade is added here, and
none when stems come back (see `tracks`), so that separated stems sum to what the track plays.
]]
local wav = require ("wav")

local M = {}

--- Return the one selected track, or nil and what to do.
function M.selected_track ()
	local chosen = {}
	for route in Editor:get_selection ().tracks:routelist ():iter () do
		local track = route:to_track ()
		if not track:isnil () then chosen[#chosen + 1] = track end
	end
	if #chosen == 1 then return chosen[1] end
	if #chosen == 0 then return nil, "Select a track first: click its name, then run this again." end
	return nil, string.format ("%d tracks are selected; select one and run this again.", #chosen)
end

--- Return the first and the end frame of what lies on a track; nil where it is empty.
function M.extent (track)
	local first, stop = math.huge, -1
	for region in track:playlist ():region_list ():iter () do
		if not region:muted () then
			local start = region:position ():samples ()
			first, stop = math.min (first, start), math.max (stop, start + region:length ():samples ())
		end
	end
	if stop <= first then return nil end
	return first, stop
end

--- Render a track from `first` to `stop` into the file `path`. Returns true, or false and why not.
function M.write (track, first, stop, path, tell)
	local channels = track:n_outputs ():n_audio ()
	if channels < 1 or channels > 2 then
		return false, string.format ("The track has %d audio outputs; NRX Bridge takes mono and stereo tracks.", channels)
	end
	local name = "NRX " .. track:name ()
	local region = track:bounce_range (first, stop, ARDOUR.InterThreadInfo (), track:main_outs (), false, name)
	if region:isnil () or region:to_audioregion ():isnil () then
		return false, "Ardour could not render this track to audio. Is it a MIDI track? Then bounce it to audio first."
	end
	local what = { rate = Session:nominal_sample_rate (), start_frame = first, description = track:name () }
	return wav.write (path, region, what, tell)
end

return M
