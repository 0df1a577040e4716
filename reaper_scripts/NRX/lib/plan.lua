-- @noindex
--[[ From a return's manifest to what is to be made in the project. Pure: tables in, a table out.

A plan is { folder, tracks, midi, markers, tempo, channels, notes }; `channels` are settings of the source tracks. Times
are seconds of the project: what the manifest says, from where the return's own audio starts, at where the audio was
rendered from.
]]
local chords = require("chord_names")

local M = {}

local WANTED = {
	parts = { generated = true, fitted = true },
	mix = { mix = true },
	master = { master = true },
	all = { generated = true, fitted = true, separated = true, mix = true, master = true },
	settings = {},
}

local function wanted_kinds(record)
	local options = record.options
	if record.engine == "separate" then return { separated = true } end
	if record.engine == "sync" then return { fitted = true } end
	if record.engine == "master" then return { master = true } end
	return WANTED[options.returns or options.mix_returns or "all"]
end

local function base_s(manifest)
	if manifest.timeline then return manifest.timeline.start_s end
	local least = math.huge
	for _, track in ipairs(manifest.tracks) do least = math.min(least, track.start_s) end
	return least == math.huge and 0 or least
end

local function linear(gain_db)
	return 10 ^ (gain_db / 20)
end

local function rgb(colour)
	local red, green, blue = (colour or ""):match("^#(%x%x)(%x%x)(%x%x)$")
	if not red then return nil end
	return { tonumber(red, 16), tonumber(green, 16), tonumber(blue, 16) }
end

local function only_ones(tracks)
	local muted_all = true
	for _, track in ipairs(tracks) do muted_all = muted_all and track.muted end
	if muted_all then
		for _, track in ipairs(tracks) do track.muted = false end
	end
end

--- A mix or master that lies beside its own parts would double them.
local function mute_sums(tracks)
	local has_parts = false
	for _, track in ipairs(tracks) do has_parts = has_parts or (track.kind ~= "mix" and track.kind ~= "master") end
	for _, track in ipairs(tracks) do
		if has_parts and (track.kind == "mix" or track.kind == "master") then track.muted = true end
	end
end

local function tracks_of(manifest, record)
	local kinds, found, offset_s = wanted_kinds(record), {}, record.start_s - base_s(manifest)
	for _, track in ipairs(manifest.tracks) do
		if kinds[track.kind] then
			found[#found + 1] = {
				name = track.name, role = track.role, kind = track.kind, file = track.file, path = track.path,
				position_s = track.start_s + offset_s, length_s = track.frames / track.sample_rate,
				colour = rgb(track.colour), volume = linear(track.gain_db), pan = track.pan, muted = track.muted == true,
				midi = track.midi,
			}
		end
	end
	only_ones(found)
	mute_sums(found)
	return found
end

local function chord_rows(timeline)
	local rows = {}
	for _, chord in ipairs(timeline.chords or {}) do
		local last = rows[#rows]
		if last and last.label == chord.label and chord.start_s - last.end_s < 1e-3 then
			last.end_s = chord.end_s
		else
			rows[#rows + 1] = { label = chord.label, start_s = chord.start_s, end_s = chord.end_s }
		end
	end
	return rows
end

--- Return markers and regions: { name, position_s, end_s or nil }.
local function markers_of(manifest, record)
	local wanted, timeline, found = record.options.markers or "none", manifest.timeline, {}
	if wanted == "none" or not timeline then return found end
	local sections_have_ends, chords_have_ends = wanted ~= "all as markers", wanted == "all as regions"
	for _, section in ipairs(timeline.sections or {}) do
		found[#found + 1] = {
			name = section.label, position_s = record.start_s + section.start_s,
			end_s = sections_have_ends and record.start_s + section.end_s or nil,
		}
	end
	for _, chord in ipairs(chord_rows(timeline)) do
		local name = chords.name(chord.label)
		if name ~= "" then
			found[#found + 1] = {
				name = name, position_s = record.start_s + chord.start_s,
				end_s = chords_have_ends and record.start_s + chord.end_s or nil,
			}
		end
	end
	return found
end

local function signature_at(timeline, bar)
	local found = timeline.signatures[1]
	for _, signature in ipairs(timeline.signatures) do
		if signature.start_bar <= bar then found = signature end
	end
	return found or { numerator = 4, denominator = 4 }
end

--- Return tempo markers { position_s, bpm, is_ramp, numerator, denominator } from the first bar line of the return on.
local function tempo_of(manifest, record)
	local timeline = manifest.timeline
	local asked = record.options.write_tempo or (record.options.set_tempo and record.options.tempo ~= "project")
	if not asked or not timeline or not timeline.downbeats_s[1] then return {} end
	local first_s, segments = timeline.downbeats_s[1], timeline.tempo_map.segments
	local in_force, found = segments[1], {}
	for _, segment in ipairs(segments) do
		if segment.start_s <= first_s + 1e-6 then in_force = segment end
	end
	local signature = signature_at(timeline, timeline.signatures[1] and timeline.signatures[1].start_bar or 0)
	local function is_ramp(segment) return segment.law ~= "constant" and segment.end_bpm ~= segment.bpm end
	found[1] = {
		position_s = record.start_s + first_s, bpm = in_force.bpm, is_ramp = is_ramp(in_force),
		numerator = signature.numerator, denominator = signature.denominator,
	}
	for _, segment in ipairs(segments) do
		if segment.start_s > first_s + 1e-6 and segment.start_s < timeline.duration_s then
			found[#found + 1] = {
				position_s = record.start_s + segment.start_s, bpm = segment.bpm, is_ramp = is_ramp(segment),
				numerator = 0, denominator = 0,
			}
		end
	end
	return found
end

local function midi_of(tracks, record, folder)
	local found = {}
	if not record.options.midi then return found end
	for _, track in ipairs(tracks) do
		if track.midi then
			found[#found + 1] = { name = track.name .. " (MIDI)", path = folder .. "/" .. track.midi, colour = track.colour,
				position_s = record.start_s, length_s = track.length_s }
		end
	end
	return found
end

--- Return settings for source tracks: { guid, channel } from an entry of mix.json each.
local function channels_of(mix, record)
	local found = {}
	for _, channel in ipairs(mix and mix.channels or {}) do
		local guid = record.sources[channel.input + 1]
		if guid then found[#found + 1] = { guid = guid, channel = channel } end
	end
	return found
end

--- Return the plan for a record whose job gave this manifest (its tracks with absolute `path`s); `mix` is its mix.json.
function M.make(manifest, record, mix)
	local tracks = tracks_of(manifest, record)
	local folder = manifest.folder:gsub("\\", "/")
	return {
		folder = ("NRX %s %s"):format(record.title, record.source_name),
		tracks = tracks,
		midi = midi_of(tracks, record, folder),
		markers = markers_of(manifest, record),
		tempo = tempo_of(manifest, record),
		channels = channels_of(mix, record),
		notes = manifest.notes or {},
	}
end

--- Return the plan for one part that was played anew: that track alone, or nil if the return has it not.
function M.part(manifest, record)
	local offset_s = record.start_s - base_s(manifest)
	for _, track in ipairs(manifest.tracks) do
		if track.kind == "generated" and track.name == record.part then
			return {
				name = track.name, role = track.role, kind = track.kind, path = track.path, file = track.file,
				position_s = track.start_s + offset_s, length_s = track.frames / track.sample_rate,
				colour = rgb(track.colour), volume = linear(track.gain_db), pan = track.pan, muted = false,
			}
		end
	end
	return nil
end

return M
