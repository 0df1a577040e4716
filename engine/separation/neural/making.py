"""From a member's file to a network that runs: which runtime takes it, at which length, on which device."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.devices import CPU, is_out_of_memory, thread_count
from engine.errors import NrxError
from engine.separation.neural.checkpoints import checkpoint_hash, load_member, read_outline
from engine.separation.neural.core import is_splittable
from engine.separation.neural.grid import Grid
from engine.separation.neural.ladder import Rung
from engine.separation.neural.network import Network
from engine.separation.neural.openvino_core import OpenVinoCore, openvino_core
from engine.separation.neural.runtime import Hybrid, TorchCore, Whole
from engine.separation.neural.spectrum import Spectrum

SHORTEST_SEGMENT_S = 1.0
LANES = 2
"""How many stretches are worked on side by side on a processor. More take more memory than they give speed."""
_MANY = 7
"""With so many stretches it does not matter any more that the last one of an odd number has half the processor."""


def lanes_for(stretches: int, threads: int) -> int:
    """Return how many of so many stretches are best worked on side by side, with so many threads."""
    fills = stretches >= _MANY or (stretches > 0 and stretches % LANES == 0)
    return LANES if fills and threads >= LANES else 1


class Maker:
    """Makes networks of one member. The model itself is loaded only for what PyTorch runs, and for a conversion."""

    def __init__(
        self,
        file: Path,
        segment_s: float | None,
        precision: str,
        cache: Path | None,
        note: Callable[[str], None],
    ) -> None:
        """Serve the model in `file`, with the bag's length of segments; `note` is told what could not be done."""
        self._file, self._segment_s, self._precision, self._cache = file, segment_s, precision, cache
        self._note = note
        self._outline = outline = read_outline(file, segment_s)
        self._trained_frames: int | None = None
        """The length that the model was trained for and always sees; None if it takes any."""
        if getattr(outline, "use_train_segment", False):
            self._trained_frames = int(outline.segment * outline.samplerate)
        self._usual_frames = 0
        self._lanes = 1
        self._openvino = True

    def grid(self, length: int, segment_s: float | None, overlap: float) -> Grid:
        """Return how this model cuts a song of `length` frames.

        Raises:
            NrxError: `request.invalid` for segments that it can't take.
        """
        outline, trained = self._outline, self._trained_frames
        rate = outline.samplerate
        longest_s = None if trained is None else trained / rate
        wanted_s = float(outline.segment) if segment_s is None else segment_s
        if wanted_s < SHORTEST_SEGMENT_S or (longest_s is not None and wanted_s > longest_s + 1 / rate):
            most = "" if longest_s is None else f" to {longest_s:g}"
            raise NrxError(
                "request.invalid",
                f"segment_s is {wanted_s:g}; {self._file.stem} takes {SHORTEST_SEGMENT_S:g}{most} seconds.",
            )
        segment = int(rate * (outline.segment if segment_s is None else segment_s))
        self._usual_frames = segment if trained is None else trained
        return Grid(length, segment, overlap, self._window(segment))

    def expect(self, stretches: int) -> None:
        """Plan for so many stretches of the usual length."""
        self._lanes = lanes_for(stretches, thread_count())

    def make(self, rung: Rung, frames: int) -> Network:
        """Return a network for stretches of `frames` frames on a rung of the ladder."""
        outline, trained = self._outline, self._trained_frames
        if not is_splittable(outline):
            return Whole(self._load(), rung.device, self._precision)
        inner = trained if trained is not None and rung.share == 1 else frames
        is_old = bool(getattr(outline, "hybrid_old", False))
        if rung.device == CPU and inner == self._usual_frames and self._openvino:
            core = self._in_openvino(inner)
            if core is not None:
                return Hybrid(core, Spectrum(inner, outline.nfft, is_old=is_old))
        # Metal has no complex numbers: the transforms stay on the processor.
        where = rung.device.id if rung.device.kind == "cuda" else CPU.id
        core_in_torch = TorchCore(self._load(), rung.device, self._precision)
        return Hybrid(core_in_torch, Spectrum(inner, outline.nfft, is_old=is_old, device=where))

    def _load(self) -> Any:
        return load_member(self._file, self._segment_s)

    def _in_openvino(self, frames: int) -> OpenVinoCore | None:
        outline = self._outline
        columns = -(-frames // (outline.nfft // 4))
        try:
            return openvino_core(
                self._load,
                (outline.audio_channels, columns, outline.nfft // 2, 2),
                (1, outline.audio_channels, frames),
                checkpoint_sha256=checkpoint_hash(self._file),
                precision=self._precision,
                lanes=self._lanes,
                cache=self._cache,
            )
        except ImportError:
            why = "OpenVINO is not installed"
        except NrxError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            why = f"OpenVINO cannot take it ({(str(error).splitlines() or ['no reason given'])[0][:200]})"
        self._openvino = False
        self._note(f"PyTorch runs {self._file.stem}, since {why}; that is slower.")
        return None

    def _window(self, segment: int) -> Callable[[int], int]:
        """Return what the model sees of a segment: always as much, what its strides divide, or the segment itself."""
        from demucs.demucs import Demucs

        if self._trained_frames is not None:
            return lambda _frames: segment
        if issubclass(self._outline.klass, Demucs):
            valid_length: Callable[[int], int] = self._load().valid_length
            return valid_length
        return lambda frames: frames
