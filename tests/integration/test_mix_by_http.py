"""Twelve stems in one `POST /v1/jobs` to a real daemon: a mix, a legal master and a report, as by `nrx mix`."""

import io
import json
from pathlib import Path

import numpy as np
import pyebur128
import pytest
import soundfile as sf

from bridge.config import load_settings
from bridge.job import Job
from bridge.protocol import parse_request
from engine.audio import Audio, write_wav
from tests.queue_kit import until
from tests.serve_kit import Served

RATE, SECONDS, BEAT_S = 44_100, 8.0, 0.5
TIME_S = np.arange(round(RATE * SECONDS)) / RATE


def hits(decay: float, every_s: float, first_s: float) -> np.ndarray:
    since = (TIME_S - first_s) % every_s
    return np.exp(-decay * since) * (first_s <= TIME_S)


def tone(hz: float, partials: int) -> np.ndarray:
    return sum(np.sin(2 * np.pi * hz * k * TIME_S + k) / k for k in range(1, partials + 1))


def stems() -> dict[str, np.ndarray]:
    """Return twelve stems at levels and widths as sessions leave them."""
    random = np.random.default_rng(8)
    noise = random.standard_normal((8, len(TIME_S)))
    sings = np.clip(np.minimum(TIME_S % 3.0, 2.3 - TIME_S % 3.0) / 0.05, 0.0, 1.0)
    kick = np.sin(2 * np.pi * 50.0 * (TIME_S % BEAT_S)) * hits(14.0, BEAT_S, 0.0)
    return {
        "Kick": 0.9 * kick,
        "Snare": 0.05 * noise[0] * hits(20.0, 2 * BEAT_S, BEAT_S),
        "Hats": 0.2 * np.diff(noise[1], prepend=0.0) * hits(60.0, BEAT_S / 2, 0.0),
        "Percussion": 0.1 * noise[2] * hits(40.0, 3 * BEAT_S / 2, 0.25),
        "Bass": 0.1 * tone(55.0, 6) * hits(2.0, BEAT_S, 0.0),
        "Lead Vocal": 0.2 * tone(220.0, 11) * sings,
        "Backing Vocal": 0.02 * np.stack([tone(277.0, 9), tone(278.0, 9)]) * sings,
        "Guitar": 0.05 * np.stack([tone(165.0, 8), tone(165.5, 8)]) * hits(4.0, BEAT_S, 0.0),
        "Piano": 0.3 * tone(330.0, 5) * hits(3.0, 2 * BEAT_S, 0.0),
        "Pad": 0.04 * np.stack([tone(262.0, 4), tone(263.5, 4)]),
        "Strings": 0.08 * np.stack([tone(392.0, 6), tone(393.0, 6)]),
        "Texture": 0.01 * noise[3:5],
    }


@pytest.mark.slow
def test_twelve_stems_in_one_form_are_mixed_and_mastered_as_by_the_command(
    own_home: Path, tmp_path: Path
) -> None:
    files = []
    for name, wave in stems().items():
        path = tmp_path / f"{name}.wav"
        samples = np.ascontiguousarray(np.clip(np.atleast_2d(wave), -1.0, 1.0), np.float32)
        write_wav(path, Audio(samples, RATE), "PCM_24")
        files.append(path)
    with Served(own_home) as daemon:
        parts = [("files", (path.name, path.read_bytes())) for path in files]
        data = {"preset": "Hip-Hop", "project_id": "twelve", "stems_meta": "[]"}
        answer = daemon.http.post("/v1/jobs", data=data, files=parts)
        assert answer.status_code == 202, answer.text
        url = answer.headers["location"]

        def ended() -> dict[str, object] | None:
            shown = daemon.http.get(url).json()
            assert shown["status"] != "failed", shown["error"]
            return shown if shown["status"] == "completed" else None

        shown = until(ended, 240, "the mix")
        assert len(shown["stems"]) == 12
        got = {
            what: daemon.http.get(shown["downloads"][what]).content for what in ("mix", "master", "report")
        }

    report = json.loads(got["report"])
    assert len(report["mix"]["strips"]) == 12
    assert all(item["passed"] for item in report["mix"]["guardrails"])
    master, rate = sf.read(io.BytesIO(got["master"]), always_2d=True)
    mix, _ = sf.read(io.BytesIO(got["mix"]), always_2d=True)
    assert (rate, len(master), len(mix)) == (RATE, len(TIME_S), len(TIME_S))
    assert true_peak_dbtp(master) <= -1.0

    # The same stems by the same request without a daemon: the same samples.
    request = {"action": "mix", "inputs": [{"path": str(path)} for path in files], "preset": "Hip-Hop"}
    folder = tmp_path / "out"
    manifest = Job(parse_request(request), load_settings(), folder).run()
    local = next(folder.rglob("master.wav"))
    assert manifest.loudness["master"].true_peak_dbtp <= -1.0
    assert np.array_equal(sf.read(local, always_2d=True)[0], master)


def true_peak_dbtp(samples: np.ndarray) -> float:
    state = pyebur128.R128State(samples.shape[1], RATE, pyebur128.MeasurementMode.MODE_TRUE_PEAK)
    state.add_frames(np.ascontiguousarray(samples).reshape(-1), len(samples))
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(samples.shape[1]))
    return 20.0 * float(np.log10(peak))
