r"""Freezing attention: take the mean of an input-dependent pattern, and measure what that changes on every input.

The pattern at the readout, ``P[a, b, h, s] = share · softmax_s(scores) + uniform``, is replaced by its mean over all
p² inputs. What is left is a circuit, and a *different* network: nothing that is proved of it is proved of the network
in the file, so the deviation is measured over all inputs and carried along. A causal mask hides nothing from the last
token, where the logits are read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import BLOCK_BYTES, logits, margins
from quadlens.circuits.provenance import Freezing
from quadlens.circuits.readers.transformer import Pattern, Transformer
from quadlens.claims import Measurement
from quadlens.digits import at_most, percent

GRAIN = 2**40
"""A frozen weight is the mean rounded to a multiple of ``1 / GRAIN``, so that it is a short exact fraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenAttention:
    """How far freezing moved the network, measured over all p² inputs.

    Parameters
    ----------
    pattern : array, shape (heads, n_ctx), the frozen weights
    attention_change : largest change of an attention weight
    logit_change : largest change of a logit
    accuracy_before, accuracy_after : of the network in the file, and of the circuit
    inputs : how many there are
    """

    pattern: FloatArray
    attention_change: Measurement
    logit_change: Measurement
    accuracy_before: Measurement
    accuracy_after: Measurement
    inputs: int

    @property
    def summary(self) -> str:
        """The deviation in one line."""
        return (
            f"attention frozen at its mean: over {self.logit_change.over} a weight moves by up to"
            f" {at_most(self.attention_change.value)}, a logit by up to {at_most(self.logit_change.value)}, accuracy"
            f" {percent(self.accuracy_before.value, 4)} becomes {percent(self.accuracy_after.value, 4)}"
        )

    @property
    def record(self) -> Freezing:
        """The deviation as a circuit's provenance keeps it."""
        return Freezing(
            inputs=self.inputs,
            attention_change=self.attention_change.value,
            logit_change=self.logit_change.value,
            accuracy_before=self.accuracy_before.value,
            accuracy_after=self.accuracy_after.value,
        )

    def to_dict(self) -> dict[str, Any]:
        """The deviation as JSON values."""
        return {
            "pattern": self.pattern.tolist(),
            "attention_change": self.attention_change.value,
            "logit_change": self.logit_change.value,
            "accuracy_before": self.accuracy_before.value,
            "accuracy_after": self.accuracy_after.value,
            "over": self.logit_change.over,
        }


def attention(model: Transformer) -> FloatArray:
    """Return the attention weights at the readout for every input, shape (p, p, heads, n_ctx)."""
    embedding_b = model.E if model.E_b is None else model.E_b
    tokens = [model.E + model.pos[0], embedding_b + model.pos[1]]
    if model.E_eq is not None:
        tokens.append(model.E_eq + model.pos[2])
    queries = _per_head(tokens[-1], model.W_Q, model.b_Q)
    keys = [_per_head(token, model.W_K, model.b_K) for token in tokens]
    p, heads = model.p, model.heads
    scores = np.empty((p, p, heads, len(tokens)))
    if model.E_eq is None:  # the query is at b
        scores[..., 0] = np.einsum("bhd,ahd->abh", queries, keys[0])
        scores[..., 1] = np.einsum("bhd,bhd->bh", queries, keys[1])[None]
    else:
        scores[..., 0] = np.einsum("hd,ahd->ah", queries[0], keys[0])[:, None]
        scores[..., 1] = np.einsum("hd,bhd->bh", queries[0], keys[1])[None]
        scores[..., 2] = np.einsum("hd,hd->h", queries[0], keys[2][0])
    scores /= model.scale
    scores -= scores.max(axis=-1, keepdims=True)
    softmax = np.exp(scores)
    softmax /= softmax.sum(axis=-1, keepdims=True)
    return np.asarray(float(model.share) * softmax + float(model.uniform))


def transformer_logits(model: Transformer, weights: FloatArray, rows: slice) -> FloatArray:
    """Return the logits for ``a`` in ``rows`` and every ``b`` under the attention ``weights`` of those inputs.

    ``weights`` has shape (rows, p, heads, n_ctx); the result has shape (rows, p, p).
    """
    embedding_b = model.E if model.E_b is None else model.E_b
    x_a, x_b = model.E[rows] + model.pos[0], embedding_b + model.pos[1]
    sources = [x_a, x_b]
    residual = x_b[None, :, :]
    if model.E_eq is not None:
        sources.append(model.E_eq + model.pos[2])
        residual = sources[2][None]
    residual = np.broadcast_to(residual, (x_a.shape[0], model.p, residual.shape[-1])).copy()
    for token, (source, axes) in enumerate(zip(sources, ("ahd", "bhd", "zhd"), strict=False)):
        values = np.einsum("xhd,hde->xhe", _per_head(source, model.W_V, model.b_V), model.W_O)
        if axes == "zhd":
            residual += np.einsum("abh,he->abe", weights[..., token], values[0])
        else:
            residual += np.einsum(f"abh,{axes[0]}he->abe", weights[..., token], values)
    if model.b_O is not None:
        residual += model.b_O
    hidden = activation_named(model.activation).apply(residual @ model.W_in + model.b_in)
    out = (residual + hidden @ model.W_out + model.b_out) @ model.W_U
    return np.asarray(out if model.b_U is None else out + model.b_U)


def mean_pattern(weights: FloatArray) -> Pattern:
    """Return the mean attention over all inputs as exact fractions, by head and token."""
    mean = weights.mean(axis=(0, 1))
    return [[Fraction(round(float(value) * GRAIN), GRAIN) for value in head] for head in mean]


def measure_freezing(
    model: Transformer, circuit: Circuit, pattern: Pattern, *, progress: Callable[[float], None] | None = None
) -> FrozenAttention:
    """Compare the network with the circuit that has its attention frozen at ``pattern``, on all inputs in float64."""
    weights = attention(model)
    frozen = np.array([[float(value) for value in head] for head in pattern])
    p = model.p
    row_bytes = 8 * p * (2 * circuit.neurons + 4 * p + 3 * model.E.shape[1])
    block = max(1, min(p, BLOCK_BYTES // row_bytes))
    change, before, after = 0.0, 0, 0
    for start in range(0, p, block):
        rows = slice(start, min(start + block, p))
        given, kept = transformer_logits(model, weights[rows], rows), logits(circuit, rows)
        change = max(change, float(np.abs(given - kept).max()))
        before += int((margins(given, rows) > 0).sum())
        after += int((margins(kept, rows) > 0).sum())
        if progress is not None:
            progress(rows.stop / p)
    over = f"all {p * p} inputs"
    return FrozenAttention(
        pattern=frozen,
        attention_change=Measurement(value=float(np.abs(weights - frozen).max()), over=over),
        logit_change=Measurement(value=change, over=over),
        accuracy_before=Measurement(value=before / p**2, over=over),
        accuracy_after=Measurement(value=after / p**2, over=over),
        inputs=p * p,
    )


def _per_head(rows: FloatArray, matrices: FloatArray, bias: FloatArray | None) -> FloatArray:
    projected: FloatArray = np.einsum("xe,hed->xhd", rows, matrices)
    return projected if bias is None else np.asarray(projected + bias)
