-- @noindex
-- NRX: Show NRX jobs. Shows all jobs: import what has finished, cancel what has not.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "jobs")
