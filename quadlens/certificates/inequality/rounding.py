r"""What rounding can do to (L) and (G′): one number for a whole certificate, summed from named pieces.

``u = 2^−53``, ``γ_k`` as in ``quadlens.rounding``. Exact in float64: cells and their shifts; sums of two curve values
and their comparison with a level (multiples of 2^−20 below 2^9); ``r_i W`` (28 bits times 24); maxima; the signs of
``fl(A + B)``; whether a gate is settled, for ``Δ_i`` is taken with room for its roundings. Everything else is a sum of
products of tables, roots of unity (numpy's, of an exact residue, off by at most 40 u) and sums of such: a chain of at
most ``k = n + p + G + 2x + 4|F| + 4M + 200`` roundings, x the most arc ends of one sum, in any order, fused or not, on
any device. Write ``γ = γ_k``; a sum over arcs takes ``2x + 2`` prefix sums, each off by ``γ Σ|f_i|`` and no larger than
``Σ|f_i|``: ``κ = (2x + 2) γ``.

For neuron i let ``M_i = max|A_i| + max|B_i| + 2 r_i (max|W^A| + max|W^B|)``, at least ``|y_i|``, ``|δA_i| + |δB_i|``,
``r_i|P|``; ``U_i = max|U_i|``; then ``|û_{i,z}| <= 2 U_i``, ``|dU_i| <= (1 + 2f) U_i``, ``osc_i <= 2 (1 + 2f) U_i``,
``V_i <= 4 f U_i``, f = |F|. In units of ``κ Σ M_i U_i <= κ ‖M‖ ‖U‖``, with γ <= κ/2:

* *retained*: C_z, f of them: settled gates 2, exceptions 1, and where gates are bounded 8 (four zones of ρ̄); at most
  three times (X, its mean, their distance), each with ``|1 − e^{iωzδ}| <= 2``: ``6 f (3 + 8)``; of the skip path, with
  s the largest ``|S_a| + |S_b|``, ``24 f γ s``
* *gates*: R, where gates are bounded: ``16 f``
* *head*: D, or the head evaluated: at most ``2 (M + 1)`` products ``|P̂| O``, each factor off by γ:
  ``4 (M + 1)(1 + 2f)``
* *tail*: ``|P|`` has norm at most ``√G``, twice: ``4 √G (1 + 2f)``; and twice what the root of a difference can lose
  (``Remainder.tail_error``)
* *residual*: by arcs and by norms ``(8 + 4)(1 + 2f)``; a norm whose square is a difference of prefix sums is evaluated
  from above (``table_sums``); the rest of the skip path ``4 (1 + 2f) γ s``
* *sums*: the last ones, over z and over terms: ``10 (f + 1)`` and ``20 (f + 1) γ s``, and once more what stands above
  for its own roundings

and with ``|α| + |1 − α| <= 1 + 2|α|`` in front of what a gate multiplies. *underflow*: a product may lose 2^−1074 and
the root of a sum of squares 2^−537; ``UNDERFLOW`` times the numbers that they can meet covers all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named, negative_slope
from quadlens.arrays import FloatArray
from quadlens.certificates.compute.blocks import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import gamma, sum_up

UNDERFLOW = 2.0**-480

LARGEST = 1e60
"""Tables beyond this are refused: squares of sums of their products might overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingTerm:
    """``evaluation``: what float64 can do to a bound; ``tables``: what the tables' radius can do to a margin."""

    evaluation: float
    tables: float

    def lowered(self, bound: FloatArray) -> FloatArray:
        """Return lower bounds of real margins from bounds evaluated in float64."""
        less = np.nextafter(bound - self.evaluation, -np.inf)
        return np.asarray(np.nextafter(less - self.tables, -np.inf))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sizes:
    """``by_table``: the largest moduli, of each neuron in A, B and U (n,) and of each row in S_a and S_b (p,)."""

    by_table: Mapping[str, FloatArray]


def sizes(circuit: Circuit) -> Sizes:
    """Look at every number of a circuit once."""
    axes = {"A": 0, "B": 0, "U": 1, "S_a": 1, "S_b": 1}
    return Sizes(by_table={name: _largest(getattr(circuit, name), axis) for name, axis in axes.items()})


def too_large(size: Sizes) -> str | None:
    """Return why a circuit's numbers are beyond what float64 can bound, or None."""
    for name, each in size.by_table.items():
        if (largest := float(each.max())) > LARGEST:
            return f"table {name} has entries up to {largest:.3g}, beyond {LARGEST:g}: float64 may overflow; rescale it"
    return None


def moduli(size: Sizes, plan: Plan) -> FloatArray:
    """Return ``M_i``, (n,)."""
    height = np.zeros(plan.amplitude.size)
    for group in plan.groups:
        height[group.members] = np.abs(group.A).max() + np.abs(group.B).max()
    return size.by_table["A"] + size.by_table["B"] + 2 * plan.amplitude * height


def arcs_unit(circuit: Circuit, M_i: FloatArray, U: FloatArray, crossings: int, k: int) -> float:
    """Return the unit ``κ ‖M‖ ‖U‖`` of the pieces, with what gates multiply by; ``κ = (2x + 2) γ_k``."""
    slopes = 1 + 2 * abs(negative_slope(circuit.activation))
    return gamma(k) * (2 * crossings + 2) * slopes * float(np.sqrt(M_i @ M_i) * np.sqrt(U @ U))


def rounding_term(circuit: Circuit, size: Sizes, plan: Plan, crossings: int, tail_error: float) -> RoundingTerm:
    """Return the pieces for a plan, at most ``crossings`` arc ends in one sum, and ``Remainder.tail_error``."""
    n, p, f, M = circuit.neurons, circuit.p, len(plan.retained), plan.harmonics
    Y, U = size.by_table["A"] + size.by_table["B"], size.by_table["U"]
    s = float(size.by_table["S_a"].max() + size.by_table["S_b"].max())
    M_i = moduli(size, plan)
    k = n + p + plan.cells + 2 * crossings + 4 * f + 4 * M + 200
    unit, one, arcs = gamma(k), 1 + 2 * f, arcs_unit(circuit, M_i, U, crossings, k)
    bounded = bool(plan.bounded.any())
    met = (1 + float(M_i.sum())) * (1 + float(U.sum())) * (1 + s)
    pieces = {
        "retained": 6 * f * (11 if bounded else 3) * arcs + 24 * f * unit * s,
        "gates": 16 * f * arcs if bounded else 0.0,
        "head": 4 * (M + 1) * one * arcs,
        "tail": 4 * float(np.sqrt(plan.cells)) * one * arcs + 2 * tail_error,
        "residual": 12 * one * arcs + 4 * one * unit * s,
    }
    pieces["sums"] = sum(pieces.values()) + 10 * (f + 1) * (arcs + 2 * unit * s)
    pieces["underflow"] = UNDERFLOW * met * k * (f + 1) * (crossings + 1) * (M + 1)
    return RoundingTerm(evaluation=float(sum_up(pieces, 16 * k)), tables=table_term(circuit, U, Y, 16 * k))


def table_term(circuit: Circuit, U: FloatArray, outputs: FloatArray, operations: int) -> float:
    """Return what the tables' radius can do to a margin, at most: hidden values move by L times what A and B do.

    ``U`` is ``max|U_i|``, ``outputs`` no smaller than ``|act(y_i)|``, each (n,).
    """
    radius, lipschitz = circuit.radius, activation_named(circuit.activation).lipschitz or np.inf
    hidden = radius["A"] + radius["B"]
    pieces = {
        "A and B": 2 * lipschitz * hidden * float(U.sum()),
        "U": 2 * radius["U"] * (float(outputs.sum()) + circuit.neurons * lipschitz * hidden),
        "S": 2 * (radius["S_a"] + radius["S_b"]),
    }
    return float(sum_up(pieces, operations)) if any(pieces.values()) else 0.0


def _largest(table: FloatArray, axis: int) -> FloatArray:
    """Return the largest moduli along an axis."""

    def work(block: slice) -> FloatArray:
        part = table[block]
        return np.asarray(np.maximum(part.max(axis=axis), -part.min(axis=axis)))

    found = in_parallel(work, blocks_of(table.shape[0], BLOCK // table.shape[1]))
    return np.asarray(np.max(found, axis=0) if axis == 0 else np.concatenate(found))
