"""The life of a script: what it defers, what runs at its end, how it was started."""

from typing import Any

from tests.reaper.model.failures import Refused
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script


@offers("defer", "runloop")
def defer(script: Script, function: Any) -> bool:
    if script.ended:
        raise Refused("the script has ended; nothing can be deferred from atexit")
    script.deferred.append(function)
    script.has_deferred = True
    return True


@offers("atexit")
def at_exit(script: Script, function: Any) -> bool:
    script.at_exit.append(function)
    return True


@offers("get_action_context")
def action_context(script: Script) -> tuple[bool, str, int, int, int, int, float, str]:
    return True, str(script.path), 0, script.command, -1, -1, -1.0, ""


@offers("set_action_options")
def action_options(script: Script, flags: int) -> None:
    if flags & ~15:
        raise Refused(f"there is no option {flags}")
    script.options = flags & 3
    if flags & 12 and script.command:
        script.reaper.toggles[script.command] = 1 if flags & 4 else 0


@offers("gmem_attach")
def gmem_attach(_script: Script, _name: str) -> str | None:
    return None


@offers("gmem_read")
def gmem_read(script: Script, index: int) -> float:
    return script.reaper.gmem.get(index, 0.0)


@offers("gmem_write")
def gmem_write(script: Script, index: int, value: float) -> None:
    script.reaper.gmem[index] = value
