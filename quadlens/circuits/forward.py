"""The forward pass over all p² inputs, in blocks of bounded memory, and what is measured from it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import FloatArray
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.circuits.number_range import require_range

BLOCK_BYTES = 2**27
"""Most memory that one block of a forward pass takes (128 MiB), unless one row of inputs needs more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the network does on all p² inputs, measured in float64.

    An input is right when the logit of ``a + b mod p`` is strictly the largest: a tie is wrong. The margin of an input
    is that logit minus the largest other one.
    """

    accuracy: float
    min_margin: float
    mean_margin: float
    logit_std: float
    inputs: int


def row_blocks(circuit: Circuit, block_bytes: int = BLOCK_BYTES) -> Iterator[slice]:
    """Yield slices of ``a`` such that preactivations and logits of a block take at most ``block_bytes``, or one row."""
    row_bytes = 8 * circuit.p * (2 * circuit.neurons + 3 * circuit.p)
    rows = max(1, min(circuit.p, block_bytes // row_bytes))
    for start in range(0, circuit.p, rows):
        yield slice(start, min(start + rows, circuit.p))


def preactivations(circuit: Circuit, rows: slice) -> FloatArray:
    """Return ``A[a, i] + B[b, i]`` for the given ``a`` and every ``b``, shape (rows, p, n)."""
    return circuit.A[rows, None, :] + circuit.B[None, :, :]


def mlp_logits(circuit: Circuit, rows: slice) -> FloatArray:
    """Return the MLP's part of the logits (no skip path), shape (rows, p, p)."""
    hidden = activation_named(circuit.activation).apply(preactivations(circuit, rows))
    return hidden @ circuit.U


def skip_logits(circuit: Circuit, rows: slice) -> FloatArray:
    """Return the skip path's part of the logits, ``S_a[a, c] + S_b[b, c]``, shape (rows, p, p)."""
    return circuit.S_a[rows, None, :] + circuit.S_b[None, :, :]


def logits(circuit: Circuit, rows: slice) -> FloatArray:
    """Return the logits of the whole network, shape (rows, p, p): axes a, b, c."""
    return mlp_logits(circuit, rows) + skip_logits(circuit, rows)


def margins(block: FloatArray, rows: slice) -> FloatArray:
    """Return each input's margin, shape (rows, p): the logit of ``a + b mod p`` minus the largest other logit."""
    p = block.shape[-1]
    a = np.arange(p)[rows]
    right = ((a[:, None] + np.arange(p)) % p)[..., None]
    correct = np.take_along_axis(block, right, axis=-1)
    others = block.copy()
    np.put_along_axis(others, right, -np.inf, axis=-1)
    return np.asarray(correct[..., 0] - others.max(axis=-1))


def evaluate(circuit: Circuit, *, skip: bool = True) -> Evaluation:
    """Run all p² inputs and measure accuracy and margins; ``skip=False`` leaves the skip path out.

    The standard deviation is that of the logits after subtracting each input's mean over ``c``. Cost O(p³ n): this is
    brute force.

    Raises
    ------
    CircuitError
        If it is not a circuit, or its tables are so large that a logit's square could overflow.
    """
    require_range(require_circuit(circuit, "evaluate"))
    right, smallest, total, squares = 0, np.inf, 0.0, 0.0
    for rows in row_blocks(circuit):
        block = logits(circuit, rows) if skip else mlp_logits(circuit, rows)
        block_margins = margins(block, rows)
        right += int((block_margins > 0).sum())
        smallest = min(smallest, float(block_margins.min()))
        total += float(block_margins.sum())
        block -= block.mean(axis=-1, keepdims=True)
        squares += float(np.square(block).sum())
    inputs = circuit.p**2
    return Evaluation(
        accuracy=right / inputs,
        min_margin=smallest,
        mean_margin=total / inputs,
        logit_std=float(np.sqrt(squares / (inputs * circuit.p))),
        inputs=inputs,
    )
