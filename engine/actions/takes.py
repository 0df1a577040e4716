"""Takes of a neural generator: made, kept in the cache, fitted to the timeline, and made anew where that fails.

What comes from the generator is kept by what it was made from, before any fitting, so that another tempo, or another
job with the same wish, does not wait for it again. Of several takes that are made together each job has one: they are
ranked where a model is there that can, and the first job has the best. A take that can't be fitted is followed by one
from another seed; the last of them is handed over as it is, with the reason.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from engine.actions.conform import Fit, fit_take, listen, own_timeline
from engine.actions.model import Ranking, TakeSummary
from engine.actions.ranking import Candidate, judge, ranked, told
from engine.audio import Audio, read_audio, resample, to_stereo, write_wav
from engine.generation.melody import Melody
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import Generator, Wish
from engine.progress import SILENT, Monitor
from engine.stages import Stages
from engine.tempo import TempoMap

TRIES = 3
ANOTHER_SEED = 1_000_003
"""Between the seeds of a take and of the one that takes its place."""
SPARE_SHARE, SPARE_S = 1.08, 4.0
"""How much longer a take is made than the timeline, for what fitting cuts off and takes in."""
MADE = 0.75
RANKED = 0.7
"""Where in the progress several takes have been made and ranked, and the first is fitted."""
_SOUND, _DEVICE = "take.wav", "device.txt"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be played.

    Args:
        prompt: what it should sound like.
        melody: what it follows, on the timeline, if anything.
        sampling: how it is drawn, and the seed.
        role: what the take is in the mix.
        length_frames: of the result, at its own rate.
        sample_rate: of the result, in Hz.
        timeline: what it is fitted to; None takes a steady one at the tempo that it plays.
        from_first_bar: its first bar goes to the start of the timeline (see `fit_take`).
        pitch_semitones: how far it is retuned on the way.
        may_lack_beat: it is as good without a beat.
        ahead: how many takes with the next seeds will be asked for after this one; they are made with it.
        before: how many takes with the seeds before have been asked for; they are ranked with it.
        like: the song that is followed, for ranking.
        tries: how many seeds are tried at most.
    """

    prompt: str
    melody: Melody | None
    sampling: Sampling
    role: str
    length_frames: int
    sample_rate: int
    timeline: TempoMap | None
    from_first_bar: bool
    pitch_semitones: float = 0.0
    may_lack_beat: bool = False
    ahead: int = 0
    before: int = 0
    like: Callable[[], Audio] | None = None
    tries: int = TRIES

    @property
    def length_s(self) -> float:
        """Length of the result in seconds."""
        return self.length_frames / self.sample_rate


@dataclass(frozen=True, slots=True)
class Take:
    """A take on its timeline, in stereo, and what there is to tell of it."""

    audio: Audio
    timeline: TempoMap
    summary: TakeSummary
    fit: Fit
    needs_no_beat: bool = False
    unranked: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person must know of it."""
        return (*self.unranked, *self._fitting_notes())

    def _fitting_notes(self) -> tuple[str, ...]:
        told, others = self.summary, len(self.summary.seeds_tried) - 1
        if self.needs_no_beat and told.why_not is not None:
            return (f"The {told.role} has no beat to fit to the timeline; it is as it was made.",)
        if told.why_not is not None:
            tried = f", nor could {others} more" if others else ""
            return (
                f"The {told.role} could not be fitted to the timeline{tried}: {told.why_not}. It is as it was made.",
            )
        if others == 0:
            return ()
        takes = "1 take was" if others == 1 else f"{others} takes were"
        return (
            f"{takes} made anew from another seed, since no beat in them could be fitted to the timeline.",
        )


def play(generator: Generator, order: Order, stages: Stages, monitor: Monitor) -> Take:
    """Return the first take that can be fitted, or the last of those tried, as it was made.

    Raises:
        NrxError: whatever keeps the generator from playing.
        Cancelled: soon after the job was cancelled.
    """
    tried: list[int] = []
    pick = _picked(generator, order, stages, monitor.part(0.0, RANKED))
    every_known, rest = pick.was_known, monitor.part(RANKED, 1.0) if pick.ranking is not None else monitor
    for attempt in range(max(1, order.tries)):
        seed = pick.seed + attempt * ANOTHER_SEED
        tried.append(seed)
        share = rest.part(1.0 - 0.5**attempt, 1.0 - 0.5 ** (attempt + 1))
        ahead = order.ahead if attempt == 0 and pick.ranking is None else 0
        sound, device, known = _made(generator, order, seed, ahead, stages, share.part(0.0, MADE))
        every_known = every_known and known
        timeline, fit = _fitted(sound, order, share.part(MADE, 1.0))
        if fit.is_fitted or order.may_lack_beat:
            break
    if every_known:
        stages.was_cached()
    monitor.report(1.0)
    return _told(generator, order, pick, tried, timeline, fit, device)


@dataclass(frozen=True, slots=True)
class _Pick:
    """The seed that an order begins with, and how its take stands among those that are made with it."""

    seed: int
    ranking: Ranking | None = None
    notes: tuple[str, ...] = ()
    was_known: bool = True


def _picked(generator: Generator, order: Order, stages: Stages, monitor: Monitor) -> _Pick:
    """Return the seed of an order: its own, or of several takes that are ranked the one at its place."""
    own, count = order.sampling.seed, order.before + 1 + order.ahead
    if count == 1:
        return _Pick(own)
    choice, note = judge(stages.backends)
    if choice is None:
        return _Pick(own, notes=() if note is None else (note,))
    depends_on, first = _depends_on(generator, _wish(order), order.sampling), max(0, own - order.before)
    candidates, every_known = [], True
    for index in range(count):
        seed = first + index
        share = monitor.part(0.8 * index / count, 0.8 * (index + 1) / count)
        _, _, known = _made(generator, order, seed, count - 1 - index, stages, share)
        every_known = every_known and known
        candidates.append(
            Candidate(
                seed,
                {**depends_on, "seed": seed},
                partial(_made_before, generator, order, seed, stages),
            )
        )
    best_first = ranked(candidates, choice, order.prompt, order.like, stages, monitor.part(0.8, 1.0))
    place = min(order.before, count - 1)
    return _Pick(int(best_first[place].name), told(best_first, place, choice), was_known=every_known)


def _told(
    generator: Generator,
    order: Order,
    pick: _Pick,
    tried: list[int],
    timeline: TempoMap,
    fit: Fit,
    device: str,
) -> Take:
    info, report = generator.info, fit.report
    summary = TakeSummary(
        backend=info.name,
        model=info.model,
        revision=info.revision,
        licence=info.licence,
        commercial_use=info.commercial_use,
        device=device,
        role=order.role,
        prompt=order.prompt,
        follows_melody=order.melody is not None and info.follows_melody,
        seed=tried[-1],
        seeds_tried=tuple(tried),
        sampling={name: value for name, value in asdict(order.sampling).items() if name != "seed"},
        measured_bpm=None if fit.measured_bpm is None else round(fit.measured_bpm, 3),
        target_bpm=None if fit.target_bpm is None else round(fit.target_bpm, 3),
        stretch=None if report is None else round(report.stretch_mean, 5),
        residual_median_ms=fit.residual_median_ms,
        residual_worst_ms=fit.residual_worst_ms,
        why_not=fit.why_not,
        ranking=pick.ranking,
    )
    return Take(fit.audio, timeline, summary, fit, order.may_lack_beat, pick.notes)


def _fitted(sound: Audio, order: Order, monitor: Monitor) -> tuple[TempoMap, Fit]:
    near_bpm = None if order.timeline is None else order.timeline.average_bpm(0.0, order.length_s)
    audio = to_stereo(resample(sound, order.sample_rate))
    rhythm = listen(audio, near_bpm, monitor.part(0.0, 0.2))
    timeline = order.timeline or own_timeline(rhythm)
    fit = fit_take(
        audio,
        timeline,
        order.length_frames,
        from_first_bar=order.from_first_bar,
        pitch_semitones=order.pitch_semitones,
        rhythm=rhythm,
        monitor=monitor.part(0.2, 1.0),
    )
    return timeline, fit


def _made(
    generator: Generator, order: Order, seed: int, ahead: int, stages: Stages, monitor: Monitor
) -> tuple[Audio, str, bool]:
    """Return the take of a seed, the device it was made on, and whether it was there before.

    Of the seeds after it, `ahead` many, those that are not there yet are made in one batch with it.
    """
    wish = _wish(order)
    depends_on = _depends_on(generator, wish, order.sampling)

    def key(of: int) -> dict[str, Any]:
        return {**depends_on, "seed": of}

    folder = stages.find("generate", key(seed))
    known = folder is not None
    if folder is None:
        batch = [seed]
        while len(batch) <= ahead and stages.find("generate", key(batch[-1] + 1)) is None:
            batch.append(batch[-1] + 1)
        sounds = generator.takes([wish] * len(batch), replace(order.sampling, seed=seed), monitor)
        folders = [
            stages.kept("generate", key(of), _writer(sound, generator.device))[0]
            for of, sound in zip(batch, sounds, strict=True)
        ]
        folder = folders[0]
    monitor.report(1.0)
    return read_audio(folder / _SOUND), (folder / _DEVICE).read_text(encoding="utf-8"), known


def _made_before(generator: Generator, order: Order, seed: int, stages: Stages) -> Audio:
    """Return a take that lies in the cache, or has just been trimmed from it."""
    return _made(generator, order, seed, 0, stages, SILENT)[0]


def _writer(sound: Audio, device: str) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        write_wav(folder / _SOUND, sound, "FLOAT")
        (folder / _DEVICE).write_text(device, encoding="utf-8")

    return fill


def _wish(order: Order) -> Wish:
    return Wish(order.prompt, order.length_s * SPARE_SHARE + SPARE_S, order.melody)


def _depends_on(generator: Generator, wish: Wish, sampling: Sampling) -> dict[str, Any]:
    """Return all that a take depends on but its seed, to be hashed."""
    info = generator.info
    melody = wish.melody if info.follows_melody else None
    return {
        "backend": [info.name, info.version],
        "made_by": dict(info.depends_on),
        "prompt": wish.prompt,
        "duration_s": wish.duration_s,
        "melody": None if melody is None else melody.sha256(wish.duration_s),
        "sampling": {name: value for name, value in asdict(sampling).items() if name != "seed"},
    }
