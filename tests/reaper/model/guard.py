"""Checks every call against the table: number and types of arguments and of what comes back, and living handles."""

from typing import TYPE_CHECKING, Any

from tests.reaper.model.failures import Refused
from tests.reaper.model.handles import Handle
from tests.reaper.model.signatures import HANDLES, POINTER_NAMES, Signature

if TYPE_CHECKING:
    from tests.reaper.model.reaper import Reaper

_MAY_BE_NIL = ("hwnd", "any")
_DESCRIPTIONS = {"int": "integer", "num": "number", "str": "string", "bool": "boolean", "func": "function"}


def checked_arguments(reaper: "Reaper", signature: Signature, given: tuple[Any, ...]) -> list[Any]:
    """Return the arguments as the model wants them: objects for handles, text for strings.

    Raises:
        Refused: if there are too few or too many, one has the wrong type, or a handle is stale.
    """
    most, least = len(signature.parameters), signature.required
    if not least <= len(given) <= most:
        wanted = str(most) if least == most else f"{least} to {most}"
        raise Refused(f"takes {wanted} arguments and got {len(given)}")
    found: list[Any] = []
    for position, (parameter, value) in enumerate(zip(signature.parameters, given, strict=False), start=1):
        if value is None and parameter.optional:
            found.append(None)
            continue
        found.append(_argument(reaper, parameter.kind, value, position))
    found += [None] * (most - len(found))
    return found


def _argument(reaper: "Reaper", kind: str, value: Any, position: int) -> Any:
    wrong = Refused(f"argument {position} must be a {_described(kind)} and is {_kind_of(value)}")
    if kind in HANDLES:
        return _object(reaper, kind, value, position, wrong)
    if kind == "str":
        if not isinstance(value, str):
            raise wrong
        return to_text(value)
    if kind == "bool":
        if not isinstance(value, bool):
            raise wrong
        return value
    if kind == "func":
        if _lua_type(value) != "function":
            raise wrong
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong
    if kind == "int":
        if value != value or value in (float("inf"), float("-inf")) or int(value) != value:
            raise wrong
        return int(value)
    if value != value:
        raise Refused(f"argument {position} is not a number (nan)")
    return float(value)


def _object(reaper: "Reaper", kind: str, value: Any, position: int, wrong: Refused) -> Any:
    if kind == "proj" and (value is None or (isinstance(value, int | float) and value == 0)):
        return reaper.active
    if kind in _MAY_BE_NIL and value is None:
        return None
    if not isinstance(value, Handle):
        raise wrong
    if kind == "any":
        return value
    if value.kind != kind:
        raise wrong
    if not value.valid:
        raise Refused(f"argument {position} is a {_described(kind)} that is gone")
    return value.target


def checked_results(reaper: "Reaper", signature: Signature, result: Any) -> list[Any]:
    """Return what Lua gets: numbers for handles, bytes-as-text for strings. A mismatch is the model's own mistake."""
    values = [] if not signature.returns else list(result) if isinstance(result, tuple) else [result]
    assert len(values) == len(signature.returns), f"{signature.name} of the model returned {result!r}"
    found: list[Any] = []
    for kind, value in zip(signature.returns, values, strict=True):
        if value is None:
            assert kind in HANDLES or kind == "str", f"{signature.name} of the model returned nil for {kind}"
            found.append(None)
        elif kind in HANDLES:
            found.append(reaper.handle_of(kind, value).number)
        elif kind == "str":
            found.append(to_lua(value))
        elif kind == "bool":
            assert isinstance(value, bool), signature.name
            found.append(value)
        elif kind == "int":
            assert type(value) is int, signature.name
            found.append(value)
        else:
            found.append(float(value))
    return found


def to_text(value: str) -> str:
    """Return a Lua string (a character a byte) as text."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


def to_lua(value: str) -> str:
    """Return text as a Lua string."""
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def _described(kind: str) -> str:
    return _DESCRIPTIONS.get(kind) or POINTER_NAMES.get(kind, "handle")


def _kind_of(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, Handle):
        return f"a {_described(value.kind)}"
    if isinstance(value, bool | int | float | str):
        return f"{type(value).__name__} {value!r}"
    return f"a {_lua_type(value)}"


def _lua_type(value: Any) -> str:
    # each version of Lua has classes of its own under the same names
    return {"_LuaFunction": "function", "_LuaTable": "table"}.get(type(value).__name__, type(value).__name__)
