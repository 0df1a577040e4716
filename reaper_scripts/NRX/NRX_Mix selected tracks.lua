-- @noindex
-- NRX: Mix selected tracks. Mixes the selected tracks: balance, tone, dynamics, space.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "mix")
