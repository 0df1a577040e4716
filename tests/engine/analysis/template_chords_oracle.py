"""An independent ear for chords at known times, for tests of what was generated or analysed.

Shares nothing with the product: one long FFT a span, semitone peaks folded into twelve classes, cosine with triads
whose notes carry a few harmonics; no sequence model, no key, no tuning. Good on clear chords, and that is its use: a
part that was asked to play a chord must sound like it to a simple listener.

`hear(samples, rate, spans_s)` gives a Harte triad or "N" for each span; `agreement` the share of time on which heard
and requested chords agree as triads (mir_eval's majmin), `root_agreement` on roots only (power chords have no third).
"""

import mir_eval
import numpy as np

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LOWEST, HIGHEST = 36, 84
HARMONIC_WEIGHTS = {0: 1.0 + 0.5, 7: 0.3, 4: 0.12}  # harmonics 1, 2 and 4; 3; 5
TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}


def templates():
    labels, rows = [], []
    for quality, intervals in TRIADS.items():
        for root in range(12):
            row = np.zeros(12)
            for interval in intervals:
                for up, weight in HARMONIC_WEIGHTS.items():
                    row[(root + interval + up) % 12] += weight
            labels.append(f"{NAMES[root]}:{quality}")
            rows.append(row / np.linalg.norm(row))
    return labels, np.array(rows)


def span_chroma(samples, rate, start_s, end_s):
    """Chroma (12,) of mono samples between two times."""
    piece = samples[max(0, int(start_s * rate)) : int(end_s * rate)]
    if len(piece) < 0.05 * rate or np.abs(piece).max() < 1e-5:
        return np.zeros(12)
    size = 1 << int(np.ceil(np.log2(max(len(piece), rate))))
    magnitude = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), size))
    hz_per_bin = rate / size
    loud = []
    for pitch in range(LOWEST, HIGHEST + 1):
        hz = 440 * 2 ** ((pitch - 69) / 12)
        low, high = (int(hz * 2 ** (cents / 1200) / hz_per_bin) for cents in (-35, 35))
        loud.append(magnitude[low : high + 2].max())
    loud = np.array(loud)
    background = np.array([np.median(loud[max(0, k - 6) : k + 7]) for k in range(len(loud))])
    tonal = np.sqrt(np.maximum(loud - background, 0))
    chroma = np.zeros(12)
    np.add.at(chroma, np.arange(LOWEST, HIGHEST + 1) % 12, tonal)
    return chroma


def hear(samples, rate, spans_s):
    """The triad label, or "N", of each (start_s, end_s) in mono samples (or (channels, frames), averaged)."""
    mono = np.atleast_2d(samples).mean(axis=0)
    labels, rows = templates()
    heard = []
    for start_s, end_s in spans_s:
        chroma = span_chroma(mono, rate, start_s, end_s)
        norm = np.linalg.norm(chroma)
        heard.append(labels[int((rows @ chroma).argmax())] if norm > 0 else "N")
    return heard


def agreement(spans_s, requested, heard):
    """Weighted majmin of heard against requested labels on the same spans."""
    return _weighted(mir_eval.chord.majmin, spans_s, requested, heard)


def root_agreement(spans_s, requested, heard):
    """Weighted agreement of the roots alone."""
    return _weighted(mir_eval.chord.root, spans_s, requested, heard)


def _weighted(compare, spans_s, requested, heard):
    durations = np.array([end - start for start, end in spans_s])
    return float(mir_eval.chord.weighted_accuracy(compare(list(requested), list(heard)), durations))


def majmin_of(truth, chords):
    """Weighted majmin of two chord sequences of (start_s, end_s, label) with different borders."""
    ref = np.array([t[:2] for t in truth], float)
    est = np.array([c[:2] for c in chords], float)
    est, labels = mir_eval.util.adjust_intervals(est, [c[2] for c in chords], ref.min(), ref.max(), "N", "N")
    spans, requested, heard = mir_eval.util.merge_labeled_intervals(ref, [t[2] for t in truth], est, labels)
    return agreement(spans, requested, heard)
