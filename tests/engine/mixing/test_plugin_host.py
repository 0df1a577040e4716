"""Plug-ins run in a process of their own: parameters by name, and no crash of theirs is ours.

No real plug-in is needed: the child imports a stand-in for pedalboard that loads "plug-ins" with a gain, and some that
abort, hang or give nonsense.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from mix_stems import RATE, audio, song, tone

from engine.errors import NrxError
from engine.mixing import plugin_host
from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.plugin_host import run_plugins
from engine.mixing.presets import load_mix_preset
from engine.mixing.rendering import render
from engine.mixing.session import Bus, Plugin

STANDIN = """
import os, time
import numpy as np

class Loaded:
    parameters = {"gain": 1.0, "behaviour": "well"}
    gain = 1.0
    behaviour = "well"

def load_plugin(path, plugin_name=None):
    if path.endswith("broken.vst3"):
        raise ImportError("it is no plug-in")
    return Loaded()

class Pedalboard:
    def __init__(self, plugins):
        self.plugins = plugins
    def __call__(self, samples, sample_rate, reset=True):
        for plugin in self.plugins:
            if plugin.behaviour == "abort":
                os.abort()
            if plugin.behaviour == "hang":
                time.sleep(60)
            samples = samples * np.float32(plugin.gain)
            if plugin.behaviour == "nonsense":
                samples = samples * np.nan
        return samples
"""


@pytest.fixture
def warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a plug-in that the stand-in loads."""
    (tmp_path / "standin").mkdir()
    (tmp_path / "standin" / "pedalboard.py").write_text(STANDIN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "standin"))
    path = tmp_path / "Wärm.vst3"
    path.touch()
    (tmp_path / "broken.vst3").touch()
    return path


def plugin(path: Path, **parameters: float | str) -> Plugin:
    return Plugin(path=str(path), parameters=parameters)


SOUND = audio(np.stack([tone(220.0, 3), tone(221.0, 3)]))


def test_parameters_reach_the_plug_in_and_the_sound_comes_back_in_place(warm: Path) -> None:
    made = run_plugins(SOUND, (plugin(warm, gain=0.5), plugin(warm, gain=0.5)), "the track 'Pad'")
    assert np.allclose(made.samples, 0.25 * SOUND.samples)


def test_bypassed_plug_ins_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_host, "_run_child", lambda *_: pytest.fail("a process was started"))
    assert run_plugins(SOUND, (Plugin(path="/nowhere.vst3", bypass=True),), "x") is SOUND


@pytest.mark.parametrize(
    ("parameters", "code", "said"),
    [
        ({"behaviour": "abort"}, "plugin.failed", "crashed"),
        ({"behaviour": "nonsense"}, "plugin.failed", "no usable sound"),
        ({"grain": 1.0}, "request.invalid", "no parameter 'grain'; it has: gain, behaviour"),
    ],
)
def test_what_goes_wrong_in_a_plug_in_is_a_sentence(
    warm: Path, parameters: dict[str, float | str], code: str, said: str
) -> None:
    with pytest.raises(NrxError, match=said) as failed:
        run_plugins(SOUND, (plugin(warm, **parameters),), "the track 'Pad'")
    assert failed.value.code == code


def test_a_plug_in_that_hangs_is_ended(warm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_host, "STARTING_S", 2.0)
    monkeypatch.setattr(plugin_host, "SECONDS_FOR_A_SECOND", 0.0)
    with pytest.raises(NrxError, match="did not come to an end"):
        run_plugins(SOUND, (plugin(warm, behaviour="hang"),), "the track 'Pad'")


def test_a_plug_in_that_hangs_ends_with_the_process_that_was_killed(warm: Path) -> None:
    program = (
        "import numpy as np\n"
        "from engine.audio import Audio\n"
        "from engine.mixing.plugin_host import run_plugins\n"
        "from engine.mixing.session import Plugin\n"
        f"plugin = Plugin(path={str(warm)!r}, parameters={{'behaviour': 'hang'}})\n"
        "run_plugins(Audio(np.zeros((2, 4410), np.float32), 44100), (plugin,), 'the mix')\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", program])
    process = psutil.Process(starter.pid)
    while not (children := process.children()):
        assert starter.poll() is None
        time.sleep(0.05)
    starter.kill()
    starter.wait()
    psutil.wait_procs(children, timeout=30)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_missing_and_broken_plug_ins_are_named(warm: Path) -> None:
    with pytest.raises(NrxError, match=r"gone\.vst3 of the mix is not on this machine"):
        run_plugins(SOUND, (Plugin(path=str(warm.parent / "gone.vst3")),), "the mix")
    with pytest.raises(NrxError, match=r"cannot be loaded: .*it is no plug-in") as broken:
        run_plugins(SOUND, (Plugin(path=str(warm.parent / "broken.vst3")),), "the mix")
    assert broken.value.code == "backend.missing"


def test_plug_ins_in_strip_bus_and_mix_are_heard_and_nothing_else_moves(warm: Path) -> None:
    stems = song()[:4]
    heard = listen_all(stems)
    off = ("sends", "bus", "parallel")
    session = make_session(heard, load_mix_preset("pop"), Given({}, RATE, bypass=off), "rules").session
    plain = render(session, stems, heard)
    unity = (plugin(warm, gain=1.0),)
    wired = session.model_copy(
        update={
            "tracks": tuple(
                strip.model_copy(update={"plugins": unity}) if strip.name == "Bass" else strip
                for strip in session.tracks
            ),
            "buses": {
                **session.buses,
                "drums": session.bus("drums").model_copy(update={"plugins": unity}),
                "mix": Bus(plugins=unity),
            },
        }
    )
    through = render(wired, stems, heard)
    assert np.abs(through.mix.samples - plain.mix.samples).max() < 1e-5
    louder = wired.model_copy(
        update={"buses": {**wired.buses, "mix": Bus(plugins=(plugin(warm, gain=2.0),))}}
    )
    assert render(louder, stems, heard).gain_db == pytest.approx(through.gain_db - 6.02, abs=0.02)
