"""MusicGen from words, melody and a beginning to codes, and from codes to audio.

`tokens` yields frames of codes as soon as each is complete, so that whoever listens can decode while it is generated.
Everything is freed when the object is dropped.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import NrxError
from engine.generation.musicgen.beams import BeamSearch
from engine.generation.musicgen.checkpoint import Checkpoint
from engine.generation.musicgen.codec import Codec
from engine.generation.musicgen.conditioning import (
    Conditioning,
    MelodyProjection,
    melody_conditioning,
    text_conditioning,
)
from engine.generation.musicgen.delay import Codes, DelayedTakes, delays
from engine.generation.musicgen.fast.choice import load_language_model, pick
from engine.generation.musicgen.fast.core import LanguageModel, Session
from engine.generation.musicgen.layout import Layout, read_layout
from engine.generation.musicgen.sampling import Sampler, Sampling, guided, spread
from engine.generation.musicgen.text import TextEncoder
from engine.progress import SILENT, Monitor


class MusicGen:
    """A checkpoint that is loaded and ready to generate."""

    def __init__(
        self,
        layout: Layout,
        language_model: LanguageModel,
        text: TextEncoder,
        codec: Codec,
        melody: MelodyProjection | None,
    ) -> None:
        """Put the parts together; `load` makes them from a folder."""
        self.layout, self.language_model = layout, language_model
        self._text, self._codec, self._melody = text, codec, melody

    @classmethod
    def load(
        cls, folder: Path, *, device: str = "auto", precision: str = "auto", cache: Path | None = None
    ) -> "MusicGen":
        """Load a checkpoint in `transformers`' layout.

        Args:
            folder: has `config.json`, safetensors and the tokenizer.
            device: `auto`, `cpu`, `cuda` or `mps`.
            precision: of the language model: `auto`, `int8`, `bfloat16`, `float16` or `float32`. `auto` is int8 on a
                CPU, and on a GPU bfloat16, or float16 where it has none.
            cache: folder in which quantised weights are kept for the next time.

        Raises:
            NrxError: `model.missing`, `model.damaged`; `request.invalid` for a device or precision not there.
        """
        layout = read_layout(folder)
        device, precision = pick(device, precision)
        with Checkpoint(folder) as checkpoint:
            language_model = load_language_model(checkpoint, layout, device, precision, cache)
            return cls(
                layout,
                language_model,
                TextEncoder(folder, checkpoint, device),
                Codec(folder, checkpoint, layout, device),
                MelodyProjection(checkpoint, layout) if layout.has_melody else None,
            )

    @property
    def sample_rate(self) -> int:
        """Of the audio, in Hz."""
        return self.layout.sample_rate

    @property
    def channels(self) -> int:
        """Of the audio: 1, or 2 for stereo checkpoints."""
        return self.layout.channels

    @property
    def frame_rate(self) -> int:
        """Frames of codes a second."""
        return self.layout.frame_rate

    @property
    def has_melody(self) -> bool:
        """Whether `chroma` may be given."""
        return self.layout.has_melody

    @property
    def max_frames(self) -> int:
        """The longest take, prompt included, that it was trained for."""
        return self.layout.max_frames

    def condition(
        self, texts: Sequence[str], is_guided: bool, chroma: NDArray[np.float32] | None = None
    ) -> Conditioning:
        """Return what the language model sees for these texts, and chroma (B, T, 12) of a melody.

        Raises:
            NrxError: `request.invalid` for no texts, or chroma that the model can't take.
        """
        if not texts:
            raise NrxError("request.invalid", "There are no texts to generate from; give one for each take.")
        if chroma is not None and self._melody is None:
            raise NrxError(
                "request.invalid", "This MusicGen cannot follow a melody; use a melody checkpoint for that."
            )
        if chroma is not None and len(chroma) != len(texts):
            raise NrxError(
                "request.invalid",
                f"There are {len(texts)} texts and {len(chroma)} melodies; give one for each.",
            )
        states, lengths = self._text.encode(texts)
        if self._melody is None:
            return text_conditioning(states, lengths, is_guided)
        return melody_conditioning(states, self._melody, chroma, is_guided)

    def tokens(
        self,
        texts: Sequence[str],
        frames: int,
        sampling: Sampling,
        *,
        chroma: NDArray[np.float32] | None = None,
        prompt_codes: Codes | None = None,
        monitor: Monitor = SILENT,
    ) -> Iterator[Codes]:
        """Yield `frames` frames of codes (B, K), in time order, each as soon as it is complete.

        Args:
            texts: one for each take of the batch.
            frames: how many to generate after the prompt, at least 1.
            sampling: how codes are chosen.
            chroma: of melodies (B, T, 12), for checkpoints with melody.
            prompt_codes: (B, K, P) to continue from; they are not yielded again.
            monitor: told of each frame, asked about cancelling at each.

        With an end code in the checkpoint (no published one has any) beam search may end a take earlier; its later
        frames are -1.

        Raises:
            NrxError: `request.invalid` for conditions that don't fit, at once; `cancelled` while frames are taken.
        """
        layout = self.layout
        if frames < 1:
            raise NrxError("request.invalid", f"{frames} frames were asked for; at least 1 is needed.")
        if prompt_codes is None:
            prompt_codes = np.zeros((len(texts), layout.codebooks, 0), dtype=np.int64)
        if prompt_codes.ndim != 3 or prompt_codes.shape[:2] != (len(texts), layout.codebooks):
            raise NrxError(
                "request.invalid",
                f"The beginning has codes of the shape {prompt_codes.shape}; "
                f"({len(texts)}, {layout.codebooks}, frames) is needed.",
            )
        if prompt_codes.size and not 0 <= prompt_codes.min() <= prompt_codes.max() < layout.codes:
            raise NrxError(
                "request.invalid",
                f"The beginning has codes from {prompt_codes.min()} to {prompt_codes.max()}; "
                f"0 to {layout.codes - 1} exist.",
            )
        conditioning = self.condition(texts, sampling.is_guided, chroma)
        delay = delays(layout.codebooks, layout.channels)
        takes = DelayedTakes(prompt_codes, frames, delay, layout.special)
        made = (
            self._searched(conditioning, takes, sampling)
            if sampling.beams > 1
            else self._drawn(conditioning, takes, sampling)
        )
        return self._reported(made, frames, monitor)

    @staticmethod
    def _reported(made: Iterator[Codes], frames: int, monitor: Monitor) -> Iterator[Codes]:
        monitor.check()
        for number, frame in enumerate(made, 1):
            monitor.report(number / frames)
            yield frame

    def _drawn(self, conditioning: Conditioning, takes: DelayedTakes, sampling: Sampling) -> Iterator[Codes]:
        rows = len(takes.prompt)
        sampler = Sampler(sampling, rows)
        session = self.language_model.begin(conditioning, takes.steps)
        given = takes.opening()
        for step in range(takes.first_step, takes.steps):
            logits = self._logits(session, given, sampling)
            given = takes.put(step, sampler.draw(logits))[:, :, None]
            frame = takes.frame_after(step)
            if frame is not None:
                yield frame

    def _logits(self, session: Session, given: Codes, sampling: Sampling) -> NDArray[np.float32]:
        """Return the guided logits (B, K, V) after the columns `given` (B, K, S), never an end."""
        if not sampling.is_guided:
            logits = session.forward(given)
        else:
            logits = guided(session.forward(np.concatenate([given, given])), sampling.guidance)
        if self.layout.end is not None and self.layout.end < self.layout.codes and sampling.beams == 1:
            logits[:, :, self.layout.end] = -np.inf
        return logits

    def _searched(
        self, conditioning: Conditioning, takes: DelayedTakes, sampling: Sampling
    ) -> Iterator[Codes]:
        beams, branches = sampling.beams, 2 if sampling.is_guided else 1
        rows = len(takes.prompt) * beams
        wide = Conditioning(
            np.repeat(conditioning.cross, beams, axis=0),
            np.repeat(conditioning.lengths, beams),
            np.repeat(conditioning.prefix, beams, axis=0),
        )
        session = self.language_model.begin(wide, takes.steps)

        def advance(given: Codes, parents: NDArray[np.int64] | None) -> NDArray[np.float32]:
            if parents is not None:
                session.select(np.array(spread(parents.tolist(), branches, rows), dtype=np.int64))
            return self._logits(session, given, sampling)

        return BeamSearch(takes, sampling, self.layout.end, advance).frames()

    def encode(self, audio: NDArray[np.float32]) -> Codes:
        """Return codes (B, K, T) of audio (B, channels, samples) at `sample_rate`, as `Codec.encode`."""
        return self._codec.encode(audio)

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """Return float32 audio (B, channels, samples) of codes (B, K, T), as `Codec.decode`."""
        return self._codec.decode(codes)
