"""Is a saved Set what the DAW shows? Compares the two, and takes from the Set what the DAW does not tell.

What a device can see (tempo and signature at the playhead, the track's clips) is held against what was saved. Tempo and
signature must agree. A clip that is elsewhere shows that the Set was changed after it was saved: where its tempo
changes, its tempo map is not to be trusted then; a constant tempo is what the DAW shows, and is taken with a note.
Fades, and gains to the last digit, are only in the saved Set: they are taken from the clips that agree.
"""

import math
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from bridge.projects.als import LiveSet, SetTrack
from bridge.projects.model import ProjectClip, ProjectTrack
from engine.errors import NrxError

SAME_BPM = 0.011
"""Difference between the DAW's tempo and the saved Set's that rounding explains."""
SAME_BEAT = 1e-3
SAME_GAIN_DB = 0.06
"""Live shows gains to a tenth of a decibel."""


def agreed(track: ProjectTrack, saved: LiveSet, files: list[Path]) -> ProjectTrack:
    """Return the track with the clips' fades and gains as they were saved, and a note if the Set is older.

    Args:
        track: what the DAW shows.
        saved: what its Set held when it was saved.
        files: the request's inputs, which the track's clips name by index.

    Raises:
        NrxError: `input.tempo_map` where the tempo map of the Set cannot be that of the DAW.
    """
    _require_time(track, saved)
    clips = list(track.clips)
    for candidate in saved.tracks_named(track.name) or saved.tracks:
        there = _Places(candidate.clips, candidate.files)
        for index, clip in enumerate(clips):
            known = there.find(clip, files[clip.input])
            if known is not None and abs(known.gain_db - clip.gain_db) <= SAME_GAIN_DB:
                clips[index] = clip.model_copy(
                    update={
                        "gain_db": known.gain_db,
                        "fade_in_beats": known.fade_in_beats,
                        "fade_out_beats": known.fade_out_beats,
                    }
                )
    notes = list(track.notes)
    difference = _difference(track, saved, files) if track.whole else None
    if difference is not None:
        if len(saved.tempo_map.segments) > 1 or len(saved.tempo_map.signatures) > 1:
            raise _stale(saved, difference)
        notes.append(
            f'"{saved.path.name}", {_saved(saved.path)}, is older than what Live showed: {difference}. Its tempo '
            "is Live's own."
        )
    return track.model_copy(update={"clips": tuple(clips), "notes": tuple(notes)})


def _require_time(track: ProjectTrack, saved: LiveSet) -> None:
    at = max(0.0, track.at_beat)
    there = float(saved.tempo_map.bpm_at(at))
    if abs(there - track.bpm) > SAME_BPM:
        raise _stale(
            saved, f"it has {there:.2f} BPM at beat {track.at_beat:g}, and Live shows {track.bpm:.2f}"
        )
    bar = float(saved.tempo_map.bar_of_beat(at + SAME_BEAT))
    signature = saved.tempo_map.signature_at(bar)
    if (signature.numerator, signature.denominator) != track.signature:
        raise _stale(
            saved,
            f"it has {signature.numerator}/{signature.denominator} at beat {track.at_beat:g}, and Live shows "
            f"{track.signature[0]}/{track.signature[1]}",
        )


def _difference(track: ProjectTrack, saved: LiveSet, files: list[Path]) -> str | None:
    """Say what is different between the track in the DAW and in the Set, or None if nothing is."""
    candidates = saved.tracks_named(track.name)
    if not candidates:
        return f'it has no track "{track.name}"'
    told = [_clip_difference(track, candidate, files) for candidate in candidates]
    return None if None in told else told[0]


def _clip_difference(track: ProjectTrack, candidate: SetTrack, files: list[Path]) -> str | None:
    saved, shown = _Places(candidate.clips, candidate.files), _Places(track.clips, files)
    for clip in track.clips:
        name = clip.name or files[clip.input].name
        known = saved.find(clip, files[clip.input])
        if known is None:
            return f'Live shows "{name}" from beat {clip.start_beat:g} to {clip.end_beat:g}'
        if clip.name and known.name and _plain(clip.name) != _plain(known.name):
            return f'Live shows "{clip.name}" at beat {clip.start_beat:g}, where it has "{known.name}"'
    for clip in candidate.clips:
        if shown.find(clip, candidate.files[clip.input]) is None:
            name = clip.name or candidate.files[clip.input].name
            return f'it has "{name}" from beat {clip.start_beat:g} to {clip.end_beat:g}'
    return None


class _Places:
    """Clips by where they are: by their file's name, whatever folder it was moved to, and their beats."""

    def __init__(self, clips: Sequence[ProjectClip], files: Sequence[Path]) -> None:
        self._clips: dict[tuple[str, int], list[ProjectClip]] = {}
        for clip in clips:
            place = (_plain(files[clip.input].name), math.floor(clip.start_beat))
            self._clips.setdefault(place, []).append(clip)

    def find(self, wanted: ProjectClip, file: Path) -> ProjectClip | None:
        """Return the clip that plays this file from and to the same beats, or None."""
        name, beat = _plain(file.name), math.floor(wanted.start_beat)
        for near in (beat, beat - 1, beat + 1):
            for clip in self._clips.get((name, near), ()):
                off = abs(clip.start_beat - wanted.start_beat), abs(clip.end_beat - wanted.end_beat)
                if max(off) <= SAME_BEAT:
                    return clip
        return None


def _plain(name: str) -> str:
    """Return a name as it compares: macOS takes accents apart, and the API may split a name at its spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _stale(saved: LiveSet, difference: str) -> NrxError:
    return NrxError(
        "input.tempo_map",
        f'"{saved.path.name}", {_saved(saved.path)}, is not what Live shows ({difference}); save the Set and '
        "try again.",
    )


def _saved(path: Path) -> str:
    """Say when a file was written."""
    try:
        return f"saved on {time.strftime('%Y-%m-%d at %H:%M', time.localtime(path.stat().st_mtime))}"
    except OSError:
        return "saved some time ago"
