"""`analyze`: everything that later stages need to know of a song, in one `Analysis`.

Rhythm first, since all else is read on its beats; then curves and form; then harmony and melody. Stems make
all of it more certain (chords from `other` and `bass`, downbeats from `drums`), but a mix alone will do.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.analysis.chords import ChordResult, estimate_chords
from engine.analysis.curves import as_curve, brightness_curve, loudness_curve, vocal_curve
from engine.analysis.extent import find_extent
from engine.analysis.features import Features
from engine.analysis.key import estimate_key
from engine.analysis.melody import estimate_melody
from engine.analysis.model import Analysis, Key, MelodyNote
from engine.analysis.pulse import is_noise
from engine.analysis.rhythm import Rhythm, find_rhythm, rhythm_of_map
from engine.analysis.sections import find_sections
from engine.analysis.voice import hear_voice
from engine.audio.buffer import Audio
from engine.errors import NrxError
from engine.progress import SILENT, Monitor, shared_monitor
from engine.tempo import TempoMap


def analyze(
    stems: Mapping[str, Audio] | None,
    mix: Audio,
    *,
    tempo_map: TempoMap | None = None,
    tempo_range_bpm: tuple[float, float] | None = None,
    monitor: Monitor = SILENT,
) -> Analysis:
    """Analyse a song.

    Args:
        stems: any of vocals, drums, bass and other, as long as the mix and at its rate; None if there are
        none.
        mix: the whole song.
        tempo_map: the project's tempo map, with the song starting at 0 s; it wins over anything heard.
        tempo_range_bpm: (lowest, highest) tempo that the user would count the song at.
        monitor: progress.

    Raises:
        NrxError: `request.invalid` for an impossible range; `input.not_music` if the input is nothing but
        steady noise.
    """
    _check_range(tempo_range_bpm)
    features = Features(stems, mix, monitor)
    if is_noise(features):
        raise NrxError(
            "input.not_music",
            f"The input is steady noise for all of its {mix.duration_s:.1f} s, with no tone and no beat in it; "
            "choose a recording of music.",
        )
    monitor.report(0.05)
    if tempo_map is not None:
        rhythm = rhythm_of_map(tempo_map, features.duration_s)
    else:
        rhythm = find_rhythm(features, tempo_range_bpm, monitor.part(0.05, 0.3))
    by_ear, by_eye = shared_monitor(monitor.part(0.3, 1.0), 2)

    def hear() -> tuple[ChordResult, tuple[Key, ...], tuple[MelodyNote, ...]]:
        harmony = estimate_chords(
            stems, mix, rhythm.beats_s, rhythm.downbeats_s, monitor=by_ear.part(0.0, 0.6)
        )
        keys = estimate_key(harmony)
        melody = estimate_melody(stems, mix, rhythm.beats_s, keys[0], monitor=by_ear.part(0.6, 1.0))
        return harmony, keys, melody

    with ThreadPoolExecutor(1) as beside:  # harmony needs nothing of the curves and the form
        hearing = beside.submit(hear)
        loudness = loudness_curve(mix, by_eye.part(0.0, 0.5))
        brightness, mean_brightness_hz = brightness_curve(features)
        vocals = vocal_curve(features)
        by_eye.report(0.8)
        sections = find_sections(features, rhythm.downbeats_s, features.duration_s, loudness.short_term)
        vocals_heard = hear_voice(features)
        features.forget()
        by_eye.report(1.0)
        harmony, keys, melody = hearing.result()
    return Analysis(
        duration_s=features.duration_s,
        tempo_bpm=round(rhythm.bpm, 6),
        tempo_candidates=rhythm.candidates,
        tempo_source=rhythm.source,
        steady=rhythm.steady,
        has_beat=rhythm.has_beat,
        beats_s=_seconds(rhythm.beats_s),
        downbeats_s=_seconds(rhythm.downbeats_s),
        beats_per_bar=rhythm.beats_per_bar,
        key=keys[0],
        key_candidates=keys,
        chords=harmony.chords,
        sections=sections,
        energy=as_curve(loudness.short_term, 2),
        brightness=as_curve(brightness, 1),
        vocal_activity=as_curve(vocals),
        melody=melody,
        loudness_lufs=round(loudness.integrated_lufs, 3),
        mean_brightness_hz=round(mean_brightness_hz, 1),
        notes=_notes(rhythm),
        tuning_cents=round(harmony.tuning.cents, 1),
        vocals=vocals_heard,
        extent=find_extent(loudness.steps, loudness.integrated_lufs, features.duration_s),
    )


def _check_range(tempo_range_bpm: tuple[float, float] | None) -> None:
    if tempo_range_bpm is None:
        return
    low, high = tempo_range_bpm
    if not (np.isfinite(low) and np.isfinite(high) and 20 <= low <= high <= 400):
        raise NrxError(
            "request.invalid",
            f"The tempo range is {low:g} to {high:g} BPM; give the lowest and the highest tempo, from 20 to 400.",
        )


def _seconds(times: np.typing.NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(t), 6) for t in times)


def _notes(rhythm: Rhythm) -> tuple[str, ...]:
    notes = []
    if not rhythm.has_beat:
        notes.append(f"No steady pulse was found; bars are a grid of convenience at {rhythm.bpm:g} BPM.")
    elif not rhythm.steady and rhythm.source != "tempo map":
        notes.append("The tempo moves; beats follow the performance.")
    return tuple(notes)
