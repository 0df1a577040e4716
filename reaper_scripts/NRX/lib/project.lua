-- @noindex
--[[ Projects: which one a job belongs to, found again when tabs were closed, saved under another name or reopened.

A project gets an id of its own in its extension state, which is saved with it. One that was never saved is known by
its tab for as long as REAPER runs.
]]
local M = {}

local SECTION, KEY = "NRX", "project_id"

--- Return the project of the active tab, and its file ("" if it was never saved).
function M.active()
	return reaper.EnumProjects(-1)
end

--- Return the projects that are open, each { handle, path }.
function M.open_ones()
	local found = {}
	while true do
		local handle, path = reaper.EnumProjects(#found)
		if not handle then return found end
		found[#found + 1] = { handle = handle, path = path }
	end
end

--- Return the id of a project, or nil if it has none yet.
function M.id_of(project)
	local _, id = reaper.GetProjExtState(project, SECTION, KEY)
	return id ~= "" and id or nil
end

--- Return the id of a project, after giving it one if it has none.
function M.identify(project)
	local id = M.id_of(project)
	if not id then
		id = reaper.genGuid("")
		reaper.SetProjExtState(project, SECTION, KEY, id)
	end
	return id
end

--- Return the open project that a job came from, or nil. A copy has the same id: the one with the same file wins.
function M.find(id, path)
	local same
	for _, open in ipairs(M.open_ones()) do
		local known = M.id_of(open.handle)
		if known == id and open.path == path then return open.handle end
		if known == id or (known == nil and path ~= "" and open.path == path) then same = same or open.handle end
	end
	return same
end

--- Return whether a project is still open.
function M.is_open(project)
	return project ~= nil and reaper.ValidatePtr2(0, project, "ReaProject*")
end

--- Return a project's name for people.
function M.name_of(path)
	local name = path:match("[^/\\]+$")
	return name and name:gsub("%.[Rr][Pp][Pp]$", "") or "an unsaved project"
end

--- Return the sample rate that a project renders at.
function M.sample_rate(project)
	local rate = reaper.GetSetProjectInfo(project, "PROJECT_SRATE", 0, false)
	return rate > 0 and math.floor(rate + 0.5) or 48000
end

--- Run something in a project that need not be in the active tab; the active tab is then as it was.
function M.within(project, act)
	local before = M.active()
	if before ~= project then reaper.SelectProjectInstance(project) end
	local results = table.pack(xpcall(act, debug.traceback))
	if before ~= project then reaper.SelectProjectInstance(before) end
	if not results[1] then error(results[2], 0) end
	return table.unpack(results, 2, results.n)
end

return M
