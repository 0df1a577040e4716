"""A real VST3 plug-in, compiled here from one file: loaded by path, set by name, on time, and no end of ours."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mix_stems import RATE, audio, song, tone

from engine.errors import NrxError
from engine.mixing.automix import listen_all, make_session
from engine.mixing.deciding import Given
from engine.mixing.plugin_host import run_plugins
from engine.mixing.presets import load_mix_preset
from engine.mixing.rendering import render
from engine.mixing.session import Bus, Plugin, read_session, write_session

SOURCE = Path(__file__).parent / "vst3" / "level.cpp"
SOUND = audio(np.stack([tone(220.0, 3), tone(331.0, 3)]))


@pytest.fixture(scope="module")
def level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the plug-in: a gain, 480 frames late and says so."""
    if sys.platform != "linux":
        pytest.skip("the test's plug-in is built for Linux")
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is missing")
    bundle = tmp_path_factory.mktemp("vst3") / "Pégel.vst3"
    binary = bundle / "Contents" / f"{platform.machine()}-linux" / "Pégel.so"
    binary.parent.mkdir(parents=True)
    options = ("-std=c++17", "-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-exceptions")
    subprocess.run([compiler, *options, "-o", str(binary), str(SOURCE)], check=True)
    return bundle


def plugin(path: Path, **parameters: float | str | bool) -> Plugin:
    return Plugin(path=str(path), parameters=parameters)


def test_a_real_plug_in_is_loaded_by_its_path_and_set_by_name(level: Path) -> None:
    made = run_plugins(SOUND, (plugin(level, gain_db=-6.0), plugin(level, gain_db=3.0)), "the track 'Pad'")
    assert np.allclose(made.samples, 10.0 ** (-3.0 / 20.0) * SOUND.samples, atol=1e-5)


def test_latency_that_a_real_plug_in_reports_is_taken_out(level: Path) -> None:
    click = SOUND.with_samples(np.zeros_like(SOUND.samples))
    click.samples[:, [0, 999, -1]] = 1.0
    made = run_plugins(click, (plugin(level),) * 3, "the mix")
    assert np.flatnonzero(np.abs(made.samples[0]) > 0.5).tolist() == [0, 999, click.frames - 1]


def test_a_real_plug_in_that_crashes_is_a_sentence(level: Path) -> None:
    with pytest.raises(
        NrxError, match=r"Pégel\.vst3 of the bus 'drums' crashed.*the job is unharmed"
    ) as failed:
        run_plugins(SOUND, (plugin(level, crash=True),), "the bus 'drums'")
    assert failed.value.code == "plugin.failed"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"grain_db": 1.0}, "no parameter 'grain_db'; it has: gain_db, crash"),
        ({"gain_db": 200.0}, "does not take gain_db = 200.0"),
    ],
)
def test_what_a_real_plug_in_does_not_take_is_named(
    level: Path, parameters: dict[str, float], said: str
) -> None:
    with pytest.raises(NrxError, match=said) as failed:
        run_plugins(SOUND, (plugin(level, **parameters),), "the mix")
    assert failed.value.code == "request.invalid"


def test_real_plug_ins_in_a_written_session_move_nothing_but_their_level(level: Path, tmp_path: Path) -> None:
    stems = song()[:4]
    heard = listen_all(stems)
    off = ("sends", "bus", "parallel")
    session = make_session(heard, load_mix_preset("pop"), Given({}, RATE, bypass=off), "rules").session
    wired = session.model_copy(
        update={
            "tracks": tuple(
                strip.model_copy(update={"plugins": (plugin(level, gain_db=-4.0),)})
                if strip.name == "Bass"
                else strip
                for strip in session.tracks
            ),
            "buses": {**session.buses, "mix": Bus(plugins=(plugin(level),))},
        }
    )
    write_session(tmp_path / "mix.yaml", wired)
    read = read_session(tmp_path / "mix.yaml")
    quieter = session.model_copy(
        update={
            "tracks": tuple(
                strip.model_copy(update={"fader_db": strip.fader_db - 4.0}) if strip.name == "Bass" else strip
                for strip in session.tracks
            ),
            "buses": {**session.buses, "mix": Bus()},
        }
    )
    through, wanted = render(read, stems, heard), render(quieter, stems, heard)
    assert np.abs(through.mix.samples - wanted.mix.samples).max() < 1e-3
