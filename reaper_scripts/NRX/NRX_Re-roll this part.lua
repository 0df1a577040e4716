-- @noindex
-- NRX: Re-roll this part. Plays the selected part of a remix anew, as a further take; all other parts stay.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "reroll")
