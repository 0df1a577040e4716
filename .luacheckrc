-- Lua 5.3 is what REAPER 6 and Ardour speak; what is built from other files is checked where it is written.
std = "lua53"
max_line_length = 130
self = false
exclude_files = { "reaper_scripts/NRX/lib/shared", "ardour_scripts/*.lua" }
files["reaper_scripts"] = { read_globals = { "reaper" }, globals = { "gfx" } }
