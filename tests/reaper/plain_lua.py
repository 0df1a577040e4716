"""Runs single modules of the scripts in plain Lua 5.3 and 5.4; values cross as JSON, by our own module."""

import importlib
import json
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "reaper_scripts"
LIB = SCRIPTS / "NRX" / "lib"
VERSIONS = ("5.3", "5.4")
LOADER = """
function(lib)
  local loaded = {}
  local function own(name)
    if loaded[name] == nil then
      local environment = setmetatable({ require = own }, { __index = _G })
      local chunk = loadfile(lib .. name .. ".lua", "t", environment)
        or assert(loadfile(lib .. "shared/" .. name .. ".lua", "t", environment))
      loaded[name] = chunk()
    end
    return loaded[name]
  end
  return own
end
"""


class PlainLua:
    """A Lua state; `module(name)` loads one of ours."""

    def __init__(self, version: str) -> None:
        runtime = importlib.import_module(f"lupa.lua{version.replace('.', '')}").LuaRuntime
        self.lua = runtime(unpack_returned_tuples=True)
        self.module: Any = self.lua.eval(LOADER)(f"{LIB}/")
        self._json = self.module("json")

    def into(self, value: Any) -> Any:
        """Return a Python value as Lua's."""
        return self._json.decode(json.dumps(value))

    def out(self, value: Any) -> Any:
        """Return a Lua value as Python's."""
        return json.loads(self._json.encode(value))
