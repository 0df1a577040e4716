"""What the tests of the model share: snippets of Lua that must go through, or must be refused."""

from pathlib import Path
from typing import Any

from tests.reaper.model import Reaper

LUAS = ("5.3", "5.4")


def failures_of(reaper: Reaper, code: str, seconds: float = 0.2) -> list[str]:
    """Run a snippet and return what the model holds against it; the list of the model is empty afterwards."""
    reaper.run_lua(code)
    reaper.step(seconds)
    found = list(reaper.failures)
    reaper.failures.clear()
    return found


def passes(reaper: Reaper, code: str, seconds: float = 0.2) -> None:
    """Run a snippet that must go through."""
    assert failures_of(reaper, code, seconds) == []


def refuses(reaper: Reaper, code: str, *words: str, seconds: float = 0.2) -> None:
    """Run a snippet that must be refused, with all of these words, even where it catches the error."""
    for form in (code, f"pcall(function() {code} end)"):
        found = "\n".join(failures_of(reaper, form, seconds))
        missing = [word for word in words if word not in found]
        assert found, f"the model took {form}"
        assert not missing, f"{missing} not in {found}"


def value_of(reaper: Reaper, expression: str) -> str:
    """Return tostring() of each value of an expression, with a space between."""
    reaper.console = ""
    passes(
        reaper,
        f"local t = table.pack({expression}) for i = 1, t.n do t[i] = tostring(t[i]) end "
        "reaper.ShowConsoleMsg(table.concat(t, ' '))",
    )
    return reaper.console


def numbers_of(reaper: Reaper, expression: str) -> list[float]:
    """Return the numbers of an expression, exactly."""
    reaper.console = ""
    passes(
        reaper,
        f"local t = table.pack({expression}) for i = 1, t.n do t[i] = string.format('%.17g', t[i]) end "
        "reaper.ShowConsoleMsg(table.concat(t, ' '))",
    )
    return [float(word) for word in reaper.console.split()]


def write_sound(
    path: Path, seconds: float = 1.0, rate: int = 48000, *, channels: int = 2, seed: int = 1
) -> Any:
    """Write noise as a float WAV and return it, (frames, channels)."""
    import numpy as np
    import soundfile

    samples = (
        np.random.default_rng(seed).uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)
    )
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return samples.astype(np.float64)
