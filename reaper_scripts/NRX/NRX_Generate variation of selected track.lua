-- @noindex
-- NRX: Generate variation of selected track. Plays new music on the chords and the form of the selected track.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "variation")
