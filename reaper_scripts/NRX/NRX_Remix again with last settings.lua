-- @noindex
-- NRX: Remix again with last settings. Remixes the selected tracks with the options of the last time, without asking.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "again")
