"""Runs single modules of the scripts in plain Lua 5.3 and 5.4, without REAPER."""

import importlib
from pathlib import Path
from typing import Any

LIB = Path(__file__).parents[2] / "reaper_scripts" / "NRX" / "lib"
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
    """A Lua state; `module(name)` loads one of ours, `table(value)` makes a Lua table of Python values."""

    def __init__(self, version: str) -> None:
        runtime = importlib.import_module(f"lupa.lua{version.replace('.', '')}").LuaRuntime
        self.lua = runtime(unpack_returned_tuples=True)
        self.module: Any = self.lua.eval(LOADER)(f"{LIB}/")
        self.json = self.module("json")

    def table(self, value: Any) -> Any:
        """Return Python values as Lua's, mappings and lists as tables."""
        if isinstance(value, dict):
            return self.lua.table_from({key: self.table(inner) for key, inner in value.items()})
        if isinstance(value, list | tuple):
            return self.lua.table_from([self.table(inner) for inner in value])
        return value

    def python(self, value: Any) -> Any:
        """Return a Lua value as Python's; a table that has a first element is a list."""
        if not hasattr(value, "items"):
            return value
        if 1 in value:
            return [self.python(value[index]) for index in range(1, len(value) + 1)]
        return {key: self.python(inner) for key, inner in value.items()}
