"""MusicGen by this engine beside `transformers`, both complete: words in, audio out, the same number of frames.

    python benchmarks/musicgen.py [--model small] [--seconds 4] [--runs 3] [--peers float32,bfloat16] [--json]
                                  [--folder CHECKPOINT] [--precision int8] [--keep FOLDER]

Without `--folder`, a checkpoint of the full architecture is made with random weights in a temporary folder (`--keep`
names one that stays): what it costs to run does not depend on what it has learned. The matrices are drawn from
Student's t with 5 degrees of freedom at the scale that keeps the size of what goes through, so every layer counts and
there are outliers as in trained models; still, trained weights may quantise better or worse.

- `ratio_fp32`, `ratio_bf16`: seconds of `transformers` / seconds of ours, medians of runs taken in turns; each run is
  T5, guidance 3, top-k 250 sampling, and EnCodec.
- `logits_snr_db`: our logits against `transformers` in float32, teacher-forced, both branches, means removed. Below
  30 dB the ratios don't count, and the exit status is 1.
- `bandwidth_fraction`: bytes that a step must read (weights, scales, memory) x steps a second / the bytes a second at
  which this machine reads (sum of a large array on all cores, measured between the runs, best of them).
- `others_share`: how much of the processors other programs had while it ran. Peers suffer more from them than ours, so
  ratios from a busy machine are too high.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from engine.generation.musicgen import MusicGen, Sampling
from engine.generation.musicgen.delay import delays

SIZES = {  # (hidden, layers, heads, inner, is_melody)
    "small": (1024, 24, 16, 4096, False),
    "medium": (1536, 48, 24, 6144, False),
    "large": (2048, 48, 32, 8192, False),
    "melody": (1536, 48, 24, 6144, True),
}
TEXT = "lo-fi jazz with warm pads, slow drums and bass, 120 bpm"
GUIDANCE, TOP_K = 3.0, 250
GATE_DB = 30.0
FORCED_FRAMES = 40
READ_BYTES = 1 << 30


# ---- a checkpoint ---------------------------------------------------------------------------------------------------


def tokenizer(folder: Path) -> None:
    """Write a tokenizer that knows the words of `TEXT`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=100, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([TEXT] * 4, trainer)
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)


def random_weights(model: Any) -> None:
    """Give a model weights that keep the size of what goes through, with heavy tails."""
    drawn = np.random.default_rng(0).standard_t(5, 1 << 22).astype(np.float32) / np.sqrt(5 / 3)
    tails, place = torch.from_numpy(drawn), 0
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if not name.startswith(("decoder.", "enc_to_dec", "audio_enc_to_dec")):
                continue
            if weights.dim() == 1:
                weights.fill_(1.0 if name.endswith("norm.weight") else 0.0)
                continue
            gain = 0.5 if "embed" in name else weights.shape[1] ** -0.5
            flat = weights.view(-1)
            for first in range(
                0, len(flat), len(tails) // 2
            ):  # slices of one table, at other places each time
                part = flat[first : first + len(tails) // 2]
                place = (place + 999_983) % (len(tails) - len(part))
                part.copy_(tails[place : place + len(part)] * gain)
        for codebook in model.audio_encoder.quantizer.layers:
            codebook.codebook.embed.normal_()


def checkpoint(folder: Path, size: str) -> None:
    """Write a checkpoint of the full architecture with random weights."""
    import transformers

    hidden, layers, heads, inner, is_melody = SIZES[size]
    text = transformers.T5Config(
        vocab_size=32128, d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12
    )
    audio = transformers.EncodecConfig(
        audio_channels=1,
        sampling_rate=32000,
        target_bandwidths=[2.2],
        upsampling_ratios=[8, 5, 4, 4],
        num_filters=64,
        codebook_size=2048,
        codebook_dim=128,
        hidden_size=128,
        use_causal_conv=False,
        norm_type="weight_norm",
        num_lstm_layers=2,
        use_conv_shortcut=False,
    )
    kind = "MusicgenMelody" if is_melody else "Musicgen"
    decoder = getattr(transformers, f"{kind}DecoderConfig")(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, ffn_dim=inner
    )
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(text_encoder=text, audio_encoder=audio, decoder=decoder)
    model = getattr(transformers, f"{kind}ForConditionalGeneration")(config).eval()
    random_weights(model)
    generation = model.generation_config
    generation.guidance_scale = GUIDANCE
    generation.decoder_start_token_id = generation.pad_token_id = generation.bos_token_id = 2048
    generation.max_length = 1500
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    tokenizer(folder)


# ---- what is measured -----------------------------------------------------------------------------------------------


class Peer:
    """`transformers`' own model and `generate`."""

    def __init__(self, folder: Path, precision: str) -> None:
        import transformers

        is_melody = json.loads((folder / "config.json").read_text())["model_type"] == "musicgen_melody"
        kind = "MusicgenMelody" if is_melody else "Musicgen"
        self.model = (
            getattr(transformers, f"{kind}ForConditionalGeneration")
            .from_pretrained(folder, local_files_only=True, dtype=getattr(torch, precision))
            .eval()
        )
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def tokens(self) -> Any:
        """Return the tokens of `TEXT`."""
        return self._tokenizer([TEXT], return_tensors="pt")

    def generate(self, steps: int) -> Any:
        """Return the audio of one take of so many steps."""
        with torch.inference_mode():
            return self.model.generate(
                **self.tokens(), do_sample=True, top_k=TOP_K, guidance_scale=GUIDANCE, max_new_tokens=steps
            )


def ours(model: MusicGen, frames: int) -> NDArray[np.float32]:
    """Return the audio of one take."""
    sampling = Sampling(top_k=TOP_K, guidance=GUIDANCE)
    return model.decode(np.stack(list(model.tokens([TEXT], frames, sampling)), axis=-1))


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


class Others:
    """How much of the processors other programs took in the meantime: above a few percent, times mean little."""

    def __init__(self) -> None:
        self._all, self._mine = self._now()

    @staticmethod
    def _now() -> tuple[float, float]:
        busy = psutil.cpu_times()
        return sum(busy) - busy.idle - getattr(busy, "iowait", 0.0), time.process_time()

    def share(self, seconds: float) -> float:
        """Return the share since the start, which was so long ago."""
        everything, mine = self._now()
        taken = everything - self._all - (mine - self._mine)
        return max(0.0, taken / seconds / (psutil.cpu_count() or 1))


def read_bytes_a_second(array: Any) -> float:
    """Return how fast this machine reads memory: the best of three sums of a large array."""
    return READ_BYTES / min(timed(lambda: array.sum()) for _ in range(3))


def step_seconds(model: MusicGen, frames: int) -> float:
    """Return the median seconds of a step of the language model alone, over a whole take."""
    session = model.language_model.begin(model.condition([TEXT], True), frames)
    codes = np.zeros((2, model.layout.codebooks, 1), dtype=np.int64)
    session.forward(codes)
    return statistics.median(timed(lambda: session.forward(codes)) for _ in range(frames - 1))


def step_bytes(model: MusicGen, frames: int) -> float:
    """Return the bytes that a step reads on average: weights as they are stored, and what is remembered."""
    layout = model.layout
    cross = 0 if layout.has_melody else 2
    per_layer = (4 + cross) * layout.hidden**2 + 2 * layout.hidden * layout.inner
    weights = layout.layers * per_layer + layout.codebooks * layout.codes * layout.hidden
    description = model.language_model.description
    is_int8 = description.startswith("int8")
    width = 1 + 4 / 128 if is_int8 else (4 if description.startswith("float32") else 2)
    remembered = 2 * 2 * layout.layers * layout.hidden * (frames / 2 + layout.chroma_frames)
    return weights * width + remembered * (2 if is_int8 else width)


def centred(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(logits - logits.mean(-1, keepdims=True), dtype=np.float64)


def logits_snr_db(model: MusicGen, reference: MusicGen) -> float:
    """Return the signal-to-noise ratio of teacher-forced logits, with conditions and without, one column at a time."""
    layout = model.layout
    rng = np.random.default_rng(1)
    codes = rng.integers(0, layout.codes, (1, layout.codebooks, FORCED_FRAMES)).repeat(2, axis=0)
    conditioning = reference.condition([TEXT], True)

    def forced(language_model: Any) -> NDArray[np.float64]:
        session = language_model.begin(conditioning, FORCED_FRAMES)
        return np.stack(
            [centred(session.forward(codes[:, :, i : i + 1])) for i in range(FORCED_FRAMES)], axis=1
        )

    truth, estimate = forced(reference.language_model), forced(model.language_model)
    return float(10 * np.log10((truth**2).sum() / ((truth - estimate) ** 2).sum()))


def reference_error(reference: MusicGen, peer: Peer) -> float:
    """Return the largest difference of our float32 logits from the peer's, relative to their spread."""
    layout = reference.layout
    codes = np.random.default_rng(1).integers(0, layout.codes, (1, layout.codebooks, 8))
    session = reference.language_model.begin(reference.condition([TEXT], False), 8)
    ours_logits = session.forward(codes, every=True)[0]
    with torch.inference_mode():
        logits = peer.model(**peer.tokens(), decoder_input_ids=torch.from_numpy(codes[0])).logits
    wanted = logits[:, -8:].transpose(0, 1).numpy()
    return float(np.abs(ours_logits - wanted).max() / wanted.std())


def compare(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run ours and the peers in turns; return the figures."""
    with tempfile.TemporaryDirectory() as cache:
        model = MusicGen.load(folder, device="cpu", precision=arguments.precision, cache=Path(cache))
    frames = round(arguments.seconds * model.frame_rate)
    steps = frames + int(delays(model.layout.codebooks, model.channels).max())
    peers = {name: Peer(folder, name) for name in arguments.peers.split(",") if name}
    figures: dict[str, Any] = {
        "model": arguments.model if arguments.folder is None else str(arguments.folder),
        "seconds": arguments.seconds,
        "runs": arguments.runs,
        "threads": torch.get_num_threads(),
        "ours": model.language_model.description,
    }
    reference = MusicGen.load(folder, device="cpu", precision="float32")
    figures["logits_snr_db"] = round(logits_snr_db(model, reference), 1)
    if "float32" in peers:
        figures["reference_error"] = reference_error(reference, peers["float32"])
    del reference
    array = torch.ones(READ_BYTES // 4)
    ours(model, 10)  # what is set up once is not what is measured
    times: dict[str, list[float]] = {"ours": [], **{name: [] for name in peers}}
    bandwidths, step_times = [], []
    others, started = Others(), time.perf_counter()
    for _ in range(arguments.runs):
        bandwidths.append(read_bytes_a_second(array))
        step_times.append(step_seconds(model, steps))
        times["ours"].append(timed(lambda: ours(model, frames)))
        for name, peer in peers.items():
            times[name].append(timed(lambda peer=peer: peer.generate(steps)))
    figures["others_share"] = round(others.share(time.perf_counter() - started), 3)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    figures["times_s"] = {name: [round(value, 2) for value in taken] for name, taken in times.items()}
    for name, short in (("float32", "ratio_fp32"), ("bfloat16", "ratio_bf16")):
        if name in peers:
            figures[short] = round(medians[name] / medians["ours"], 2)
    step_s, bandwidth = statistics.median(step_times), max(bandwidths)
    figures["realtime_factor"] = round(arguments.seconds / medians["ours"], 2)
    figures["step_ms"] = round(step_s * 1e3, 2)
    figures["read_gb_s"] = round(bandwidth / 1e9, 1)
    figures["limit_ms"] = round(step_bytes(model, steps) / bandwidth * 1e3, 2)
    figures["bandwidth_fraction"] = round(step_bytes(model, steps) / step_s / bandwidth, 3)
    figures["counts"] = figures["logits_snr_db"] >= GATE_DB
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description="MusicGen beside transformers.")
    parser.add_argument("--model", choices=SIZES, default="small")
    parser.add_argument("--folder", type=Path, help="a real checkpoint in transformers' layout")
    parser.add_argument("--keep", type=Path, help="where the random checkpoint is made, or is already")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", default="float32,bfloat16")
    parser.add_argument("--precision", default="int8")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or arguments.keep or Path(temporary) / arguments.model
        if not (folder / "config.json").is_file():
            checkpoint(folder, arguments.model)
        figures = compare(folder, arguments)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value}")
        if not figures["counts"]:
            print(
                f"The logits are {figures['logits_snr_db']} dB from float32: below {GATE_DB} the ratios don't count."
            )
    return 0 if figures["counts"] else 1


if __name__ == "__main__":
    sys.exit(main())
