-- @noindex
--[[ A mix as settings of the user's own tracks (docs/mixing.md, `mix.json`): faders, pans, polarity, and effects by name.

What was sent had gone through the tracks' own effects and faders, so that the mix's gain goes on top of each fader and
its effects behind those that are there. ReaEQ gets the bands. ReaComp and plug-ins are only put there by name, ReaComp
switched off with its values in its name: their parameters are nobody's standard.
]]
local M = {}

local LOW_CUT = 0
local BAND_TYPES = { low_shelf = 1, bell = 2, high_shelf = 4 }
local FREQUENCY, GAIN, WIDTH = 0, 1, 2
local NEW_INSTANCE = -1

local function linear(gain_db)
	return 10 ^ (gain_db / 20)
end

local function decibels(gain)
	return 20 * math.log(math.max(gain, 1e-6), 10)
end

--- Return the bandwidth in octaves, as ReaEQ takes it, of a band's Q.
function M.octaves(q)
	local x = 1 / (2 * q)
	return 2 / math.log(2) * math.log(x + math.sqrt(x * x + 1))
end

local function add(track, name)
	local index = reaper.TrackFX_AddByName(track, name, false, NEW_INSTANCE)
	return index >= 0 and index or nil
end

local function rename(track, index, name)
	reaper.TrackFX_SetNamedConfigParm(track, index, "renamed_name", name)
end

--- Set one band; `at` counts the bands of its type. Returns whether ReaEQ has such a band.
local function set_band(track, index, kind, at, values)
	if not reaper.TrackFX_SetEQParam(track, index, kind, at, FREQUENCY, values.hz, false) then return false end
	if values.db then reaper.TrackFX_SetEQParam(track, index, kind, at, GAIN, linear(values.db), false) end
	if values.q then reaper.TrackFX_SetEQParam(track, index, kind, at, WIDTH, M.octaves(values.q), false) end
	if reaper.TrackFX_SetEQBandEnabled then reaper.TrackFX_SetEQBandEnabled(track, index, kind, at, true) end
	return true
end

local function equalise(track, channel, say)
	if channel.low_cut_hz <= 0 and #channel.eq == 0 then return end
	local index = add(track, "ReaEQ")
	if not index then return say("ReaEQ") end
	rename(track, index, "NRX mix: ReaEQ")
	if channel.low_cut_hz > 0 and not set_band(track, index, LOW_CUT, 0, { hz = channel.low_cut_hz }) then
		say(("a low cut at %.0f Hz"):format(channel.low_cut_hz))
	end
	local used = {}
	for _, band in ipairs(channel.eq) do
		local at = used[band.kind] or 0
		used[band.kind] = at + 1
		if not set_band(track, index, BAND_TYPES[band.kind], at, band) then
			say(("%+.1f dB at %.0f Hz"):format(band.db, band.hz))
		end
	end
end

local function compress(track, channel, fader_db, say)
	local wanted = channel.compressor
	if not wanted then return end
	local index = add(track, "ReaComp")
	if not index then return say("ReaComp") end
	reaper.TrackFX_SetEnabled(track, index, false)
	rename(track, index, ("NRX mix: ReaComp, set it to %.1f dB, %.1f:1, %.0f/%.0f ms, then switch it on"):format(
		wanted.threshold_db - fader_db, wanted.ratio, wanted.attack_ms, wanted.release_ms))
end

--- Set one track; `channel` is an entry of mix.json. Returns what could not be set, in words.
function M.set(track, channel)
	local missed = {}
	local function say(what) missed[#missed + 1] = what end
	local volume = reaper.GetMediaTrackInfo_Value(track, "D_VOL")
	local pan = reaper.GetMediaTrackInfo_Value(track, "D_PAN")
	reaper.SetMediaTrackInfo_Value(track, "D_VOL", volume * linear(channel.gain_db))
	reaper.SetMediaTrackInfo_Value(track, "D_PAN", math.max(-1, math.min(1, pan + channel.pan)))
	if channel.inverted then
		local phase = reaper.GetMediaTrackInfo_Value(track, "B_PHASE")
		reaper.SetMediaTrackInfo_Value(track, "B_PHASE", phase == 0 and 1 or 0)
	end
	if channel.mute then reaper.SetMediaTrackInfo_Value(track, "B_MUTE", 1) end
	equalise(track, channel, say)
	compress(track, channel, decibels(volume), say)
	for _, name in ipairs(channel.plugins) do
		if not add(track, name) then say(name) end
	end
	return missed
end

return M
