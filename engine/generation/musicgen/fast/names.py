"""Where the language model's weights are in a checkpoint, as `transformers` names them."""

DECODER = "decoder.model.decoder."


def layer(index: int, part: str) -> str:
    """Return the name of a layer's weights."""
    return f"{DECODER}layers.{index}.{part}"


def embedding(codebook: int) -> str:
    """Return the name of a codebook's table of vectors (V + 1, hidden)."""
    return f"{DECODER}embed_tokens.{codebook}.weight"


def head(codebook: int) -> str:
    """Return the name of a codebook's output weights (V, hidden)."""
    return f"decoder.lm_heads.{codebook}.weight"


FINAL_NORM = f"{DECODER}layer_norm"
SELF, CROSS = "self_attn", "encoder_attn"
QUERY, KEY, VALUE, OUT = "q_proj.weight", "k_proj.weight", "v_proj.weight", "out_proj.weight"
SELF_NORM, CROSS_NORM, INNER_NORM = "self_attn_layer_norm", "encoder_attn_layer_norm", "final_layer_norm"
INNER_IN, INNER_OUT = "fc1.weight", "fc2.weight"
