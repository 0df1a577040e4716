-- Sets tempos and metres with Ardour's own calls: tempo.lua FOLDER t:QUARTER:BPM:NOTE m:QUARTER:NUMERATOR:DENOMINATOR …
local session = assert (load_session (arg[1], "song"))
local map = Temporal.TempoMap.fetch_writable ()
for i = 2, #arg do
	local kind, quarter, one, two = arg[i]:match ("^(%a):([%d.]+):([%d.]+):([%d.]+)$")
	local at = Temporal.timepos_t.from_ticks (math.floor (quarter * Temporal.ticks_per_beat))
	one, two = tonumber (one), tonumber (two)
	if kind == "t" then map:set_tempo (Temporal.Tempo (one, one, two), at) else map:set_meter (Temporal.Meter (one, two), at) end
end
Temporal.TempoMap.update (map)
map = nil
collectgarbage ()
session:save_state ("", false, false, false, false, false)
close_session ()
