ardour {
	["type"] = "EditorAction",
	name = "NRX: Import finished NRX jobs",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Brings in what NRX Bridge has finished for this session since it was sent.]]
}

function factory (params)
	--@modules json files spool jobs tracks dialogs importing finished guard
	return function ()
		local client = require ("spool").at (require ("spool").home (installed_home), "ardour")
		require ("guard").run (client.home .. "/ardour.log", require ("finished").run, client)
	end
end
