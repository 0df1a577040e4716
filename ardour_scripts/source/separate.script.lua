ardour {
	["type"] = "EditorAction",
	name = "NRX: Separate selected track",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Sends the selected track to NRX Bridge on this computer and brings its stems back on new tracks: vocals, drums,
bass and the rest, which sum to the track. Nothing that is there is changed.]]
}

function factory (params)
	--@modules json files spool here wav tempo_map bounce jobs tracks dialogs starting importing sending guard
	return function ()
		local client = require ("here").client ()
		require ("guard").run (client.home .. "/ardour.log", require ("sending").run, client, "separate")
	end
end
