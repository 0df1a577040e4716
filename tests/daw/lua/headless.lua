-- Runs a shipped script in a real session without a window: headless.lua FOLDER SCRIPT TRACK ANSWERS.lua
-- What only the editor has is stood in for: the selection, dialogs, and do_import, which lays the whole-file region
-- that bears the file's name. The script is treated as Ardour treats it: its factory is dumped and loaded again.
local folder, script, chosen, answers = arg[1], arg[2], arg[3], dofile (arg[4])
assert (load_session (folder, "song"))

local function say (...)
	local words = { ... }
	for i = 1, select ("#", ...) do words[i] = tostring (words[i]) end
	print ("NRX " .. table.concat (words, "\t"))
end

local function find (name)
	for route in Session:get_tracks ():iter () do
		if route:name () == name then return route end
	end
end

local function each (list)
	return { iter = function ()
		local i = 0
		return function () i = i + 1 return list[i] end
	end }
end

Editing = { ImportDistinctFiles = 0, ImportAsTrack = 0 }
Editor = {}

function Editor.get_selection ()
	return { tracks = { routelist = function () return each ({ find (chosen) }) end }, time = answers.time }
end

function Editor.do_import (_, list, _, _, _, _, _, at)
	for path in list:iter () do
		local base = path:match ("([^/]+)%.[^.]*$")
		local region
		for _, known in ARDOUR.RegionFactory.regions ():iter () do
			if known:whole_file () and known:name () == base then region = known end
		end
		local made = Session:new_audio_track (region:to_audioregion ():n_channels (), 2, nil, 1, base,
			ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
		for route in made:iter () do
			local copy = ARDOUR.RegionFactory.clone_region (region, true, false)
			route:to_track ():playlist ():add_region (copy, at, 1, false)
		end
	end
end

if answers.forkexec then
	os.forkexec = function (...)
		say ("forkexec", ...)
		answers.forkexec ()
	end
end

local windows = 0
LuaDialog = { MessageType = {}, ButtonType = {}, Response = { Yes = "yes" } }
function LuaDialog.Dialog (title, rows)
	return { run = function ()
		say ("dialog", title)
		for _, row in ipairs (rows) do say ("row", row.type, row.key, row.title) end
		return answers.options and answers.options (rows)
	end }
end
function LuaDialog.Message (_, text)
	return { run = function () say ("message", text) return answers.message end }
end
function LuaDialog.ProgressWindow ()
	local told = 0
	return {
		progress = function (_, fraction, text)
			if fraction < 0 or fraction > 1 or type (text) ~= "string" then say ("bad progress", fraction, text) end
			told = told + 1
		end,
		canceled = function () return answers.cancel_after ~= nil and told > answers.cancel_after end,
		done = function () windows = windows + 1 end,
	}
end

function ardour () end
dofile (script)
local again = assert (load (string.dump (factory, true), "factory", "b"))
local action = again ()
for _ = 1, answers.times or 1 do action () end
say ("closed windows", windows)
action, again = nil, nil
collectgarbage ()
sleep (0.3)
Session:save_state ("", false, false, false, false, false)
close_session ()
