r"""How far an MLP is from an ideal, in truth: all inputs and logits in balls, O(p³ n).

    M(a, b, c) = Σ_i h(A[a,i] + B[b,i]) U[i,c], less its mean over c
    I(a, b, c) = Re Σ_k w_k conj(ĥ_2,k(d)) e^{iωk(c − 2b)},       d = a − b

so that a claimed bound is accepted if it is true, however it was found. Nothing of the prover's inequality is used.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.certificates.record.certificate import Certificate
from quadlens.checker.balls import largest, roots_of_unity, squares, total
from quadlens.checker.gates import SLOPES
from quadlens.checker.ideal_integrals import second_harmonic, waveform_of
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import BALL_ACTIVATIONS, BallNetwork
from quadlens.errors import CertificateError

PURE = "pure integral"
NAMES = ("refined integral", PURE)
"""Ideals that a certificate may name: of the numbers that it gives, and with e = 1 and s = κ = 0 among them."""

MEASURED_TO = 1e-6

MEASURED_WHOLE = 2 * 10**9
"""``p³n`` up to which a measurement that is not over all inputs is refused: the prover takes all of them there."""

NOTHING = 1e-9
"""Of the ideal's norm: a frequency at which the ideal is no more than this needs no bound relative to itself."""

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


def true_distances(
    network: BallNetwork,
    ideals: Sequence[Sequence[Mapping[str, Any]]],
    progress: Callable[[float], None] | None = None,
) -> list[TrueDistance]:
    """Evaluate how far the MLP is from each ideal; one has frequency, weight, e_A, e_B, s_A, s_B, kappa for each k.

    Raises
    ------
    CertificateError
        If the network is too large to run all inputs in balls, or its activation has no such ideal.
    """
    p, circuit = network.p, network.circuit
    if circuit.activation not in SLOPES:
        raise CertificateError(f"ideals of mlp certificates are for one kink; the network has {circuit.activation}")
    size = p**3 * circuit.neurons
    if size > MOST:
        raise CertificateError(
            f"checking mlp runs all inputs, p³n = {size:.1e} multiplications in balls; at most {MOST:.0e} are run"
        )
    made = [_ideal(numbers, p, SLOPES[circuit.activation]) for numbers in ideals]
    keys = [[one["frequency"] for one in numbers] for numbers in ideals]
    found = [_Differences.at(p, own, logits) for own, (_, logits) in zip(keys, made, strict=True)]
    act, rows, U = BALL_ACTIVATIONS[circuit.activation], network.rows, network.balls["U"]
    for a in range(p):
        hidden = flint.arb_mat([[act(x + y) for x, y in zip(rows["A"][a], row, strict=True)] for row in rows["B"]])
        outputs = (hidden * U).tolist()
        means = [total(row) / p for row in outputs]
        for one in found:
            one.add(a, outputs, means)
        if progress is not None:
            progress((a + 1) / p)
    lost = _displacement(network)
    return [_distance(p, own, Z, one, lost) for own, (Z, _), one in zip(keys, made, found, strict=True)]


def _distance(p: int, keys: list[int], Z: list[list[Any]], found: "_Differences", lost: Any) -> TrueDistance:
    root_p = flint.arb(p).sqrt()
    weights = [flint.arb(p) if 2 * k == p else flint.arb(p) / 2 for k in keys]
    # at 2k = p only the real part of a wave has logits
    sizes = [
        [(z.real * z.real + (0 if 2 * k == p else z.imag * z.imag)) * weight for z in row]
        for k, weight, row in zip(keys, weights, Z, strict=True)
    ]
    return TrueDistance(
        whole=_root(total(found.classes)) + lost * p * root_p,
        classes=[_root(square) + lost * p for square in found.classes],
        frequencies=[
            _root(square * weight) + lost * p * root_p for square, weight in zip(found.parts, weights, strict=True)
        ],
        largest=largest(found.tops) + lost,
        ideal=_root(p * total([total(row) for row in sizes])),
        ideal_classes=[_root(p * total([row[d] for row in sizes])) for d in range(p)],
        ideal_frequencies=[_root(p * total(row)) for row in sizes],
        ideal_largest=largest([abs(x) for row in found.logits for x in row]),
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


@dataclass(kw_only=True)
class _Differences:
    """Of ``M − I``, row by row of a: squares by class and, of its waves, by frequency, and the largest moduli."""

    logits: list[list[Any]]
    waves: Any
    classes: list[Any]
    parts: list[Any]
    tops: list[Any]

    @classmethod
    def at(cls, p: int, keys: list[int], logits: list[list[Any]]) -> "_Differences":
        """Begin with nothing; ``logits`` are the ideal's, by d and ``c − 2b``."""
        roots = roots_of_unity(p)
        # real and negative imaginary parts of the waves at each key, ν/p times
        factors = {k: flint.arb(1 if 2 * k == p else 2) / p for k in keys}
        waves = flint.arb_mat(
            [
                [part[k * c % p] * factor for k, factor in factors.items() for part in (roots.cos, roots.sin)]
                for c in range(p)
            ]
        )
        zeros = [flint.arb(0)]
        return cls(logits=logits, waves=waves, classes=zeros * p, parts=zeros * len(keys), tops=[])

    def add(self, a: int, outputs: list[list[Any]], means: list[Any]) -> None:
        """Add the inputs (a, b) of every b."""
        p, apart = len(self.classes), []
        for b, (row, mean) in enumerate(zip(outputs, means, strict=True)):
            d = (a - b) % p
            ideal = self.logits[d]
            own = [x - mean - ideal[(c - 2 * b) % p] for c, x in enumerate(row)]
            self.classes[d] = self.classes[d] + squares(own)
            apart.append(own)
        self.tops.append(largest([abs(x) for own in apart for x in own]))
        for row in (flint.arb_mat(apart) * self.waves).tolist():
            for j in range(len(self.parts)):
                # at 2k = p a real function has no imaginary part there
                self.parts[j] = self.parts[j] + squares(row[2 * j : 2 * j + 2])


def _displacement(network: BallNetwork) -> Any:
    """Return how far a logit less its mean over c may lie from that of the balls, which are those of the middle.

    A margin moves by as much at least: both are differences of logits.
    """
    return flint.arb(0) if network.fractions is not None else StoredTables(network=network).displacement


def _root(square: Any) -> Any:
    """Return the root of a sum of squares, whose ball may reach below zero."""
    low = square.lower()
    return square.sqrt() if low > 0 else flint.arb(0).union(square.abs_upper().sqrt())


def mlp_reasons(certificate: Certificate, network: BallNetwork, progress: Callable[[float], None] | None) -> list[str]:
    """Return what speaks against a certificate of the method ``mlp``: a bound below the truth, an ideal misnamed."""
    ideals = certificate.ideals or ()
    reasons = []
    if tuple(ideal["name"] for ideal in ideals) != NAMES:
        reasons.append(f"ideals must be the {' and the '.join(NAMES)}, in this order")
    for ideal in ideals:
        plain = all(_is_pure(one) for one in ideal["numbers"])
        if ideal["name"] == PURE and not plain:
            reasons.append(f"the {PURE} has other numbers than e = 1 and s = κ = 0")
    if reasons:
        return reasons
    found = true_distances(network, [ideal["numbers"] for ideal in ideals], progress)
    for ideal, truth in zip(ideals, found, strict=True):
        name, root_p = ideal["name"], flint.arb(network.p).sqrt()
        claims = [("relative_error_bound", ideal["relative_error_bound"], truth.whole, truth.ideal)]
        claims.append(("sup_error_bound", ideal["sup_error_bound"], truth.largest, truth.ideal_largest))
        for d, bound in enumerate(ideal["classes"]):
            claims.append((f"classes[{d}]", bound, truth.classes[d] * root_p, truth.ideal))
        at = {one["frequency"]: place for place, one in enumerate(ideal["numbers"])}
        said = [one["frequency"] for one in ideal["frequencies"]]
        unsaid = [k for k in at if k not in said and not truth.ideal_frequencies[at[k]] <= NOTHING * truth.ideal]
        if unsaid or not set(said) <= set(at):
            reasons.append(f"the {name} must have a bound for each of its frequencies, and for no other")
            continue
        for one in ideal["frequencies"]:
            own, norm = (x[at[one["frequency"]]] for x in (truth.frequencies, truth.ideal_frequencies))
            claims.append((f"the bound of frequency {one['frequency']}", one["bound"], own, norm))
        reasons += [
            f"{what} of the {name} is {bound!r}, which is not proved: the truth is {float((own / norm).mid()):.6g}"
            for what, bound, own, norm in claims
            # a ball of the norm around 0 proves nothing
            if not (norm > 0 and flint.arb(bound) * norm >= own)
        ]
        reasons += _measured(ideal, truth, network.p, network.circuit.neurons)
    return reasons


def _measured(ideal: Mapping[str, Any], truth: TrueDistance, p: int, neurons: int) -> list[str]:
    """Hold what is called measured over all inputs against the truth, to a part in a million of the ideal."""
    if ideal["inputs_measured"] != p * p:
        few = p**3 * neurons <= MEASURED_WHOLE
        return [f"the {ideal['name']} is measured on a sample, though all inputs are few enough"] if few else []
    at = {one["frequency"]: place for place, one in enumerate(ideal["numbers"])}
    pairs = [("relative_error_measured", ideal["relative_error_measured"], truth.whole / truth.ideal)]
    for one in ideal["frequencies"]:
        own, norm = (x[at[one["frequency"]]] for x in (truth.frequencies, truth.ideal_frequencies))
        pairs.append((f"measured of frequency {one['frequency']}", one["measured"], own / norm))
    return [
        f"{what} of the {ideal['name']} is {value!r}; all inputs give {float(own.mid()):.9g}"
        for what, value, own in pairs
        if not abs(own - value) <= MEASURED_TO
    ]


def _is_pure(numbers: Mapping[str, Any]) -> bool:
    one, zero = (1.0, 0.0), (0.0, 0.0)
    given = [tuple(numbers[name]) for name in ("e_A", "e_B", "s_A", "s_B")]
    return given == [one, one, zero, zero] and numbers["kappa"] == 0
