-- @noindex
-- NRX: Settings. Shows where NRX Bridge is and whether it runs.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "settings")
