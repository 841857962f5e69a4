r"""The method ``interval``: naive interval propagation, the baseline that the other methods are compared with.

The inputs ``(d + b, b)`` of a class are cut into ``boxes`` runs of b. In a box neuron i has its preactivation in an
interval, hence its activation
within ``m_i ± ρ_i``, and with ``ū_i = ½ (max_c + min_c) U[i, c]`` the logits are within

    M_c ± R_c,   M_c = Σ_i m_i U[i, c] + mean S_c,   R_c = Σ_i ρ_i |U[i, c] − ū_i| + spread S_c

up to an amount common to all c. So an input of the box with right answer y has margin at least
``M_y − R_y − max_{c ≠ y} (M_c + R_c)`` minus rounding. Nothing is known of phases, so the bound is useless until a box
holds one input;
then it is brute force. Cost: boxes · p · (2p n) for the products.
"""

from collections.abc import Callable

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError, OptionError
from quadlens.rounding import SMALLEST, UNIT_ROUNDOFF, gamma, sum_up

MONOTONE = ("relu", "abs", "square")


def certify_interval(
    circuit: Circuit, *, boxes: int = 1, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Propagate intervals for every class, ``boxes`` of them each (1 … p).

    Raises
    ------
    OptionError
        If ``boxes`` is not in 1 … p.
    CertificateError
        If the activation is not ReLU, |x| or x².
    """
    p = circuit.p
    if isinstance(boxes, bool) or not isinstance(boxes, int) or not 1 <= boxes <= p:
        raise OptionError(f"boxes must be an integer in 1..{p}, got {boxes!r}")
    if circuit.activation not in MONOTONE:
        raise CertificateError(f"interval needs one of {', '.join(MONOTONE)}; the network has {circuit.activation}")
    return certificate_of("interval", circuit, lambda: _prove(circuit, boxes, progress or (lambda done: None)))


def _prove(circuit: Circuit, boxes: int, report: Callable[[float], None]) -> Proof:
    p, n = circuit.p, circuit.neurons
    low = np.empty((p, p))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for d in range(p):
            for members in np.array_split(np.arange(p), boxes):
                low[d, members] = _box_margins(circuit, (members + d) % p, members)
            report((d + 1) / p)
    arithmetic = "float64, intervals widened by a-priori rounding bounds that are themselves rounded up"
    prover = {"boxes": boxes}
    # every input is in one box of its class
    operations = p * (p * (6 * n + 8 * p) + boxes * (20 + 4 * p) * n)
    if not np.isfinite(low).all():
        reason = "a bound overflows float64; rescale the network or use exact"
        return Proof(arithmetic=arithmetic, prover=prover, operations=operations, refusal=reason)
    classes = tuple(
        ClassBound(
            difference=d,
            margin_lower_bound=float(row.min()),
            certified=int((row > 0).sum()),
            ledger=(("interval bound", float(row.min())),),
        )
        for d, row in enumerate(low)
    )
    return Proof(arithmetic=arithmetic, classes=classes, prover=prover, operations=operations)


def _box_margins(circuit: Circuit, a: IntArray, b: IntArray) -> FloatArray:
    """Return a lower bound of the margin for each input ``(a, b)`` of a box.

    Rounding: a product in ``M_c`` or ``R_c`` meets n + 2 roundings there and two in the margin's differences, and as
    computed is two too small at most; a sum of the skip path, once in each, meets fewer.
    """
    p, n, radius = circuit.p, circuit.neurons, circuit.radius
    low, high = _image(circuit.activation, *_preactivations(circuit, a, b))
    middle = 0.5 * low + 0.5 * high
    spread = np.nextafter(np.maximum(high - middle, middle - low), np.inf)
    largest, smallest = circuit.U.max(axis=1), circuit.U.min(axis=1)
    centre = 0.5 * largest + 0.5 * smallest
    size_u = np.abs(circuit.U).max(axis=1)
    S = circuit.S_a[a] + circuit.S_b[b]
    S_low, S_high = S.min(axis=0), S.max(axis=0)
    M = middle @ circuit.U + (0.5 * S_low + 0.5 * S_high)
    R = spread @ np.abs(circuit.U - centre[:, None]) + (0.5 * S_high - 0.5 * S_low)
    pieces = {
        "sums": gamma(n + 6) * float(np.abs(middle) @ size_u + 2 * spread @ size_u + 2 * np.abs(S).max()),
        "radius of U": radius["U"] * float((np.abs(middle) + 2 * spread).sum()),
        "radius of S": radius["S_a"] + radius["S_b"],
        "underflow": (n + 6) * SMALLEST,
    }
    error = float(sum_up(pieces, n + 16))
    y = (a + b) % p
    top = M + R
    best = int(top.argmax())
    second = np.delete(top, best).max()
    others = np.where(y == best, second, top[best])
    found = M[y] - R[y] - others
    return np.asarray(np.nextafter(found - 2 * error, -np.inf))


def _preactivations(circuit: Circuit, a: IntArray, b: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return an interval for each neuron that holds its exact preactivations on the inputs ``(a, b)`` of a box."""
    radius, x = circuit.radius, circuit.A[a] + circuit.B[b]
    of_x = {"preactivations": UNIT_ROUNDOFF * np.abs(x).max(axis=0), "radius of A and B": radius["A"] + radius["B"]}
    slack = sum_up(of_x, 3)
    return np.nextafter(x.min(axis=0) - slack, -np.inf), np.nextafter(x.max(axis=0) + slack, np.inf)


def _image(name: str, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return an interval that holds ``act`` of the interval."""
    if name == "relu":
        return np.maximum(low, 0.0), np.maximum(high, 0.0)
    least = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    most = np.maximum(np.abs(low), np.abs(high))
    if name == "abs":
        return least, most
    return np.nextafter(least * least, -np.inf), np.nextafter(most * most, np.inf)
