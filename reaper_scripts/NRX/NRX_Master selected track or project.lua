-- @noindex
-- NRX: Master selected track or project. Masters the selected track, or the project if none is selected.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "master")
