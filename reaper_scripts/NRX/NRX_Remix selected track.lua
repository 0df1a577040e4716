-- @description NRX: Remix selected track
-- @version 0.1.0
-- @author NRX Bridge
-- @about
--   # NRX: Remix selected track
--   Sends the selected tracks to NRX Bridge and brings the song back in another style, on new tracks in a folder.
--   Same chords, same form, same voice, locked to the project's bars; one undo step.
--   Needs NRX Bridge on the same computer; `nrx install reaper` sets everything up.
-- @changelog The first version.
-- @provides
--   [main] NRX_*.lua
--   [nomain] lib/*.lua
--   [nomain] lib/shared/*.lua
local folder = ({ reaper.get_action_context() })[2]:match("^(.*[/\\])")
dofile(folder .. "lib/boot.lua").run(folder, "remix")
