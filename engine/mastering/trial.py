"""A trial on a piece of the song: what compression, limiting and saturation do to its spectrum and its loudness.

Limiting a drum-heavy song takes its noises down with its kick, which no equaliser foresees. So the chain and the
limiter are tried on the most telling 12 s (the loudest), at the gain that the whole song will get, and what comes
out beyond the equaliser's own gains is what the equaliser then allows for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.audio import Audio
from engine.loudness import integrated_lufs
from engine.loudness.meter import HOPS_PER_S
from engine.loudness.spectrum import spectrum
from engine.mastering.bands import hop_frames
from engine.mastering.chain import run_chain
from engine.mastering.decisions import Decisions
from engine.mastering.mastering import master
from engine.mastering.model import MasterSettings
from engine.mastering.parallel import both
from engine.mastering.profile import Heard

TRIAL_S = 12.0
SHORTEST_S = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What dynamics do: to each third octave in dB (loudness apart), and to the loudness beyond what was planned."""

    dynamics_db: NDArray[np.float64]
    unexpected_lu: float


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """The piece that is tried on: its first hop (of the bands) in the song, its length in hops, and what it measures.

    `below_song_lu` is how much louder the song is.
    """

    audio: Audio
    first_hop: int
    hops: int
    lufs: float
    below_song_lu: float
    level_db: NDArray[np.float64]


def excerpt_of(audio: Audio, heard: Heard) -> Excerpt | None:
    """Return the loudest `TRIAL_S` of a song, or None where it is silent or too short for a trial."""
    song_lufs = heard.figures.integrated_lufs
    piece, first_hop, hops = _loudest_piece(audio, heard)
    if piece.duration_s < SHORTEST_S or not np.isfinite(song_lufs):
        return None
    lufs, level_db = both(lambda: integrated_lufs(piece), lambda: spectrum(piece).level_db())
    if not np.isfinite(lufs):
        return None
    return Excerpt(piece, first_hop, hops, lufs, song_lufs - lufs, level_db)


def try_out(
    excerpt: Excerpt, decisions: Decisions, settings: MasterSettings, expected_lu: float = 0.0
) -> Trial | None:
    """Return what a trial shows, or None where the chain leaves silence.

    `expected_lu` is what a trial before this one showed.
    """
    chain, gains = decisions.chain, decisions.chain.band_gain_db
    if gains is not None:
        first = excerpt.first_hop
        chain = replace(chain, band_gain_db=gains[:, first : first + excerpt.hops + 1])
    # The whole song gets the gain that brings it to its target; the piece is as much louder than the song as before.
    target = min(-3.0, settings.lufs - excerpt.below_song_lu)
    tried = master(
        run_chain(excerpt.audio, chain),
        replace(settings, lufs=target, bits=32, strict=False, lra_max=None, max_average_reduction_db=12.0),
        expected_lu=expected_lu,
        passes=1,
    )
    if not np.isfinite(tried.report.lufs_before):
        return None
    moved = spectrum(tried.audio).level_db() - excerpt.level_db
    moved -= tried.meter.integrated_lufs - excerpt.lufs
    return Trial(moved - decisions.chain.eq_db, tried.report.unexpected_lu)


def _loudest_piece(audio: Audio, heard: Heard) -> tuple[Audio, int, int]:
    """Return the loudest `TRIAL_S` of `audio`, its first hop (of the bands) and its length in hops."""
    hop = hop_frames(audio.sample_rate)
    wanted = round(TRIAL_S * audio.sample_rate)
    if audio.frames <= wanted:
        return audio, 0, audio.frames // hop + 1
    sums = np.concatenate(([0.0], np.cumsum(heard.figures.hop_energies)))
    length = int(TRIAL_S * HOPS_PER_S)
    start_s = float(np.argmax(sums[length:] - sums[:-length])) / HOPS_PER_S
    first_hop = min(int(start_s * audio.sample_rate) // hop, (audio.frames - wanted) // hop)
    hops = wanted // hop
    piece = audio.samples[:, first_hop * hop : (first_hop + hops) * hop]
    return Audio(np.ascontiguousarray(piece), audio.sample_rate), first_hop, hops
