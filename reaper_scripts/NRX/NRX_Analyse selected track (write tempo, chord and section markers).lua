-- @noindex
-- NRX: Analyse selected track (write tempo, chord and section markers). What it hears is written into the project.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "analyse")
