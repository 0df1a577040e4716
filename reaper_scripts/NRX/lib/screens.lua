-- @noindex
--[[ What the windows show. Each function draws until the user has decided, and returns what. ]]
local fields = require("fields")
local roles = require("roles")

local M = {}

local function labels_of(values)
	local names = {}
	for index, row in ipairs(values) do names[index] = row[2] or row end
	return names
end

local function index_of(values, value)
	for index, row in ipairs(values) do
		if (type(row) == "table" and row[1] or row) == value then return index end
	end
	return 1
end

local DRAW = {
	style = function(ui, _, options, styles)
		local names, chosen = {}, 1
		for index, style in ipairs(styles) do
			names[index] = style.name
			if style.id == options.style then chosen = index end
		end
		chosen = ui:list(names, chosen, 7)
		options.style = styles[chosen].id
		ui:text_in(styles[chosen].description, "dim", 2)
	end,
	slider = function(ui, name, options)
		local field = fields.ALL[name]
		local span = field.high - field.low
		local shown, places = ("%g"):format(options[name]), math.floor(span / field.step + 0.5)
		local steps, put = ui:slider(field.label, shown, (options[name] - field.low) / span, places)
		if steps then options[name] = fields.moved(name, options[name], steps) end
		if put then options[name] = fields.moved(name, field.low + put * span, 0) end
	end,
	choice = function(ui, name, options)
		local field = fields.ALL[name]
		local chosen = ui:choice(field.label, labels_of(field.values), index_of(field.values, options[name]))
		options[name] = field.values[chosen][1]
	end,
	toggle = function(ui, name, options) options[name] = ui:toggle(fields.ALL[name].label, options[name]) end,
	set = function(ui, name, options) ui:set(fields.ALL[name].label, fields.ALL[name].values, options[name]) end,
}

local ROLE_NAMES = {}
for index, role in ipairs(roles.ALL) do ROLE_NAMES[index] = role:gsub("_", " ") end

local MOST_ROWS, LIST_ROWS = 12, 7

local function draw_role(ui, track)
	track.role = roles.ALL[ui:choice(track.name, ROLE_NAMES, index_of(roles.ALL, track.role))]
end

--- A row for each track; of many tracks a list, and a row for the one that is chosen in it.
local function draw_roles(ui, tracks)
	if #tracks < 2 then return end
	ui:text("What each track is:", "dim")
	if #tracks <= MOST_ROWS then
		for _, track in ipairs(tracks) do draw_role(ui, track) end
		return
	end
	local names = {}
	for index, track in ipairs(tracks) do
		names[index] = ("%s: %s"):format(track.name, ROLE_NAMES[index_of(roles.ALL, track.role)])
	end
	tracks.chosen = ui:list(names, tracks.chosen or 1, LIST_ROWS)
	draw_role(ui, tracks[tracks.chosen])
end

local HEIGHTS = { style = 200, slider = 26, choice = 26, toggle = 26, set = 26 }

--- Return how high the window of an action must be.
function M.height(action, tracks, has_licence)
	local roles_height = #tracks <= MOST_ROWS and 26 * #tracks or 20 * LIST_ROWS + 38
	local height = 150 + (#tracks > 1 and 30 + roles_height or 0) + (has_licence and 44 or 0)
	for _, name in ipairs(action.fields) do height = height + HEIGHTS[fields.ALL[name].kind] end
	return height
end

--- Ask for the options. Returns true for go, false for cancel; `options` and the tracks' roles are changed in place.
function M.options(app, about, options, tracks, styles, licence)
	local decided
	while decided == nil do
		local open = app:frame(function(ui)
			ui:heading(about.title)
			ui:text(about.what, "dim", 2)
			draw_roles(ui, tracks)
			for _, name in ipairs(fields.shown(app.action, options)) do
				DRAW[fields.ALL[name].kind](ui, name, options, styles)
			end
			if licence then ui:text(licence, "warning", 2) end
			local pressed = ui:buttons({ about.go, "Cancel" })
			if pressed == 1 then decided = true end
			if pressed == 2 or ui.escape then decided = false end
		end)
		if not open then return false end
	end
	return decided
end

--- Show something that takes a while, for one tick. The first button closes the window, the second cancels. Returns
--- "closed", "cancel" or nil.
function M.working(app, title, message, fraction, buttons)
	local pressed
	local open = app:frame(function(ui)
		ui:heading(title)
		ui:progress(fraction)
		ui:text(message, "text", 3)
		local index = ui:buttons(buttons)
		if index == 2 then pressed = "cancel" end
		if index == 1 or ui.escape then pressed = "closed" end
	end)
	return open and pressed or (not open and "closed") or nil
end

--- Show sentences until the user presses OK.
function M.tell(app, title, lines)
	local done
	while not done do
		local open = app:frame(function(ui)
			ui:heading(title)
			for _, line in ipairs(lines) do ui:text(line.text, line.tone, 4) end
			done = ui:buttons({ "OK" }) or ui.escape
		end)
		done = done or not open
	end
end

return M
