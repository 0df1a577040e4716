"""What goes into the mix and what comes out.

Pan law. DAWs do not agree on one: a mono file panned to the centre is 3 dB apart between them. So every track
comes out in stereo with its panning printed into the samples, and is to be played with pan 0, which is unity
for a stereo track in REAPER, Live and Ardour alike. A mono source at `pan` p, from -1 to 1, is printed with
constant power, 0 dB at the centre: left = sqrt(2) cos((p + 1) pi / 4), right = sqrt(2) sin((p + 1) pi / 4). A
stereo source is printed with a balance control: the far side is turned down by 1 - |p|, the near side stays.

Gains are fader positions: the mix is the sum of each track's audio times 10^(gain_db / 20). They stay at or
under +6 dB, the top of Live's and Ardour's faders; what is above is printed into the audio, as is whatever
would exceed 0 dBFS.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.audio.buffer import Audio


@dataclass(frozen=True, slots=True, eq=False)
class MixTrack:
    """One track to mix: mono or stereo audio, its role (see `ROLES`), and what was asked for it.

    `level_db` is relative to what the balance gives the role; `pan` -1 (left) to 1 (right). `ducked` False
    keeps the track out of the ducking, whatever its role. `may_overwrite` True lets the strip work in the
    samples that it is given, which halves the memory of a mix whose inputs are not needed afterwards.
    """

    audio: Audio
    role: str
    level_db: float = 0.0
    pan: float = 0.0
    ducked: bool = True
    may_overwrite: bool = False


@dataclass(frozen=True, slots=True)
class MixSettings:
    """How to mix.

    `balance_db`: loudness of each role relative to the vocals, in LU; roles left out take it from their
    family (`kick` from `drums`), or from the table of roles. `ducking_db`: how far the music dips between 300
    Hz and 4 kHz where the voice sings (0 for none). `song_lufs`: loudness of the song that the vocals come
    from, if known: vocals far below it are a remainder, and are not taken as the measure of the mix.
    `peak_dbfs`: where the mix's sample peak lands. `lufs`, if set, is the mix's integrated loudness instead,
    as far as its peak stays at or under `highest_peak_dbfs`.
    """

    balance_db: Mapping[str, float] = field(default_factory=dict)
    ducking_db: float = 2.5
    song_lufs: float | None = None
    peak_dbfs: float = -6.0
    lufs: float | None = None
    highest_peak_dbfs: float = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class MixedTrack:
    """A track as a DAW should play it: stereo `audio` at `gain_db` and `pan` (always 0, see the pan law).

    `loudness_lufs` is the loudness where it sounds, at its gain in the mix; `ducked_db` the deepest dip
    printed.
    """

    audio: Audio
    gain_db: float
    pan: float
    loudness_lufs: float
    ducked_db: float


@dataclass(frozen=True, slots=True, eq=False)
class MixResult:
    """The tracks in the order they were given, the stereo mix, and sentences about what could not be done."""

    tracks: dict[str, MixedTrack]
    mix: Audio
    warnings: tuple[str, ...] = ()
