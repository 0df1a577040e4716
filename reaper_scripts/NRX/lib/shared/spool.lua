-- @noindex
-- Made by reaper_scripts/build.py from daw_lua; change it there.
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
