"""Chroma: how strongly each of the twelve pitch classes sounds in each beat.

From a waveform: tuning, pitch spectra per beat, approximate notes (`notes`), notes folded into pitch classes
with a weight by register. `harmony_features` prepares what the chord reader listens to from the stems of a
song. Pitch class 0 is C; all chroma are (12, n), non-negative, and each column's peak is at most one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.beat_grid import BeatGrid
from engine.analysis.notes import note_activations, note_pitches
from engine.analysis.pitch_spectrum import RATE, Floats, beat_pitch_spectra
from engine.analysis.tuning import STANDARD, Tuning, estimate_tuning
from engine.audio import Audio
from engine.progress import SILENT, Monitor

Samples = NDArray[np.float32]

BASS_ROLES = frozenset({"bass"})
VOICE_ROLES = frozenset({"vocals", "vocal", "voice", "lead_vocals", "backing_vocals"})
DRUM_ROLES = frozenset({"drums", "kick", "snare", "hats", "toms", "cymbals", "percussion", "drum"})

_TREBLE_RAMP = (36.0, 48.0, 84.0, 92.0)  # MIDI: chords are voiced from about C3 to C6
_BASS_RAMP = (26.0, 28.0, 48.0, 57.0)  # MIDI: the bass line lies from E1 to about C3
_COMPRESSION = 0.5  # exponent on loudness: a soft chord tone counts more than its amplitude
_MISSING_DB = -35.0  # a stem this far below the mix is not playing
_RESAMPLE_BLOCK_S = 20.0
_PROBE_SAMPLES = 200_000  # enough to tell whether channels cancel


def to_analysis_rate(audio: Audio, *, monitor: Monitor = SILENT) -> Samples:
    """Return a recording in mono at `pitch_spectrum.RATE`, converted in blocks, shape (frames,).

    The channels are averaged; where that would cancel most of the sound (opposite polarity), the loudest is taken.
    """
    import soxr

    channel = _cancelling_channel(audio)
    stream = soxr.ResampleStream(audio.sample_rate, RATE, 1, dtype="float32", quality="MQ")
    block = int(_RESAMPLE_BLOCK_S * audio.sample_rate)
    pieces = []
    for start in range(0, max(1, audio.frames), block):
        end = min(audio.frames, start + block)
        part = audio.samples[:, start:end]
        mono = part.mean(axis=0, dtype=np.float32) if channel is None else np.ascontiguousarray(part[channel])
        pieces.append(
            mono if audio.sample_rate == RATE else stream.resample_chunk(mono, last=end >= audio.frames)
        )
        monitor.report(end / max(1, audio.frames))
    return np.concatenate(pieces)


def _cancelling_channel(audio: Audio) -> int | None:
    """Return the loudest channel if the mean of all holds next to nothing of the sound, else None."""
    if audio.channels < 2 or audio.frames == 0:
        return None
    thinned = audio.samples[:, :: max(1, audio.frames // _PROBE_SAMPLES)]
    powers = np.square(thinned, dtype=np.float64).mean(axis=1)
    if np.square(thinned.mean(axis=0, dtype=np.float64)).mean() >= 0.05 * powers.max():
        return None
    return int(powers.argmax())


def register_weights(ramp: tuple[float, float, float, float]) -> Floats:
    """Return a weight per note: 0 outside ramp[0] to ramp[3], 1 from ramp[1] to ramp[2], straight between."""
    return np.interp(note_pitches(), ramp, (0.0, 1.0, 1.0, 0.0))


def fold(activations: Floats, weights: Floats) -> Floats:
    """Fold note loudnesses (n, NOTE_COUNT) into compressed chroma (12, n), each column's peak at most one."""
    loud = (activations * weights) ** _COMPRESSION
    chroma = np.zeros((12, len(activations)))
    for pitch_class in range(12):
        chroma[pitch_class] = loud[:, note_pitches() % 12 == pitch_class].sum(axis=1)
    return np.asarray(chroma / np.maximum(chroma.max(axis=0, keepdims=True), 1e-12))


def beat_chroma(mono: Samples, rate: int, beats_s: NDArray[np.floating]) -> Floats:
    """Return the chroma of each beat of a waveform.

    Args:
        mono: samples, shape (frames,).
        rate: sample rate in Hz.
        beats_s: sorted beat times in seconds, shape (n,). Beat k lasts until beat k + 1, the last as long as
            the one before.

    Returns:
        chroma of shape (12, n); a silent beat is a column of zeros.
    """
    beats = np.asarray(beats_s, dtype=np.float64)
    if len(beats) == 0:
        return np.zeros((12, 0))
    samples = to_analysis_rate(Audio(np.ascontiguousarray(mono, dtype=np.float32)[None, :], rate))
    last = float(beats[-1] - beats[-2]) if len(beats) > 1 else 0.5
    edges = np.r_[beats, beats[-1] + max(last, 1e-3)]
    spectra, _ = beat_pitch_spectra(samples, edges, estimate_tuning(samples).cents)
    return fold(note_activations(spectra), register_weights(_TREBLE_RAMP))


@dataclass(frozen=True, slots=True, eq=False)
class HarmonyFeatures:
    """What the chord reader hears in each of n intervals.

    `treble` and `bass` are chroma (12, n); `notes` (n, NOTE_COUNT) the loudnesses that the treble came from;
    `level_db` (n,) the tonal loudness relative to the loud parts of the song (0 dB, about); `tonal_share`
    (n,) how much of the sound is tones, 0 to 1.
    """

    treble: Floats
    bass: Floats
    notes: Floats
    level_db: Floats
    tonal_share: Floats
    tuning: Tuning


def harmony_features(
    stems: Mapping[str, Audio] | None, mix: Audio, grid: BeatGrid, *, monitor: Monitor = SILENT
) -> HarmonyFeatures:
    """Listen to the instruments that carry harmony in each interval of `grid`.

    Of the stems, the chords are read from everything but drums, voices and bass; the bass line from the bass.
    Where those are not playing at all the next best is taken: all that is not drums, and at last the mix.
    """
    harmonic, low = _harmonic_sources(stems, mix, monitor=monitor.part(0.0, 0.3))
    tuning = estimate_tuning(harmonic, monitor=monitor.part(0.3, 0.4)) if len(harmonic) else STANDARD
    spectra, share = beat_pitch_spectra(harmonic, grid.edges_s, tuning.cents, monitor=monitor.part(0.4, 0.7))
    notes = note_activations(spectra, monitor=monitor.part(0.7, 0.8))
    if low is None:
        bass_notes = notes
    else:
        low_spectra, _ = beat_pitch_spectra(low, grid.edges_s, tuning.cents, monitor=monitor.part(0.8, 0.95))
        bass_notes = note_activations(low_spectra, monitor=monitor.part(0.95, 1.0))
    loudness = np.sqrt((spectra**2).sum(axis=1))
    reference = float(np.percentile(loudness, 90)) if len(loudness) else 0.0
    level_db = 20 * np.log10(np.maximum(loudness, 1e-9) / max(reference, 1e-9))
    return HarmonyFeatures(
        fold(notes, register_weights(_TREBLE_RAMP)),
        fold(bass_notes, register_weights(_BASS_RAMP)),
        notes,
        level_db,
        share,
        tuning,
    )


def _harmonic_sources(
    stems: Mapping[str, Audio] | None, mix: Audio, *, monitor: Monitor
) -> tuple[Samples, Samples | None]:
    """Return what to read chords from, and what to read the bass from (None: the same), at `RATE`."""
    if not stems:
        return to_analysis_rate(mix, monitor=monitor), None
    floor = _power(mix) * 10 ** (_MISSING_DB / 10)
    playing = {role: stem for role, stem in stems.items() if _power(stem) > floor and role not in DRUM_ROLES}
    chordal = [r for r in playing if r not in BASS_ROLES | VOICE_ROLES] or list(playing)
    if not chordal:
        return to_analysis_rate(mix, monitor=monitor), None
    harmonic = added([to_analysis_rate(playing[r], monitor=monitor.part(0.0, 0.6)) for r in chordal])
    bass = [to_analysis_rate(playing[r], monitor=monitor.part(0.6, 1.0)) for r in playing if r in BASS_ROLES]
    return harmonic, (added(bass) if bass else None)


def added(waves: Sequence[Samples]) -> Samples:
    """Return the sum of waveforms, as long as the longest."""
    if len(waves) == 1:
        return waves[0]
    total = np.zeros(max(len(w) for w in waves), dtype=np.float32)
    for wave in waves:
        total[: len(wave)] += wave
    return total


def _power(audio: Audio) -> float:
    flat = audio.samples.reshape(-1)
    step = 1 << 20
    total = sum(float(np.dot(flat[k : k + step], flat[k : k + step])) for k in range(0, flat.size, step))
    return total / max(1, flat.size)
