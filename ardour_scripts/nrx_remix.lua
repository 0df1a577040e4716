-- Made by ardour_scripts/build.py from ardour_scripts/source; change it there.
ardour {
	["type"] = "EditorAction",
	name = "NRX: Remix selected track",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Sends the selected track to NRX Bridge on this computer and brings the song back on new tracks, in
another style, locked to the session's bars. Nothing that is there is changed.]]
}

function factory (params)
	local modules = {}
	local function require (name) return assert (modules[name], name) end
	modules["json"] = (function ()
--[[ JSON (RFC 8259) for DAW scripts: plain Lua 5.3 and 5.4, no library.

Objects become tables with string keys, arrays tables from 1. null is left out of objects, and `json.null` in
arrays. When writing, a table with a first element, or one marked by `json.array`, is an array; all others are
objects, with their keys in order. Numbers are written with 17 digits and a point, whatever the locale says.
decode(text) returns the value, or nil and what is wrong with the text.
]]
local M = {}

M.null = setmetatable ({}, { __tostring = function () return "null" end })

local is_array = {}

--- Mark a table as an array, so that it is written as [] also when it is empty.
function M.array (list)
	return setmetatable (list or {}, is_array)
end

local ESCAPES = {
	['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function quoted (text)
	return '"' .. text:gsub ('[%c"\\\127]', function (c)
		return ESCAPES[c] or string.format ("\\u%04x", c:byte ())
	end) .. '"'
end

local function number (value)
	if math.type (value) == "integer" then return string.format ("%d", value) end
	if value ~= value or value == math.huge or value == -math.huge then error ("JSON has no number for " .. value, 0) end
	return (string.format ("%.17g", value):gsub (",", "."))
end

local write

local function list (values)
	local parts = {}
	for i, value in ipairs (values) do parts[i] = write (value) end
	return "[" .. table.concat (parts, ",") .. "]"
end

local function object (fields)
	local names, parts = {}, {}
	for name in pairs (fields) do names[#names + 1] = name end
	table.sort (names)
	for i, name in ipairs (names) do parts[i] = quoted (name) .. ":" .. write (fields[name]) end
	return "{" .. table.concat (parts, ",") .. "}"
end

write = function (value)
	local kind = type (value)
	if value == M.null then return "null" end
	if kind == "string" then return quoted (value) end
	if kind == "number" then return number (value) end
	if kind == "boolean" then return tostring (value) end
	if kind ~= "table" then error ("JSON has no " .. kind, 0) end
	if value[1] ~= nil or getmetatable (value) == is_array then return list (value) end
	return object (value)
end

--- Return a value as JSON text. Raises an error for what JSON cannot hold.
function M.encode (value)
	return write (value)
end

local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local WORDS = { ["true"] = true, ["false"] = false, ["null"] = M.null }
local DEEPEST = 200

local function fail (at, what)
	error (string.format ("%s at byte %d", what, at), 0)
end

local function next_sign (text, at)
	return text:find ("[^ \t\r\n]", at) or #text + 1
end

--- One \uXXXX escape, or the two of a surrogate pair; `at` is that of the first hexadecimal digit.
local function code_point (text, at)
	local high = tonumber (text:match ("^%x%x%x%x", at) or fail (at, "a broken \\u"), 16)
	if high >= 0xD800 and high < 0xDC00 then
		local low = tonumber (text:match ("^\\u(%x%x%x%x)", at + 4) or "0", 16)
		if low >= 0xDC00 and low < 0xE000 then
			return utf8.char (0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00), at + 10
		end
	end
	if high >= 0xD800 and high < 0xE000 then high = 0xFFFD end
	return utf8.char (high), at + 4
end

local function read_string (text, at)
	local parts, from = {}, at + 1
	while true do
		local stop = text:find ('[%c"\\]', from) or fail (at, "a string without an end")
		parts[#parts + 1] = text:sub (from, stop - 1)
		local sign = text:sub (stop, stop)
		if sign == '"' then return table.concat (parts), stop + 1 end
		if sign ~= "\\" then
			if sign ~= "\127" then fail (stop, "a control character in a string") end
			parts[#parts + 1], from = sign, stop + 1
		else
			local letter = text:sub (stop + 1, stop + 1)
			if letter == "u" then
				parts[#parts + 1], from = code_point (text, stop + 2)
			else
				parts[#parts + 1] = UNESCAPES[letter] or fail (stop, "an unknown escape")
				from = stop + 2
			end
		end
	end
end

local function read_number (text, at)
	local digits = text:match ("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
	local value = digits and tonumber (digits)
	if not value or digits:find ("^-?0%d") or digits:find ("%.%f[^%d.]") or digits:find ("%.$") then
		fail (at, "no JSON value")
	end
	return value, at + #digits
end

local read

local function read_list (text, at, depth)
	local values = M.array ()
	at = next_sign (text, at + 1)
	if text:sub (at, at) == "]" then return values, at + 1 end
	while true do
		values[#values + 1], at = read (text, at, depth)
		at = next_sign (text, at)
		local sign = text:sub (at, at)
		if sign == "]" then return values, at + 1 end
		if sign ~= "," then fail (at, "an array without , or ]") end
		at = at + 1
	end
end

local function read_object (text, at, depth)
	local fields = {}
	at = next_sign (text, at + 1)
	if text:sub (at, at) == "}" then return fields, at + 1 end
	while true do
		at = next_sign (text, at)
		if text:sub (at, at) ~= '"' then fail (at, "an object without a name") end
		local name, value
		name, at = read_string (text, at)
		at = next_sign (text, at)
		if text:sub (at, at) ~= ":" then fail (at, "a name without :") end
		value, at = read (text, at + 1, depth)
		if value ~= M.null then fields[name] = value end
		at = next_sign (text, at)
		local sign = text:sub (at, at)
		if sign == "}" then return fields, at + 1 end
		if sign ~= "," then fail (at, "an object without , or }") end
		at = at + 1
	end
end

read = function (text, at, depth)
	if depth > DEEPEST then fail (at, "too many levels") end
	at = next_sign (text, at)
	local sign = text:sub (at, at)
	if sign == '"' then return read_string (text, at) end
	if sign == "{" then return read_object (text, at, depth + 1) end
	if sign == "[" then return read_list (text, at, depth + 1) end
	local word = text:match ("^%l+", at)
	if word and WORDS[word] ~= nil then return WORDS[word], at + #word end
	return read_number (text, at)
end

--- Return the value of a JSON text; nil and a sentence where it is none. A byte order mark is skipped.
function M.decode (text)
	local start = text:sub (1, 3) == "\xEF\xBB\xBF" and 4 or 1
	local ok, value, after = pcall (read, text, start, 0)
	if not ok then return nil, tostring (value) end
	if next_sign (text, after) <= #text then return nil, string.format ("more than one value at byte %d", after) end
	return value
end

return M
	end) ()
	modules["files"] = (function ()
--[[ Whole files, for DAW scripts: read at once, and replaced by a rename, so that nobody sees half of one.

Paths are written with forward slashes on every system. Nothing here raises: nil or false says that it did not work.
]]
local M = {}

--- Return what a file holds, or nil.
function M.read (path)
	local file = io.open (path, "rb")
	if not file then return nil end
	local text = file:read ("a")
	file:close ()
	return text
end

--- Write a file under another name and rename it. Returns true, or false and why not.
function M.replace (path, text)
	local draft = path .. ".tmp"
	local file, why = io.open (draft, "wb")
	if not file then return false, why end
	local written, problem = file:write (text)
	local closed, late = file:close ()
	if not (written and closed) then
		os.remove (draft)
		return false, problem or late
	end
	local renamed, refusal = os.rename (draft, path)
	if not renamed then
		os.remove (path) -- where renaming does not replace
		renamed, refusal = os.rename (draft, path)
	end
	return renamed == true, refusal
end

--- Add text to the end of a file. Returns whether it could be.
function M.append (path, text)
	local file = io.open (path, "ab")
	if not file then return false end
	local written = file:write (text)
	return file:close () and written ~= nil
end

--- Return the last part of a path, and the part without its extension.
function M.name_of (path)
	local name = path:match ("[^/\\]+$") or path
	return name, name:match ("^(.+)%.[^.]*$") or name
end

return M
	end) ()
	modules["spool"] = (function ()
--[[ The spool of NRX Bridge, from the side of a DAW script: hand a request in, watch it, cancel it, take the return.

All of it is files below NRX_HOME (`docs/spool.md`): no port, no token. A script that holds a `client`, from
`spool.at (home, name)`, can

    local id = client:submit (client:new_id (), { action = "remix", style = "jazz", inputs = { { path = … } } })
    local status = client:status (id)      -- nil until NRX Bridge has seen it
    client:cancel (id)
    local manifest = client:manifest (status)

Needs `json` and `files`.
]]
local json, files = require ("json"), require ("files")

local M = {}
local Client = {}
Client.__index = Client

M.PROTOCOL = 1
M.STALE_S = 10
M.ENDED = { succeeded = true, failed = true, cancelled = true }

--- Return NRX_HOME: the variable, what the installer wrote down, or .nrx in the user's own folder.
function M.home (installed)
	local named = os.getenv ("NRX_HOME")
	if named and named:match ("%S") then return named end
	if installed and installed ~= "" then return installed end
	return (os.getenv ("HOME") or os.getenv ("USERPROFILE") or ".") .. "/.nrx"
end

--- Return a client of the spool in a home; `name` says who asks.
function M.at (home, name)
	return setmetatable ({ home = home:gsub ("\\", "/"):gsub ("/+$", ""), name = name, count = 0 }, Client)
end

--- Return what daemon.json tells of the running daemon, or nil if none runs.
function Client:daemon ()
	local text = files.read (self.home .. "/daemon.json")
	local found = text and json.decode (text)
	if type (found) ~= "table" or type (found.heartbeat) ~= "number" then return nil end
	return math.abs (os.time () - found.heartbeat) <= M.STALE_S and found or nil
end

--- Return the styles, { { id = …, name = …, description = … }, … }; empty where NRX Bridge has not said them.
function Client:styles ()
	local text = files.read (self.home .. "/styles.json")
	local styles = text and json.decode (text)
	return type (styles) == "table" and styles or {}
end

--- Return an id that no job has had: who asks, the second, and a random number.
function Client:new_id ()
	self.count = self.count + 1
	local seed = math.floor (os.clock () * 1e6) + self.count * 7919
	math.randomseed (os.time () + seed)
	return string.format ("%s-%s-%05x%d", self.name, os.date ("!%Y%m%d%H%M%S"), math.random (0, 0xFFFFF), self.count)
end

--- Where a script may put audio that goes with a request; what is left there is swept away after a day.
function Client:audio_path (id)
	return string.format ("%s/spool/new/%s.wav", self.home, id)
end

--- Hand a request in. Returns its id, or nil and why not.
function Client:submit (id, request)
	local document = { protocol = M.PROTOCOL, id = id, client = self.name, request = request }
	local path = string.format ("%s/spool/new/%s", self.home, id)
	local written, why = files.replace (path .. ".json", json.encode (document))
	if not written then return nil, why end
	return id
end

--- Return how a job is, or nil if nothing is known of it yet.
function Client:status (id)
	local text = files.read (string.format ("%s/spool/status/%s.json", self.home, id))
	local status = text and json.decode (text)
	return type (status) == "table" and status or nil
end

--- Ask for a job to be cancelled. Returns whether the wish could be written.
function Client:cancel (id)
	return (files.replace (string.format ("%s/spool/cancel/%s.json", self.home, id), "{}"))
end

--- Return the manifest of a job that succeeded; its tracks get an absolute `path`. nil and why not, else.
function Client:manifest (status)
	local path = status.manifest
	local text = path and files.read (path)
	if not text then return nil, "The return's manifest cannot be read: " .. tostring (path) end
	local manifest, why = json.decode (text)
	if type (manifest) ~= "table" then return nil, "The return's manifest is broken: " .. tostring (why) end
	local folder = path:match ("^(.*)[/\\]") or "."
	for _, track in ipairs (manifest.tracks or {}) do track.path = folder .. "/" .. track.file end
	return manifest
end

return M
	end) ()
	modules["here"] = (function ()
--[[ Where NRX Bridge is on this computer: `nrx_bridge.json`, which `nrx install ardour` leaves beside the scripts. ]]
local json, files, spool = require ("json"), require ("files"), require ("spool")

local M = {}

local function note ()
	local text = files.read (ARDOUR.user_config_directory (-1) .. "/scripts/nrx_bridge.json")
	local found = text and json.decode (text)
	return type (found) == "table" and found or {}
end

--- Return a client of the spool.
function M.client ()
	return spool.at (spool.home (note ().home), "ardour")
end

--- Return the words of the command that starts NRX Bridge, or nil where they are not known.
function M.start_command (client)
	local python = note ().python
	if not python or python:match ("^%a:") then return nil end -- Windows: no way without a console window
	return { "/usr/bin/env", "NRX_HOME=" .. client.home, python, "-m", "bridge.doors.cli", "serve" }
end

return M
	end) ()
	modules["wav"] = (function ()
--[[ A Broadcast Wave file, 32-bit float, written block by block from what Ardour can read.

Ardour keeps each channel in a mono file of the session's own format; NRX Bridge takes one file with all channels, and
its place on the timeline from the `bext` chunk (EBU Tech 3285). The samples come from `ARDOUR.Readable`, so any native
format of Ardour will do, and are written as they are.
]]
local M = {}

local BLOCK_FRAMES = 8192
local PACKED = 200 -- values per string.pack: well below the largest number of arguments
local LARGEST_BYTES = 4294967295 - 4096

local function chunk (kind, body)
	return kind .. string.pack ("<I4", #body) .. body
end

--- The opening of a file of `frames` frames that starts at `start_frame` of the timeline.
local function header (frames, channels, rate, start_frame, description)
	local data_bytes = 4 * channels * frames
	local bext = string.pack ("<c256 c32 c32 c10 c8 I8 I2", description:sub (1, 255), "NRX Bridge", "",
		os.date ("%Y-%m-%d"), os.date ("%H:%M:%S"), start_frame, 1) .. ("\0"):rep (254)
	local format = string.pack ("<I2 I2 I4 I4 I2 I2 I2", 3, channels, rate, 4 * channels * rate, 4 * channels, 32, 0)
	local opening = "WAVE" .. chunk ("bext", bext) .. chunk ("fmt ", format) .. chunk ("fact", string.pack ("<I4", frames))
	return "RIFF" .. string.pack ("<I4", #opening + 8 + data_bytes) .. opening .. "data" .. string.pack ("<I4", data_bytes)
end

--- The samples of one block, channels interleaved; `columns` has a table of numbers for each channel.
local function packed (columns, frames)
	local values, channels = {}, #columns
	for channel, column in ipairs (columns) do
		for i = 1, frames do values[(i - 1) * channels + channel] = column[i] end
	end
	local parts, whole = {}, "<" .. ("f"):rep (PACKED)
	for first = 1, #values, PACKED do
		local last = math.min (first + PACKED - 1, #values)
		local layout = last - first + 1 == PACKED and whole or "<" .. ("f"):rep (last - first + 1)
		parts[#parts + 1] = string.pack (layout, table.unpack (values, first, last))
	end
	return table.concat (parts)
end

--- Write `region` (an ARDOUR.Region that holds audio) to `path`, its own fades and gain left aside.
-- what: { rate = Hz, start_frame = on the timeline, description = text }
-- tell(fraction) is called after each block; returning true ends the work.
-- Returns true, or false and why not; nothing is left behind then.
function M.write (path, region, what, tell)
	local audio = region:to_audioregion ()
	local channels, frames = audio:n_channels (), region:length ():samples ()
	if 4 * channels * frames > LARGEST_BYTES then return false, "The track is too long for one WAV file (4 GB)." end
	local file, why = io.open (path, "wb")
	if not file then return false, why end
	local readable = audio:to_readable ()
	local memory = ARDOUR.DSP.DspShm (BLOCK_FRAMES)
	local block = memory:to_float (0)
	local written, problem = file:write (header (frames, channels, what.rate, what.start_frame, what.description))
	local at = 0
	while written and at < frames do
		local count, columns = math.min (BLOCK_FRAMES, frames - at), {}
		for channel = 1, channels do
			if readable:read (block, at, count, channel - 1) ~= count then
				written, problem = false, "Ardour could not read what it rendered."
				break
			end
			columns[channel] = block:get_table (count)
		end
		if written then written, problem = file:write (packed (columns, count)) end
		at = at + count
		if written and tell (at / frames) then written, problem = false, "cancelled" end
	end
	local closed, late = file:close ()
	if written and closed then return true end
	os.remove (path)
	return false, problem or late
end

return M
	end) ()
	modules["tempo_map"] = (function ()
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
	end) ()
	modules["bounce"] = (function ()
--[[ The selected track as one audio file: what it plays, with its plug-ins and fader, before the panner.

Ardour renders the track into the session (a source "NRX …" that no region on the timeline uses; "Clean-up Unused
Sources" removes it), and that is written to one WAV file. The fades that every region has at its ends, 64 samples
unless set otherwise, are part of what the track plays and so part of the render; no second fade is added here, and
none when stems come back (see `tracks`), so that separated stems sum to what the track plays.
]]
local wav = require ("wav")

local M = {}

--- Return the one selected track, or nil and what to do.
function M.selected_track ()
	local chosen = {}
	for route in Editor:get_selection ().tracks:routelist ():iter () do
		local track = route:to_track ()
		if not track:isnil () then chosen[#chosen + 1] = track end
	end
	if #chosen == 1 then return chosen[1] end
	if #chosen == 0 then return nil, "Select a track first: click its name, then run this again." end
	return nil, string.format ("%d tracks are selected; select one and run this again.", #chosen)
end

--- Return the first and the end frame of what lies on a track; nil where it is empty.
function M.extent (track)
	local first, stop = math.huge, -1
	for region in track:playlist ():region_list ():iter () do
		if not region:muted () then
			local start = region:position ():samples ()
			first, stop = math.min (first, start), math.max (stop, start + region:length ():samples ())
		end
	end
	if stop <= first then return nil end
	return first, stop
end

--- Render a track from `first` to `stop` into the file `path`. Returns true, or false and why not.
function M.write (track, first, stop, path, tell)
	local channels = track:n_outputs ():n_audio ()
	if channels < 1 or channels > 2 then
		return false, string.format ("The track has %d audio outputs; NRX Bridge takes mono and stereo tracks.", channels)
	end
	local name = "NRX " .. track:name ()
	local region = track:bounce_range (first, stop, ARDOUR.InterThreadInfo (), track:main_outs (), false, name)
	if region:isnil () or region:to_audioregion ():isnil () then
		return false, "Ardour could not render this track to audio. Is it a MIDI track? Then bounce it to audio first."
	end
	local what = { rate = Session:nominal_sample_rate (), start_frame = first, description = track:name () }
	return wav.write (path, region, what, tell)
end

return M
	end) ()
	modules["jobs"] = (function ()
--[[ Which jobs this session has sent, kept in `nrx_jobs.json` in the session's folder.

A job is { id, action, style, track, sent_at, state, sentence }; its state is

    sent        handed in, and neither imported nor given up
    importing   its tracks are being laid
    imported    they lie in the session
    failed      it failed or was cancelled; `sentence` says why

`held_until` keeps the hook away from a job whose progress window is open. The file is read anew each time, since
every script in Ardour has a Lua of its own.
]]
local json, files = require ("json"), require ("files")

local M = {}

M.MOST = 40
M.HOLD_S = 10

local function path ()
	return Session:path ():gsub ("/+$", "") .. "/nrx_jobs.json"
end

--- Return the jobs of this session, the newest last.
function M.all ()
	local text = files.read (path ())
	local document = text and json.decode (text)
	return type (document) == "table" and type (document.jobs) == "table" and document.jobs or {}
end

local function keep (list)
	while #list > M.MOST do table.remove (list, 1) end
	local written, why = files.replace (path (), json.encode ({ jobs = json.array (list) }))
	if not written then error ("The session's list of NRX jobs cannot be written: " .. tostring (why), 0) end
end

--- Write a new job down.
function M.add (job)
	local list = M.all ()
	list[#list + 1] = job
	keep (list)
end

--- Change fields of a job; returns it as it is now, or nil where there is none.
function M.change (id, fields)
	local list = M.all ()
	for _, job in ipairs (list) do
		if job.id == id then
			for name, value in pairs (fields) do job[name] = value end
			keep (list)
			return job
		end
	end
end

--- Return whether a progress window waits for a job at this moment.
function M.is_held (job)
	return (job.held_until or 0) > os.time ()
end

return M
	end) ()
	modules["tracks"] = (function ()
--[[ A return as new tracks: one for each file of the manifest, at its sample, with its gain, mute and colour.

Nothing that was there is touched. The new tracks go into a route group of their own (switched off, so that their
faders stay free), for all of them to be selected, hidden or removed at once: Ardour cannot undo adding tracks.
Regions come without fades: a fade would dull the first beat, and keep separated stems from summing to their source.
]]
local M = {}

local function ids_and_names ()
	local ids, names = {}, {}
	for route in Session:get_routes ():iter () do
		ids[route:to_stateful ():id ():to_s ()] = true
		names[route:name ()] = true
	end
	return ids, names
end

local function free_name (wanted, names)
	local name, count = wanted, 1
	while names[name] do
		count = count + 1
		name = string.format ("%s %d", wanted, count)
	end
	return name
end

--- Import one file at a sample. Returns the new track, or nil.
local function import (path, start_frame, known)
	local list = C.StringVector ()
	list:push_back (path)
	Editor:do_import (list, Editing.ImportDistinctFiles, Editing.ImportAsTrack, ARDOUR.SrcQuality.SrcBest,
		ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore,
		Temporal.timepos_t (start_frame), ARDOUR.PluginInfo (), ARDOUR.Track (), false)
	for route in Session:get_tracks ():iter () do
		if not known[route:to_stateful ():id ():to_s ()] then return route:to_track () end
	end
end

local function without_fades (track)
	for region in track:playlist ():region_list ():iter () do
		local audio = region:to_audioregion ()
		if not audio:isnil () then
			audio:set_fade_in_active (false)
			audio:set_fade_out_active (false)
		end
	end
end

local function rgba (colour)
	local digits = tostring (colour):match ("^#(%x%x%x%x%x%x)$")
	return digits and (tonumber (digits, 16) << 8) + 0xFF
end

local function dress (track, wanted, comment)
	local alone = PBD.GroupControlDisposition.NoGroup
	without_fades (track)
	track:gain_control ():set_value (10 ^ (wanted.gain_db / 20), alone)
	track:mute_control ():set_value (wanted.muted and 1 or 0, alone)
	track:set_comment (comment, nil)
	local colour = rgba (wanted.colour)
	if colour then track:presentation_info_ptr ():set_color (colour) end
end

--- Where a track of a manifest starts, in frames of this session.
function M.start_frame (wanted)
	local rate = Session:nominal_sample_rate ()
	if wanted.sample_rate == rate then return wanted.start_frame end
	return math.floor (wanted.start_frame * rate / wanted.sample_rate + 0.5)
end

--- Lay all tracks of a manifest. job: as in `jobs`. tell(fraction, name) is called before each.
-- Returns the names of the new tracks. Raises an error that says what is missing; tracks laid by then stay.
function M.lay (manifest, job, tell)
	local title = "NRX " .. job.track .. (job.style and " " .. job.style or "")
	local comment = string.format ("NRX Bridge: %s of %s\n%s", job.action, job.track, manifest.folder)
	local wanted_tracks, laid = manifest.tracks or {}, {}
	for _, wanted in ipairs (wanted_tracks) do
		if not ARDOUR.LuaAPI.file_test (wanted.path, ARDOUR.LuaAPI.FileTest.Exists) then
			error ("A file of the return is gone: " .. wanted.path, 0)
		end
	end
	local group = #wanted_tracks > 0 and Session:new_route_group (title)
	if group then group:set_color (false) end -- each track has its own
	for i, wanted in ipairs (wanted_tracks) do
		if tell then tell ((i - 1) / #wanted_tracks, wanted.name) end
		local ids, names = ids_and_names ()
		local track = import (wanted.path, M.start_frame (wanted), ids)
		if not track then error ("Ardour did not import " .. wanted.path, 0) end
		local name = free_name (title .. " - " .. wanted.name, names)
		track:set_name (name)
		dress (track, wanted, comment)
		group:add (track)
		laid[i] = name
	end
	if group then group:set_active (false, nil) end
	return laid
end

return M
	end) ()
	modules["dialogs"] = (function ()
--[[ What the user sees: messages, the options of an action, a list to choose from, a progress window. ]]
local M = {}

local TITLE = "NRX Bridge"

--- Show a sentence and wait for OK.
function M.tell (sentence, is_trouble)
	local kind = is_trouble and LuaDialog.MessageType.Warning or LuaDialog.MessageType.Info
	LuaDialog.Message (TITLE, sentence, kind, LuaDialog.ButtonType.Close):run ()
end

--- Ask a question; returns whether the answer was yes.
function M.ask (question)
	local kinds, buttons = LuaDialog.MessageType, LuaDialog.ButtonType
	return LuaDialog.Message (TITLE, question, kinds.Question, buttons.Yes_No):run () == LuaDialog.Response.Yes
end

local function style_row (styles)
	local values, first = {}, styles[1].name
	for _, style in ipairs (styles) do
		values[style.name] = style.id
		if style.id == "lofi_chill" then first = style.name end
	end
	return { type = "dropdown", key = "style", title = "Style", values = values, default = first }
end

local function range_row ()
	return {
		type = "dropdown", key = "range", title = "Send",
		values = { ["The whole track"] = "track", ["The selected range"] = "range" },
		default = "The selected range",
	}
end

local BACKGROUND = {
	type = "checkbox", key = "background", default = false,
	title = "Go on working meanwhile",
}

local ROWS = {
	remix = function (styles)
		return {
			style_row (styles),
			{ type = "number", key = "energy", title = "Energy", min = 0.5, max = 2, step = 0.1, digits = 2, default = 1 },
			{ type = "number", key = "brightness", title = "Brightness", min = 0.5, max = 2, step = 0.1, digits = 2, default = 1 },
			{
				type = "dropdown", key = "tempo", title = "Tempo",
				values = { ["The session's"] = "project", ["The style's"] = "style", ["The BPM below"] = "bpm" },
				default = "The session's",
			},
			{ type = "number", key = "bpm", title = "BPM", min = 40, max = 240, step = 1, digits = 1, default = 100 },
		}
	end,
	separate = function () return {} end,
}

--- Ask for the options of an action. Returns them, or nil where the user cancelled.
-- what: { action, track = name, styles = list, has_range = boolean }
function M.options (what)
	local rows = ROWS[what.action] (what.styles)
	table.insert (rows, 1, { type = "label", title = string.format ("Track “%s”", what.track), colspan = 2 })
	if what.has_range then rows[#rows + 1] = range_row () end
	rows[#rows + 1] = BACKGROUND
	local titles = { remix = "NRX: Remix selected track", separate = "NRX: Separate selected track" }
	return LuaDialog.Dialog (titles[what.action], rows):run ()
end

--- Let the user tick jobs. rows: { { id, title, ticked }, … }. Returns the ids that were ticked, or nil.
function M.choose (rows)
	local boxes = {}
	for _, row in ipairs (rows) do
		boxes[#boxes + 1] = { type = "checkbox", key = row.id, title = row.title, default = row.ticked }
	end
	local answer = LuaDialog.Dialog ("Import finished NRX jobs", boxes):run ()
	if not answer then return nil end
	local ids = {}
	for _, row in ipairs (rows) do
		if answer[row.id] then ids[#ids + 1] = row.id end
	end
	return ids
end

--- Open a progress window. `window:tell (fraction, text)` returns true once the user has pressed Cancel.
function M.progress ()
	local shown = LuaDialog.ProgressWindow (TITLE, true)
	local window = {}
	function window.tell (_, fraction, text)
		shown:progress (math.max (0, math.min (1, fraction)), text)
		return shown:canceled ()
	end
	function window.close ()
		if shown then shown:done () end
		shown = nil
	end
	return window
end

return M
	end) ()
	modules["starting"] = (function ()
--[[ A running NRX Bridge, or a sentence that says how to get one: where it is absent, the user may have it started. ]]
local dialogs, here = require ("dialogs"), require ("here")

local M = {}

local PATIENCE_S = 30
local ROUND_US = 100000

M.NOT_RUNNING = "NRX Bridge is not running. Start it with “nrx serve” in a terminal (or once and for all with "
	.. "“nrx service install”), then run this again."

local function start (client, command)
	local window, deadline = dialogs.progress (), os.time () + PATIENCE_S
	os.forkexec (table.unpack (command))
	while not client:daemon () and os.time () < deadline do
		if window:tell (0, "Starting NRX Bridge.") then break end
		ARDOUR.LuaAPI.usleep (ROUND_US)
	end
	window.close ()
	return client:daemon () ~= nil
end

--- Return whether NRX Bridge runs now; the user has been told if not.
function M.is_running (client)
	if client:daemon () then return true end
	local command = os.forkexec and here.start_command (client)
	if not command then
		dialogs.tell (M.NOT_RUNNING, true)
		return false
	end
	if not dialogs.ask ("NRX Bridge is not running. Start it?") then return false end
	if start (client, command) then return true end
	dialogs.tell ("NRX Bridge did not start. Run “nrx doctor” in a terminal: it says what is missing.", true)
	return false
end

return M
	end) ()
	modules["importing"] = (function ()
--[[ Finished jobs of this session become tracks, each once, whoever sees it first: progress window, hook or menu. ]]
local jobs, tracks = require ("jobs"), require ("tracks")

local M = {}

local TOO_LONG_S = 600 -- after which an import that never ended counts as one that Ardour did not survive

--- Return how a job is according to NRX Bridge, and whether it has ended. A job that nothing is known of is "unknown".
function M.state (client, job)
	local status = client:status (job.id)
	local state = status and status.state or "unknown"
	return state, status, state == "succeeded" or state == "failed" or state == "cancelled"
end

--- Return whether a job waits for its tracks.
function M.is_due (job)
	if job.state == "importing" then return (job.importing_at or 0) < os.time () - TOO_LONG_S end
	return job.state == "sent"
end

--- Lay the return of a job that succeeded. Returns the names of the new tracks, or nil and what went wrong.
function M.lay (client, job, status, tell)
	jobs.change (job.id, { state = "importing", importing_at = os.time () })
	local manifest, why = client:manifest (status)
	local ok, laid = false, why
	if manifest then ok, laid = pcall (tracks.lay, manifest, job, tell) end
	collectgarbage ()
	if not ok then
		jobs.change (job.id, { state = "failed", sentence = tostring (laid) })
		return nil, tostring (laid)
	end
	jobs.change (job.id, { state = "imported" })
	return laid
end

--- Write down that a job ended without a return. Returns the sentence.
function M.give_up (job, status)
	local sentence = status.error and status.error.sentence or status.message or "The job failed."
	jobs.change (job.id, { state = "failed", sentence = sentence })
	return sentence
end

return M
	end) ()
	modules["sending"] = (function ()
--[[ From the selected track to new tracks: ask, render, hand in, wait with a progress window, import. ]]
local spool, jobs = require ("spool"), require ("jobs")
local bounce, tempo_map = require ("bounce"), require ("tempo_map")
local dialogs, starting, importing = require ("dialogs"), require ("starting"), require ("importing")

local M = {}

local RENDER_SHARE, IMPORT_SHARE = 0.05, 0.05 -- of the progress bar
local ROUND_US = 100000
local ROUNDS_PER_LOOK = 3
local SILENT_S = 15
local MOST_LETTERS = 60

M.LEFT = "NRX Bridge has stopped answering. The job is kept; once NRX Bridge runs again, bring it in with "
	.. "“Import finished NRX jobs”."

--- The user's time selection where there is one that overlaps `first` to `stop`.
local function selected_range (first, stop)
	local time = Editor:get_selection ().time
	if not time or time:length ():samples () <= 0 then return nil end
	local start, finish = math.max (first, time:start_sample ()), math.min (stop, time:end_sample ())
	if finish > start then return start, finish end
end

--- A file name for the track: no folders in it, and not too long.
local function file_name (track_name)
	local name = track_name:gsub ("[/\\]", "-")
	local cut = utf8.len (name) and utf8.offset (name, MOST_LETTERS + 1)
	return (cut and name:sub (1, cut - 1) or name) .. ".wav"
end

--- The request of an action; what the dialog does not ask keeps NRX Bridge's own default.
local function request (action, options, path, track_name, first, stop)
	local rate = Session:nominal_sample_rate ()
	local asked = {
		action = action,
		inputs = { { path = path, name = file_name (track_name) } },
		tempo_map = tempo_map.read (first, stop),
		timeline = { start_s = first / rate, end_s = stop / rate, sample_rate = rate, project = Session:name () },
	}
	if action == "remix" then
		asked.style, asked.energy, asked.brightness = options.style, options.energy, options.brightness
		asked.tempo = options.tempo == "bpm" and options.bpm or options.tempo
	end
	return asked
end

--- Watch a job until it has ended or cannot be watched any more. Returns its last status, or nil and why.
local function wait (client, id, window)
	local round, cancelling, last_seen, held_at, status = 0, false, os.time (), 0, nil
	while true do
		if round % ROUNDS_PER_LOOK == 0 then
			if os.time () - held_at >= jobs.HOLD_S // 2 then
				held_at = os.time ()
				jobs.change (id, { held_until = held_at + jobs.HOLD_S })
			end
			status = client:status (id) or status
			if client:daemon () then last_seen = os.time () end
			if status and status.accepted then os.remove (client:audio_path (id)) end
			if status and spool.ENDED[status.state] then return status end
			if os.time () - last_seen > SILENT_S then return nil, M.LEFT end
		end
		round = round + 1
		local done = RENDER_SHARE + (1 - RENDER_SHARE - IMPORT_SHARE) * (status and status.fraction or 0)
		local text = cancelling and "Cancelling." or status and status.message or "Handing the track to NRX Bridge."
		if window:tell (done, text) and not cancelling then cancelling = client:cancel (id) end
		ARDOUR.LuaAPI.usleep (ROUND_US)
	end
end

--- Render the track and hand the request in. Returns the job, or nil and why not.
local function hand_in (client, action, track, options, first, stop, window)
	local id, name = client:new_id (), track:name ()
	local path = client:audio_path (id)
	local written, why = bounce.write (track, first, stop, path, function (fraction)
		return window:tell (RENDER_SHARE * fraction, "Rendering the track.")
	end)
	if not written then return nil, why end
	local handed_in, refusal = client:submit (id, request (action, options, path, name, first, stop))
	if not handed_in then
		os.remove (path)
		return nil, "The request cannot be written: " .. tostring (refusal)
	end
	local job = { id = id, action = action, style = options.style, track = name, sent_at = os.time (), state = "sent" }
	jobs.add (job)
	return job
end

local function send (client, action, track, options, first, stop, window)
	local job, why = hand_in (client, action, track, options, first, stop, window)
	if not job then return why end
	if options.background then return nil end
	local status, left = wait (client, job.id, window)
	if not status then return left end
	if status.state ~= "succeeded" then
		local sentence = importing.give_up (job, status)
		return status.state == "failed" and sentence or nil
	end
	local laid, trouble = importing.lay (client, job, status, function (fraction, name)
		window:tell (1 - IMPORT_SHARE * (1 - fraction), "Importing " .. name .. ".")
	end)
	return not laid and trouble or nil
end

--- Run an action on the selected track, from the dialog to the new tracks. Problems are told in a message.
function M.run (client, action)
	if not starting.is_running (client) then return end
	local track, why = bounce.selected_track ()
	if not track then return dialogs.tell (why, true) end
	local first, stop = bounce.extent (track)
	if not first then return dialogs.tell (string.format ("There is nothing on “%s”.", track:name ()), true) end
	local from, to = selected_range (first, stop)
	local styles = client:styles ()
	if action == "remix" and #styles == 0 then return dialogs.tell ("NRX Bridge has not said its styles; restart it.", true) end
	local options = dialogs.options ({ action = action, track = track:name (), styles = styles, has_range = from ~= nil })
	if not options then return end
	if options.range == "range" then first, stop = from, to end
	local window = dialogs.progress ()
	local ok, sentence = pcall (send, client, action, track, options, first, stop, window)
	window.close ()
	track = nil
	collectgarbage ()
	if not ok then error (sentence, 0) end
	if sentence and sentence ~= "cancelled" then dialogs.tell (sentence, true) end
end

return M
	end) ()
	modules["guard"] = (function ()
--[[ Ardour drops a script for good when it raises an error, and shows it only in its log. So nothing gets past here. ]]
local files, dialogs = require ("files"), require ("dialogs")

local M = {}

--- Run `action`; an error is told in a message and appended to `log_path`.
function M.run (log_path, action, ...)
	local ok, trouble = pcall (action, ...)
	if ok then return end
	files.append (log_path, os.date ("%Y-%m-%d %H:%M:%S ") .. tostring (trouble) .. "\n")
	dialogs.tell ("Something went wrong: " .. tostring (trouble), true)
end

return M
	end) ()
	return function ()
		local client = require ("here").client ()
		require ("guard").run (client.home .. "/ardour.log", require ("sending").run, client, "remix")
	end
end
