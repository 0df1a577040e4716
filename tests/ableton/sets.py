"""Live Sets that tests make themselves, as each generation of Live writes them: gzipped XML with what is read of it."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

FAR_BEFORE = -63072000
CREATORS = {
    8: "Ableton Live 8.4.2",
    9: "Ableton Live 9.7.1",
    10: "Ableton Live 10.1.7",
    11: "Ableton Live 11.3.25",
}


@dataclass
class SetClip:
    """An audio clip; `extra` replaces values by element name."""

    file: Path
    start: float
    end: float
    warped: bool = False
    loop: tuple[float, float] = (0.0, 4.0)
    start_relative: float = 0.0
    loop_on: bool = False
    markers: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.5, 1.0))
    extra: dict[str, Any] = field(default_factory=dict)


def write_set(
    path: Path,
    generation: int = 12,
    *,
    tempo: Sequence[tuple[float, float]] = ((FAR_BEFORE, 120.0),),
    signatures: Sequence[tuple[float, int]] = ((FAR_BEFORE, 201),),
    tracks: dict[str, Sequence[SetClip]] | None = None,
    locators: Sequence[tuple[float, str]] = (),
    curve: str = "",
    others: str = "",
    inside: dict[str, str] | None = None,
) -> Path:
    """Write a Set of a generation of Live (8 to 12).

    `curve` are attributes of the second tempo event, `others` more tracks as XML, `inside` more elements of a track.
    """
    main = "MainTrack" if generation >= 12 else "MasterTrack"
    events = "".join(
        f'<FloatEvent Id="{n}" Time="{beat}" Value="{bpm}" {curve if n == 1 else ""}/>'
        for n, (beat, bpm) in enumerate(tempo)
    )
    codes = "".join(f'<EnumEvent Time="{beat}" Value="{code}" />' for beat, code in signatures)

    def parameter(name: str, target: int, manual: float, old: str) -> str:
        inside = f"<ArrangerAutomation><Events>{old}</Events></ArrangerAutomation>" if generation < 9 else ""
        return f'<{name}>{inside}<Manual Value="{manual}" /><AutomationTarget Id="{target}" /></{name}>'

    envelopes = "".join(
        f'<AutomationEnvelope><EnvelopeTarget><PointeeId Value="{target}" /></EnvelopeTarget>'
        f"<Automation><Events>{inside}</Events></Automation></AutomationEnvelope>"
        for target, inside in ((8, events), (10, codes))
    )
    automation = f"<AutomationEnvelopes><Envelopes>{envelopes}</Envelopes></AutomationEnvelopes>"
    mixer = parameter("Tempo", 8, tempo[0][1], events) + parameter(
        "TimeSignature", 10, signatures[0][1], codes
    )
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><Ableton MajorVersion="5" '
        f'Creator="{CREATORS.get(generation, "Ableton Live 12.0.5")}"><LiveSet><Tracks>'
        + "".join(
            track_xml(name, clips, path, generation, inside=(inside or {}).get(name, ""))
            for name, clips in (tracks or {}).items()
        )
        + f"{others}</Tracks><{main}>{automation if generation >= 9 else ''}"
        + f"<DeviceChain><Mixer>{mixer}</Mixer></DeviceChain></{main}>"
        + "<Locators><Locators>"
        + "".join(
            f'<Locator><Time Value="{beat}" /><Name Value={quoteattr(name)} /></Locator>'
            for beat, name in locators
        )
        + "</Locators></Locators></LiveSet></Ableton>"
    )
    path.write_bytes(gzip.compress(text.encode()))
    return path


def track_xml(
    name: str,
    clips: Sequence[SetClip],
    path: Path,
    generation: int = 12,
    *,
    tag: str = "AudioTrack",
    sequencer: str = "MainSequencer",
    inside: str = "",
) -> str:
    """Return a track with clips in its Arrangement, in one of its two sequencers; `inside` goes before them."""
    laid = "".join(clip_xml(clip, path, generation) for clip in clips)
    return (
        f"<{tag}><Name><EffectiveName Value={quoteattr(name)} /></Name>{inside}<DeviceChain><{sequencer}><Sample>"
        f"<ArrangerAutomation><Events>{laid}</Events></ArrangerAutomation></Sample></{sequencer}></DeviceChain></{tag}>"
    )


def clip_xml(clip: SetClip, path: Path, generation: int = 12, *, inside: str = "") -> str:
    """Return a clip as XML; `inside` goes into it as it is."""
    relative = clip.file.relative_to(path.parent)
    if generation >= 11:
        file = f"<RelativePath Value={quoteattr(relative.as_posix())} /><Path Value={quoteattr(str(clip.file))} />"
    else:
        steps = "".join(f"<RelativePathElement Dir={quoteattr(step)} />" for step in relative.parts[:-1])
        file = f"<RelativePath>{steps}</RelativePath><Name Value={quoteattr(relative.name)} />"
    values = {
        "CurrentStart": clip.start,
        "CurrentEnd": clip.end,
        "IsWarped": str(clip.warped).lower(),
        "WarpMode": 0,
        "SampleVolume": 1,
        "PitchCoarse": 0,
        "PitchFine": 0,
        "Disabled": "false",
        "Fade": "true",
        **clip.extra,
    }
    fades = "".join(f'<{name} Value="{values.pop(name, 0)}" />' for name in ("FadeInLength", "FadeOutLength"))
    plain = "".join(f'<{name} Value="{value}" />' for name, value in values.items())
    markers = "".join(f'<WarpMarker SecTime="{s}" BeatTime="{b}" />' for s, b in clip.markers)
    return (
        f'<AudioClip Time="{clip.start}"><WarpMarkers>{markers}</WarpMarkers>{plain}<Fades>{fades}</Fades>'
        f'<Loop><LoopStart Value="{clip.loop[0]}" /><LoopEnd Value="{clip.loop[1]}" />'
        f'<StartRelative Value="{clip.start_relative}" /><LoopOn Value="{str(clip.loop_on).lower()}" /></Loop>'
        f"<SampleRef><FileRef>{file}</FileRef></SampleRef>{inside}</AudioClip>"
    )
