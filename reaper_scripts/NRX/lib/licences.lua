-- @noindex
--[[ What may not be sold: sentences on models whose licence does not allow commercial use, before and after a job. ]]
local files, json, places = require("files"), require("json"), require("places")

local M = {}

local STAGES = {
	remix = { "separate", "generate" }, separate = { "separate" }, generate = { "generate" },
}

local function sentence(model)
	return ("%s: %s, not for commercial use."):format(model.name, model.licence)
end

--- Return a sentence on the models that a job would use now (NRX_HOME/models.json), or nil.
function M.before(engine)
	local text = files.read(places.home .. "/models.json")
	local models = text and json.decode(text)
	if type(models) ~= "table" then return nil end
	local found = {}
	for _, stage in ipairs(STAGES[engine] or {}) do
		local model = models[stage]
		if model and model.commercial_use == false then found[#found + 1] = sentence(model) end
	end
	return #found > 0 and table.concat(found, " ") or nil
end

--- Return sentences on the models that a return was made with.
function M.of(manifest)
	local found = {}
	for _, backend in ipairs(manifest.backends or {}) do
		if backend.commercial_use == false then found[#found + 1] = sentence(backend) end
	end
	return found
end

return M
