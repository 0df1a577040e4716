"""A cloud service as a generation backend: wishes in, takes out, played elsewhere.

Each take is one request, one after the other. What comes back is a file from outside: it is bounded in bytes and
length, and read as any recording is, before anything hears it. Takes are kept in the cache as all are, so the same wish
is not sent twice.
"""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.audio.buffer import Audio
from engine.audio.info import Limits
from engine.errors import Cancelled, NrxError
from engine.generation.cloud import huggingface, replicate
from engine.generation.cloud.wire import MOST_BYTES, Wire, work
from engine.generation.musicgen.sampling import Sampling
from engine.generation.protocol import GeneratorInfo, Wish
from engine.models.cloud import CloudModel
from engine.progress import SILENT, Monitor

BACKEND_VERSION = "1"
"""Raised whenever the same wish would be sent otherwise."""
LEAST_SHARE = 0.5
"""Of the length that was asked for: what is shorter is no take."""
DECODED = 0.97
_LIMITS = Limits(max_bytes=MOST_BYTES, max_channels=2, max_duration_s=900.0, max_decoded_bytes=4 * MOST_BYTES)

Play = Callable[[Wire, CloudModel, Wish, Sampling, Monitor], Awaitable[bytes]]
PLAY: dict[str, Play] = {"huggingface": huggingface.play, "replicate": replicate.play}


class CloudGenerator:
    """A model at a cloud service that plays wishes; follows `engine.generation.protocol.Generator`."""

    def __init__(self, model: CloudModel) -> None:
        """Take a model that may be asked."""
        self._model, self._device = model, ""

    @property
    def info(self) -> GeneratorInfo:
        """What plays, and where."""
        model, card = self._model, self._model.card
        return GeneratorInfo(
            name=model.service.name,
            version=BACKEND_VERSION,
            description=f"{card.description} ({model.host})",
            model=card.name,
            revision=model.revision,
            licence=card.licence,
            commercial_use=card.commercial,
            follows_melody=model.service.follows_melody,
            depends_on={
                "model": model.model,
                "revision": model.revision,
                "url": model.url,
                "version": BACKEND_VERSION,
            },
            notes=(model.consent,),
        )

    @property
    def device(self) -> str:
        """Where the last takes were played."""
        return self._device

    def takes(self, wishes: Sequence[Wish], sampling: Sampling, monitor: Monitor = SILENT) -> list[Audio]:
        """Have all wishes played; see the protocol. A take is as long as its wish, or as the service made it.

        Raises:
            NrxError: `request.invalid` for what the service does not do; `cloud.key`, `cloud.failed`; `Cancelled`.
        """
        model = self._model
        self._refuse(wishes, sampling)
        monitor.report(0.0)
        self._device = f"cloud ({model.host})"
        made: list[Audio] = []
        for index, wish in enumerate(wishes):
            share = monitor.part(index / len(wishes), (index + 1) / len(wishes))
            own = replace(sampling, seed=sampling.seed + index)
            sound = work(model, self._player(wish, own, share), monitor)
            made.append(self._read(sound, wish, share))
            share.report(1.0)
        return made

    def _player(self, wish: Wish, sampling: Sampling, monitor: Monitor) -> Callable[[Wire], Awaitable[bytes]]:
        model = self._model
        return lambda wire: PLAY[model.service.name](wire, model, wish, sampling, monitor.part(0.0, DECODED))

    def _refuse(self, wishes: Sequence[Wish], sampling: Sampling) -> None:
        service = self._model.service
        if sampling.beams > 1:
            raise NrxError(
                "request.invalid",
                f"{service.title} draws its takes and has no beam search; leave beams at 1.",
            )
        longest_s = max(wish.duration_s for wish in wishes)
        if longest_s > service.longest_s:
            raise NrxError(
                "request.invalid",
                f"A take of {longest_s:.0f} s would be needed (with what fitting takes in), and {service.title} plays "
                f"at most {service.longest_s:.0f} s at a time; ask for a duration of "
                f"{(service.longest_s - 4) / 1.08:.0f} s or less.",
            )

    def _read(self, sound: bytes, wish: Wish, monitor: Monitor) -> Audio:
        """Return what a service sent as sound.

        Raises:
            NrxError: `cloud.failed` for what is none, or much too short.
        """
        from engine.audio import read_audio

        title = self._model.service.title
        with tempfile.TemporaryDirectory(prefix="nrx-cloud-") as folder:
            file = Path(folder) / "take"
            file.write_bytes(sound)
            try:
                audio = read_audio(file, limits=_LIMITS, monitor=monitor.part(DECODED, 1.0))
            except Cancelled:
                raise
            except NrxError as error:
                said = error.sentence.replace(str(file), "what it sent").rstrip(".")
                raise NrxError("cloud.failed", f"{title} sent no sound that can be read: {said}.") from error
        if audio.duration_s < LEAST_SHARE * wish.duration_s:
            raise NrxError(
                "cloud.failed",
                f"{title} sent {audio.duration_s:.1f} s of sound where {wish.duration_s:.1f} s were asked for.",
            )
        length = round(wish.duration_s * audio.sample_rate)
        return Audio(np.ascontiguousarray(audio.samples[:, :length]), audio.sample_rate)
