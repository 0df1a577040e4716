-- @noindex
--[[ The table of actions: what each takes, which options its window shows, and what is done with what comes back.

`fields` name rows of `fields.lua`. `most_tracks` nil is any number. `bars_from`: see `tempo`. `runs` names the flow in
`flows`. `title` is said in windows, undo points and folder names. With `ends_with_flow` the script does not stay to import
what is still being worked on.
]]
local REMIX = {
	"style", "energy", "brightness", "tempo", "bpm", "set_tempo", "keep", "returns", "markers", "midi", "mute_source",
}

return {
	remix = { title = "Remix", engine = "remix", runs = "new_job", fields = REMIX },
	separate = {
		title = "Stems", engine = "separate", runs = "new_job", most_tracks = 1, fields = { "two_stems", "mute_source" },
	},
	variation = {
		title = "Variation", engine = "generate", runs = "new_job", new_seed = true,
		fields = { "style", "energy", "brightness", "returns", "midi" },
	},
	sync_vocal = {
		title = "Synced", engine = "sync", runs = "new_job", most_tracks = 1, bars_from = "following",
		fields = { "source_bpm", "pitch", "mute_source" },
	},
	mix = { title = "Mix", engine = "mix", runs = "new_job", fields = { "mix_preset", "mix_returns", "mute_source" } },
	master = {
		title = "Master", engine = "master", runs = "new_job", most_tracks = 1, takes_project = true,
		fields = { "master_preset", "lufs", "ceiling_dbtp", "mute_source" },
	},
	analyse = {
		title = "Analysis", engine = "analyze", runs = "new_job", fields = { "write_tempo", "markers" },
		defaults = { markers = "sections as regions, chords as markers" },
	},
	again = { title = "Remix", engine = "remix", runs = "again", fields = REMIX },
	reroll = { title = "Re-roll", engine = "remix", runs = "reroll", fields = {} },
	jobs = { title = "NRX jobs", runs = "jobs", fields = {} },
	import = { title = "NRX jobs", runs = "import", fields = {}, ends_with_flow = true },
	reopen = { title = "NRX jobs", runs = "reopen", fields = {} },
	settings = { title = "NRX settings", runs = "settings", fields = {} },
}
