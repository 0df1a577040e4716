-- @noindex
-- NRX: Import finished NRX jobs. Brings in what has been finished for open projects; NRX Bridge can start it over OSC.
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "import")
