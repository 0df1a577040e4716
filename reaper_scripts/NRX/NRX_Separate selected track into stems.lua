-- @noindex
-- NRX: Separate selected track into stems. Takes the selected track apart into vocals, drums, bass and the rest; the stems sum to the track.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "separate")
