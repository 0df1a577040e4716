"""A REAPER project of a return: a folder track with the return's tracks, items in place, tempo, signatures, markers.

Format: text, one record a line, blocks `<TAG …` to `>`, lines ended by CRLF. A tempo point's shape is 1 for a constant
tempo and 0 for a ramp, which REAPER runs linearly in time; a signature is `denominator * 65536 + numerator`. Items have
the timebase "time" (`BEAT 0`), no loop and no stretch. Paths are relative to the project, so the folder can be moved.
"""

import math
from collections.abc import Sequence

from bridge.returns.chord_names import NO_CHORD, chord_name
from bridge.returns.session import Region, Session, TempoPoint, placed_signatures, tempo_points
from engine.tempo import TimeSignature

CUSTOM_COLOUR = 0x1000000
BEAT_TOLERANCE = 1e-9
FOLDER_START, FOLDER_END, PLAIN = "1 1", "2 -1", "0 0"


def rpp_text(session: Session) -> bytes:
    """Return the project file's bytes (UTF-8, CRLF)."""
    lines = ['<REAPER_PROJECT 0.1 "7.0" 0 0', "  RIPPLE 0", f"  SAMPLERATE {session.sample_rate} 1 0"]
    lines += ["  PANLAW 1", "  TIMEMODE 1 5 -1 30 0 0 -1", *_notes(session), *_tempo(session)]
    lines += _markers(session.sections, session.chords)
    lines += _tracks(session)
    lines.append(">")
    return ("\r\n".join(lines) + "\r\n").encode()


def quoted(text: str) -> str:
    """Return a string as REAPER reads it: in the first kind of quote that it does not hold."""
    text = " ".join(text.split())
    for mark in ('"', "'", "`"):
        if mark not in text:
            return f"{mark}{text}{mark}"
    return "`" + text.replace("`", "'") + "`"


def native_colour(colour: str) -> int:
    """Return "#rrggbb" as REAPER's number, with the bit that says it is in use."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return CUSTOM_COLOUR | blue << 16 | green << 8 | red


def _notes(session: Session) -> list[str]:
    if not session.notes:
        return []
    return ["  <NOTES 0 2", *(f"    |{' '.join(note.split())}" for note in session.notes), "  >"]


def _tempo(session: Session) -> list[str]:
    tempo_map = session.tempo_map
    if tempo_map is None:
        return []
    points = tempo_points(tempo_map, "linear_in_time")
    signatures = placed_signatures(tempo_map)
    first = signatures[0][1]
    lines = [f"  TEMPO {session.bpm:.10f} {first.numerator} {first.denominator}", "  <TEMPOENVEX"]
    lines += ["    ACT 1 -1", "    VIS 1 0 1", "    LANEHEIGHT 0 0", "    ARM 0", "    DEFSHAPE 1 -1 -1"]
    for point, signature in _with_signatures(session, points, signatures):
        said = f"    PT {point.at_s:.12f} {point.bpm:.10f} {0 if point.ramps else 1}"
        lines.append(
            said if signature is None else f"{said} {signature.denominator * 65536 + signature.numerator} 0 1"
        )
    return [*lines, "  >"]


def _with_signatures(
    session: Session, points: Sequence[TempoPoint], signatures: Sequence[tuple[float, TimeSignature]]
) -> list[tuple[TempoPoint, TimeSignature | None]]:
    """Put each signature on the tempo point at its beat; where there is none, a point is made there."""
    tempo_map = session.tempo_map
    if tempo_map is None:
        return []
    merged: list[tuple[TempoPoint, TimeSignature | None]] = [(point, None) for point in points]
    for beat, signature in signatures:
        for index, (point, _) in enumerate(merged):
            if abs(point.beat - beat) <= BEAT_TOLERANCE:
                merged[index] = (point, signature)
                break
        else:
            before = max((point for point, _ in merged if point.beat < beat), key=lambda point: point.beat)
            bpm = float(tempo_map.bpm_at(beat)) if before.ramps else before.bpm
            added = TempoPoint(beat, float(tempo_map.seconds(beat)), bpm, before.ramps)
            merged.append((added, signature))
    return sorted(merged, key=lambda item: item[0].beat)


def _markers(sections: Sequence[Region], chords: Sequence[Region]) -> list[str]:
    """Sections become regions, chords markers."""
    lines = []
    for number, section in enumerate(sections, start=1):
        lines.append(f"  MARKER {number} {section.start_s:.12f} {quoted(section.name)} 1 0 1 R")
        lines.append(f'  MARKER {number} {section.end_s:.12f} "" 1')
    for number, chord in enumerate(chords, start=1):
        lines.append(
            f"  MARKER {number} {chord.start_s:.12f} {quoted(chord_name(chord.name) or NO_CHORD)} 0 0 1"
        )
    return lines


def _guid(session: Session, what: str) -> str:
    return "{" + str(session.id_of(what)).upper() + "}"


def _tracks(session: Session) -> list[str]:
    lines = [
        f"  <TRACK {_guid(session, 'folder')}",
        f"    NAME {quoted(session.name)}",
        "    VOLPAN 1 0 -1 -1 1",
    ]
    lines += [
        "    MUTESOLO 0 0 0",
        f"    ISBUS {FOLDER_START if session.tracks else PLAIN}",
        "    NCHAN 2",
        "    MAINSEND 1 0",
    ]
    lines.append("  >")
    for index, track in enumerate(session.tracks):
        last = index == len(session.tracks) - 1
        volume = math.pow(10.0, track.gain_db / 20.0)
        lines += [
            f"  <TRACK {_guid(session, track.file)}",
            f"    NAME {quoted(track.name)}",
            f"    PEAKCOL {native_colour(track.colour)}",
            f"    VOLPAN {volume:.12f} {track.pan:.6f} -1 -1 1",
            f"    MUTESOLO {int(track.muted)} 0 0",
            f"    ISBUS {FOLDER_END if last else PLAIN}",
            "    NCHAN 2",
            "    MAINSEND 1 0",
            "    <ITEM",
            f"      POSITION {track.start_frame / track.sample_rate:.14f}",
            f"      LENGTH {track.frames / track.sample_rate:.14f}",
            "      LOOP 0",
            "      BEAT 0",
            f"      IGUID {_guid(session, f'{track.file} item')}",
            f"      NAME {quoted(track.name)}",
            "      SOFFS 0",
            "      PLAYRATE 1 1 0 -1 0 0.0025",
            f"      GUID {_guid(session, f'{track.file} take')}",
            "      <SOURCE WAVE",
            f"        FILE {quoted(track.file)}",
            "      >",
            "    >",
            "  >",
        ]
    return lines
