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
