-- @noindex
--[[ Watches every open job of this NRX_HOME that came from REAPER, and lays returns into the projects they came from.

One step a tick, inside a coroutine. Two scripts may do this at the same time: who imports a return writes a claim into
the job's record first. A return whose project is not open waits; so does everything while REAPER records.
]]
local copying, importer, plan_of, project_of = require("copying"), require("importer"), require("plan"), require("project")
local files, json = require("files"), require("json")
local daemon, licences, records = require("daemon"), require("licences"), require("records")
local trouble = require("trouble")

local M = {}
M.__index = M

local LOOK_S, LIST_S = 0.25, 2
local CLAIM_S, UNKNOWN_S = 20, 60

--- Return a collector for a client of the spool.
function M.new(client)
	local token = ("%s-%d"):format(client:new_id(), math.random(0, 0xFFFFFF))
	return setmetatable({
		client = client, token = token, open = {}, seen = {}, asked = {}, looks = 0, problem = nil, keep = daemon.keeper(),
	}, M)
end

--- Return what is known of a job: { record, status }.
function M:look(id)
	return self.seen[id] or { record = records.read(id) }
end

--- Return whether jobs are still open.
function M:has_open()
	return #self.open > 0
end

local function claimed(self, record)
	local claim = record.claim
	return claim and claim.token ~= self.token and os.time() - claim.at < CLAIM_S
end

local function media_folder(project, record, plan)
	local name = ("%s %s"):format(plan.folder, record.id:match("[^-]*$"))
	return reaper.GetProjectPathEx(project):gsub("\\", "/") .. "/NRX/" .. copying.safe_name(name)
end

--- Return the mix as settings of channels, if the user wants it as that.
local function mix_of(record, manifest)
	if record.options.mix_returns ~= "settings" then return nil end
	local name = manifest.files and manifest.files["mix.json"]
	local text = name and files.read(manifest.folder:gsub("\\", "/") .. "/" .. name)
	local mix = text and json.decode(text)
	if type(mix) ~= "table" then trouble.refuse("The settings of the mix are not in the return; run the action again.") end
	return mix
end

local function import_whole(project, record, manifest)
	local mix = mix_of(record, manifest)
	local plan = plan_of.make(manifest, record, mix)
	copying.copy(plan.tracks, media_folder(project, record, plan))
	if not project_of.is_open(project) then return nil end
	local said = importer.import(project, plan, record)
	local count = #plan.tracks + #plan.midi
	if mix then return ("The settings of %d tracks"):format(#plan.channels), said end
	if count == 0 then return "Tempo and markers", said end
	return count == 1 and "One track" or ("%d tracks"):format(count), said
end

local function import_one_part(project, record, manifest)
	local row = plan_of.part(manifest, record)
	if not row then trouble.refuse("The part “%s” is not in the return.", record.part) end
	copying.copy({ row }, media_folder(project, record, { folder = "NRX Re-roll " .. row.name }))
	if not project_of.is_open(project) then return nil end
	importer.import_part(project, row, record)
	return "A new take of " .. row.name
end

--- Bring a return into its project (or the one given). Must run in a coroutine. Returns whether it lies there now.
function M:import(record, status, project)
	project = project or project_of.find(record.project, record.project_path)
	if not project or reaper.GetPlayStateEx(project) & 4 ~= 0 or claimed(self, record) then return false end
	records.update(record.id, { claim = { token = self.token, at = os.time() } })
	local ok, result = xpcall(function()
		local manifest, why = self.client:manifest(status)
		if not manifest then trouble.refuse(why) end
		local lay = record.part and import_one_part or import_whole
		local what, said = lay(project, record, manifest)
		return { what = what, said = said or {}, licences = licences.of(manifest), notes = manifest.notes or {} }
	end, trouble.with_place)
	local fields = { claim = json.null }
	if not ok then
		local sentence = trouble.sentence_of(result)
		if not sentence then error(result, 0) end
		fields.state, fields.error = "stuck", sentence
	elseif result.what then
		fields.state, fields.result, fields.licences, fields.notes = "imported", result.what, result.licences, result.notes
		fields.said = result.said
		fields.error = json.null
	end
	local after = records.update(record.id, fields)
	self.seen[record.id] = { record = after, status = status }
	return ok and result.what ~= nil
end

local function has_request(client, id)
	return files.read(("%s/spool/new/%s.json"):format(client.home, id)) ~= nil
end

local function look_at(self, record)
	local id = record.id
	local status = self.client:status(id)
	self.seen[id] = { record = record, status = status }
	if not status then
		if not has_request(self.client, id) and os.time() - record.created > UNKNOWN_S then
			self.seen[id].record = records.update(id, { state = "failed", error = "NRX Bridge no longer knows this job." })
		end
	elseif status.state == "succeeded" then
		self:import(record, status)
	elseif status.state == "failed" or status.state == "cancelled" then
		local said = status.error and status.error.sentence or status.message
		self.seen[id].record = records.update(id, { state = status.state, error = said })
	end
end

--- Have a return brought into a project at the next opportunity, whatever project it came from.
function M:ask(id, project)
	self.asked[id] = project
end

local function import_asked(self)
	local id, project = next(self.asked)
	while id do
		self.asked[id] = nil
		local record, status = records.read(id), self.client:status(id)
		if record and status and project_of.is_open(project) then self:import(record, status, project) end
		id, project = next(self.asked)
	end
end

--- Watch until nobody resumes this any more.
function M:run()
	local next_list, next_look = 0, 0
	while true do
		local now = reaper.time_precise()
		import_asked(self)
		if now >= next_list then
			next_list, self.open = now + LIST_S, {}
			for _, record in ipairs(records.all()) do
				if records.OPEN[record.state] then self.open[#self.open + 1] = record.id end
			end
		end
		if now >= next_look then
			next_look = now + LOOK_S
			self.problem = #self.open > 0 and self.keep(self.client) or nil
			for index = #self.open, 1, -1 do
				local record = records.read(self.open[index])
				if record and records.OPEN[record.state] then look_at(self, record) end
				local seen = record and self.seen[record.id]
				if not (seen and seen.record and records.OPEN[seen.record.state]) then table.remove(self.open, index) end
			end
			self.looks = self.looks + 1
		end
		coroutine.yield()
	end
end

--- Have the list of jobs read again at once (a new one was sent).
function M:add(record)
	self.open[#self.open + 1] = record.id
	self.seen[record.id] = { record = record }
end

return M
