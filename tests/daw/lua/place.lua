-- Lays whole-file regions on tracks: place.lua FOLDER REGION=TRACK=SAMPLE …
local session = assert (load_session (arg[1], "song"))
for i = 2, #arg do
	local name, wanted, sample = arg[i]:match ("^(.+)=(.+)=(%d+)$")
	local region, track
	for _, known in ARDOUR.RegionFactory.regions ():iter () do
		if known:whole_file () and known:name () == name then region = known end
	end
	for route in Session:get_tracks ():iter () do
		if route:name () == wanted then track = route:to_track () end
	end
	local copy = ARDOUR.RegionFactory.clone_region (region, true, false)
	track:playlist ():add_region (copy, Temporal.timepos_t (tonumber (sample)), 1, false)
	region, track, copy = nil, nil, nil
end
collectgarbage ()
session:save_state ("", false, false, false, false, false)
close_session ()
