"""EnCodec's decoder for short inputs on a processor: the first sounds of a stream are decoded nine frames at a time.

torch reorders the weights of its recurrent layers, and walks through those of a wide transposed convolution against
their order, at each call. Over seconds of audio that is lost in the rest; over a tenth of a second it is most of the
time. Here short inputs go through plain products with the weights as they lie; longer ones take torch's way. Both give
the same within float32's rounding.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)
SHORT_FRAMES = 32
MOST_ROWS = 2
"""Up to here products are faster."""


class ShortLSTM(nn.Module):  # type: ignore[misc]  # torch is checked as if untyped
    """Layers of an LSTM (frames, rows, features) without projections, in one direction."""

    def __init__(self, whole: nn.LSTM) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Return outputs and, from torch's way, the state behind them."""
        count, rows = frames.shape[:2]
        if count > SHORT_FRAMES or rows > MOST_ROWS:
            found: tuple[Tensor, tuple[Tensor, Tensor]] = self.whole(frames)
            return found
        line = frames
        for layer in range(self.whole.num_layers):
            into, within, bias_in, bias_within = (
                getattr(self.whole, f"{name}_l{layer}")
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            heard = nn.functional.linear(line, into, bias_in + bias_within)
            state = output = heard.new_zeros(rows, self.whole.hidden_size)
            made = []
            for now in heard:
                let_in, keep, new, let_out = torch.addmm(now, output, within.t()).chunk(4, dim=1)
                state = torch.sigmoid(keep) * state + torch.sigmoid(let_in) * torch.tanh(new)
                output = torch.sigmoid(let_out) * torch.tanh(state)
                made.append(output)
            line = torch.stack(made)
        return line, None


class ShortTransposed(nn.Module):  # type: ignore[misc]  # as above
    """A transposed convolution (rows, channels, frames) whose kernel is twice its stride, as a product and two sums."""

    def __init__(self, whole: nn.ConvTranspose1d) -> None:
        super().__init__()
        self.whole, self.kernel_size, self.stride = whole, whole.kernel_size, whole.stride

    def forward(self, frames: Tensor) -> Tensor:
        """Return (rows, channels, (frames + 1) * stride)."""
        rows, _, count = frames.shape
        if count > SHORT_FRAMES or rows > MOST_ROWS:
            found: Tensor = self.whole(frames)
            return found
        stride, channels = self.stride[0], self.whole.out_channels
        product = frames.transpose(1, 2) @ self.whole.weight.reshape(self.whole.in_channels, -1)
        halves = product.reshape(rows, count, channels, 2, stride).permute(3, 0, 2, 1, 4)
        out = frames.new_zeros(rows, channels, count + 1, stride)
        out[:, :, :-1] += halves[0]
        out[:, :, 1:] += halves[1]
        if self.whole.bias is not None:
            out += self.whole.bias[:, None, None]
        return out.reshape(rows, channels, -1)


def prepare(decoder: nn.Module) -> None:
    """Let all layers inside `decoder` that it can serve take the short way, in place.

    Their weights are copied from where a file may have put them to where each load has them alike: products of numbers
    that lie otherwise differ in their last bits.
    """
    for parent in list(decoder.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.LSTM) and not (
                layer.bidirectional or layer.proj_size or layer.batch_first
            ):
                if layer.bias:
                    setattr(parent, name, ShortLSTM(_settled(layer)))
            elif isinstance(layer, nn.ConvTranspose1d) and _is_plain(layer):
                setattr(parent, name, ShortTransposed(_settled(layer)))


def _settled(layer: Layer) -> Layer:
    for parameter in layer.parameters():
        parameter.data = parameter.data.clone()
    return layer


def _is_plain(layer: nn.ConvTranspose1d) -> bool:
    return bool(
        layer.kernel_size[0] == 2 * layer.stride[0]
        and layer.padding == (0,)
        and layer.output_padding == (0,)
        and layer.dilation == (1,)
        and layer.groups == 1
    )
