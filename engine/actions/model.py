"""What actions take and give: a `Song` to work on, and an `Outcome` for the bridge to publish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.analysis.model import Analysis, Chord, Section
from engine.audio import Audio, AudioInfo, Envelope
from engine.generation.model import Arrangement
from engine.tempo import TempoMap

TrackKind = Literal["separated", "fitted", "generated", "mix", "master"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a job works on: where it is, its header, the hash of its bytes, its role if it is a stem.

    `original` is what people know the file as, where `path` is a snapshot of it.
    """

    path: Path
    info: AudioInfo
    sha256: str
    role: str | None = None
    original: Path | None = None

    @property
    def shown(self) -> Path:
        """The path that people know the file by."""
        return self.original or self.path


@dataclass(frozen=True, slots=True)
class Song:
    """The input of a job: one mix, or stems with roles that play together.

    `tempo_map` is the project's, in seconds from the start of the audio; None has it estimated.
    """

    name: str
    sources: tuple[SourceFile, ...]
    tempo_map: TempoMap | None = None
    tempo_range_bpm: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_stems(self) -> bool:
        """Whether the input is stems with roles."""
        return any(source.role is not None for source in self.sources)

    @property
    def start_frame(self) -> int:
        """Where the audio starts on the timeline, from the file's BWF time reference."""
        return self.sources[0].info.time_reference_frames


@dataclass(slots=True, eq=False)
class OutputTrack:
    """A track to publish: sound in memory (`audio`), or a finished WAV (`ready`) with its waveform (`shape`).

    A `disposable` file is taken away rather than copied.

    Whoever writes the track sets `audio` to None afterwards, so that a long song is not held twelve times over.
    """

    name: str
    role: str
    kind: TrackKind
    colour: str
    audio: Audio | None = None
    ready: Path | None = None
    disposable: bool = False
    shape: Envelope | None = None
    gain_db: float = 0.0
    pan: float = 0.0
    muted: bool = False
    loudness_lufs: float | None = None
    part: str | None = None
    has_midi: bool = False


Deliver = Callable[[OutputTrack], None]
"""Takes a finished track to be written while later stages still run."""


def keep_for_later(_track: OutputTrack) -> None:
    """Deliver nothing early: the track is written with the outcome."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Which backend did a stage, what it says of itself, and its licence; of a neural one also model and device."""

    stage: str
    name: str
    version: str
    what: str
    licence: str
    commercial_use: bool = True
    model: str | None = None
    revision: str | None = None
    device: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """How a kept stem was fitted to the new timeline."""

    role: str
    stretch_min: float
    stretch_mean: float
    stretch_max: float
    pitch_semitones: float
    residual_median_ms: float | None
    residual_worst_ms: float | None
    engine: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """How a take stands among those made with it: its place from 1, the best, and how well it fits, from -1 to 1.

    `score` is the mean of how well it fits the prompt (`by_prompt`) and how alike the song it is (`by_likeness`, None
    without a song), as `model` hears it; `seeds` are those of all takes, the best first.
    """

    place: int
    of: int
    score: float
    by_prompt: float | None
    by_likeness: float | None
    seeds: tuple[int, ...]
    model: str
    revision: str
    licence: str


@dataclass(frozen=True, slots=True)
class TakeSummary:
    """A take of a neural generator: what it was asked, from which seed, and how it was fitted to the timeline.

    `seeds_tried` ends with `seed`; those before could not be fitted. `stretch` is new length over old; `residual_*_ms`
    are how far attacks lie from the timeline's beats afterwards. `why_not` says why it could not be fitted, if so.
    `ranking` is there where several takes were made together and a model ranked them.
    """

    backend: str
    model: str
    revision: str
    licence: str
    commercial_use: bool
    device: str
    role: str
    prompt: str
    follows_melody: bool
    seed: int
    seeds_tried: tuple[int, ...]
    sampling: Mapping[str, Any]
    measured_bpm: float | None
    target_bpm: float | None
    stretch: float | None
    residual_median_ms: float | None
    residual_worst_ms: float | None
    why_not: str | None = None
    ranking: Ranking | None = None


@dataclass(frozen=True, slots=True)
class LoudnessSummary:
    """Loudness of a finished file; None is silence."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    lra_lu: float | None
    target_lufs: float | None = None
    ceiling_dbtp: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action made.

    `duration_s` is the length of the input, `length_s` that of the result; `chords` and `sections` are those of the
    result's timeline, for markers. `pictured` are drawn where there are no tracks.
    """

    tracks: tuple[OutputTrack, ...]
    sample_rate: int
    duration_s: float
    length_s: float
    analysis: Analysis | None = None
    target_map: TempoMap | None = None
    timeline_source: str = "none"
    arrangement: Arrangement | None = None
    loudness: Mapping[str, LoudnessSummary] = field(default_factory=dict)
    sync: tuple[SyncSummary, ...] = ()
    backends: tuple[Backend, ...] = ()
    takes: tuple[TakeSummary, ...] = ()
    notes: tuple[str, ...] = ()
    chords: tuple[Chord, ...] = ()
    sections: tuple[Section, ...] = ()
    pictured: tuple[OutputTrack, ...] = ()
    report: Mapping[str, Any] | None = None
    """Plain data for `report.json` and `report.html`: "masters" (a list), "album", "mix"."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Text files of the return: name -> content."""
