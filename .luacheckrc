-- Lua 5.3 is what REAPER 6 and Ardour speak; what is built from other files is checked where it is written.
std = "lua53"
max_line_length = 130
self = false
exclude_files = { "reaper_scripts/NRX/lib/shared", "ardour_scripts/*.lua" }
files["reaper_scripts"] = { read_globals = { "reaper" }, globals = { "gfx" } }
files["ardour_scripts"] = {
	read_globals = {
		"ardour", "ARDOUR", "C", "Editing", "Editor", "LuaDialog", "LuaSignal", "PBD", "Session", "Temporal",
		os = { fields = { "forkexec" }, other_fields = false },
	},
}
-- What Ardour calls by name: globals by its own rule, with the arguments that it passes.
files["ardour_scripts/source/*.script.lua"] = { globals = { "factory", "signals" }, unused_args = false }
-- A handle is let go before the collector runs, so that Ardour can free what it holds.
files["ardour_scripts/source/sending.lua"] = { ignore = { "311/track" } }
