-- @noindex
--[[ The project's tempo map as NRX Bridge takes it: every marker, and where each bar starts, by REAPER's own word.

The table of bars wins where the two differ, so that nobody has to compute REAPER's ramps; segments say where they start
in beats only. A bar that a marker cuts short gets the signature of what is left of it. Times are seconds from
`origin_s`, where the audio starts; bar 0 is the bar in force there (`bars_from = "containing"`), or the first that starts
there or later (`"following"`, for audio whose own first bar is to come first). Beats are quarter notes.
]]
local json = require("json")

local M = {}

local BARS_AFTER = 2
local MOST_BARS = 20000
local ON_THE_BAR_S = 0.02
local QUARTERS_EXACT = 1e-4

--- Quarter notes since the start of the project; bars that are cut short count as much as they last.
local function quarters_at(project, time_s)
	return reaper.TimeMap_timeToQN_abs(project, time_s)
end

local function first_bar(project, origin_s, bars_from)
	local _, bar = reaper.TimeMap2_timeToBeats(project, origin_s + 1e-9)
	if bars_from == "following" then
		local start_s = reaper.TimeMap_GetMeasureInfo(project, bar)
		if origin_s - start_s > ON_THE_BAR_S then bar = bar + 1 end
	end
	return bar
end

--- Return the signature of a bar that lasts so many quarter notes: its own, unless a marker has cut it short.
local function signature_of(quarters, num, den)
	if math.abs(quarters - num * 4 / den) < QUARTERS_EXACT then return num, den end
	for _, finer in ipairs({ 4, 8, 16, 32, 64 }) do
		local count = quarters * finer / 4
		local whole = math.floor(count + 0.5)
		if whole > 0 and math.abs(count - whole) < QUARTERS_EXACT then return whole, finer end
	end
	return num, den
end

--- Rows of bars from `bar` on until `BARS_AFTER` bars after `end_s`, and the signatures that they have.
local function bars_of(project, bar, origin_s, end_s)
	local rows, signatures, after, number = json.array(), json.array(), 0, 0
	local numerator, denominator
	while after <= BARS_AFTER and number < MOST_BARS do
		local start_s, _, _, num, den = reaper.TimeMap_GetMeasureInfo(project, bar + number)
		local next_s = reaper.TimeMap_GetMeasureInfo(project, bar + number + 1)
		num, den = signature_of(quarters_at(project, next_s) - quarters_at(project, start_s), num, den)
		rows[#rows + 1] = { bar = number, start_s = start_s - origin_s, numerator = num, denominator = den }
		if num ~= numerator or den ~= denominator then
			signatures[#signatures + 1] = { start_bar = number, numerator = num, denominator = den }
			numerator, denominator = num, den
		end
		if start_s >= end_s then after = after + 1 end
		number = number + 1
	end
	return rows, signatures
end

local function markers_of(project)
	local found = {}
	for index = 0, reaper.CountTempoTimeSigMarkers(project) - 1 do
		local ok, time_s, _, _, bpm, _, _, is_ramp = reaper.GetTempoTimeSigMarker(project, index)
		if ok then found[#found + 1] = { time_s = time_s, bpm = bpm, is_ramp = is_ramp } end
	end
	table.sort(found, function(a, b) return a.time_s < b.time_s end)
	return found
end

local function segments_of(project, anchor_s, origin_s, end_s)
	local markers, segments = markers_of(project), json.array()
	local anchor_qn = quarters_at(project, anchor_s)
	local function add(time_s, bpm, is_ramp, following)
		segments[#segments + 1] = {
			start_beat = quarters_at(project, time_s) - anchor_qn,
			start_s = #segments == 0 and time_s - origin_s or nil,
			bpm = bpm,
			end_bpm = is_ramp and following and following.bpm or bpm,
			law = is_ramp and following and "linear_in_time" or "constant",
		}
	end
	local in_force
	for index, marker in ipairs(markers) do
		if marker.time_s <= anchor_s + 1e-9 then in_force = index end
	end
	local _, _, bpm = reaper.TimeMap_GetTimeSigAtTime(project, anchor_s)
	local at_anchor = in_force and markers[in_force]
	add(anchor_s, bpm, at_anchor and at_anchor.is_ramp, markers[(in_force or 0) + 1])
	for index = (in_force or 0) + 1, #markers do
		local marker = markers[index]
		if marker.time_s > end_s then break end
		add(marker.time_s, marker.bpm, marker.is_ramp, markers[index + 1])
	end
	return segments
end

--- Return the map of a project for audio from `origin_s` to `end_s`.
function M.read(project, origin_s, end_s, bars_from)
	local bar = first_bar(project, origin_s, bars_from)
	local anchor_s = reaper.TimeMap_GetMeasureInfo(project, bar)
	local rows, signatures = bars_of(project, bar, origin_s, end_s)
	return {
		segments = segments_of(project, anchor_s, origin_s, end_s),
		signatures = signatures,
		bars = rows,
	}
end

return M
