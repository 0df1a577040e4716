"""Effects of tracks: listing, adding by name, and the bands of ReaEQ.

A new ReaEQ has a low shelf, two bells, a high shelf and a low cut. Values that are not normalised are Hz, linear gain
and octaves.
"""

from tests.reaper.model.failures import Refused
from tests.reaper.model.registry import offers
from tests.reaper.model.script import Script
from tests.reaper.model.state import Fx, Track

NEW_EQ: dict[tuple[int, int], dict[str, float]] = {(1, 0): {}, (2, 0): {}, (2, 1): {}, (4, 0): {}, (0, 0): {}}
RANGES = {0: ("Hz", 20.0, 24_000.0), 1: ("linear gain", 0.0, 64.0), 2: ("octaves", 0.01, 4.0)}


def _at(track: Track, index: int) -> Fx | None:
    return track.fx[index] if 0 <= index < len(track.fx) else None


@offers("TrackFX_GetCount")
def fx_count(_script: Script, track: Track) -> int:
    return len(track.fx)


@offers("TrackFX_GetFXName")
def fx_name(_script: Script, track: Track, index: int) -> tuple[bool, str]:
    fx = _at(track, index)
    return fx is not None, fx.name if fx else ""


@offers("TrackFX_GetInstrument")
def instrument(_script: Script, track: Track) -> int:
    return next((index for index, fx in enumerate(track.fx) if fx.instrument), -1)


@offers("TrackFX_GetEnabled")
def fx_enabled(_script: Script, track: Track, index: int) -> bool:
    fx = _at(track, index)
    return fx is not None and fx.enabled


@offers("TrackFX_GetOffline")
def fx_offline(_script: Script, track: Track, index: int) -> bool:
    fx = _at(track, index)
    return fx is not None and fx.offline


@offers("TrackFX_SetEnabled")
def set_fx_enabled(_script: Script, track: Track, index: int, enabled: bool) -> None:
    fx = _at(track, index)
    if fx is None:
        raise Refused(f"there is no effect {index}")
    fx.enabled = enabled


@offers("TrackFX_AddByName")
def add_fx(script: Script, track: Track, name: str, input_chain: bool, instantiate: int) -> int:
    if input_chain:
        raise Refused("the model has no input effects")
    known = next((index for index, fx in enumerate(track.fx) if name.lower() in fx.name.lower()), -1)
    if instantiate == 0 or (instantiate > 0 and known >= 0):
        return known
    if name not in script.reaper.effects:
        return -1
    bands = {key: dict(values) for key, values in NEW_EQ.items()} if name == "ReaEQ" else {}
    track.fx.append(Fx(name, bands=bands))
    return len(track.fx) - 1


@offers("TrackFX_SetNamedConfigParm")
def set_config(_script: Script, track: Track, index: int, name: str, value: str) -> bool:
    fx = _at(track, index)
    if name != "renamed_name":
        raise Refused(f"the model knows no parameter {name}")
    if fx is not None:
        fx.title = value
    return fx is not None


@offers("TrackFX_SetEQParam")
def set_eq(
    _script: Script, track: Track, index: int, kind: int, at: int, what: int, value: float, normalized: bool
) -> bool:
    fx = _at(track, index)
    if fx is None or (kind, at) not in fx.bands:
        return False
    if normalized:
        raise Refused("the model does not know REAPER's normalised scale")
    if what not in RANGES:
        raise Refused(f"a band has no parameter {what}")
    unit, low, high = RANGES[what]
    if not low <= value <= high:
        raise Refused(f"{value:g} is no {unit}")
    fx.bands[kind, at][unit] = value
    return True


@offers("TrackFX_SetEQBandEnabled")
def enable_band(_script: Script, track: Track, index: int, kind: int, at: int, enabled: bool) -> bool:
    fx = _at(track, index)
    if fx is None or (kind, at) not in fx.bands:
        return False
    fx.bands[kind, at]["on"] = float(enabled)
    return True
