ardour {
	["type"] = "EditorAction",
	name = "NRX: Remix selected track",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Sends the selected track to NRX Bridge on this computer and brings the song back on new tracks, in
another style, locked to the session's bars. Nothing that is there is changed.]]
}

function factory (params)
	--@modules json files spool here wav tempo_map bounce jobs tracks dialogs starting importing sending guard
	return function ()
		local client = require ("here").client ()
		require ("guard").run (client.home .. "/ardour.log", require ("sending").run, client, "remix")
	end
end
