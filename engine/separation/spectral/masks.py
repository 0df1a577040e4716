"""Masks of the four stems for any stretch of frames, from everything that was found out about the song.

Evidence is gathered as magnitudes and shared out in the Wiener way, by squares, so that masks sum to one:
- drums take what their templates explain;
- of the rest, what does not come from the centre is `other`;
- the centre is shared between a singer (the comb of the best sung pitch while there is one), bass (the comb of the
  best bass pitch, below 500 Hz) and whatever else is there.
All statistics are the whole song's and all else is frame by frame: blocks join without a seam, whatever their length.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine.progress import Monitor
from engine.separation.spectral.bands import FloatPlane
from engine.separation.spectral.drums import Drums
from engine.separation.spectral.image import centre_magnitude
from engine.separation.spectral.levels import BytePlane, decode
from engine.separation.spectral.pitch import BASS, SINGER, Path, Salience
from engine.separation.spectral.survey import Survey

VOICE_LOWEST_HZ = 80.0
BASS_HIGHEST_HZ = 500.0
BASS_TRACKING_HZ = 350.0
SURELY_BASS_HZ = 120.0
COMB_TRUSTED_HZ = 1000.0
"""Harmonics further up smear into each other (vibrato, glides), and sibilants have none."""

VOICE_ABSENT, VOICE_PRESENT = 0.10, 0.16
"""Strength of the sung pitch below which nobody sings, and above which somebody does."""

VOICE_FLOOR = 0.1
VOICE_UNDER_BASS = 0.5
BASS_FLOOR = 0.3
BASS_OFF_COMB = 0.35
REST_AT_CENTRE = 0.3
"""What is neither voice nor bass counts so much at the centre of an image, and fully where there is no image."""

BASS_HIDDEN_FROM_SINGER = 0.8

BLOCK_FRAMES = 128

_TINY = np.float32(1e-12)

Weight = Callable[[int, int], NDArray[np.float32]]


class Planner:
    """Looks at the whole song, then gives masks for any stretch of frames."""

    def __init__(self, found: Survey, monitor: Monitor) -> None:
        self.found = found
        hz = found.bands.centres_hz
        self.under_bass = _below(hz, BASS_HIGHEST_HZ, 4)
        self.surely_bass = _below(hz, SURELY_BASS_HZ, 4)
        self.tracking_bass = _below(hz, BASS_TRACKING_HZ, 6)
        self.comb_trust = _below(hz, COMB_TRUSTED_HZ, 4)
        self.above_voice = 1 - _below(hz, VOICE_LOWEST_HZ, 8)
        self.rest_weight = REST_AT_CENTRE if found.image.exists else 1.0
        self.drum_share = self._find_drums(Drums(found, monitor.part(0.0, 0.3)), monitor.part(0.3, 0.6))
        self.bass = self._follow_bass(monitor.part(0.6, 0.8))
        self.singer = self._follow_singer(monitor.part(0.8, 1.0))

    def masks(self, start: int, stop: int) -> dict[str, FloatPlane]:
        """Return role -> mask of vocals, drums and bass, (stop - start, bands); `other` is what is left of one."""
        hz = self.found.bands.centres_hz
        drums, rest = self._drums_and_rest(start, stop)
        _, from_centre = self._centre(start, stop, rest)
        strength = self.singer.strength[start:stop, None]
        present = np.clip((strength - VOICE_ABSENT) / (VOICE_PRESENT - VOICE_ABSENT), 0, 1)
        sung = present * (self.singer.comb(hz, start, stop) * self.comb_trust + (1 - self.comb_trust))
        plucked = self.bass.comb(hz, start, stop) * self.under_bass
        voice = (VOICE_FLOOR + (1 - VOICE_FLOOR) * sung) * (1 - VOICE_UNDER_BASS * plucked)
        bass = np.maximum(1 - sung, BASS_FLOOR) * np.maximum(plucked, BASS_OFF_COMB * self.under_bass)
        neither = self.rest_weight * (1 - self.surely_bass) * (1 - sung) * (1 - plucked)
        voice_power, bass_power = voice**2, bass**2
        share = rest * from_centre / (voice_power + bass_power + neither**2 + _TINY)
        vocals = voice_power * share
        too_low = vocals * (1 - self.above_voice)
        found = {"vocals": vocals - too_low, "drums": drums, "bass": bass_power * share + too_low}
        return {role: mask.astype(np.float32, copy=False) for role, mask in found.items()}

    def _find_drums(self, drums: Drums, monitor: Monitor) -> BytePlane:
        """Return the share of the power in each band that is drums', 0 to 255."""
        count = self.found.framing.count
        share = np.zeros((count, self.found.bands.count), dtype=np.uint8)
        for start in range(0, count, BLOCK_FRAMES):
            stop = min(count, start + BLOCK_FRAMES)
            hits = drums.magnitude(start, stop)
            others = np.maximum(0, self._total(start, stop) - hits)
            share[start:stop] = np.rint(255 * hits**2 / (hits**2 + others**2 + _TINY))
            monitor.report(stop / count)
        return share

    def _total(self, start: int, stop: int) -> FloatPlane:
        total: FloatPlane = np.hypot(
            decode(self.found.centre[start:stop]), decode(self.found.side[start:stop])
        )
        return total

    def _drums_and_rest(self, start: int, stop: int) -> tuple[FloatPlane, FloatPlane]:
        drums: FloatPlane = self.drum_share[start:stop].astype(np.float32) / np.float32(255)
        return drums, 1 - drums

    def _centre(self, start: int, stop: int, rest: FloatPlane) -> tuple[FloatPlane, FloatPlane]:
        """Return the magnitude at the centre without drums, and which share of all magnitude the centre is."""
        centre = centre_magnitude(decode(self.found.centre[start:stop]), decode(self.found.side[start:stop]))
        share = centre / (self._total(start, stop) + _TINY)
        return centre * np.sqrt(rest), share

    def _follow_bass(self, monitor: Monitor) -> Path:
        salience = Salience(BASS, self.found.bands.centres_hz, self.found.framing.count)
        return self._follow(salience, lambda _start, _stop: self.tracking_bass, monitor)

    def _follow_singer(self, monitor: Monitor) -> Path:
        hz = self.found.bands.centres_hz
        salience = Salience(SINGER, hz, self.found.framing.count)

        def without_bass(start: int, stop: int) -> FloatPlane:
            hidden = BASS_HIDDEN_FROM_SINGER * self.under_bass * self.bass.comb(hz, start, stop)
            return (1 - hidden).astype(np.float32)

        return self._follow(salience, without_bass, monitor)

    def _follow(self, salience: Salience, weight: Weight, monitor: Monitor) -> Path:
        count = self.found.framing.count
        for start in range(0, count, BLOCK_FRAMES):
            stop = min(count, start + BLOCK_FRAMES)
            _, rest = self._drums_and_rest(start, stop)
            centre, _ = self._centre(start, stop, rest)
            salience.put(start, centre * weight(start, stop))
            monitor.report(0.5 * stop / count)
        return salience.path(monitor.part(0.5, 1.0))


def _below(frequencies_hz: NDArray[np.float32], limit_hz: float, order: int) -> NDArray[np.float32]:
    """Return 1 well below a limit, falling to 0 above it, one half at it."""
    falling: NDArray[np.float32] = (1 / (1 + (frequencies_hz / limit_hz) ** order)).astype(np.float32)
    return falling
