"""What a mix gives back: tracks that add up, a legal master, a report in words, a session that renders again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyebur128
import pytest
import soundfile as sf
import yaml

from bridge.config import load_settings
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from engine.audio import Audio, write_wav
from engine.errors import NrxError

RATE, SECONDS = 44_100, 10.0


def stems() -> dict[str, tuple[np.ndarray, int]]:
    """Return stems as sessions hold them: different lengths, rates and channel counts."""
    t = np.arange(round(RATE * SECONDS)) / RATE
    random = np.random.default_rng(4)
    beat = (t % 0.5) < 0.2
    kick = np.sin(2 * np.pi * 50 * (t % 0.5)) * np.exp(-14 * (t % 0.5)) * beat
    snare = random.normal(size=len(t)) * np.exp(-20 * ((t - 0.5) % 1.0)) * (((t - 0.5) % 1.0) < 0.25)
    bass = sum(np.sin(2 * np.pi * 55 * k * t) / k for k in range(1, 6)) * 0.3
    sings = np.clip(np.minimum(t % 3.0, 2.2 - t % 3.0) / 0.05, 0.0, 1.0)
    voice = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 12)) * sings * 0.2
    t48 = np.arange(round(48_000 * 6.0)) / 48_000
    pad = np.stack(
        [sum(np.sin(2 * np.pi * f * t48) for f in (262.0, 330.0, 392.0 + side)) for side in (0, 1)]
    )
    return {
        "Kick": (0.9 * kick, RATE),
        "Snare Top": (-0.02 * snare, RATE),
        "Bass DI": (0.1 * bass, RATE),
        "Lead Vocal": (0.4 * voice, RATE),
        "Warm Pad": (0.1 * pad, 48_000),
    }


@dataclass(frozen=True)
class Returned:
    """A mix's return and what it was made from."""

    folder: Path
    manifest: Manifest
    files: tuple[Path, ...]

    def read(self, file: str) -> np.ndarray:
        return sf.read(self.folder / file, always_2d=True)[0]


def mixed(files: tuple[Path, ...], out: Path, **changes: Any) -> Manifest:
    request = {"action": "mix", "inputs": [{"path": str(file)} for file in files], **changes}
    return Job(parse_request(request), load_settings(), out).run()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One NRX_HOME for this file."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("mix-home")
        patch.setenv("NRX_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def shared_home(home: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_HOME", str(home))


@pytest.fixture(scope="module")
def returned(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Returned:
    folder = tmp_path_factory.mktemp("stems")
    files = []
    for name, (wave, rate) in stems().items():
        at_s = 3.0 if name == "Warm Pad" else 1.0
        audio = Audio(np.ascontiguousarray(np.atleast_2d(wave), np.float32), rate)
        write_wav(folder / f"{name}.wav", audio, "PCM_24", time_reference_frames=round(at_s * rate))
        files.append(folder / f"{name}.wav")
    manifest = mixed(tuple(files), folder / "out", preset="Hip-Hop")
    return Returned(Path(manifest.folder), manifest, tuple(files))


def test_tracks_at_their_gains_add_up_to_the_mix(returned: Returned) -> None:
    total = 0.0
    for track in returned.manifest.tracks:
        if not track.muted:
            assert track.pan == 0.0
            total = total + returned.read(track.file) * 10.0 ** (track.gain_db / 20.0)
    residual = np.abs(total - returned.read("mix.wav")).max()
    assert 20.0 * np.log10(residual) < -110.0


def test_every_stem_and_send_is_a_track_and_starts_where_the_first_stem_starts(returned: Returned) -> None:
    names = [track.name for track in returned.manifest.tracks]
    assert names[:5] == [file.stem for file in returned.files]
    assert names[-2:] == ["Mix", "Master"]
    assert "Plate" in names
    for track in returned.manifest.tracks:
        assert (track.start_frame, track.frames, track.sample_rate) == (RATE, round(RATE * SECONDS), RATE)


def test_a_stem_sounds_at_its_own_place_on_the_timeline(returned: Returned) -> None:
    pad = returned.read("tracks/fitted_warm_pad.wav")
    first = int(np.argmax(np.abs(pad).max(axis=1) > 0.05 * np.abs(pad).max()))
    assert first == pytest.approx(2.0 * RATE, abs=0.02 * RATE)


def test_the_master_is_legal_and_as_loud_as_the_preset_or_says_why(returned: Returned) -> None:
    master = returned.read("master.wav")
    mode = pyebur128.MeasurementMode
    state = pyebur128.R128State(2, RATE, mode.MODE_I | mode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(master.astype(np.float32)).reshape(-1), len(master))
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(2))
    assert 20.0 * np.log10(peak) <= -1.0
    told = returned.manifest.loudness["master"]
    assert told.integrated_lufs == pytest.approx(pyebur128.get_loudness_global(state), abs=0.05)
    assert told.target_lufs == -8.0
    assert abs(told.integrated_lufs + 8.0) < 0.3 or told.warnings


def test_the_report_explains_strips_in_words_with_checked_guardrails(returned: Returned) -> None:
    report = json.loads((returned.folder / "report.json").read_text(encoding="utf-8"))
    mix = report["mix"]
    assert [strip["name"] for strip in mix["strips"]] == [file.stem for file in returned.files]
    assert all(item["passed"] for item in mix["guardrails"])
    for strip in mix["strips"]:
        assert any(reason.startswith(f"{strip['name']}: ") for reason in mix["reasons"])
    assert len(report["masters"]) == 1
    page = (returned.folder / "report.html").read_text(encoding="utf-8")
    assert "Lead Vocal" in page


def test_the_session_renders_to_the_same_bytes_and_a_change_is_heard(
    returned: Returned, tmp_path: Path
) -> None:
    session = yaml.safe_load((returned.folder / "mix.yaml").read_text(encoding="utf-8"))
    again = mixed(returned.files, tmp_path, mixing={"session": session, "tracks": False, "master": False})
    assert [track.name for track in again.tracks] == ["Mix"]
    assert (Path(again.folder) / "mix.wav").read_bytes() == (returned.folder / "mix.wav").read_bytes()
    bass = next(track for track in session["tracks"] if track["name"] == "Bass DI")
    bass["mute"] = True
    without = mixed(returned.files, tmp_path, mixing={"session": session, "tracks": False, "master": False})
    low = np.abs(np.fft.rfft(sf.read(Path(without.folder) / "mix.wav")[0][:, 0]))
    full = np.abs(np.fft.rfft(returned.read("mix.wav")[:, 0]))
    at = round(110.0 * SECONDS)
    assert low[at - 2 : at + 3].max() < 0.1 * full[at - 2 : at + 3].max()


def test_nothing_of_the_work_stays_behind(returned: Returned, home: Path) -> None:
    assert list((home / "cache").glob(".building-*")) == []


def test_a_session_that_does_not_fit_the_files_is_refused(returned: Returned, tmp_path: Path) -> None:
    session = yaml.safe_load((returned.folder / "mix.yaml").read_text(encoding="utf-8"))
    with pytest.raises(NrxError, match="'Kick' has no file among those given"):
        mixed(returned.files[1:], tmp_path, mixing={"session": session})
    session["tracks"] = session["tracks"][1:]
    with pytest.raises(NrxError, match=r"Kick\.wav is not in the session"):
        mixed(returned.files, tmp_path, mixing={"session": session})


@pytest.mark.parametrize(
    ("mixing", "said"),
    [
        ({"amounts": {"eqq": 50}}, "There is no stage 'eqq'"),
        ({"amounts": {"eq": 150}}, "less than or equal to 100"),
        ({"bypass": ["reverb"]}, "There is no stage 'reverb'"),
        ({"session": {"tracks": []}}, "lacks the key 'sample_rate'"),
    ],
)
def test_what_is_not_understood_is_refused_before_any_work(
    returned: Returned, tmp_path: Path, mixing: dict[str, Any], said: str
) -> None:
    with pytest.raises(NrxError, match=said):
        mixed(returned.files, tmp_path, mixing=mixing)
    assert not list(tmp_path.iterdir())


def test_silence_alone_is_refused(tmp_path: Path) -> None:
    sf.write(tmp_path / "pad.wav", np.zeros((RATE, 2)), RATE)
    with pytest.raises(NrxError, match="no sound in any"):
        mixed((tmp_path / "pad.wav",), tmp_path / "out")
