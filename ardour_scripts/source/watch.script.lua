ardour {
	["type"] = "EditorHook",
	name = "NRX: Import as jobs finish",
	author = "NRX Bridge",
	license = "GPL-3.0-or-later",
	description = [[Brings in what NRX Bridge finishes for this session, while you go on working.]]
}

function signals ()
	return LuaSignal.Set ():add ({ [LuaSignal.LuaTimerDS] = true })
end

function factory ()
	--@modules json files spool here jobs tracks importing watching
	local watch
	return function ()
		watch = watch or require ("watching").new (require ("here").client ())
		watch ()
	end
end
