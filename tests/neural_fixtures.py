"""Small checkpoints in the real formats: the same files as published ones have, with few and random weights."""

from pathlib import Path
from typing import Any

CODES = 64
WORDS = "happy rock lo-fi jazz drums bass guitar piano slow fast electronic music with warm pads 120 bpm"


def tiny_tokenizer(folder: Path) -> Any:
    """Write a T5-like tokenizer into a folder; return it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    mark = "\N{LOWER ONE EIGHTH BLOCK}"
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement=mark, prepend_scheme="always")
    made.decoder = decoders.Metaspace(replacement=mark, prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=100, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([WORDS] * 4, trainer)
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def tiny_musicgen(
    folder: Path,
    *,
    melody: bool = False,
    stereo: bool = False,
    end: int | None = None,
    hidden: int = 32,
    seed: int = 0,
) -> Path:
    """Write a MusicGen checkpoint of two layers, as `save_pretrained` lays it out; return the folder.

    Weights are larger than a new model's, so that logits differ and conditions matter. `end` is a code that ends takes.
    """
    import torch
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenMelodyConfig,
        MusicgenMelodyDecoderConfig,
        MusicgenMelodyForConditionalGeneration,
        T5Config,
    )

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer(folder)
    text = T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    audio = EncodecConfig(
        audio_channels=1,
        sampling_rate=32000,
        target_bandwidths=[1.2],
        upsampling_ratios=[8, 5, 4, 4],
        num_filters=4,
        codebook_size=CODES,
        codebook_dim=16,
        hidden_size=16,
        use_causal_conv=False,
        norm_type="weight_norm",
        num_lstm_layers=1,
        use_conv_shortcut=False,
    )
    sizes: dict[str, Any] = {
        "vocab_size": CODES,
        "hidden_size": hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "ffn_dim": 2 * hidden,
        "num_codebooks": 8 if stereo else 4,
        "audio_channels": 2 if stereo else 1,
        "pad_token_id": CODES,
        "bos_token_id": CODES,
        "eos_token_id": end,
    }
    torch.manual_seed(seed)
    model: Any
    if melody:
        decoder = MusicgenMelodyDecoderConfig(**sizes)
        model = MusicgenMelodyForConditionalGeneration(
            MusicgenMelodyConfig(
                text_encoder=text, audio_encoder=audio, decoder=decoder, num_chroma=12, chroma_length=35
            )
        )
    else:
        model = MusicgenForConditionalGeneration(
            MusicgenConfig(text_encoder=text, audio_encoder=audio, decoder=MusicgenDecoderConfig(**sizes))
        )
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.startswith("decoder.") or "_proj" in name:
                weights.copy_(
                    torch.randn(weights.shape) * 1.1 / hidden**0.5
                    + (1.0 if name.endswith("norm.weight") else 0.0)
                )
        for codebook in model.audio_encoder.quantizer.layers:
            codebook.codebook.embed.copy_(torch.randn(codebook.codebook.embed.shape))
    generation = model.generation_config
    generation.guidance_scale = 3.0
    generation.decoder_start_token_id = generation.pad_token_id = generation.bos_token_id = CODES
    generation.max_length = 1500
    model.eval().save_pretrained(folder)
    return folder


def tiny_clap(folder: Path, *, pickled: bool = False, size: int = 8) -> Path:
    """Write a CLAP checkpoint of one layer with a RoBERTa-like tokenizer; return the folder.

    `pickled` writes the weights as `pytorch_model.bin`, as the published checkpoint has them.
    """
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    words = ByteLevelBPETokenizer()
    words.train_from_iterator(
        [WORDS] * 4,
        vocab_size=300,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    words.save_model(str(folder))
    tokenizer = RobertaTokenizer(
        vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=512
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    model = ClapModel(
        ClapConfig(
            projection_dim=size,
            text_config={
                "vocab_size": len(tokenizer),
                "hidden_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "intermediate_size": 32,
                "max_position_embeddings": 80,
                "projection_dim": size,
            },
            audio_config={
                "spec_size": 256,
                "patch_stride": [4, 4],
                "patch_embeds_hidden_size": 16,
                "hidden_size": 32,
                "depths": [1, 1],
                "num_attention_heads": [2, 2],
                "projection_dim": size,
            },
        )
    ).eval()
    model.save_pretrained(folder)
    ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad").save_pretrained(folder)
    if pickled:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder


FOUR = ("drums", "bass", "other", "vocals")


def tiny_htdemucs(sources: tuple[str, ...] = FOUR, seed: int = 0, **changed: Any) -> Any:
    """Return a hybrid transformer Demucs of few weights; its inner branches are loud enough to matter."""
    from fractions import Fraction

    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(seed)
    sizes = {
        "channels": 8, "depth": 4, "dconv_mode": 3, "bottom_channels": 16, "t_layers": 3, "t_heads": 2,
        "t_hidden_scale": 1.0, "segment": Fraction(39, 5), "samplerate": 44100,
    }  # fmt: skip
    model = HTDemucs(list(sources), **{**sizes, **changed})
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if name.endswith(".scale"):
                weights.fill_(0.3)
    return model.eval()


def tiny_hdemucs(sources: tuple[str, ...] = FOUR, seed: int = 0, **changed: Any) -> Any:
    """Return a hybrid Demucs v3 of few weights, with its recurrent layers and local attention."""
    import torch
    from demucs.hdemucs import HDemucs

    torch.manual_seed(seed)
    model = HDemucs(list(sources), **{"channels": 4, "dconv_comp": 1, "segment": 6, **changed})
    return model.eval()


def tiny_time_demucs(sources: tuple[str, ...] = FOUR, seed: int = 0) -> Any:
    """Return a Demucs v3 of few weights that works on waves alone."""
    import torch
    from demucs.demucs import Demucs

    torch.manual_seed(seed)
    return Demucs(list(sources), channels=4, depth=3, dconv_comp=1, segment=1).eval()


def save_demucs(model: Any, folder: Path, signature: str, suffix: str = ".safetensors") -> Path:
    """Write a model as Demucs' own tools do: safetensors with its arguments, or a pickle with a hash in its name."""
    import json

    from demucs.states import get_state, save_with_checksum
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    given, named = model._init_args_kwargs
    if suffix == ".th":
        package = {
            "klass": type(model),
            "args": given,
            "kwargs": named,
            "state": get_state(model, None, half=True),
        }
        save_with_checksum(package, folder / f"{signature}.th")
        return next(folder.glob(f"{signature}-*.th"))
    if (
        "segment" in named
        and hasattr(named["segment"], "numerator")
        and not isinstance(named["segment"], int)
    ):
        fraction = named["segment"]
        named = {
            **named,
            "segment": {
                "_type": "fraction",
                "numerator": fraction.numerator,
                "denominator": fraction.denominator,
            },
        }
    metadata = {
        "klass": f"{type(model).__module__}.{type(model).__qualname__}",
        "args": json.dumps(list(given)),
        "kwargs": json.dumps(named),
    }
    file = folder / f"{signature}.safetensors"
    tensors = {name: weights.contiguous().clone() for name, weights in model.state_dict().items()}
    save_file(tensors, file, metadata)
    return file


def tiny_demucs(folder: Path, name: str = "htdemucs", suffix: str = ".safetensors") -> Path:
    """Write a repository with one bag of one small htdemucs; return its folder."""
    save_demucs(tiny_htdemucs(), folder, "955717e8", suffix)
    (folder / f"{name}.yaml").write_text("models: ['955717e8']\n", encoding="utf-8")
    return folder
