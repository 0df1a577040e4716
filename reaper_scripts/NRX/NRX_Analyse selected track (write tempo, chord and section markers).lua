-- @noindex
-- NRX: Analyse selected track (write tempo, chord and section markers). Listens to the selected track and writes what it hears into the project.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "analyse")
