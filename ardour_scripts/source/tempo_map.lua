--[[ Ardour's tempo map as NRX Bridge takes it: every tempo and metre point, and where each bar starts.

Ardour 7 gives scripts no list of its points, only the point in force at a place (strictly before it, except at the
start). So the list is walked from its end: ask at the end, then just before the point that came back, until the first.
That finds every point, wherever it lies. A ramp of Ardour's is linear in beats; its end is taken from the tempo half-way, since
a tempo's own end is not told.

Beats are quarter notes from the start of the session, bars count from 0; seconds count from the start of the audio
that is sent, so that what lies before it is negative.
]]
local json = require ("json")

local M = {}

local TICKS = 1920 -- per quarter note, in every Ardour since 7.0
local BARS_AFTER = 2
local MOST_BARS = 20000
local FLAT = 1e-6 -- relative difference below which a tempo does not move

local function ticks_of (beats)
	local whole, rest = beats:str ():match ("^(-?%d+):(%d+)$")
	return tonumber (whole) * TICKS + tonumber (rest)
end

local function beats_of (ticks)
	return Temporal.Beats (ticks // TICKS, ticks % TICKS)
end

--- The points in force from 0 to `last_tick`, first to last; `ask(ticks)` gives the one in force there.
local function points (last_tick, ask)
	local found, at = {}, last_tick
	while true do
		local point = ask (beats_of (math.max (at, 0)))
		local start = ticks_of (point:to_point ():beats ())
		if found[1] and start >= found[1].ticks then break end
		table.insert (found, 1, { ticks = start, point = point })
		if start <= 0 then break end
		at = start - 1
	end
	return found
end

local function segments (map, last_tick, origin_s)
	local per_second = Temporal.superclock_ticks_per_second ()
	local found = points (last_tick, function (beats) return map:tempo_at_beats (beats) end)
	local list = json.array ()
	for i, tempo in ipairs (found) do
		local bpm = tempo.point:to_tempo ():quarter_notes_per_minute ()
		local row = { start_beat = tempo.ticks / TICKS, bpm = bpm, end_bpm = bpm, law = "constant" }
		row.start_s = tempo.point:to_point ():sclock () / per_second - origin_s
		local after = found[i + 1]
		if after then
			local half_way = Temporal.timepos_t.from_ticks ((tempo.ticks + after.ticks) // 2)
			local reached = map:quarters_per_minute_at (half_way)
			local share = ((tempo.ticks + after.ticks) // 2 - tempo.ticks) / (after.ticks - tempo.ticks)
			if math.abs (reached / bpm - 1) > FLAT then
				row.end_bpm, row.law = bpm + (reached - bpm) / share, "linear_in_beats"
			end
		end
		list[i] = row
	end
	return list
end

--- Time signatures and bars. A metre point always starts a bar.
local function bars (map, last_tick, rate, origin_s)
	local found = points (last_tick, function (beats) return map:meter_at_beats (beats) end)
	local signatures, rows, bar = json.array (), json.array (), 0
	for i, meter in ipairs (found) do
		local numerator, denominator = meter.point:divisions_per_bar (), meter.point:note_value ()
		local bar_ticks = numerator * TICKS * 4 // denominator
		local stop = found[i + 1] and found[i + 1].ticks or last_tick + 1
		signatures[i] = { start_bar = bar, numerator = numerator, denominator = denominator }
		local at = meter.ticks
		while at < stop and bar < MOST_BARS do
			local start_s = map:sample_at_beats (beats_of (at)) / rate - origin_s
			rows[#rows + 1] = { bar = bar, start_s = start_s, numerator = numerator, denominator = denominator }
			bar, at = bar + 1, at + bar_ticks
		end
	end
	return signatures, rows
end

--- Return the map of the session from its start to two bars after `end_frame`, for audio from `first_frame` on.
function M.read (first_frame, end_frame)
	local rate = Session:nominal_sample_rate ()
	local origin_s = first_frame / rate
	local map = Temporal.TempoMap.read ()
	local last = ticks_of (map:quarters_at_sample (end_frame))
	local meter = map:meter_at_beats (beats_of (last))
	last = last + BARS_AFTER * (meter:divisions_per_bar () * TICKS * 4 // meter:note_value ())
	local document = { segments = segments (map, last, origin_s) }
	document.signatures, document.bars = bars (map, last, rate, origin_s)
	return document
end

return M
