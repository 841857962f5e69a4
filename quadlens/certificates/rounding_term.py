r"""What float64 can do to the bounds, from above, once for the whole certificate.

Notation: ``Y_i = max_a |A[a,i]| + max_b |B[b,i]|``; ``X_i = r_i`` times the largest sum of two waveform values of
the neuron's bucket or group, the larger of the two; ``M_i = Y_i + 2 X_i``, which bounds ``h_i``, ``|δA_i| + |δB_i|``,
``ρ̄_i`` and ``|ε^A_i| + |ε^B_i|``; ``U_i = max_c |U[i,c]|``, so that ``|û_{i,z}| ≤ 2U_i``, ``|dU_i(c)| ≤ (1 + 2f) U_i``
with ``f = |F|``, ``V_i ≤ 4f U_i``; ``s = max |S_a| + max |S_b|``.

Taken for granted of the libraries: ``exp`` is right to 4 units in the last place (so that ``e^{iωzc}``, from an exact
residue, is off by at most 40 u). On a device (``certificates.on_torch``) the same term holds: ``exp`` is numpy's there
too, and of the device only sums in any order and ``+ − × √`` within a rounding each are used, and quotients within two
(torch multiplies by a reciprocal on a GPU), of which K has enough to spare.

Every quantity is a sum of products of such numbers; ``max``, ``min``, ``(·)₊`` and ``|·|`` never enlarge an error. A
sum of terms reached by at most K roundings is off by at most ``γ_K Σ|terms|`` (``quadlens.rounding``); all chains here
are shorter than ``K = n + p + G + 2x + 2J + 4f + 4M + 200``, with ``x`` the most arcs that one sum has.

* a sum over arcs adds ``2x + 1`` prefix sums, each off by ``γ_K Σ|f_i|`` and no larger than ``Σ|f_i|``:
  ``κ = γ_K (2x + 2)`` times ``Σ|f_i|``
* C_z: gates ``2κ Σ Y_i U_i``; the ``2J + 2`` zones of ρ̄ at the one own frequency ``(2J + 2) κ Σ M_i U_i``; skip
  ``4 γ_K s``; together over z, and at most three times (X, its mean, their distance), each with ``|1 − e| ≤ 2``: 6
  times
* R: ``(2J + 2) κ Σ M_i w_i (2 + 2v_β)``, and ``w_i`` itself is off by ``8 f γ_K U_i / v_β``
* D: ``|P̂| ≤ X_i/r_i``, off by ``γ_K`` times that; ``Q`` off by ``γ_K (1 + 2f) Σ r_i U_i``; at most ``2(M + 1)`` of
  them, each twice: ``8 (M + 1)(1 + 2f) γ_K Σ X_i U_i``; the same where D is not bounded but evaluated
* tail: the norm of P is at most √G X_i/r_i, that of q at most ``(1 + 2f) Σ r_i U_i``, off by γ_K times that:
  ``8 √G (1 + 2f) γ_K Σ X_i U_i``; and the error of a root of a difference, evaluated by ``Remainder``, twice to be safe
* res: its sum is off by ``4 (1 + 2f) γ_K Σ M_i U_i``, its product of norms by ``8 (1 + 2f) γ_K ‖M‖ ‖U‖``, which is the
  more; skip's rest: ``4 (1 + 2f) γ_K s``
* the last sums over z and terms: γ_K times everything that is added, at most ``20 (f + 1)(‖M‖ ‖U‖ + s)`` and the
  terms above over γ_K

* where ReLU's ``g y + ρ`` is ``α y + (1 − α)(g y + ρ)``, everything ``|α| + |1 − α| <= 1 + 2 |α|`` times

Underflow: a product may lose 2^−1074 and a square root of squares 2^−537; ``UNDERFLOW`` times the numbers they can
meet covers all of them.
"""

from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.kink import negative_slope
from quadlens.certificates.parallel import BLOCK, blocks_of, in_parallel
from quadlens.certificates.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import gamma, sum_up, up

UNDERFLOW = 2.0**-480

LARGEST = 1e60
"""Tables beyond this are refused: squares of sums of their products might overflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingTerm:
    """``evaluation``: of the inequality in float64; ``tables``: what the tables' radius can do to a margin."""

    evaluation: float
    tables: float


def too_large(circuit: Circuit) -> str | None:
    """Return why the circuit's numbers are beyond what float64 can bound, or None."""
    for name in ("A", "B", "U", "S_a", "S_b"):
        largest = float(_largest(getattr(circuit, name), 0).max())
        if largest > LARGEST:
            return f"table {name} has entries up to {largest:.3g}, beyond {LARGEST:g}: float64 may overflow; rescale it"
    return None


def rounding_term(
    circuit: Circuit, plan: Plan, w: FloatArray, crossings: int, tail_error: float
) -> RoundingTerm:
    """Return the two terms for a plan with weights ``w_i`` (0 for solo neurons) and at most ``crossings`` arcs.

    ``tail_error`` is that of ``Remainder``.
    """
    n, p = circuit.neurons, circuit.p
    kept, levels = len(plan.retained), max((b.levels.size for b in plan.buckets), default=0)
    Y = _largest(circuit.A, 0) + _largest(circuit.B, 0)
    U = _largest(circuit.U, 1)
    s = float(_largest(circuit.S_a, 1).max() + _largest(circuit.S_b, 1).max())
    curve, v = np.zeros(n), np.ones(n)
    for part in (*plan.buckets, *plan.groups):
        height = np.abs(part.A).max() + np.abs(part.B).max()
        curve[part.members] = np.maximum(curve[part.members], height)
    for bucket in plan.buckets:
        v[bucket.members] = bucket.cross
    X = plan.amplitude * curve
    M = Y + 2 * X
    K = gamma(n + p + plan.cells + 2 * crossings + 2 * levels + 4 * kept + 4 * plan.harmonics + 200)
    arcs = K * (2 * crossings + 2)
    zones = (2 * levels + 2) * arcs
    YU, XU, MU = float(Y @ U), float(X @ U), float(M @ U)
    MU_norms = float(np.sqrt(M @ M) * np.sqrt(U @ U))
    one, harmonics = 1 + 2 * kept, plan.harmonics + 1
    C = 6 * (2 * kept * arcs * YU + zones * MU + 4 * kept * K * s)
    R = zones * float((M * w) @ (2 + 2 * v)) + 8 * kept * K * float((M * U) @ ((2 + 2 * v) / v))
    D = 8 * harmonics * one * K * XU
    tail = 8 * float(np.sqrt(plan.cells)) * one * K * XU + 2 * tail_error
    rest = 8 * one * K * (MU_norms + s)
    last = K * (20 * (kept + 1) * (MU_norms + s) + float((M * w) @ (2 + 2 * v)))
    last += 2 * K * (C + R + D + tail + rest) / arcs
    met = (1 + float(M.sum())) * (1 + float(U.sum())) * (1 + s) * float(1 / v.min())
    underflow = UNDERFLOW * met * (n + p + plan.cells) * (kept + 1) * (levels + 1) * (crossings + 1) * harmonics
    operations = 16 * (n + p + plan.cells) + 1000
    # κ ρ̄, κ g y and α y in place of ρ̄ and g y, κ = 1 − α
    slopes = 1 + 2 * abs(negative_slope(circuit.activation))
    pieces = {"C": C, "R": R, "D": D, "tail": tail, "rest": rest, "last": last, "underflow": underflow}
    evaluation = float(sum_up({name: slopes * piece for name, piece in pieces.items()}, operations))

    radius = circuit.radius
    hidden = radius["A"] + radius["B"]
    tables = 2 * hidden * float(U.sum()) + 2 * radius["U"] * (float(Y.sum()) + n * hidden)
    tables += 2 * (radius["S_a"] + radius["S_b"])
    return RoundingTerm(evaluation=evaluation, tables=float(up(np.array(tables), operations)) if tables > 0 else 0.0)


def _largest(table: FloatArray, axis: int) -> FloatArray:
    """Return the largest moduli along an axis."""
    across = table if axis == 0 else table.T
    out = np.empty(across.shape[1])

    def work(block: slice) -> None:
        part = across[:, block]
        out[block] = np.maximum(part.max(axis=0), -part.min(axis=0))

    in_parallel(work, blocks_of(across.shape[1], max(64, BLOCK // across.shape[0])))
    return out
