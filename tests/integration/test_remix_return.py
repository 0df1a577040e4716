"""What a remix gives back: aligned tracks that sum to the mix, MIDI that says what sounds, a master at its loudness."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pyebur128
import pytest
import soundfile as sf

from bridge.config import load_settings
from bridge.job import Job
from bridge.protocol import Manifest, parse_request
from tests.songs import PROGRESSION, song

BPM, BARS, RATE = 100.0, 12, 44100
STYLE = "lofi_chill"


@dataclass(frozen=True)
class Returned:
    """A return and the song that it was made from."""

    folder: Path
    manifest: Manifest
    source: np.ndarray
    file: Path

    def read(self, file: str) -> np.ndarray:
        return sf.read(self.folder / file, always_2d=True)[0]


def remixed(file: Path, out: Path, **changes: Any) -> Manifest:
    request = parse_request({"action": "remix", "inputs": [{"path": str(file)}], "style": STYLE, **changes})
    return Job(request, load_settings(), out).run()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One NRX_HOME for this file, so that stages are made once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("shared-home")
        patch.setenv("NRX_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def shared_home(home: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NRX_HOME", str(home))


@pytest.fixture(scope="module")
def returned(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Returned:
    folder = tmp_path_factory.mktemp("songs")
    samples = song(bpm=BPM, bars=BARS)
    sf.write(folder / "song.wav", samples, RATE, subtype="PCM_24")
    manifest = remixed(folder / "song.wav", folder / "out")
    return Returned(
        Path(manifest.folder), manifest, sf.read(folder / "song.wav", always_2d=True)[0], folder / "song.wav"
    )


def test_folder_is_called_after_song_and_style_and_the_manifest_is_in_it(returned: Returned) -> None:
    assert returned.folder.name == "song - lofi_chill"
    written = json.loads((returned.folder / "manifest.json").read_text(encoding="utf-8"))
    assert Manifest.model_validate(written) == returned.manifest


def test_every_track_has_the_sources_rate_and_length_and_says_so(returned: Returned) -> None:
    for track in returned.manifest.tracks:
        info = sf.info(returned.folder / track.file)
        assert (info.samplerate, info.frames) == (RATE, len(returned.source)), track.file
        assert (track.sample_rate, track.frames, track.channels) == (
            info.samplerate,
            info.frames,
            info.channels,
        )
        assert track.subtype == info.subtype


def test_separated_stems_sum_to_the_song(returned: Returned) -> None:
    stems = [returned.read(track.file) for track in returned.manifest.tracks if track.kind == "separated"]
    assert len(stems) == 4
    assert np.abs(sum(stems) - returned.source).max() < 1e-5


def test_audible_tracks_at_their_gain_sum_to_the_mix(returned: Returned) -> None:
    mix = returned.read("mix.wav")
    total = np.zeros_like(mix)
    for track in returned.manifest.tracks:
        if not track.muted:
            assert track.pan == 0
            total += returned.read(track.file) * 10 ** (track.gain_db / 20)
    assert 20 * np.log10(np.abs(total - mix).max() + 1e-12) < -60


def test_kinds_are_muted_as_daws_expect(returned: Returned) -> None:
    muted = {track.kind: track.muted for track in returned.manifest.tracks}
    assert muted == {"fitted": False, "generated": False, "separated": True, "mix": True, "master": True}


def test_master_is_at_its_loudness_under_its_ceiling(returned: Returned) -> None:
    samples = returned.read("master.wav").astype(np.float32)
    meter = pyebur128.R128State(
        2, RATE, pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_TRUE_PEAK
    )
    meter.add_frames(np.ascontiguousarray(samples).ravel(), len(samples))
    peak = max(20 * np.log10(pyebur128.get_true_peak(meter, channel)) for channel in (0, 1))
    said = returned.manifest.loudness["master"]
    assert said.target_lufs is not None
    assert peak <= -1.0
    assert abs(pyebur128.get_loudness_global(meter) - said.target_lufs) <= 0.5 or said.warnings


def test_analysis_is_right_about_the_song(returned: Returned) -> None:
    heard = returned.manifest.analysis
    assert heard is not None
    assert abs(heard.tempo_bpm - BPM) < 0.1
    assert heard.time_signature == "4/4"
    bar = 4 * 60 / BPM
    names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    right = 0
    for index in range(BARS):
        middle = (index + 0.5) * bar
        label = next(chord.label for chord in heard.chords if chord.start_s <= middle < chord.end_s)
        root, quality = PROGRESSION[index % 4]
        right += label.split(":")[0] == names[root] and label.split(":")[1].startswith(quality)
    assert right >= 0.75 * BARS


def test_parts_start_on_the_songs_bars(returned: Returned) -> None:
    """The kick of the first bars stands within a few milliseconds of the song's own beat."""
    drums = next(
        track for track in returned.manifest.tracks if track.kind == "generated" and track.role == "drums"
    )
    assert drums.midi is not None
    starts = np.array([time_s for time_s, _, _ in notes_of(returned.folder / drums.midi)])
    bars = np.arange(BARS) * 4 * 60 / BPM
    nearest = np.abs(starts[:, None] - bars[None, :]).min(axis=0)
    assert np.median(nearest) < 0.03


def notes_of(file: Path) -> list[tuple[float, int, int]]:
    """Return (second, pitch, velocity) of every note of a MIDI file, by its own tempo map."""
    now, found = 0.0, []
    for message in mido.MidiFile(file):
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            found.append((now, message.note, message.velocity))
    return found


def test_sound_follows_the_midi(returned: Returned) -> None:
    """Power rises where the MIDI has a hit that stands alone: median error of the onsets at most 5 ms."""
    drums = next(
        track for track in returned.manifest.tracks if track.kind == "generated" and track.role == "drums"
    )
    samples = returned.read(drums.file).mean(axis=1)
    assert drums.midi is not None
    hits = np.unique([round(time_s * 1000) for time_s, _, _ in notes_of(returned.folder / drums.midi)])
    alone = hits[1:-1][(np.diff(hits)[:-1] > 60) & (np.diff(hits)[1:] > 60)]
    step = RATE // 1000
    power = np.array(
        [np.square(samples[int(ms * 44.1) :][:step]).mean() for ms in range(len(samples) * 10 // 441)]
    )
    errors = []
    for hit in alone:
        before = np.median(power[hit - 30 : hit - 10])
        peak = power[hit - 10 : hit + 25].max(initial=0.0)
        if peak > 4 * before:
            rising = power[hit - 20 : hit + 25] > before + 0.2 * (peak - before)
            errors.append(abs(int(np.argmax(rising)) - 20))
    assert len(errors) > 20
    assert np.median(errors) <= 5


def test_song_midi_has_map_markers_and_all_parts(returned: Returned) -> None:
    midi = mido.MidiFile(returned.folder / "midi" / "song.mid")
    markers = [message.text for track in midi.tracks for message in track if message.type == "marker"]
    parts = [track for track in returned.manifest.tracks if track.kind == "generated"]
    with_notes = [track for track in midi.tracks if any(message.type == "note_on" for message in track)]
    assert len(with_notes) == len(parts)
    assert any("min" in marker for marker in markers)
    tempi = [message.tempo for track in midi.tracks for message in track if message.type == "set_tempo"]
    assert abs(60e6 / tempi[-1] - BPM) < 0.1


def test_same_request_gives_the_same_bytes_and_another_seed_does_not(returned: Returned) -> None:
    again = remixed(returned.file, returned.file.parent / "out")
    other = remixed(returned.file, returned.file.parent / "out", seed=1)
    assert Path(again.folder).name == "song - lofi_chill (2)"
    assert [stage.cached for stage in again.stages if stage.stage in ("separate", "analyze")] == [True, True]
    for track, same, different in zip(returned.manifest.tracks, again.tracks, other.tracks, strict=True):
        first = (returned.folder / track.file).read_bytes()
        assert first == (Path(again.folder) / same.file).read_bytes(), track.file
        if track.kind == "generated" and track.role == "drums":
            assert first != (Path(other.folder) / different.file).read_bytes()


def test_source_is_never_touched(returned: Returned) -> None:
    assert returned.manifest.source[0].path == str(returned.file)
    assert [file.name for file in returned.file.parent.iterdir() if file.is_file()] == ["song.wav"]


@pytest.mark.slow
def test_style_tempo_moves_voice_and_parts_to_the_same_new_bars(returned: Returned) -> None:
    manifest = remixed(returned.file, returned.file.parent / "out", tempo="style")
    assert manifest.timeline is not None
    assert manifest.timeline.tempo_bpm == pytest.approx(90.0, abs=0.01)
    expected = round(len(returned.source) * BPM / 90.0)
    for track in manifest.tracks:
        if track.kind not in ("separated",):
            assert abs(track.frames - expected) <= 2, track.file
    (voice,) = manifest.sync
    assert voice.stretch_mean == pytest.approx(BPM / 90.0, rel=0.01)


@pytest.mark.slow
def test_number_sets_the_tempo(returned: Returned) -> None:
    manifest = remixed(returned.file, returned.file.parent / "out", tempo=120)
    assert manifest.timeline is not None
    assert manifest.timeline.tempo_bpm == pytest.approx(120.0, abs=0.01)


def test_stems_with_roles_are_one_job_that_separates_nothing(tmp_path: Path) -> None:
    from tests.songs import song_stems

    inputs = []
    for role, samples in song_stems(bpm=BPM, bars=8).items():
        sf.write(tmp_path / f"{role}.wav", samples.T, RATE, subtype="PCM_24")
        inputs.append({"path": str(tmp_path / f"{role}.wav"), "role": role})
    request = parse_request({"action": "remix", "inputs": inputs, "style": STYLE})
    manifest = Job(request, load_settings(), tmp_path / "out").run()
    assert {backend.stage for backend in manifest.backends} == {"generate"}
    assert not [track for track in manifest.tracks if track.kind == "separated"]
    assert [track.role for track in manifest.tracks if track.kind == "fitted"] == ["vocals"]


def test_tempo_map_that_is_sent_is_the_law(returned: Returned) -> None:
    given = {"segments": [{"bpm": 50.0}], "signatures": [{"start_bar": 0, "numerator": 4, "denominator": 4}]}
    request = parse_request(
        {"action": "analyze", "inputs": [{"path": str(returned.file)}], "tempo_map": given}
    )
    manifest = Job(request, load_settings(), returned.file.parent / "out").run()
    assert manifest.analysis is not None
    assert manifest.analysis.tempo_source == "tempo map"
    assert manifest.analysis.tempo_bpm == pytest.approx(50.0)
    assert np.allclose(np.diff(manifest.analysis.beats_s), 1.2)


def test_bwf_start_goes_through_to_every_track(returned: Returned, tmp_path: Path) -> None:
    from engine.audio import probe, read_audio, write_wav

    file = tmp_path / "at ten seconds.wav"
    write_wav(file, read_audio(returned.file), time_reference_frames=10 * RATE)
    request = parse_request({"action": "separate", "inputs": [{"path": str(file)}]})
    manifest = Job(request, load_settings(), tmp_path / "out").run()
    for track in manifest.tracks:
        assert (track.start_frame, track.start_s) == (10 * RATE, 10.0)
        assert probe(Path(manifest.folder) / track.file).time_reference_frames == 10 * RATE
