"""What the analysis of a song says.

Times are in seconds from the first sample of the input; all values are plain Python numbers, so that an
analysis can be cached and published as JSON unchanged.
"""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class TempoCandidate:
    """A tempo that the song may be felt at, with its share of the evidence (0 to 1)."""

    bpm: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Key:
    """A key: `tonic` as in "F#", `mode` "major" or "minor", `confidence` 0 to 1; `name` as in "F# minor"."""

    tonic: str
    mode: str
    confidence: float

    @property
    def name(self) -> str:
        """The key as people write it, "E minor"."""
        return f"{self.tonic} {self.mode}"


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord in Harte's syntax ("E:min", "C:maj7", "G:7", "N" for none) from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    label: str
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form. `label` groups alike sections ("A", "B", …); `energy` is 0 to 1 within this song."""

    start_s: float
    end_s: float
    label: str
    energy: float


@dataclass(frozen=True, slots=True)
class MelodyNote:
    """One note of the most prominent melody; `pitch` is a MIDI note number, `confidence` 0 to 1."""

    start_s: float
    end_s: float
    pitch: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A quantity over time, sampled every `hop_s` seconds from 0."""

    hop_s: float
    values: tuple[float, ...]


LEAST_TRACKED_S, WANDERING_CENTS, CONSONANT_SHARE = 2.0, 20.0, 0.01

Ending = Literal["stop", "fade", "cut"]


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a song sounds and how it ends.

    It sounds from `starts_s` to `ends_s`, its decay included; nothing is struck after `last_attack_s`. `ending` is
    "stop" where a last stroke rings, "fade" where the song is faded out from `fade_from_s` on, and "cut" where the
    recording stops in full flow. `fade` is how: (seconds, dB against where it starts), falling.
    """

    starts_s: float
    ends_s: float
    last_attack_s: float
    ending: Ending
    fade_from_s: float | None = None
    fade: tuple[tuple[float, float], ...] = ()


Singer = Literal["voice", "unsure", "instrument"]


@dataclass(frozen=True, slots=True)
class VocalEvidence:
    """What tells a voice from an instrument in the stem of the vocals.

    `tracked_s` is for how long one pitch could be followed, `wander_cents` how far it spreads within a sixth of a
    second (its 90th percentile), `consonants` the share of the sound that is noise without a vowel.
    """

    tracked_s: float
    wander_cents: float
    consonants: float

    @property
    def pitch_moves(self) -> bool | None:
        """Whether the pitch wanders as a singer's does; None where no pitch could be followed for long enough."""
        return None if self.tracked_s < LEAST_TRACKED_S else self.wander_cents >= WANDERING_CENTS

    @property
    def has_consonants(self) -> bool:
        """Whether there is noise as of consonants."""
        return self.consonants >= CONSONANT_SHARE

    @property
    def singer(self) -> Singer:
        """The verdict: an instrument only where the pitch stands still and no consonant is heard."""
        if self.has_consonants and self.pitch_moves is not False:  # who raps has no pitch to follow
            return "voice"
        return "instrument" if self.pitch_moves is False and not self.has_consonants else "unsure"


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that later stages need to know of a song.

    `beats_s` are the beats that a listener taps (quarter notes in x/4), `downbeats_s` the subset that starts a bar of
    `beats_per_bar`. `steady` says whether one tempo fits all beats; where it is False `tempo_bpm` is the median tempo.
    `has_beat` False means that no pulse was found and the beats are a regular grid of convenience. `tempo_source` is
    "estimated", "user range" or "tempo map". `energy` is loudness in LUFS (short-term), `brightness` the spectral
    centroid in Hz; `vocal_activity` 0 to 1; `tuning_cents` how far the song's pitches lie from A4 = 440 Hz. `extent` is
    None where nobody listened for it, `vocals` also where there is no stem of the vocals.
    `metre` is the time signature, where it is known and not only heard.
    """

    duration_s: float
    tempo_bpm: float
    tempo_candidates: tuple[TempoCandidate, ...]
    tempo_source: str
    steady: bool
    has_beat: bool
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    beats_per_bar: int
    key: Key
    key_candidates: tuple[Key, ...]
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]
    energy: Curve
    brightness: Curve
    vocal_activity: Curve
    melody: tuple[MelodyNote, ...]
    loudness_lufs: float
    mean_brightness_hz: float
    notes: tuple[str, ...] = field(default=())
    tuning_cents: float = 0.0
    extent: Extent | None = None
    vocals: VocalEvidence | None = None
    metre: str | None = None

    @property
    def time_signature(self) -> str:
        """The metre as it is written: "6/8" where it is known, else the beats of a bar as quarter notes."""
        return self.metre or f"{self.beats_per_bar}/4"
