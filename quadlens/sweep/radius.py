r"""Certificate radius: how far all weights may move, each by at most ``ε`` of itself, before the certificate is lost.

If ``|X'_j − X_j| <= ε |X_j|`` entrywise for every stored matrix then, entrywise,

    |X'_1 … X'_m − X_1 … X_m|  <=  ((1 + ε)^m − 1) |X_1| … |X_m|

because the difference expands into the products in which at least one factor is a difference. The largest entry of the
sum of these bounds is added to each table's radius; a certificate of the circuit with that radius is one of every
network within ``ε``: every rounding with that relative error, every adversarial change.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.certify import certify
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.forward import evaluate
from quadlens.circuits.weights import Weights, circuit_from_weights
from quadlens.claims import Estimate
from quadlens.errors import CertificateError, OptionError
from quadlens.rounding import SMALLEST, up

SMALLEST_EPSILON, LARGEST_EPSILON = 2.0**-24, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRadius:
    """``proved``: within this relative change of every weight, ``method`` certifies every input (0 where it does not).

    ``measured``: the relative change, of random sign, at which a sample of networks first got an input wrong.
    """

    method: str
    proved: float
    measured: Estimate


def perturbed(circuit: Circuit, epsilon: float) -> Circuit:
    """Return the circuit with radii that cover every change of its weights by at most ``epsilon`` of each.

    Raises
    ------
    CertificateError
        If the circuit has no stored weights.
    OptionError
        If ``epsilon`` is not in [0, 1].
    """
    weights = _weights(circuit)
    if not 0 <= epsilon <= 1:
        raise OptionError(f"a relative change must be in [0, 1], got {epsilon}")
    magnitude = {name: np.abs(tensor) for name, tensor in weights.tensors.items()}
    products: dict[tuple[str, ...], FloatArray] = {}
    radius = {}
    for table in TABLES:
        total, operations = np.zeros((1, 1)), 8
        for product in weights.tables.get(table, ()):
            m = len(product.factors)
            growth = math.nextafter(math.expm1(m * math.log1p(epsilon)) * (1 + 2.0**-40), math.inf) if epsilon else 0.0
            bound = abs(float(product.coefficient)) * growth * _chain(magnitude, product.factors, products)
            total = total + bound
            operations += sum(magnitude[name].shape[0] for name in product.factors) + 4
        largest = up(np.array(total.max()), operations) if epsilon else 0.0
        radius[table] = float(up(np.array(float(largest) + circuit.radius[table] + operations * SMALLEST), 4))
    # without its weights a circuit stands for every network within the radii, not for the stored one
    return replace(circuit, radius=radius, weights=None, source=f"{circuit.source}, weights within {epsilon:g}")


def certificate_radius(
    circuit: Circuit,
    generator: np.random.Generator,
    *,
    method: str = "linear",
    steps: int = 10,
    trials: int = 4,
    progress: Callable[[float], None] | None = None,
) -> CertificateRadius:
    """Search the largest relative change for which ``method`` still certifies every input, and the one that does harm.

    Parameters
    ----------
    generator : of the random signs of the measured half
    steps : bisections (in the logarithm) of each half; the proved value is one that was certified, never the midpoint
    """
    _weights(circuit)
    halves = 2 * steps

    def certified(epsilon: float) -> bool:
        return certify(perturbed(circuit, epsilon), method=method).certified

    def harmless(epsilon: float) -> bool:
        return all(evaluate(_random_change(circuit, epsilon, generator)).accuracy == 1.0 for _ in range(trials))

    def search(holds: Callable[[float], bool], done: int) -> tuple[float, float]:
        low, high = SMALLEST_EPSILON, LARGEST_EPSILON
        if not holds(low):
            return 0.0, low
        for step in range(steps):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if holds(middle) else (low, middle)
            if progress is not None:
                progress((done + step + 1) / halves)
        return low, high

    proved, _ = search(certified, 0)
    low, high = search(harmless, steps)
    if progress is not None:
        progress(1.0)
    return CertificateRadius(
        method=method,
        proved=proved,
        measured=Estimate(
            value=high, low=low, high=high, method=f"bisection, {trials} random sign patterns at each step"
        ),
    )


def rounded_weights(circuit: Circuit, name: str) -> Circuit:
    """Return the circuit of the weights rounded to ``float16``, ``bfloat16`` or ``int8``: another stored network.

    ``int8`` means multiples of ``max |X| / 127`` for each matrix ``X``.

    Raises
    ------
    OptionError
        If the name is another.
    """
    weights = _weights(circuit)
    if name == "float16":
        tensors = {key: np.asarray(t.astype(np.float16), dtype=np.float64) for key, t in weights.tensors.items()}
    elif name == "bfloat16":
        tensors = {key: _to_bfloat16(t) for key, t in weights.tensors.items()}
    elif name == "int8":
        tensors = {key: _to_int8(t) for key, t in weights.tensors.items()}
    else:
        raise OptionError(f"weights are rounded to float16, bfloat16 or int8, got {name!r}")
    return circuit_from_weights(replace(weights, tensors=tensors, source=f"{weights.source}, rounded to {name}"))


def _to_bfloat16(tensor: FloatArray) -> FloatArray:
    # float32's upper half, to nearest, ties to even
    bits = tensor.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32)
    return rounded.view(np.float32).astype(np.float64)


def _to_int8(tensor: FloatArray) -> FloatArray:
    step = float(np.abs(tensor).max(initial=0.0)) / 127
    return np.round(tensor / step) * step if step else tensor


def _random_change(circuit: Circuit, epsilon: float, generator: np.random.Generator) -> Circuit:
    weights = _weights(circuit)
    tensors = {
        name: tensor * (1 + epsilon * generator.choice((-1.0, 1.0), tensor.shape))
        for name, tensor in weights.tensors.items()
    }
    return circuit_from_weights(replace(weights, tensors=tensors))


def _weights(circuit: Circuit) -> Weights:
    if circuit.weights is None:
        raise CertificateError("a certificate radius is about stored weights; this circuit has only its tables")
    return circuit.weights


def _chain(
    magnitude: dict[str, FloatArray], factors: tuple[str, ...], products: dict[tuple[str, ...], FloatArray]
) -> FloatArray:
    if factors not in products:
        last = magnitude[factors[-1]]
        products[factors] = last if len(factors) == 1 else _chain(magnitude, factors[:-1], products) @ last
    return products[factors]
