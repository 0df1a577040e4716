-- @noindex
--[[ A window in REAPER's own `gfx`: rows drawn from top to bottom anew in every tick, each told what it shows and asked
what was done with it.

Everything is in units of a plain screen; where REAPER says that the screen is finer (`gfx.ext_retina`), all is drawn larger.

Keyboard: Tab and Shift+Tab move between rows, arrows change the row, Space ticks, Enter presses the first button, Escape
closes. Mouse: click, drag sliders, wheel over lists.
]]
local M = {}
M.__index = M

local MARGIN, ROW, LABEL, BAR = 18, 26, 170, 6
local FACE, SIZE, BIG = "Arial", 15, 20
local KEYS = {
	tab = 9, enter = 13, escape = 27, space = 32, up = 30064, down = 1685026670, left = 1818584692, right = 1919379572,
}
local SHIFT = 8
local COLOURS = {
	back = { 0.13, 0.13, 0.15 }, text = { 0.92, 0.92, 0.93 }, dim = { 0.62, 0.62, 0.66 }, field = { 0.20, 0.20, 0.23 },
	accent = { 0.16, 0.45, 0.80 }, focus = { 0.98, 0.75, 0.25 }, warning = { 0.98, 0.65, 0.30 },
}

local scale = 1 -- pixels of the screen for one of ours

local function pixels(length)
	return math.floor(length * scale + 0.5)
end

local function window_width()
	return gfx.w / scale
end

local function width_of(text)
	return gfx.measurestr(text) / scale
end

local function use_font(size, flags)
	gfx.setfont(1, FACE, pixels(size), flags or 0)
end

local function colour(name, alpha)
	local c = COLOURS[name]
	gfx.set(c[1], c[2], c[3], alpha or 1)
end

local function box(name, x, y, w, h, filled)
	colour(name)
	gfx.rect(pixels(x), pixels(y), pixels(w), pixels(h), filled and 1 or 0)
end

local function write(text, x, y, name)
	colour(name or "text")
	gfx.x, gfx.y = pixels(x), pixels(y)
	gfx.drawstr(text)
end

--- Return a text that fits a width: cut by whole characters, with an ellipsis.
local function fitted(text, width)
	if width_of(text) <= width then return text end
	while #text > 1 and width_of(text .. "…") > width do text = text:sub(1, (utf8.offset(text, -1) or #text) - 1) end
	return text .. "…"
end

local function wrapped(text, width)
	local lines, line = {}, ""
	for word in text:gmatch("%S+") do
		local longer = line == "" and word or line .. " " .. word
		if line ~= "" and width_of(longer) > width then
			lines[#lines + 1], line = line, word
		else
			line = longer
		end
	end
	lines[#lines + 1] = line
	return lines
end

--- Open a window.
function M.open(title, width, height)
	gfx.ext_retina = 1
	gfx.init(title, width, height, 0)
	return setmetatable({ is_open = true, focus = 1, rows = 0, tops = {}, was_down = false, grabbed = nil }, M)
end

--- Close the window.
function M:close()
	if self.is_open then gfx.quit() end
	self.is_open = false
end

--- Begin a tick: read the keyboard and the mouse. Returns false once the user has closed the window.
function M:begin()
	scale = math.max(1, gfx.ext_retina)
	local key = gfx.getchar()
	if key < 0 then
		self.is_open = false
		return false
	end
	self.key = math.floor(key)
	local is_down = gfx.mouse_cap & 1 == 1
	self.pressed, self.held = is_down and not self.was_down, is_down
	self.was_down = is_down
	if not is_down then self.grabbed = nil end
	self.wheel = gfx.mouse_wheel
	gfx.mouse_wheel = 0
	self.y, self.rows, self.enter, self.escape = MARGIN, 0, self.key == KEYS.enter, self.key == KEYS.escape
	box("back", 0, 0, window_width(), gfx.h / scale, true)
	use_font(SIZE)
	return true
end

--- End a tick: move the focus if Tab was pressed, show what was drawn.
function M:finish()
	if self.key == KEYS.tab and self.rows > 0 then
		local step = gfx.mouse_cap & SHIFT == SHIFT and -1 or 1
		self.focus = (self.focus - 1 + step) % self.rows + 1
	end
	if self.focus > self.rows then self.focus = math.max(1, self.rows) end
	gfx.update()
end

local function over(x, y, w, h)
	local at_x, at_y = gfx.mouse_x / scale, gfx.mouse_y / scale
	return at_x >= x and at_x < x + w and at_y >= y and at_y < y + h
end

--- A row that can have the focus: returns whether it has it and whether it was just clicked.
local function row(self, height)
	self.rows = self.rows + 1
	local clicked = self.pressed and over(0, self.y, window_width(), height)
	if clicked then self.focus = self.rows end
	return self.focus == self.rows, clicked
end

local function frame_focus(self, has_focus, height)
	if has_focus then box("focus", MARGIN - 5, self.y - 2, window_width() - 2 * MARGIN + 10, height, false) end
end

--- A heading.
function M:heading(text)
	use_font(BIG, string.byte("b"))
	write(fitted(text, window_width() - 2 * MARGIN), MARGIN, self.y)
	use_font(SIZE)
	self.y = self.y + ROW + 6
end

--- Lines of text; `tone` is "text", "dim" or "warning". At most `most` lines.
function M:text(text, tone, most)
	for index, line in ipairs(wrapped(text, window_width() - 2 * MARGIN)) do
		if most and index > most then break end
		write(line, MARGIN, self.y, tone)
		self.y = self.y + 20
	end
	self.y = self.y + 4
end

--- Leave room for text of up to so many lines, whatever it needs.
function M:text_in(text, tone, lines)
	local top = self.y
	self:text(text, tone, lines)
	self.y = top + lines * 20 + 4
end

--- A list of which one row is chosen; returns the index of the chosen one.
function M:list(names, chosen, visible)
	local height = visible * 20 + 4
	local has_focus, clicked = row(self, height)
	frame_focus(self, has_focus, height + 4)
	local top = math.max(0, math.min(self.tops[self.rows] or 0, math.max(0, #names - visible)))
	if has_focus and self.key == KEYS.down then chosen = math.min(#names, chosen + 1) end
	if has_focus and self.key == KEYS.up then chosen = math.max(1, chosen - 1) end
	if over(0, self.y, window_width(), height) and self.wheel ~= 0 then
		top = math.max(0, math.min(math.max(0, #names - visible), top + (self.wheel > 0 and -1 or 1)))
	elseif has_focus and (self.key == KEYS.down or self.key == KEYS.up) or not self.tops[self.rows] then
		top = math.max(chosen - visible, math.min(top, chosen - 1))
	end
	self.tops[self.rows] = top
	if clicked then
		local at = top + (gfx.mouse_y / scale - self.y) // 20 + 1
		if names[math.floor(at)] then chosen = math.floor(at) end
	end
	box("field", MARGIN, self.y, window_width() - 2 * MARGIN, height, true)
	for line = 1, math.min(visible, #names - top) do
		local y = self.y + 2 + (line - 1) * 20
		if top + line == chosen then box("accent", MARGIN, y, window_width() - 2 * MARGIN, 20, true) end
		write(fitted(names[top + line], window_width() - 2 * MARGIN - 12 - BAR), MARGIN + 6, y + 2)
	end
	if #names > visible then
		local thumb = math.max(20, height * visible / #names)
		local at = (height - thumb) * top / (#names - visible)
		box("dim", window_width() - MARGIN - BAR, self.y + at, BAR, thumb, true)
	end
	self.y = self.y + height + 8
	return chosen
end

local function labelled(self, label)
	local has_focus, clicked = row(self, ROW)
	frame_focus(self, has_focus, ROW - 2)
	write(fitted(label, LABEL - 8), MARGIN, self.y + 3, "dim")
	return has_focus, clicked, MARGIN + LABEL, window_width() - 2 * MARGIN - LABEL
end

--- A slider from 0 to 1. Returns the steps that the keyboard moved it, or nil, and where the mouse put it, or nil.
function M:slider(label, shown, fraction)
	local has_focus, clicked, x, width = labelled(self, label)
	local bar = width - 60
	box("field", x, self.y + 8, bar, 8, true)
	box("accent", x, self.y + 8, bar * fraction, 8, true)
	write(shown, x + bar + 10, self.y + 3)
	local steps, put
	if has_focus and self.key == KEYS.right then steps = 1 end
	if has_focus and self.key == KEYS.left then steps = -1 end
	if clicked and over(x - 4, self.y, bar + 8, ROW) then self.grabbed = self.rows end
	if self.held and self.grabbed == self.rows then put = math.max(0, math.min(1, (gfx.mouse_x / scale - x) / bar)) end
	self.y = self.y + ROW
	return steps, put
end

--- One of several values; returns its index.
function M:choice(label, names, chosen)
	local has_focus, clicked, x, width = labelled(self, label)
	box("field", x, self.y + 1, width, ROW - 6, true)
	write(fitted(names[chosen] or "", width - 30), x + 8, self.y + 3)
	write("▾", x + width - 18, self.y + 3, "dim")
	if has_focus and (self.key == KEYS.right or self.key == KEYS.down) then chosen = chosen % #names + 1 end
	if has_focus and (self.key == KEYS.left or self.key == KEYS.up) then chosen = (chosen - 2) % #names + 1 end
	if clicked then
		local menu = {}
		for index, name in ipairs(names) do menu[index] = (index == chosen and "!" or "") .. name:gsub("|", "/") end
		gfx.x, gfx.y = pixels(x), pixels(self.y + ROW)
		local picked = math.floor(gfx.showmenu(table.concat(menu, "|")))
		if picked > 0 then chosen = picked end
		self.was_down = false
	end
	self.y = self.y + ROW
	return chosen
end

local function tick_box(x, y, on)
	box("field", x, y + 3, 15, 15, true)
	if on then box("accent", x + 3, y + 6, 9, 9, true) end
end

--- Something that is on or off; returns which.
function M:toggle(label, on)
	local has_focus, clicked = row(self, ROW)
	frame_focus(self, has_focus, ROW - 2)
	tick_box(MARGIN, self.y, on)
	write(fitted(label, window_width() - 2 * MARGIN - 26), MARGIN + 26, self.y + 3)
	self.y = self.y + ROW
	if clicked or (has_focus and self.key == KEYS.space) then return not on end
	return on
end

--- Several names that can each be ticked; `on` is name -> true and is changed. Left and right walk, Space ticks.
function M:set(label, names, on)
	local has_focus, clicked, x, width = labelled(self, label)
	local cell = width / #names
	self.walked = has_focus and (self.walked or 1) or self.walked
	if has_focus and self.key == KEYS.right then self.walked = self.walked % #names + 1 end
	if has_focus and self.key == KEYS.left then self.walked = (self.walked - 2) % #names + 1 end
	for index, name in ipairs(names) do
		local left = x + (index - 1) * cell
		tick_box(left, self.y, on[name])
		write(name, left + 20, self.y + 3)
		if has_focus and index == self.walked then
			colour("focus")
			gfx.line(pixels(left + 20), pixels(self.y + 20), pixels(left + cell - 10), pixels(self.y + 20))
		end
		local walked_here = has_focus and index == self.walked and self.key == KEYS.space
		if walked_here or (clicked and over(left, self.y, cell, ROW)) then on[name] = not on[name] or nil end
	end
	self.y = self.y + ROW
end

--- How far something is, 0 to 1.
function M:progress(fraction)
	local width = window_width() - 2 * MARGIN
	box("field", MARGIN, self.y, width, 14, true)
	box("accent", MARGIN, self.y, width * math.max(0, math.min(1, fraction)), 14, true)
	self.y = self.y + 26
end

--- Buttons at the bottom; returns the index of the one that was pressed, or nil. Enter presses the first one, unless
--- another has the focus.
function M:buttons(names)
	self.y = gfx.h / scale - MARGIN - 30
	local x, pressed, focused = MARGIN, nil, false
	for index, name in ipairs(names) do
		self.rows = self.rows + 1
		local width = width_of(name) + 32
		local clicked = self.pressed and over(x, self.y, width, 30)
		if clicked then self.focus = self.rows end
		local has_focus = self.focus == self.rows
		box(index == 1 and "accent" or "field", x, self.y, width, 30, true)
		if has_focus then box("focus", x - 2, self.y - 2, width + 4, 34, false) end
		write(name, x + 16, self.y + 7)
		focused = focused or has_focus
		if clicked or (has_focus and (self.enter or self.key == KEYS.space)) then pressed = index end
		x = x + width + 10
	end
	if not pressed and not focused and self.enter then pressed = 1 end
	return pressed
end

return M
