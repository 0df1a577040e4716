ardour {
	["type"] = "EditorAction",
	name = "NRX: Import finished NRX jobs",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Brings in what NRX Bridge has finished for this session since it was sent.]]
}

function factory (params)
	--@modules json files spool here jobs tracks dialogs importing finished guard
	return function ()
		local client = require ("here").client ()
		require ("guard").run (client.home .. "/ardour.log", require ("finished").run, client)
	end
end
