"""A `.dawproject` of a return (bitwig/dawproject 1.0): opens in Bitwig, Cubase 14, Studio One and others.

A ZIP of `project.xml` and `metadata.xml`. The audio stays beside it (`external="true"`, paths relative to the file), so
that a return is not on the disk twice. Times in the arrangement are beats; content of audio clips is in seconds. Tempo
points interpolate linearly in beats. The order of elements is the schema's.
"""

import io
import math
import zipfile
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bridge.protocol import Track
from bridge.returns.chord_names import NO_CHORD, chord_name
from bridge.returns.session import UNTOLD_BPM, Session, map_as_written, placed_signatures, tempo_points
from engine import __version__
from engine.tempo import TempoMap

UNTOLD = TempoMap.constant(UNTOLD_BPM)
"""The timeline of a return that has none."""
MASTER, TEMPO = "master", "tempo"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def dawproject_bytes(session: Session) -> bytes:
    """Return the archive's bytes: the same for the same session."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, root in (("project.xml", _project(session)), ("metadata.xml", _metadata(session))):
            ElementTree.indent(root)
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    return archive.getvalue()


def _number(value: float) -> str:
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _metadata(session: Session) -> Element:
    root = Element("MetaData")
    SubElement(root, "Title").text = session.name
    SubElement(root, "Comment").text = " ".join(session.notes)
    return root


def _project(session: Session) -> Element:
    tempo_map = session.tempo_map or UNTOLD
    root = Element("Project", version="1.0")
    SubElement(root, "Application", name="NRX Bridge", version=__version__)
    transport = SubElement(root, "Transport")
    SubElement(transport, "Tempo", unit="bpm", value=_number(session.bpm), id=TEMPO, name="Tempo")
    first = tempo_map.signature_at(0)
    SubElement(
        transport,
        "TimeSignature",
        numerator=str(first.numerator),
        denominator=str(first.denominator),
        id="signature",
    )
    structure = SubElement(root, "Structure")
    folder = SubElement(structure, "Track", contentType="tracks", id="folder", name=session.name)
    for index, track in enumerate(session.tracks):
        folder.append(_track(track, index))
    main = SubElement(structure, "Track", contentType="audio notes", id="main", name="Master")
    channel = SubElement(main, "Channel", audioChannels="2", role="master", id=MASTER)
    SubElement(channel, "Volume", unit="linear", value="1", min="0", max="2")
    root.append(_arrangement(session, tempo_map))
    return root


def _track(track: Track, index: int) -> Element:
    element = Element("Track", contentType="audio", id=f"track{index}", name=track.name, color=track.colour)
    channel = SubElement(
        element,
        "Channel",
        audioChannels=str(track.channels),
        destination=MASTER,
        role="regular",
        id=f"channel{index}",
    )
    SubElement(channel, "Mute", value="true" if track.muted else "false")
    SubElement(channel, "Pan", unit="normalized", value=_number((track.pan + 1.0) / 2.0), min="0", max="1")
    volume = math.pow(10.0, track.gain_db / 20.0)
    SubElement(
        channel, "Volume", unit="linear", value=_number(volume), min="0", max=_number(max(2.0, volume))
    )
    return element


def _arrangement(session: Session, tempo_map: TempoMap) -> Element:
    arrangement = Element("Arrangement", id="arrangement")
    points = tempo_points(tempo_map, "linear_in_beats")
    written = map_as_written(points, "linear_in_beats")
    lanes = SubElement(arrangement, "Lanes", timeUnit="beats", id="lanes")
    for index, track in enumerate(session.tracks):
        own = SubElement(lanes, "Lanes", track=f"track{index}", id=f"lanes{index}")
        clips = SubElement(own, "Clips", id=f"clips{index}")
        clips.append(_clip(track, written))
    named = [(region.start_s, region.name) for region in session.sections]
    named += [(region.start_s, chord_name(region.name) or NO_CHORD) for region in session.chords]
    if named:
        markers = SubElement(arrangement, "Markers", timeUnit="beats", id="markers")
        for at_s, name in sorted(named):
            SubElement(markers, "Marker", time=_number(float(written.beats(at_s))), name=name)
    tempo = SubElement(arrangement, "TempoAutomation", unit="bpm", timeUnit="beats", id="tempi")
    SubElement(tempo, "Target", parameter=TEMPO)
    for point in points:
        kind = "linear" if point.ramps else "hold"
        SubElement(tempo, "RealPoint", time=_number(point.beat), value=_number(point.bpm), interpolation=kind)
    signatures = SubElement(arrangement, "TimeSignatureAutomation", timeUnit="beats", id="signatures")
    SubElement(signatures, "Target", parameter="signature")
    for beat, at in placed_signatures(tempo_map):
        SubElement(
            signatures,
            "TimeSignaturePoint",
            time=_number(beat),
            numerator=str(at.numerator),
            denominator=str(at.denominator),
        )
    return arrangement


def _clip(track: Track, tempo_map: TempoMap) -> Element:
    start_s, length_s = track.start_frame / track.sample_rate, track.frames / track.sample_rate
    start_beat, end_beat = float(tempo_map.beats(start_s)), float(tempo_map.beats(start_s + length_s))
    clip = Element(
        "Clip",
        time=_number(start_beat),
        duration=_number(end_beat - start_beat),
        contentTimeUnit="seconds",
        playStart="0",
        name=track.name,
        color=track.colour,
    )
    audio = SubElement(
        clip,
        "Audio",
        algorithm="raw",
        channels=str(track.channels),
        duration=_number(length_s),
        sampleRate=str(track.sample_rate),
        timeUnit="seconds",
    )
    SubElement(audio, "File", path=track.file, external="true")
    return clip
