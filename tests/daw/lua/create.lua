-- Makes an empty session: create.lua FOLDER RATE TRACK… (name=channels). The tempo map is written into its file later.
local session = assert (create_session (arg[1], "song", tonumber (arg[2])))
for i = 3, #arg do
	local name, channels = arg[i]:match ("^(.+)=(%d+)$")
	Session:new_audio_track (tonumber (channels), 2, nil, 1, name, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
end
collectgarbage ()
session:save_state ("", false, false, false, false, false)
close_session ()
