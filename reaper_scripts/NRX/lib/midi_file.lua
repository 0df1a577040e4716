-- @noindex
--[[ Reads the notes of a Standard MIDI File (SMF 1.0) in seconds, by the file's own tempo map. Nothing here needs REAPER. ]]
local M = {}

local ON, OFF, META, SYSEX, SYSEX_MORE = 0x90, 0x80, 0xFF, 0xF0, 0xF7
local TEMPO = 0x51
local DATA_BYTES = { [0xC0] = 1, [0xD0] = 1 }

local function variable(text, at)
	local value = 0
	while true do
		local byte = text:byte(at)
		value, at = (value << 7) | (byte & 0x7F), at + 1
		if byte < 0x80 then return value, at end
	end
end

local function read_track(text, at, stop, tempos, notes)
	local tick, running, sounding = 0, 0, {}
	local function struck(channel, pitch) return channel * 128 + pitch end
	while at <= stop do
		local wait
		wait, at = variable(text, at)
		tick = tick + wait
		local status = text:byte(at)
		if status >= 0x80 then at = at + 1 else status = running end
		if status == META or status == SYSEX or status == SYSEX_MORE then
			local kind
			if status == META then kind, at = text:byte(at), at + 1 end
			local length
			length, at = variable(text, at)
			if kind == TEMPO then tempos[#tempos + 1] = { tick = tick, micros = string.unpack(">I3", text, at) } end
			at = at + length
		else
			running = status
			local kind, channel = status & 0xF0, status & 0x0F
			local first, second = text:byte(at), text:byte(at + 1) or 0
			at = at + (DATA_BYTES[kind] or 2)
			local key = struck(channel, first)
			if kind == ON and second > 0 then
				sounding[key] = { tick = tick, pitch = first, velocity = second, channel = channel }
			elseif (kind == OFF or kind == ON) and sounding[key] then
				local note = sounding[key]
				note.end_tick, sounding[key] = tick, nil
				notes[#notes + 1] = note
			end
		end
	end
end

local function clock(tempos, ticks_per_quarter)
	table.sort(tempos, function(a, b) return a.tick < b.tick end)
	return function(tick)
		local seconds, from, micros = 0, 0, 500000
		for _, change in ipairs(tempos) do
			if change.tick >= tick then break end
			seconds = seconds + (change.tick - from) * micros / ticks_per_quarter / 1e6
			from, micros = change.tick, change.micros
		end
		return seconds + (tick - from) * micros / ticks_per_quarter / 1e6
	end
end

--- Return a list of { start_s, end_s, pitch, velocity, channel }, in order; nil for what is no MIDI file.
function M.notes(text)
	if text:sub(1, 4) ~= "MThd" or #text < 14 then return nil end
	local length, _, tracks, ticks_per_quarter = string.unpack(">I4I2I2I2", text, 5)
	if ticks_per_quarter == 0 or ticks_per_quarter >= 0x8000 then return nil end
	local at, tempos, notes = 9 + length, {}, {}
	for _ = 1, tracks do
		if text:sub(at, at + 3) ~= "MTrk" then return nil end
		local bytes = string.unpack(">I4", text, at + 4)
		read_track(text, at + 8, math.min(#text, at + 7 + bytes), tempos, notes)
		at = at + 8 + bytes
	end
	local seconds = clock(tempos, ticks_per_quarter)
	for _, note in ipairs(notes) do note.start_s, note.end_s = seconds(note.tick), seconds(note.end_tick) end
	table.sort(notes, function(a, b)
		if a.tick ~= b.tick then return a.tick < b.tick end
		return a.pitch < b.pitch
	end)
	return notes
end

return M
