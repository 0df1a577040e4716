"""From a member's file to a network that runs: which runtime takes it, at which length, on which device."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.devices import CPU, is_out_of_memory
from engine.errors import NrxError
from engine.separation.neural.checkpoints import checkpoint_hash, load_member
from engine.separation.neural.core import is_splittable
from engine.separation.neural.grid import Grid
from engine.separation.neural.ladder import Rung
from engine.separation.neural.network import Network
from engine.separation.neural.openvino_core import OpenVinoCore, openvino_core
from engine.separation.neural.runtime import Hybrid, TorchCore, Whole

SHORTEST_SEGMENT_S = 1.0


class Maker:
    """Makes networks of one member; the model itself is kept from when it is looked at until a network has it."""

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
        self._loaded: Any = None
        self._usual_frames = 0
        self._openvino = True

    def grid(self, length: int, segment_s: float | None, overlap: float) -> Grid:
        """Return how this model cuts a song of `length` frames.

        Raises:
            NrxError: `request.invalid` for segments that it can't take.
        """
        model = self._model()
        rate = model.samplerate
        trained = self._trained_frames()
        longest_s = None if trained is None else trained / rate
        wanted_s = float(model.segment) if segment_s is None else segment_s
        if wanted_s < SHORTEST_SEGMENT_S or (longest_s is not None and wanted_s > longest_s + 1 / rate):
            most = "" if longest_s is None else f" to {longest_s:g}"
            raise NrxError(
                "request.invalid",
                f"segment_s is {wanted_s:g}; {self._file.stem} takes {SHORTEST_SEGMENT_S:g}{most} seconds.",
            )
        segment = int(rate * (model.segment if segment_s is None else segment_s))
        self._usual_frames = segment if trained is None else trained
        return Grid(length, segment, overlap, _window(model, segment, trained is not None))

    def make(self, rung: Rung, frames: int) -> Network:
        """Return a network for stretches of `frames` frames on a rung of the ladder."""
        model = self._model()
        trained = self._trained_frames()
        if not is_splittable(model):
            self.release()
            return Whole(model, rung.device, self._precision)
        inner = trained if trained is not None and rung.share == 1 else frames
        if rung.device == CPU and inner == self._usual_frames and self._openvino:
            core = self._in_openvino(model, inner)
            if core is not None:
                self.release()
                return Hybrid(model, core, inner)
        self.release()
        # Metal has no complex numbers: the transforms stay on the processor.
        transforms = rung.device if rung.device.kind == "cuda" else CPU
        return Hybrid(model, TorchCore(model, rung.device, self._precision), inner, transforms.id)

    def release(self) -> None:
        """Let the model go; it is loaded again when it is needed."""
        self._loaded = None

    def _model(self) -> Any:
        if self._loaded is None:
            self._loaded = load_member(self._file, self._segment_s)
        return self._loaded

    def _trained_frames(self) -> int | None:
        """Return the length that the model was trained for and always sees; None if it takes any."""
        model = self._model()
        if not getattr(model, "use_train_segment", False):
            return None
        return int(model.segment * model.samplerate)

    def _in_openvino(self, model: Any, frames: int) -> OpenVinoCore | None:
        columns = -(-frames // model.hop_length)
        try:
            return openvino_core(
                lambda: model,
                (model.audio_channels, columns, model.nfft // 2, 2),
                (1, model.audio_channels, frames),
                checkpoint_sha256=checkpoint_hash(self._file),
                precision=self._precision,
                cache=self._cache,
            )
        except ImportError:
            why = "OpenVINO is not installed"
        except Exception as error:
            if is_out_of_memory(error):
                raise
            why = f"OpenVINO cannot take it ({(str(error).splitlines() or ['no reason given'])[0][:200]})"
        self._openvino = False
        self._note(f"PyTorch runs {self._file.stem}, since {why}; that is slower.")
        return None


def _window(model: Any, segment: int, is_trained_for_one: bool) -> Callable[[int], int]:
    """Return what a model sees of a segment: always as much, what its strides can divide, or the segment itself."""
    from demucs.demucs import Demucs

    if is_trained_for_one:
        return lambda _frames: segment
    if isinstance(model, Demucs):
        valid_length: Callable[[int], int] = model.valid_length
        return valid_length
    return lambda frames: frames
