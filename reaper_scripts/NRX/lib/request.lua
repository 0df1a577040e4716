-- @noindex
--[[ From what was selected and chosen to a request of the protocol (docs/spool.md). Pure: tables in, a table out. ]]
local json = require("json")

local M = {}

local function tempo_of(options)
	if options.tempo == "number" then return options.bpm end
	return options.tempo
end

local function kept(options)
	local list = json.array()
	for _, role in ipairs({ "vocals", "drums", "bass", "other" }) do
		if options.keep and options.keep[role] then list[#list + 1] = role end
	end
	return list
end

local function filled(text)
	return text ~= "" and text or nil
end

local BUILD = {
	remix = function(request, options)
		request.style, request.energy, request.brightness = options.style, options.energy, options.brightness
		request.tempo, request.keep = tempo_of(options), kept(options)
	end,
	separate = function(request, options) request.two_stems = filled(options.two_stems) end,
	generate = function(request, options)
		request.style, request.energy, request.brightness = options.style, options.energy, options.brightness
	end,
	sync = function(request, options)
		request.pitch = options.pitch
		if options.source_bpm > 0 then request.bpm = options.source_bpm end
	end,
	mix = function(request, options) request.preset = filled(options.mix_preset) end,
	master = function(request, options)
		request.preset, request.lufs, request.ceiling_dbtp = filled(options.master_preset), options.lufs, options.ceiling_dbtp
	end,
	analyze = function() end,
}
local WITH_MAP = { remix = true, separate = true, generate = true, sync = true }

--- Return the request.
--- `job`: { engine, seed, inputs = { { path, name, role } … }, tempo_map, start_s, end_s, sample_rate, offset_s,
--- project_name }; a role is left out where one input is a whole song.
function M.build(job, options)
	local inputs = json.array()
	for index, input in ipairs(job.inputs) do
		inputs[index] = { path = input.path, name = input.name, role = input.role }
	end
	local request = {
		action = job.engine,
		inputs = inputs,
		seed = job.seed,
		tempo_map = WITH_MAP[job.engine] and job.tempo_map or nil,
		timeline = {
			start_s = job.start_s, end_s = job.end_s, sample_rate = job.sample_rate, offset_s = job.offset_s,
			project = job.project_name:sub(1, 200),
		},
	}
	BUILD[job.engine](request, options)
	return request
end

--- Return a remix's request with one part to be played anew.
function M.rerolled(request, part, seed)
	local again = {}
	for key, value in pairs(request) do again[key] = value end
	again.part_seeds = {}
	for name, known in pairs(request.part_seeds or {}) do again.part_seeds[name] = known end
	again.part_seeds[part] = seed
	return again
end

return M
