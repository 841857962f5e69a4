r"""How far an MLP is from an ideal, in truth: all inputs and logits in balls, O(p³ n).

    M(a, b, c) = Σ_i h(A[a,i] + B[b,i]) U[i,c], less its mean over c
    I(a, b, c) = Re Σ_k w_k conj(ĥ_2,k(d)) e^{iωk(c − 2b)},       d = a − b

so that a claimed bound is accepted if it is true, however it was found. Nothing of the prover's inequality is used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.checker.balls import largest, roots_of_unity, squares, total
from quadlens.checker.gates import SLOPES
from quadlens.checker.ideal_integrals import second_harmonic, waveform_of
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import BALL_ACTIVATIONS, BallNetwork
from quadlens.errors import CertificateError

MOST = 3 * 10**9
"""``p³n`` up to which all logits are evaluated: some minutes."""


@dataclass(frozen=True, kw_only=True)
class TrueDistance:
    """Balls of the norm of ``M − I`` over all inputs and logits, over each class d, and of its part at each frequency
    of the ideal; of its largest modulus; and of the ideal's own norm, class norms, frequency norms and largest modulus.
    """

    whole: Any
    classes: list[Any]
    frequencies: list[Any]
    largest: Any
    ideal: Any
    ideal_classes: list[Any]
    ideal_frequencies: list[Any]
    ideal_largest: Any


def true_distance(
    network: BallNetwork,
    numbers: Sequence[Mapping[str, Any]],
    progress: Callable[[float], None] | None = None,
) -> TrueDistance:
    """Evaluate an ideal's distance; ``numbers`` has its frequency, weight, e_A, e_B, s_A, s_B and kappa for each k.

    Raises
    ------
    CertificateError
        If the network is too large to run all inputs in balls, or its activation has no such ideal.
    """
    p, circuit = network.p, network.circuit
    if circuit.activation not in SLOPES:
        raise CertificateError(f"ideals of mlp certificates are for one kink; the network has {circuit.activation}")
    if p**3 * circuit.neurons > MOST:
        size = p**3 * circuit.neurons
        raise CertificateError(
            f"checking mlp runs all inputs, p³n = {size:.1e} multiplications in balls; at most {MOST:.0e} are run"
        )
    Z, logits = _ideal(numbers, p, SLOPES[circuit.activation])
    classes, parts, tops = _differences(network, numbers, logits, progress)
    lost, root_p = _displacement(network), flint.arb(p).sqrt()
    weights = [p if 2 * one["frequency"] % p == 0 else flint.arb(p) / 2 for one in numbers]
    # at 2k = p only the real part of a wave has logits
    sizes = [
        [(z.real * z.real + (0 if 2 * one["frequency"] % p == 0 else z.imag * z.imag)) * weight for z in row]
        for one, weight, row in zip(numbers, weights, Z, strict=True)
    ]
    return TrueDistance(
        whole=_root(total(classes)) + lost * p * root_p,
        classes=[_root(square) + lost * p for square in classes],
        frequencies=[
            _root(square * weight) + lost * p * root_p
            for square, weight in zip(parts, weights, strict=True)
        ],
        largest=largest(tops) + lost,
        ideal=_root(p * total([total(row) for row in sizes])),
        ideal_classes=[_root(p * total([row[d] for row in sizes])) for d in range(p)],
        ideal_frequencies=[_root(p * total(row)) for row in sizes],
        ideal_largest=largest([abs(x) for row in logits for x in row]),
    )


def _ideal(numbers: Sequence[Mapping[str, Any]], p: int, slope: Any) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return ``w ĥ_2`` by frequency and class, and the logits by class d and ``c − 2b``."""
    roots = roots_of_unity(p)
    Z = [
        [flint.arb(one["weight"]) * second_harmonic(waveform_of(one, d, p, roots), slope) for d in range(p)]
        for one in numbers
    ]
    keys = [one["frequency"] for one in numbers]
    waves = flint.arb_mat([[part[k * x % p] for x in range(p)] for k in keys for part in (roots.cos, roots.sin)])
    parts = flint.arb_mat([[z for row in Z for z in (row[d].real, row[d].imag)] for d in range(p)])
    return Z, (parts * waves).tolist()


def _differences(
    network: BallNetwork,
    numbers: Sequence[Mapping[str, Any]],
    logits: list[list[Any]],
    progress: Callable[[float], None] | None,
) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the squares of ``M − I`` by class, those of its waves by frequency, and its largest moduli by a."""
    p, roots = network.p, roots_of_unity(network.p)
    act, rows, U = BALL_ACTIVATIONS[network.circuit.activation], network.rows, network.balls["U"]
    keys = [one["frequency"] for one in numbers]
    # real and negative imaginary parts of the waves at each key, ν/p times
    factors = {k: flint.arb(1 if 2 * k % p == 0 else 2) / p for k in keys}
    waves = flint.arb_mat(
        [
            [part[k * c % p] * factor for k, factor in factors.items() for part in (roots.cos, roots.sin)]
            for c in range(p)
        ]
    )
    classes, parts, tops = [flint.arb(0)] * p, [flint.arb(0)] * len(keys), []
    for a in range(p):
        hidden = flint.arb_mat([[act(x + y) for x, y in zip(rows["A"][a], row, strict=True)] for row in rows["B"]])
        found = (hidden * U).tolist()
        apart = []
        for b, row in enumerate(found):
            d, mean = (a - b) % p, total(row) / p
            own = [x - mean - logits[d][(c - 2 * b) % p] for c, x in enumerate(row)]
            classes[d] = classes[d] + squares(own)
            apart.append(own)
        tops.append(largest([abs(x) for own in apart for x in own]))
        for row in (flint.arb_mat(apart) * waves).tolist():
            for j in range(len(keys)):
                parts[j] = parts[j] + squares(row[2 * j : 2 * j + 2])
        if progress is not None:
            progress((a + 1) / p)
    return classes, parts, tops


def _displacement(network: BallNetwork) -> Any:
    """Return how far a logit less its mean over c may lie from that of the balls, which are those of the middle.

    A margin moves by as much at least: both are differences of logits.
    """
    return flint.arb(0) if network.fractions is not None else StoredTables(network=network).displacement


def _root(square: Any) -> Any:
    """Return the root of a sum of squares, whose ball may reach below zero."""
    low = square.lower()
    return square.sqrt() if low > 0 else flint.arb(0).union(square.abs_upper().sqrt())
