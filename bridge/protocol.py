"""`Request`, `JobStatus` and `Manifest`: the one contract of all doors.

Every door turns what it gets into a `Request`; all checks are here, so that every door refuses the same things with the
same words. Every return carries a `Manifest` in `manifest.json`. `json_schema()` publishes both as JSON Schema.

Conventions: times in seconds from the start of the timeline, levels in dB, loudness in LUFS (ITU-R BS.1770-4), true
peak in dBTP, pan -1 (left) to 1 (right), colours as "#rrggbb". A track's `gain_db` and `pan` are what a DAW applies:
un-muted tracks at their gain and pan sum to `mix.wav`. Pan is a balance control; tracks come with pan 0.
"""

import math
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bridge.projects.model import ProjectTrack
from engine.actions.reference import REFERENCE_ROLE
from engine.errors import NrxError

PROTOCOL_VERSION = 1

Action = Literal["remix", "separate", "analyze", "generate", "sync", "mix", "master"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
EventType = Literal[
    "accepted", "running", "progress", "succeeded", "failed", "cancelled", "retried", "deleted"
]
ENDED: tuple[JobState, ...] = ("succeeded", "failed", "cancelled")
"""The states from which a job goes on only if somebody asks for it."""
TrackKind = Literal["separated", "fitted", "generated", "mix", "master"]
Scale = Annotated[float, Field(ge=0.5, le=2.0, allow_inf_nan=False)]

Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
MasterStage = Literal["corrective", "tone", "match_spectrum", "match_width", "match_dynamics", "compression"]
ModelName = Annotated[str, Field(min_length=1, max_length=1024)]
DeviceName = Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:[0-9]{1,2})?)$")]
STEM_ROLES = ("vocals", "drums", "bass", "other")
SEPARABLE_ROLES = (*STEM_ROLES, "guitar", "piano")
LARGEST_TEMPO_BPM, SMALLEST_TEMPO_BPM = 400.0, 20.0
MOST_SEMITONES = 12.0


class Strict(BaseModel):
    """A model that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputFile(Strict):
    """An input: a path, its role where the file is already a stem, and the name that people know it by.

    A daemon works on a snapshot of the file; `name` (default: the path's own) is then what returns are named after.
    """

    path: str = Field(min_length=1)
    role: str | None = None
    name: str | None = Field(default=None, min_length=1, max_length=255)


class RequestTimeline(Strict):
    """Where in a DAW's project the inputs were taken from.

    `start_s` (on the project's own clock) beats the time reference of BWF files, so that everything that comes back
    starts there. `end_s` and `sample_rate` are the range and rate that were rendered, `offset_s` what the project's
    ruler shows at its second 0; they are kept in the manifest for scripts.
    """

    start_s: float = Field(default=0.0, ge=0, le=1e6, allow_inf_nan=False)
    end_s: float | None = Field(default=None, ge=0, le=1e6, allow_inf_nan=False)
    sample_rate: int | None = Field(default=None, ge=1)
    offset_s: float = Field(default=0.0, allow_inf_nan=False)
    project: str | None = Field(default=None, max_length=255)


class MasteringOptions(Strict):
    """What a master is asked for beside preset, loudness and ceiling; None leaves it to the preset.

    `amounts` are percent of a stage: corrective, tone, match_spectrum, match_width, match_dynamics, compression.
    References are inputs with the role "reference". With `album`, several inputs are one album.
    """

    width_pct: float | None = Field(default=None, ge=0, le=140)
    lra_max: float | None = Field(default=None, ge=1, le=30)
    plr_min: float | None = Field(default=None, ge=3, le=30)
    bits: Literal[16, 24] | None = None
    amounts: dict[MasterStage, Percent] = Field(default_factory=dict)
    album: bool = False
    codec_preview: bool = False


class MixingOptions(Strict):
    """What a mix is asked for beside its preset.

    `session` is the content of a `mix.yaml` to render as it is. `amounts` are percent of a stage of the automatic mix
    (`balance`, `eq`, `dynamics`, `panning`, `width`, `sends`, `riding`, `ducking`, `parallel`, `bus`, `alignment`,
    `low_cut`, `plugins`); stages in `bypass` are left out. `respect_user_gains` keeps the stems' own levels. `policy`
    None is the best that has been measured. Without `tracks` the return has mix and master only.
    """

    session: dict[str, Any] | None = None
    amounts: dict[str, Percent] = Field(default_factory=dict)
    bypass: tuple[str, ...] = ()
    respect_user_gains: bool = False
    policy: Literal["learned", "rules", "equal"] | None = None
    tracks: bool = True
    master: bool = True


class SeparationRequest(Strict):
    """How a neural separator works; a built-in one ignores it.

    `shifts`: how often the song is separated at another offset, to be averaged; `overlap` of segments as a share of
    their length; `segment_s`: their length, None as the model was trained; `residual` hands what all stems together
    leave of the mix back to them, so that they sum to it.
    """

    shifts: int = Field(default=1, ge=0, le=20)
    overlap: float = Field(default=0.25, ge=0, le=0.95, allow_inf_nan=False)
    segment_s: float | None = Field(default=None, ge=1, le=120, allow_inf_nan=False)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    residual: bool = True


class GenerationRequest(Strict):
    """How a generator that plays from weights draws its takes; the arranger ignores it.

    `guidance`: how strongly the prompt counts; `temperature`: how daring (0 takes the likeliest each time); `top_k`,
    `top_p`: only the likeliest are drawn from (0 and 1: all). `beams` above 1 searches for the likeliest take, and then
    `length_penalty` and `early_stopping` count. `mood`: a word or two more for the prompt. `tries`: how many seeds are
    tried until a take can be fitted to the timeline. `ahead`: how many requests like this one with the next seeds
    follow; their takes are made in one batch with this one's, and wait for them in the cache. `before`: how many with
    the seeds before went ahead of it; where a model of sound and words is there, the takes of all of them are ranked,
    and the first request gets the best.
    """

    guidance: float = Field(default=3.0, ge=0, le=30, allow_inf_nan=False)
    temperature: float = Field(default=1.0, ge=0, le=10, allow_inf_nan=False)
    top_k: int = Field(default=250, ge=0, le=100_000)
    top_p: float = Field(default=1.0, gt=0, le=1, allow_inf_nan=False)
    beams: int = Field(default=1, ge=1, le=16)
    length_penalty: float = Field(default=1.0, ge=-5, le=5, allow_inf_nan=False)
    early_stopping: bool = False
    mood: str = Field(default="", max_length=200)
    tries: int = Field(default=3, ge=1, le=10)
    ahead: int = Field(default=0, ge=0, le=49)
    before: int = Field(default=0, ge=0, le=49)


class Request(Strict):
    """One action with its inputs, timeline and parameters.

    With a `project` the inputs are the files of its clips, and the action works on the track that they make.
    `separator` and `generator` name a backend or a model, and `device` where it runs; None leaves it to the settings.
    """

    protocol: Literal[1] = 1
    action: Action
    inputs: tuple[InputFile, ...] = ()
    style: str | None = None
    energy: Scale = 1.0
    brightness: Scale = 1.0
    tempo: Literal["project", "style"] | float = "project"
    tempo_map: dict[str, Any] | list[Any] | None = None
    tempo_range_bpm: tuple[float, float] | None = None
    pitch: Literal["natural", "none"] | float = "natural"
    keep: tuple[str, ...] = ("vocals",)
    two_stems: str | None = None
    seed: Seed = 0
    part_seeds: dict[str, Seed] = Field(default_factory=dict)
    timeline: RequestTimeline | None = None
    prompt: str | None = None
    stem: str | None = None
    key: str | None = None
    bpm: float | None = Field(default=None, ge=SMALLEST_TEMPO_BPM, le=LARGEST_TEMPO_BPM)
    duration_s: float | None = Field(default=None, gt=0, le=3600)
    preset: str | None = None
    lufs: float | None = Field(default=None, ge=-40, le=-5)
    ceiling_dbtp: float | None = Field(default=None, ge=-9, le=-0.1)
    mastering: MasteringOptions = Field(default_factory=MasteringOptions)
    mixing: MixingOptions = Field(default_factory=MixingOptions)
    project: ProjectTrack | None = None
    separator: ModelName | None = None
    generator: ModelName | None = None
    device: DeviceName | None = None
    separation: SeparationRequest = Field(default_factory=SeparationRequest)
    generation: GenerationRequest = Field(default_factory=GenerationRequest)

    @field_validator("tempo")
    @classmethod
    def _tempo_is_playable(cls, tempo: str | float) -> str | float:
        if isinstance(tempo, float) and not (
            math.isfinite(tempo) and SMALLEST_TEMPO_BPM <= tempo <= LARGEST_TEMPO_BPM
        ):
            raise ValueError(
                f"must be project, style or a number from {SMALLEST_TEMPO_BPM:g} to {LARGEST_TEMPO_BPM:g} BPM"
            )
        return tempo

    @field_validator("pitch", mode="before")
    @classmethod
    def _pitch_can_be_moved(cls, pitch: object) -> object:
        if pitch in ("natural", "none"):
            return pitch
        try:
            semitones = float(str(pitch))
        except ValueError:
            semitones = math.nan
        if not abs(semitones) <= MOST_SEMITONES:
            raise ValueError(
                f"must be natural, none or a number of semitones from {-MOST_SEMITONES:g} to {MOST_SEMITONES:g}"
            )
        return semitones

    @field_validator("keep")
    @classmethod
    def _kept_stems_exist(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        for role in keep:
            if role not in STEM_ROLES:
                raise ValueError(
                    f"must name stems among {', '.join(STEM_ROLES)}, and {role!r} is none of them"
                )
        return keep

    @field_validator("two_stems")
    @classmethod
    def _stem_exists(cls, role: str | None) -> str | None:
        if role is not None and role not in SEPARABLE_ROLES:
            raise ValueError(f"must be one of {', '.join(SEPARABLE_ROLES)}")
        return role

    @model_validator(mode="after")
    def _has_what_the_action_needs(self) -> "Request":
        if not self.inputs and self.action != "generate":
            raise ValueError(f"{self.action} needs at least one input file")
        references = sum(item.role == REFERENCE_ROLE for item in self.inputs)
        if references and self.action not in ("mix", "master"):
            raise ValueError(f"{self.action} takes no reference; mix and master do")
        if references and references == len(self.inputs):
            raise ValueError("every input is a reference; give the song too")
        if self.action == "remix" and not self.style:
            raise ValueError("remix needs a style")
        if self.project is not None:
            self.project.refuse_unknown_inputs(len(self.inputs))
        return self


def _said(error: Any) -> str:
    """Turn one pydantic error into "field value: what is allowed"."""
    field = ".".join(
        str(step) for step in error["loc"] if step not in ("literal['project','style']", "float")
    )
    message = str(error["msg"]).removeprefix("Value error, ").partition(", unable to ")[0]
    if not field:
        return message
    given = error.get("input")
    shown = "" if isinstance(given, dict | list | tuple) else f" {given!r}"
    if message.startswith("Input should be"):
        message = message.replace("Input should be", "must be")
    return (
        f"{field}{shown} is refused: it {message}"
        if message.startswith("must")
        else f"{field}{shown}: {message}"
    )


def parse_request(fields: dict[str, Any]) -> Request:
    """Check a request that came through any door.

    Raises:
        NrxError: `request.invalid`, with one sentence that names the first field that is wrong.
    """
    tempo = fields.get("tempo")
    if tempo is not None and tempo not in ("project", "style"):
        try:
            fields = {**fields, "tempo": float(tempo)}
        except (TypeError, ValueError):
            raise NrxError(
                "request.invalid",
                f"tempo {tempo!r} is refused: it must be project, style or a number from "
                f"{SMALLEST_TEMPO_BPM:g} to {LARGEST_TEMPO_BPM:g} BPM.",
            ) from None
    try:
        return Request.model_validate(fields)
    except ValidationError as error:
        raise NrxError("request.invalid", _said(error.errors()[0]).rstrip(".") + ".") from None


class Track(Strict):
    """One audio file of a return, as a DAW script lays it on a track."""

    name: str
    role: str
    kind: TrackKind
    file: str
    start_s: float
    start_frame: int
    frames: int
    sample_rate: int
    channels: int
    subtype: str
    colour: str
    gain_db: float
    pan: float = 0.0
    muted: bool
    loudness_lufs: float | None = None
    midi: str | None = None

    @field_validator("file")
    @classmethod
    def _file_stays_inside(cls, file: str) -> str:
        path = PurePath(file)
        if path.is_absolute() or ".." in path.parts or "\\" in file:
            raise ValueError("must be a relative path inside the return, with forward slashes")
        return file


class SourceFile(Strict):
    """The file that a job worked on; it is never written to."""

    path: str
    sha256: str
    role: str | None
    format: str
    subtype: str
    sample_rate: int
    channels: int
    frames: int
    duration_s: float


class TimeSignatureAt(Strict):
    """A time signature from a bar (0-based) on."""

    start_bar: int
    numerator: int
    denominator: int


class TimelineInfo(Strict):
    """The timeline that the tracks are laid on; bars, chords and sections are in its own seconds.

    It is the source's timeline with `tempo: project`; else new parts, kept stems, mix and master lie on this one, and
    separated stems on the source's, which `analysis` speaks of.
    """

    source: str
    tempo_map: dict[str, Any]
    signatures: tuple[TimeSignatureAt, ...]
    tempo_bpm: float
    sample_rate: int
    start_s: float
    duration_s: float
    downbeats_s: tuple[float, ...] = ()
    chords: tuple["ChordInfo", ...] = ()
    sections: tuple["SectionInfo", ...] = ()
    notes: tuple[str, ...] = ()


class TempoCandidateInfo(Strict):
    """A tempo that the song may be felt at."""

    bpm: float
    confidence: float


class KeyInfo(Strict):
    """A key and how sure the analysis is of it."""

    name: str
    confidence: float


class ChordInfo(Strict):
    """A chord in Harte's syntax."""

    start_s: float
    end_s: float
    label: str


class SectionInfo(Strict):
    """A part of the song's form."""

    start_s: float
    end_s: float
    label: str
    energy: float


class CurveInfo(Strict):
    """A quantity sampled every `hop_s` seconds."""

    hop_s: float
    values: tuple[float, ...]


class MelodyInfo(Strict):
    """A note of the most prominent melody; `pitch` is a MIDI note number."""

    start_s: float
    end_s: float
    pitch: int
    confidence: float


class AnalysisInfo(Strict):
    """What was heard in the source, in seconds of the source."""

    duration_s: float
    tempo_bpm: float
    tempo_candidates: tuple[TempoCandidateInfo, ...]
    tempo_source: str
    steady: bool
    has_beat: bool
    time_signature: str
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    key: str
    key_confidence: float
    key_candidates: tuple[KeyInfo, ...]
    tuning_cents: float
    chords: tuple[ChordInfo, ...]
    sections: tuple[SectionInfo, ...]
    loudness_lufs: float
    mean_brightness_hz: float
    energy: CurveInfo
    brightness: CurveInfo
    vocal_activity: CurveInfo
    melody: tuple[MelodyInfo, ...]
    notes: tuple[str, ...] = ()


class SyncInfo(Strict):
    """What was done to a kept stem to fit it to the new timeline; stretch above 1 is longer than the source."""

    role: str
    stretch_min: float
    stretch_mean: float
    stretch_max: float
    pitch_semitones: float
    residual_median_ms: float | None
    residual_worst_ms: float | None
    engine: str


class LoudnessInfo(Strict):
    """Loudness of a file as it was written. None stands for silence (minus infinity)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    lra_lu: float | None
    target_lufs: float | None = None
    ceiling_dbtp: float | None = None
    warnings: tuple[str, ...] = ()


class BackendInfo(Strict):
    """Which backend did a stage, what it is, and under which licence; of a neural one also its model and its device.

    `version` is that of the code, `revision` that of the weights; `why` says why this one was taken.
    """

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


class RankingInfo(Strict):
    """How a take stands among those made with it: its place (1 is the best), and how well it fits, from -1 to 1.

    `score` is the mean of `by_prompt` and `by_likeness` (to the song; None without one), as `model` hears them; `seeds`
    are those of all takes, the best first.
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


class TakeInfo(Strict):
    """A take of a generator that plays from weights: what it was asked, its seed, and how it was fitted.

    `seeds_tried` ends with `seed`; the takes before could not be fitted. `stretch` is new length over old, None where
    nothing was fitted; `why_not` then says why. `residual_*_ms` are how far attacks lie from the timeline's beats.
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
    sampling: dict[str, float | int | bool]
    measured_bpm: float | None
    target_bpm: float | None
    stretch: float | None
    residual_median_ms: float | None
    residual_worst_ms: float | None
    why_not: str | None = None
    ranking: RankingInfo | None = None


class StageInfo(Strict):
    """How long a stage took; `cached` when its result was already there."""

    stage: str
    seconds: float
    cached: bool


class Manifest(Strict):
    """What a return holds. `files` names everything beside the tracks (MIDI, pictures)."""

    protocol: Literal[1] = 1
    nrx_version: str
    action: Action
    id: str
    folder: str
    created_utc: str
    request: dict[str, Any]
    style: str | None = None
    source: tuple[SourceFile, ...] = ()
    tracks: tuple[Track, ...] = ()
    files: dict[str, str] = Field(default_factory=dict)
    timeline: TimelineInfo | None = None
    analysis: AnalysisInfo | None = None
    sync: tuple[SyncInfo, ...] = ()
    loudness: dict[str, LoudnessInfo] = Field(default_factory=dict)
    backends: tuple[BackendInfo, ...] = ()
    takes: tuple[TakeInfo, ...] = ()
    device: str = "cpu"
    stages: tuple[StageInfo, ...] = ()
    seconds: float = 0.0
    times_real_time: float = 0.0
    licences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class JobError(Strict):
    """Why a job failed: a code from `engine.errors.CODES`, and one sentence."""

    code: str
    sentence: str


class JobInput(Strict):
    """An input of an accepted job: the name people know it by, and the bytes that were accepted."""

    name: str
    role: str | None
    sha256: str
    bytes: int


class JobStatus(Strict):
    """Where a job stands, the same at every door. Times are Unix seconds; `fraction` runs from 0 to 1, never back.

    `position` counts the queued jobs before this one. `notes` are what happened on the way (a retry, less memory).
    """

    protocol: Literal[1] = 1
    id: str
    action: Action
    title: str
    style: str | None = None
    door: str
    state: JobState
    stage: str | None = None
    fraction: float = 0.0
    left_s: float | None = None
    cancelling: bool = False
    attempt: int = 0
    priority: int = 0
    position: int | None = None
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    inputs: tuple[JobInput, ...] = ()
    folder: str | None = None
    manifest: str | None = None
    error: JobError | None = None
    notes: tuple[str, ...] = ()


class JobEvent(Strict):
    """Something that happened to a job. Ids grow by time; a client that knows the last one it saw misses none."""

    id: int
    at: float
    type: EventType
    job: JobStatus


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of requests, job statuses, events and manifests."""
    return {
        "request": Request.model_json_schema(),
        "status": JobStatus.model_json_schema(),
        "event": JobEvent.model_json_schema(),
        "manifest": Manifest.model_json_schema(),
    }
