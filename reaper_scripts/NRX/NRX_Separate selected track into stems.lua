-- @noindex
-- NRX: Separate selected track into stems. The stems sum to the track.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "separate")
