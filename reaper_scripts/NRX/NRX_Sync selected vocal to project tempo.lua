-- @noindex
-- NRX: Sync selected vocal to project tempo. Fits the selected vocal to the project's tempo map.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "sync_vocal")
