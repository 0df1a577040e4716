-- Made by ardour_scripts/build.py from ardour_scripts/source; change it there.
ardour {
	["type"] = "EditorAction",
	name = "NRX: Import finished NRX jobs",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Brings in what NRX Bridge has finished for this session since it was sent.]]
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
	modules["finished"] = (function ()
--[[ "Import finished NRX jobs": a list of this session's jobs that have a return; those not yet imported are ticked. ]]
local jobs, importing, dialogs = require ("jobs"), require ("importing"), require ("dialogs")

local M = {}

local MOST_ROWS = 12

local function title (job)
	local what = job.style and job.action .. " " .. job.style or job.action
	local when = os.date ("%d.%m. %H:%M", job.sent_at)
	return string.format ("%s: %s, sent %s%s", job.track, what, when, job.state == "imported" and " (imported already)" or "")
end

--- Jobs with a return, the newest first; what has failed; and how many still run.
local function sorted_out (client)
	local ready, failed, open = {}, {}, 0
	local list = jobs.all ()
	for i = #list, 1, -1 do
		local job = list[i]
		local state, status = importing.state (client, job)
		if state == "succeeded" then
			if #ready < MOST_ROWS then ready[#ready + 1] = { job = job, status = status } end
		elseif job.state == "sent" and (state == "failed" or state == "cancelled") then
			failed[#failed + 1] = job.track .. ": " .. importing.give_up (job, status)
		elseif job.state == "sent" then
			open = open + 1
		end
	end
	return ready, failed, open
end

local function import (client, ready, ids)
	local chosen, trouble = {}, {}
	for _, id in ipairs (ids) do chosen[id] = true end
	local window = dialogs.progress ()
	for i = #ready, 1, -1 do
		local entry = ready[i]
		if chosen[entry.job.id] then
			local laid, why = importing.lay (client, entry.job, entry.status, function (fraction, name)
				window:tell (fraction, "Importing " .. name .. ".")
			end)
			if not laid then trouble[#trouble + 1] = why end
		end
	end
	window.close ()
	return trouble
end

--- Show the list and import what is ticked.
function M.run (client)
	local ready, failed, open = sorted_out (client)
	if #ready == 0 then
		local running = open > 0 and string.format ("%d of this session's jobs still run or wait.", open)
		return dialogs.tell (failed[1] or running or "NRX Bridge has finished nothing for this session.")
	end
	local rows = {}
	for i, entry in ipairs (ready) do
		rows[i] = { id = entry.job.id, title = title (entry.job), ticked = importing.is_due (entry.job) }
	end
	local ids = dialogs.choose (rows)
	if not ids or #ids == 0 then return end
	local trouble = import (client, ready, ids)
	if #trouble > 0 then dialogs.tell (table.concat (trouble, "\n"), true) end
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
		require ("guard").run (client.home .. "/ardour.log", require ("finished").run, client)
	end
end
