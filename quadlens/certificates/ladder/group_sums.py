r"""``Σ_i act(A[a, i] + B[b, i]) v_i`` over a group's neurons: the quicker way for its size, and its rounding."""

from collections.abc import Callable

from quadlens.activations import activation_named
from quadlens.arrays import ComplexArray, FloatArray
from quadlens.certificates.ladder.circle import tiers
from quadlens.certificates.ladder.circle_sums import Tables, dense_sums, sums
from quadlens.certificates.ladder.group_waves import GroupWaves
from quadlens.rounding import gamma

DENSE = 3 * 10**8
"""Operations up to which every neuron is evaluated on every input: sorting out arcs would take longer."""


def dense_is_quicker(p: int, neurons: int, outputs: int) -> bool:
    """Say whether every neuron is evaluated on every input."""
    return p**2 * neurons * (4 * outputs + 4) <= DENSE


def group_sums(
    activation: str, waves: GroupWaves, tables: Tables, v: ComplexArray, levels: FloatArray
) -> Callable[[slice], ComplexArray]:
    """Return what gives the sums (rows, p, K) of a block of rows; ``v (members, K)``, ``levels`` as in ``tiers``."""
    p, (members, outputs) = waves.coefficients.shape[0], v.shape
    if dense_is_quicker(p, members, outputs):
        apply = activation_named(activation).apply
        return lambda rows: dense_sums(tables, v, apply, rows, p)
    found = tiers(waves.coefficients, waves.group.frequency, waves.phi, levels, 2 * outputs)
    return lambda rows: sums(tables, v, found, activation, rows)


def sums_rounding(waves: GroupWaves) -> float:
    """Return what rounding can change of one such sum, on any rung, with the network's outputs.

    Prefix sums have at most m + 1 terms, a few of them are read; tables and output waves have few roundings each.
    """
    members, p = waves.r.size, waves.coefficients.shape[0]
    return 2 * gamma(64 * (members + p) + 2048) * float(waves.size @ waves.top)
