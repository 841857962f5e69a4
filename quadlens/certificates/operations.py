"""What is counted as an operation: one addition, multiplication, comparison or evaluation of the activation on numbers
that depend on the input."""

import math

from quadlens.circuits.circuit import Circuit


def brute_force_operations(circuit: Circuit) -> int:
    """Return the operations of running the network on all p² inputs.

    ``p² n`` additions and as many activations for the hidden layer, ``2p³ n`` for the product with ``U``, ``2p³`` for
    the skip path and ``p³``
    comparisons.
    """
    p, n = circuit.p, circuit.neurons
    return 2 * p**2 * n + 2 * p**3 * n + 3 * p**3


def transform_operations(length: int) -> int:
    """Return what one real fast Fourier transform of this length is counted as, ``2.5 N log₂ N``."""
    return math.ceil(2.5 * length * math.log2(max(length, 2)))


class OperationCounter:
    """Counts operations as the kernels perform them; each kernel adds what it has really done."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        self.total = 0

    def add(self, *factors: int) -> None:
        """Add the product of the factors."""
        self.total += math.prod(int(factor) for factor in factors)
