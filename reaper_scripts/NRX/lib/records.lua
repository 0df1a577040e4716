-- @noindex
--[[ The jobs that came from REAPER, each a folder `NRX_HOME/reaper/jobs/<id>` with `job.json`, `request.json` and what was
rendered.

They outlive REAPER: what finished while it was closed is imported later. `state` is "sent" until the return lies in the
project ("imported"), could not be brought in ("stuck"), or the job has "failed" or was "cancelled". Folders of ended jobs
are removed after 30 days; until then single parts of them can be played anew.
]]
local files, json, places = require("files"), require("json"), require("places")

local M = {}

local KEEP_S = 30 * 86400
M.OPEN = { sent = true }

local function file_of(id)
	return places.job(id) .. "/job.json"
end

--- Keep a job's request, apart from its record, which is read again and again. Returns whether it could be.
function M.keep_request(id, request)
	return (files.replace(places.job(id) .. "/request.json", json.encode(request)))
end

--- Return a job's request, or nil.
function M.request(id)
	local text = files.read(places.job(id) .. "/request.json")
	local request = text and json.decode(text)
	return type(request) == "table" and request or nil
end

--- Write a record. Returns whether it could be.
function M.write(record)
	record.changed = os.time()
	return (files.replace(file_of(record.id), json.encode(record)))
end

--- Return a record, or nil.
function M.read(id)
	local text = files.read(file_of(id))
	local record = text and json.decode(text)
	return type(record) == "table" and record.id == id and record or nil
end

--- Change fields of a record, as it is now on the disk. Returns it.
function M.update(id, fields)
	local record = M.read(id)
	if not record then return nil end
	for key, value in pairs(fields) do record[key] = value end
	M.write(record)
	return record
end

local function folders()
	local found, index = {}, 0
	reaper.EnumerateSubdirectories(places.jobs(), -1)
	while true do
		local name = reaper.EnumerateSubdirectories(places.jobs(), index)
		if not name then return found end
		found[#found + 1] = name
		index = index + 1
	end
end

--- Return all records, the newest first.
function M.all()
	local found = {}
	for _, id in ipairs(folders()) do found[#found + 1] = M.read(id) end
	table.sort(found, function(a, b)
		if a.created ~= b.created then return a.created > b.created end
		return a.id > b.id
	end)
	return found
end

--- Remove a job's folder.
function M.remove(id)
	local folder, names, index = places.job(id), {}, 0
	reaper.EnumerateFiles(folder, -1)
	while true do
		local name = reaper.EnumerateFiles(folder, index)
		if not name then break end
		names[#names + 1] = name
		index = index + 1
	end
	for _, name in ipairs(names) do os.remove(folder .. "/" .. name) end
	os.remove(folder)
end

--- Remove what ended long ago.
function M.sweep()
	for _, record in ipairs(M.all()) do
		if not M.OPEN[record.state] and os.time() - (record.changed or 0) > KEEP_S then M.remove(record.id) end
	end
end

return M
