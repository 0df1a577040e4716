"""Mix stems and master the mix: listen to every stem, decide, run the console, master, and say why.

Stems are read block by block, twice (to listen, and to mix), so that twelve long ones need no more memory than two.
Each comes back as it stands in the mix, its effects and bus printed, together with what the sends bring: at their
gains they add up to the mix.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions.finish import loudness_of, sum_track
from engine.actions.mix_tracks import TrackFiles
from engine.actions.model import Deliver, LoudnessSummary, Outcome, OutputTrack, Song, SourceFile
from engine.actions.palette import ROLE_COLOURS
from engine.audio import Envelope
from engine.errors import NrxError
from engine.mastering.wishes import MasterWishes
from engine.mixing.automix import DEFAULT_POLICY, Policy, listen_all, make_session
from engine.mixing.deciding import Decision, Given
from engine.mixing.guarding import render_guarded
from engine.mixing.listening import StemFeatures, listen
from engine.mixing.presets import MixPreset
from engine.mixing.reference import reference_of
from engine.mixing.rendering import Rendered, render
from engine.mixing.report import MixReport, make_report
from engine.mixing.roles import ROLES
from engine.mixing.session import MixSession, session_text
from engine.mixing.session.applied import applied
from engine.mixing.session.channels import channels_text
from engine.mixing.stems import FileStem, Stem
from engine.progress import Monitor
from engine.stages import Stages

if TYPE_CHECKING:
    from engine.actions.master import MasteredFile

PLAN = (("listen", 0.25), ("mix", 0.35), ("master", 0.4))
PLAN_UNMASTERED = (("listen", 0.4), ("mix", 0.6))
BYTES_PER_FRAME = 60.0
"""Memory for each frame of the session: the mix and its master; stems are read in blocks."""
BYTES_PER_FRAME_AND_STEM = 3.0
RETURN_NAMES = {"room": "Room", "plate": "Plate", "delay": "Delay"}
PAD_DB = 6.0
"""Tracks are written this far below what the desk gives, so that no peak is clipped; their faders give it back."""
TEXT = "mix.yaml"
CHANNELS = "mix.json"
TRACK_SUBTYPE = "PCM_24"
VERSION = 3
"""Of everything that a mix depends on beside stems and session: raise it when the desk sounds different."""


@dataclass(frozen=True, slots=True)
class MixParameters:
    """What a mix is asked for: a preset, or a session to render as it is; how to master it (None: not at all)."""

    preset: MixPreset
    wishes: MasterWishes | None
    session: MixSession | None = None
    amounts: Mapping[str, float] | None = None
    bypass: tuple[str, ...] = ()
    respect_user_gains: bool = False
    policy: Policy | None = None
    tempo_bpm: float | None = None
    references: tuple[SourceFile, ...] = ()
    tracks: bool = True
    codec_preview: bool = False


def stems_of(song: Song) -> list[Stem]:
    """Return the song's files as stems at one rate (that of most of them), at their places on the timeline."""
    rates = Counter(source.info.sample_rate for source in song.sources)
    rate = max(rates, key=lambda item: (rates[item], item))
    starts = [source.info.time_reference_frames / source.info.sample_rate for source in song.sources]
    first = min(starts)
    stems: list[Stem] = []
    taken: set[str] = set()
    for source, start_s in zip(song.sources, starts, strict=True):
        name, count = source.shown.stem, 1
        while name in taken:
            count += 1
            name = f"{source.shown.stem} ({count})"
        taken.add(name)
        at = round((start_s - first) * rate)
        stems.append(Stem(name, FileStem(source.path, source.info, rate), source.role, at, source.shown.name))
    return stems


def start_frame_of(song: Song) -> int:
    """Return where the session starts on the timeline, in frames of its own rate."""
    rate = stems_of(song)[0].source.sample_rate
    return round(
        min(source.info.time_reference_frames / source.info.sample_rate for source in song.sources) * rate
    )


def mix_stems(song: Song, parameters: MixParameters, stages: Stages, deliver: Deliver) -> Outcome:
    """Mix the files of `song` and master the mix.

    Raises:
        NrxError: `input.silent` where no stem sounds, `request.invalid` where a session does not fit the files.
    """
    stems = stems_of(song)
    if parameters.session is not None:
        stems = fitted_stems(stems, parameters.session)
    with stages.stage("listen") as monitor:
        heard = listen_all(stems, monitor.part(0.0, 0.95))
        if all(features.silent for features in heard.values()):
            raise NrxError("input.silent", "There is no sound in any of the stems.")
        policy = parameters.policy or DEFAULT_POLICY
        decision = _decision(stems, heard, parameters, policy, stages)
    start_frame = start_frame_of(song)
    with stages.cache.workspace() as folder:
        with stages.stage("mix") as monitor:
            session, rendered, retries, made = _rendered(
                decision.session, stems, heard, parameters, folder, start_frame, monitor
            )
        report = make_report(
            applied(session), heard, rendered,
            reasons=decision.reasons, covered=decision.covered, retries=retries,
            policy="session" if parameters.session is not None else policy,
        )  # fmt: skip
        tracks = _tracks(session, report, rendered, made)
        mix_track = sum_track("mix", rendered.mix)
        for track in (*tracks, mix_track):  # they are written while the mix is mastered
            deliver(track)
        before, mastered = _mastered(song, session, rendered, parameters, stages, start_frame)
        with suppress(OSError):
            folder.rmdir()
    mix_track.loudness_lufs = before.integrated_lufs
    frames = rendered.mix.frames
    rate = rendered.mix.sample_rate
    loudness = {"mix": before}
    if mastered is not None:
        loudness["master"] = mastered.after
    return Outcome(
        tracks=(*tracks, mix_track, *((mastered.track(),) if mastered is not None else ())),
        sample_rate=rate,
        duration_s=frames / rate,
        length_s=frames / rate,
        loudness=loudness,
        notes=(*song.notes, *report.warnings),
        report={
            "mix": report.plain(),
            "masters": [mastered.report] if mastered is not None else [],
            "album": False,
        },
        texts={
            TEXT: session_text(session, TEXT),
            CHANNELS: channels_text(session, rendered.gain_db, _inputs_of(stems, song)),
        },
    )


def fitted_stems(stems: list[Stem], session: MixSession) -> list[Stem]:
    """Return the stems under the names of the session's strips, found by file or name, at the session's places.

    Raises:
        NrxError: `request.invalid` for a strip without a stem, or a stem without a strip.
    """
    left = {stem.name: stem for stem in stems}
    fitted = []
    for strip in session.tracks:
        wanted = Path(strip.file).name
        found = next((stem for stem in left.values() if wanted and stem.file == wanted), None)
        found = found or left.get(strip.name)
        if found is None:
            listed = ", ".join(stem.file or stem.name for stem in stems)
            raise NrxError(
                "request.invalid",
                f"The session's track '{strip.name}' has no file among those given ({listed}); give "
                f"{strip.file or 'its file'} too, or take the track out of the session.",
            )
        del left[found.name]
        if found.source.sample_rate != session.sample_rate:
            found = _at_rate(found, session.sample_rate)
        start = round(strip.start_s * session.sample_rate)
        fitted.append(replace(found, name=strip.name, role=strip.role, start_frame=start))
    if left:
        raise NrxError(
            "request.invalid",
            f"{next(iter(left.values())).file} is not in the session; leave it out, or add a track.",
        )
    return fitted


def _inputs_of(stems: list[Stem], song: Song) -> dict[str, int]:
    """Return the place of each stem's file among those of the song, by the stem's name."""
    left: list[Path | None] = [source.path for source in song.sources]
    places = {}
    for stem in stems:
        if isinstance(stem.source, FileStem):
            places[stem.name] = left.index(stem.source.path)
            left[places[stem.name]] = None
    return places


def _at_rate(stem: Stem, rate: int) -> Stem:
    if not isinstance(stem.source, FileStem):
        raise TypeError(stem.source)
    return replace(stem, source=replace(stem.source, sample_rate=rate))


def _decision(
    stems: list[Stem],
    heard: Mapping[str, StemFeatures],
    parameters: MixParameters,
    policy: Policy,
    stages: Stages,
) -> Decision:
    """Return what is to be rendered: the session that was given, or the automatic mix."""
    if parameters.session is not None:
        return Decision(parameters.session, (), {}, {})
    given = Given(
        files={stem.name: stem.file for stem in stems},
        sample_rate=stems[0].source.sample_rate,
        tempo_bpm=parameters.tempo_bpm,
        respect_user_gains=parameters.respect_user_gains,
        amounts=parameters.amounts,
        bypass=parameters.bypass,
    )
    quiet = Monitor(is_cancelled=stages.is_cancelled)
    like = [
        listen(Stem("reference", FileStem(source.path, source.info, given.sample_rate)), "other", 0, quiet)
        for source in parameters.references
    ]
    return make_session(heard, parameters.preset, given, policy, reference_of(like) if like else None)


Made = dict[str, tuple[Path, Envelope]]


def _rendered(
    session: MixSession,
    stems: list[Stem],
    heard: Mapping[str, StemFeatures],
    parameters: MixParameters,
    folder: Path,
    start_frame: int,
    monitor: Monitor,
) -> tuple[MixSession, Rendered, int, Made]:
    """Render within the guardrails; the tracks' files are those of the last attempt."""
    made: Made = {}

    def attempt(wanted: MixSession, part: Monitor) -> Rendered:
        if not parameters.tracks:
            return render(wanted, stems, heard, monitor=part)
        for path, _ in made.values():
            path.unlink()
        frames = max(stem.end_frame for stem in stems)
        with TrackFiles(folder, wanted.sample_rate, frames, TRACK_SUBTYPE, start_frame, PAD_DB) as files:
            rendered = render(wanted, stems, heard, keep=files.take, monitor=part)
        made.clear()
        made.update(files.made())
        return rendered

    session, rendered, retries = render_guarded(
        session, attempt, may_change=parameters.session is None, monitor=monitor
    )
    return session, rendered, retries, made


def _tracks(session: MixSession, report: MixReport, rendered: Rendered, made: Made) -> list[OutputTrack]:
    """Return the strips' tracks, then the sends' returns, each with its file."""
    levels = {figures.name: figures.in_mix_lufs for figures in report.strips}
    tracks = []
    order = [*(strip.name for strip in session.tracks), *(f"send:{name}" for name in RETURN_NAMES)]
    for name, (path, shape) in ((name, made[name]) for name in order if name in made):
        send = name.removeprefix("send:") if name.startswith("send:") else None
        role = "fx" if send is not None else session.strip_of(name).role
        tracks.append(
            OutputTrack(
                name=RETURN_NAMES.get(send, send) if send is not None else name,
                role=role,
                kind="fitted",
                colour=ROLE_COLOURS.get(ROLES[role].family, ROLE_COLOURS["other"]),
                ready=path,
                disposable=True,
                shape=shape,
                gain_db=round(rendered.gain_db + PAD_DB, 2),
                loudness_lufs=levels.get(name),
                part=RETURN_NAMES.get(send, send) if send is not None else name,
            )
        )
    return tracks


def _mastered(
    song: Song,
    session: MixSession,
    rendered: Rendered,
    parameters: MixParameters,
    stages: Stages,
    start_frame: int,
) -> tuple[LoudnessSummary, MasteredFile | None]:
    """Master the mix if that is wanted; return the loudness before, too."""
    if parameters.wishes is None:
        return loudness_of(rendered.mix), None
    from engine.actions.master import mastered_file
    from engine.actions.master import reference_of as profile_of

    with stages.stage("master") as monitor:
        reference = (
            profile_of(parameters.references, monitor.part(0.0, 0.1)) if parameters.references else None
        )
        made = mastered_file(
            lambda: rendered.mix,
            {
                "mix": hashlib.sha256(session_text(session).encode()).hexdigest(),
                "inputs": [source.sha256 for source in song.sources],
                "references": [source.sha256 for source in parameters.references],
                "mix_version": VERSION,
            },
            song.name,
            parameters.wishes,
            reference,
            stages,
            monitor.part(0.1, 1.0),
            start_frame=start_frame,
            codec_preview=parameters.codec_preview,
        )
    return made.before, made
