-- @noindex
--[[ The same window as `gui`, drawn by the extension ReaImGui (0.9 or later) where it is installed: sharp on every screen,
with the user's own colours. Rows are asked in the same way, so that screens need not know which of the two they draw on.

Keyboard: Dear ImGui's own navigation (Tab, arrows, Space, Enter); Escape closes.
]]
local M = {}
M.__index = M

local VERSION = "0.9"
local WARNING = 0xFFA64DFF
local LINE_HEIGHT = 20

--- Return ReaImGui's functions, or nil where it is not installed or too old.
function M.library()
	if not reaper.ImGui_GetBuiltinPath then return nil end
	local ok, library = pcall(function() return dofile(reaper.ImGui_GetBuiltinPath() .. "/imgui.lua")(VERSION) end)
	return ok and library or nil
end

--- Open a window.
function M.open(library, title, width, height)
	local context = library.CreateContext(title, library.ConfigFlags_NavEnableKeyboard)
	return setmetatable({
		im = library, context = context, title = title, width = width, height = height, is_open = true, row = 0, fresh = true,
	}, M)
end

--- Close the window: a context that is no longer used goes by itself.
function M:close()
	self.is_open = false
end

--- Begin a tick. Returns false once the user has closed the window.
function M:begin()
	local im, context = self.im, self.context
	im.SetNextWindowSize(context, self.width, self.height, im.Cond_Appearing)
	local visible, open = im.Begin(context, self.title, true, im.WindowFlags_NoCollapse)
	self.visible, self.row, self.escape = visible, 0, false
	if not open then
		if visible then im.End(context) end
		self.is_open = false
		return false
	end
	if visible and im.IsWindowFocused(context) then self.escape = im.IsKeyPressed(context, im.Key_Escape, false) end
	return visible
end

--- End a tick.
function M:finish()
	self.im.End(self.context)
	self.fresh = false
end

--- Each row has a name of its own, so that two tracks may be called the same.
local function named(self, label)
	self.row = self.row + 1
	return ("%s##%d"):format(label, self.row)
end

--- A heading.
function M:heading(text)
	self.im.SeparatorText(self.context, text)
end

--- Lines of text; `tone` is "text", "dim" or "warning".
function M:text(text, tone)
	local im, context = self.im, self.context
	if tone == "warning" then im.PushStyleColor(context, im.Col_Text, WARNING) end
	if tone == "dim" then im.PushStyleColor(context, im.Col_Text, im.GetStyleColor(context, im.Col_TextDisabled)) end
	im.PushTextWrapPos(context, 0)
	im.Text(context, text)
	im.PopTextWrapPos(context)
	if tone == "warning" or tone == "dim" then im.PopStyleColor(context, 1) end
end

--- The same; windows of ReaImGui find room for what comes.
function M:text_in(text, tone)
	self:text(text, tone)
end

--- A list of which one row is chosen; returns the index of the chosen one.
function M:list(names, chosen, visible)
	local im, context = self.im, self.context
	if not im.BeginListBox(context, named(self, ""), -1, visible * LINE_HEIGHT) then return chosen end
	local was = chosen
	for index, name in ipairs(names) do
		if im.Selectable(context, ("%s##item %d"):format(name, index), index == was) then chosen = index end
		if index == was and self.fresh then im.SetItemDefaultFocus(context) end
	end
	im.EndListBox(context)
	return chosen
end

--- A slider from 0 to 1 in so many steps. Returns nil, and where it was put, or nil.
function M:slider(label, shown, fraction, steps)
	local at = math.floor(fraction * steps + 0.5)
	local moved, put = self.im.SliderInt(self.context, named(self, label), at, 0, steps, (shown:gsub("%%", "%%%%")))
	return nil, moved and put / steps or nil
end

--- One of several values; returns its index.
function M:choice(label, names, chosen)
	local im, context = self.im, self.context
	if not im.BeginCombo(context, named(self, label), names[chosen] or "") then return chosen end
	local was = chosen
	for index, name in ipairs(names) do
		if im.Selectable(context, ("%s##item %d"):format(name, index), index == was) then chosen = index end
	end
	im.EndCombo(context)
	return chosen
end

--- Something that is on or off; returns which.
function M:toggle(label, on)
	local changed, now = self.im.Checkbox(self.context, named(self, label), on)
	if changed then return now end
	return on
end

--- Several names that can each be ticked; `on` is name -> true and is changed.
function M:set(label, names, on)
	self.im.Text(self.context, label .. ":")
	for _, name in ipairs(names) do
		self.im.SameLine(self.context)
		on[name] = self:toggle(name, on[name] == true) or nil
	end
end

--- How far something is, 0 to 1.
function M:progress(fraction)
	self.im.ProgressBar(self.context, math.max(0, math.min(1, fraction)), -1)
end

--- Buttons; returns the index of the one that was pressed, or nil.
function M:buttons(names)
	local pressed
	self.im.Separator(self.context)
	for index, name in ipairs(names) do
		if index > 1 then self.im.SameLine(self.context) end
		if self.im.Button(self.context, named(self, name)) then pressed = index end
	end
	return pressed
end

return M
