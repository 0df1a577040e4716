"""The table of models that can be fetched by name.

Sources: the models' pages on the hub for licences and sizes (read in 2026); facebookresearch/demucs issues 327 and 508,
where the author says that the weights are for research, while the pages of the same weights on the hub say MIT: until
that is settled they do not count as commercial. MusicGen's weights are CC BY-NC 4.0; CLAP's are Apache-2.0.

The order within a task is the order in which `auto` takes them.
"""

from engine.models.card import ModelCard, Task

MB, GB = 10**6, 10**9

_DEMUCS_LICENCE = "research use, says its author"
_MIRROR = "https://dl.fbaipublicfiles.com/demucs/"
_NC = "CC BY-NC 4.0"
_TRANSFORMERS = ("config.json", "generation_config.json", "preprocessor_config.json", "tokenizer*.json")
_MUSICGEN = (*_TRANSFORMERS, "special_tokens_map.json", "model*.safetensors")
_SHARDED = (*_MUSICGEN, "model.safetensors.index.json")


def _demucs(
    name: str,
    repo: str,
    signatures: tuple[str, ...],
    size_bytes: int,
    description: str,
    mirrors: tuple[str, ...],
) -> ModelCard:
    return ModelCard(
        name=name,
        task="separate",
        family="demucs",
        repo=f"adefossez/{repo}",
        files=(f"{name}.yaml", *(f"{signature}.safetensors" for signature in signatures)),
        licence=_DEMUCS_LICENCE,
        commercial=False,
        size_bytes=size_bytes,
        needs_bytes=int(2.5 * GB),
        description=description,
        mirrors=tuple(_MIRROR + file for file in mirrors),
    )


def _musicgen(
    name: str,
    size_bytes: int,
    needs_bytes: int,
    description: str,
    *,
    melody: bool = False,
    channels: int = 1,
    sharded: bool = True,
) -> ModelCard:
    return ModelCard(
        name=name,
        task="generate",
        family="musicgen",
        repo=f"facebook/{name}",
        files=_SHARDED if sharded else _MUSICGEN,
        licence=_NC,
        commercial=False,
        size_bytes=size_bytes,
        needs_bytes=needs_bytes,
        description=description,
        melody=melody,
        channels=channels,
    )


_TABLE: tuple[ModelCard, ...] = (
    _demucs(
        "htdemucs", "HTDemucs", ("955717e8",), 84 * MB, "vocals, drums, bass, other; the usual choice",
        ("hybrid_transformer/955717e8-8726e21a.th",),
    ),
    _demucs(
        "htdemucs_ft", "HTDemucs-ft", ("f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d"), 336 * MB,
        "one htdemucs tuned to each stem: a little better, four times as slow",
        (
            "hybrid_transformer/f7e0c4bc-ba3fe64a.th", "hybrid_transformer/d12395a8-e57c48e6.th",
            "hybrid_transformer/92cfc3b6-ef3bcb9c.th", "hybrid_transformer/04573f0d-f3cf25b2.th",
        ),
    ),
    _demucs(
        "mdx_extra", "Demucs-mdx_extra", ("e51eebcc", "a1d90b5c", "5d2d6c55", "cfa93e08"), 671 * MB,
        "four hybrid models without a transformer (v3)",
        (
            "mdx_final/e51eebcc-c1b80bdd.th", "mdx_final/a1d90b5c-ae9d2452.th",
            "mdx_final/5d2d6c55-db83574e.th", "mdx_final/cfa93e08-61801ae1.th",
        ),
    ),
    _demucs(
        "htdemucs_6s", "HTDemucs-6s", ("5c90dfd2",), 55 * MB,
        "also guitar and piano; the piano is weak, says its author",
        ("hybrid_transformer/5c90dfd2-34c22ccb.th",),
    ),
    _musicgen("musicgen-melody", int(6.23 * GB), 7 * GB, "follows the song's melody; 1.5 billion weights", melody=True),
    _musicgen(
        "musicgen-stereo-melody", int(6.33 * GB), 7 * GB, "the same in stereo", melody=True, channels=2
    ),
    _musicgen(
        "musicgen-melody-large", int(10.5 * GB), 15 * GB, "follows the melody; 3.3 billion weights", melody=True
    ),
    _musicgen(
        "musicgen-stereo-melody-large", int(10.7 * GB), 15 * GB, "the same in stereo", melody=True, channels=2
    ),
    _musicgen("musicgen-small", int(2.36 * GB), 3 * GB, "from words; 300 million weights, the fastest", sharded=False),
    _musicgen("musicgen-stereo-small", int(1.2 * GB), 3 * GB, "the same in stereo", channels=2, sharded=False),
    _musicgen("musicgen-medium", int(8.0 * GB), 8 * GB, "from words; 1.5 billion weights"),
    _musicgen(
        "musicgen-stereo-medium", int(4.07 * GB), 8 * GB, "the same in stereo", channels=2, sharded=False
    ),
    _musicgen("musicgen-large", int(13.7 * GB), 15 * GB, "from words; 3.3 billion weights"),
    _musicgen("musicgen-stereo-large", int(6.92 * GB), 15 * GB, "the same in stereo", channels=2),
    ModelCard(
        name="clap-music",
        task="embed",
        family="clap",
        repo="laion/larger_clap_music",
        files=(
            "config.json", "preprocessor_config.json", "tokenizer*.json", "vocab.json", "merges.txt",
            "special_tokens_map.json", "pytorch_model.bin",
        ),
        licence="Apache-2.0",
        commercial=True,
        size_bytes=780 * MB,
        needs_bytes=int(1.6 * GB),
        description="how alike sounds and words are; trained on music",
        revision="a0b4534a14f58e20944452dff00a22a06ce629d1",
    ),
)  # fmt: skip

CATALOGUE: dict[str, ModelCard] = {card.name: card for card in _TABLE}
"""Name -> card."""


def card_of(name: str) -> ModelCard | None:
    """Return the card of a name, or of a repository (`facebook/musicgen-small`); None if there is none."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    return next((card for card in _TABLE if card.repo.lower() == name.lower()), None)


def cards_for(task: Task) -> list[ModelCard]:
    """Return the cards of a task, in the order in which they are taken."""
    return [card for card in _TABLE if card.task == task]
