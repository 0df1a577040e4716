-- @noindex
--[[ One run of an action: its flow and the collector, each a coroutine that is resumed once a tick; then the end.

A flow draws with `app:frame (draw)`, which shows one tick of a window and comes back in the next. When the flow has ended
and jobs are still open, the script goes on without a window until they are imported.
]]
local actions, collector, daemon = require("actions"), require("collector"), require("daemon")
local gui, gui_imgui, places = require("gui"), require("gui_imgui"), require("places")
local render, spool, trouble = require("render"), require("spool"), require("trouble")

local M = {}
local App = {}
App.__index = App

local TERMINATE_AND_RELAUNCH = 3

--- Show one tick of the window; `draw (ui)` draws it. Returns false once the user has closed it.
function App:frame(draw)
	if self.ui and self.ui.is_open then
		if self.ui:begin() then
			draw(self.ui)
			self.ui:finish()
		end
	end
	coroutine.yield()
	return self.ui ~= nil and self.ui.is_open
end

--- Open the window of this run: ReaImGui's where that is installed, else REAPER's own.
function App:open(title, width, height)
	if self.ui then self.ui:close() end
	self.imgui = self.imgui or gui_imgui.library()
	self.ui = self.imgui and gui_imgui.open(self.imgui, title, width, height) or gui.open(title, width, height)
end

--- Close it.
function App:close()
	if self.ui then self.ui:close() end
end

local function resumed(task)
	local ok, problem = coroutine.resume(task)
	if not ok then
		if not trouble.sentence_of(problem) then problem = debug.traceback(task, tostring(problem)) end
		trouble.tell(problem)
	end
	return coroutine.status(task) ~= "dead"
end

--- Run the action `name`; `folder` holds the actions.
function M.run(folder, name)
	places.read(folder)
	if not places.is_installed() then
		if name == "reopen" or name == "import" then return end
		reaper.MB(daemon.NOT_INSTALLED, "NRX Bridge", 0)
		return
	end
	if reaper.set_action_options then reaper.set_action_options(TERMINATE_AND_RELAUNCH) end
	local action = actions[name]
	local app = setmetatable({ name = name, action = action, client = spool.at(places.home, "reaper") }, App)
	app.collector = collector.new(app.client)
	local flow = coroutine.create(function() require("flows")[action.runs](app) end)
	local collecting = coroutine.create(function() app.collector:run() end)
	local flows_on, collects_on = true, true
	local function clean_up()
		render.restore()
		app:close()
	end
	local function tick()
		if flows_on then
			flows_on = resumed(flow)
			if not flows_on then clean_up() end
		end
		if collects_on then collects_on = resumed(collecting) end
		local stays = collects_on and not action.ends_with_flow and app.collector:has_open()
		if flows_on or stays then reaper.defer(tick) end
	end
	reaper.atexit(clean_up)
	reaper.defer(tick)
end

return M
