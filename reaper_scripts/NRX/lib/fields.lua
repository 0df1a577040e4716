-- @noindex
--[[ The options that windows show: label, kind, values, default, and when a row is shown. Pure data and arithmetic.

Kinds: style, slider (low, high, step), choice (values: list of { value, label }), toggle, set (values that can be
ticked). A remembered value that is no longer allowed becomes the default.
]]
local M = {}

local function choices(...)
	local rows = {}
	for index, value in ipairs({ ... }) do rows[index] = { value, value } end
	return rows
end

local PRESETS = {
	{ "", "as the song asks" }, { "acoustic", "acoustic" }, { "edm", "edm" }, { "electro_house", "electro house" },
	{ "hip_hop", "hip hop" }, { "jazz", "jazz" }, { "lofi_chill", "lo-fi" }, { "neo_soul", "neo soul" },
	{ "orchestral", "orchestral" }, { "pop", "pop" }, { "rock", "rock" }, { "streaming", "streaming" },
	{ "synthwave", "synthwave" },
}

M.ALL = {
	style = { kind = "style", label = "Style", default = "lofi_chill" },
	energy = { kind = "slider", label = "Energy", low = 0.5, high = 2, step = 0.05, default = 1 },
	brightness = { kind = "slider", label = "Brightness", low = 0.5, high = 2, step = 0.05, default = 1 },
	tempo = {
		kind = "choice", label = "Tempo", default = "project",
		values = { { "project", "the project's" }, { "style", "the style's own" }, { "number", "a number" } },
	},
	bpm = {
		kind = "slider", label = "BPM", low = 40, high = 240, step = 1, default = 120,
		shown = function(options) return options.tempo == "number" end,
	},
	set_tempo = {
		kind = "toggle", label = "Set the project's tempo to it", default = false,
		shown = function(options) return options.tempo ~= "project" end,
	},
	keep = { kind = "set", label = "Keep", values = { "vocals", "drums", "bass", "other" }, default = { vocals = true } },
	returns = {
		kind = "choice", label = "Return as", default = "parts",
		values = {
			{ "parts", "a track for each part" }, { "all", "parts and stems, mix and master" }, { "mix", "the mix alone" },
			{ "master", "the master alone" },
		},
	},
	mix_returns = {
		kind = "choice", label = "Return as", default = "mix",
		values = {
			{ "mix", "the mix alone" }, { "parts", "a mixed track for each" }, { "all", "everything" },
			{ "settings", "faders, pans and effects on my tracks" },
		},
	},
	markers = {
		kind = "choice", label = "Markers", default = "none",
		values = choices("none", "sections as regions, chords as markers", "all as markers", "all as regions"),
	},
	midi = { kind = "toggle", label = "MIDI of the parts on muted tracks", default = false },
	mute_source = {
		kind = "toggle", label = "Mute the source track afterwards", default = false,
		shown = function(options) return options.mix_returns ~= "settings" end,
	},
	two_stems = {
		kind = "choice", label = "Stems", default = "",
		values = {
			{ "", "vocals, drums, bass, other" }, { "vocals", "vocals and the rest" }, { "drums", "drums and the rest" },
			{ "bass", "bass and the rest" },
		},
	},
	source_bpm = {
		kind = "slider", label = "Its tempo (0: listen)", low = 0, high = 240, step = 1, default = 0,
	},
	pitch = {
		kind = "choice", label = "Pitch", default = "natural",
		values = { { "natural", "moves a little, as sounds natural" }, { "none", "stays" } },
	},
	mix_preset = { kind = "choice", label = "Preset", default = "", values = PRESETS },
	master_preset = { kind = "choice", label = "Preset", default = "", values = PRESETS },
	lufs = { kind = "slider", label = "Loudness, LUFS", low = -24, high = -7, step = 0.5, default = -14 },
	ceiling_dbtp = { kind = "slider", label = "Ceiling, dBTP", low = -3, high = -0.1, step = 0.1, default = -1 },
	write_tempo = { kind = "toggle", label = "Write the tempo that was heard into the project", default = true },
}

local function in_list(values, value)
	for _, row in ipairs(values) do
		if row[1] == value then return true end
	end
	return false
end

local function rounded(field, value)
	local steps = math.floor((value - field.low) / field.step + 0.5)
	local near = field.low + steps * field.step
	return math.max(field.low, math.min(field.high, math.floor(near * 1000 + 0.5) / 1000))
end

local ALLOWED = {
	style = function(_, value) return type(value) == "string" and value or nil end,
	slider = function(field, value) return type(value) == "number" and rounded(field, value) or nil end,
	choice = function(field, value) return in_list(field.values, value) and value or nil end,
	toggle = function(_, value)
		if type(value) == "boolean" then return value end
		return nil
	end,
	set = function(field, value)
		if type(value) ~= "table" then return nil end
		local kept = {}
		for _, name in ipairs(field.values) do kept[name] = value[name] == true or nil end
		return kept
	end,
}

local function copy(value)
	if type(value) ~= "table" then return value end
	local made = {}
	for key, inner in pairs(value) do made[key] = inner end
	return made
end

--- Return a value as this field allows it, or its default.
function M.allowed(name, value, default)
	local field = M.ALL[name]
	local good = ALLOWED[field.kind](field, value)
	if good == nil then good = default end
	if good == nil then good = field.default end
	return copy(good)
end

--- Return the options of an action: what is remembered, where it is still allowed, else the defaults.
function M.options(action, remembered)
	local options = {}
	for _, name in ipairs(action.fields) do
		options[name] = M.allowed(name, (remembered or {})[name], (action.defaults or {})[name])
	end
	return options
end

--- Return the names of the rows that are shown with these options.
function M.shown(action, options)
	local names = {}
	for _, name in ipairs(action.fields) do
		local field = M.ALL[name]
		if not field.shown or field.shown(options) then names[#names + 1] = name end
	end
	return names
end

--- Return a value moved by so many steps.
function M.moved(name, value, steps)
	local field = M.ALL[name]
	return rounded(field, value + steps * field.step)
end

return M
