r"""(L) and (G′) where each neuron is evaluated at each input: what rounding can do to them, and what they cost."""

from collections.abc import Callable

import numpy as np

from quadlens.certificates.compute.blas_threads import one_blas_thread
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.exact.activation_enclosure import enclosed_activation
from quadlens.certificates.inequality.class_bounds import class_bounds
from quadlens.certificates.inequality.evaluate import Inequality
from quadlens.certificates.inequality.grid_sums import GridSums, grid_sums
from quadlens.certificates.inequality.inputs import inputs
from quadlens.certificates.inequality.operations import Operations, common_steps, pair_operations
from quadlens.certificates.inequality.pair_bounds import PairBounds
from quadlens.certificates.inequality.remainder import remainder
from quadlens.certificates.inequality.rounding import UNDERFLOW, RoundingTerm, Sizes, table_term
from quadlens.certificates.inequality.split import split_outputs
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.plan.one_amplitude import choose_smooth
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit
from quadlens.rounding import gamma, sum_up


def evaluate_grid(circuit: Circuit, size: Sizes, budget: Budget, report: Callable[[float], None]) -> Inequality:
    """Choose a plan and evaluate (L), in numpy; O(p²n) with constants from the budget."""
    with one_blas_thread():
        at = numpy_namespace()
        plan = choose_smooth(circuit, budget)
        report(0.2)
        split = split_outputs(at, circuit, plan)
        sums = grid_sums(circuit, plan, split)
        report(0.8)
        rest = remainder(at, circuit.U, plan, split, lambda x: enclosed_activation(circuit.activation, x)[0])
        every = inputs(at, plan, split, sums)
        return Inequality(
            plan=plan,
            split=split,
            rest=rest,
            classes=class_bounds(at, plan, every, rest),
            pairs=PairBounds.of(at, plan, every, rest, split),
            rounding=grid_rounding(circuit, size, plan, sums, rest.tail_error),
            operations=grid_operations(plan),
        )


def grid_rounding(
    circuit: Circuit, size: Sizes, plan: Plan, sums: GridSums, tail_error: float
) -> RoundingTerm:
    r"""Return what float64 can do to (L) and (G′); res is rounded up as it is evaluated, and needs nothing.

    The bounds are about a network whose hidden values are ``h_i``, and its waveforms P, as computed; its margins are
    off by ``Σ_i e_i (max U_i − min U_i)`` at most: *activations*. A chain of roundings, roots of unity among them, is
    no longer than ``k = n + p + G + 4|F| + 4M + 200``; ``M_i`` is the largest of ``|h_i|`` and ``|P|``
    (``GridSums.size``). In units of ``4 γ_k ‖M‖ ‖U‖``, with ``|û| ≤ 2 U_i`` and ``|dU_i| ≤ (1 + 2f) U_i`` (see
    ``rounding``):

    * *retained*: a complex ``C_z`` is off by one unit, f of them, three times, with ``|1 − e^{iωzδ}| ≤ 2``: ``6 f``,
      and ``24 f γ s`` of the skip path
    * *head*, *tail*: as in ``rounding``
    * *residual*: the rest of the skip path
    * *sums*: the last ones
    """
    n, p, f, G, M = circuit.neurons, circuit.p, len(plan.retained), plan.cells, plan.harmonics
    U, s = size.by_table["U"], float(size.by_table["S_a"].max() + size.by_table["S_b"].max())
    M_i, off = sums.size, sums.off
    k = n + p + G + 4 * f + 4 * M + 200
    unit, one = gamma(k), 1 + 2 * f
    one_sum = 4 * unit * float(np.sqrt(M_i @ M_i) * np.sqrt(U @ U))
    pieces = {
        "activations": 2 * float(off @ U),
        "retained": 6 * f * one_sum + 24 * f * unit * s,
        "head": 4 * (M + 1) * one * one_sum,
        "tail": 4 * float(np.sqrt(G)) * one * one_sum + 2 * tail_error,
        "residual": 4 * one * unit * s,
    }
    pieces["sums"] = sum(pieces.values()) + 10 * (f + 1) * (one_sum + 2 * unit * s)
    met = (1 + float(M_i.sum())) * (1 + float(U.sum())) * (1 + s)
    pieces["underflow"] = UNDERFLOW * met * k * (f + 1) * (M + 1)
    return RoundingTerm(evaluation=float(sum_up(pieces, 16 * k)), tables=table_term(circuit, U, M_i + off, 16 * k))


def grid_operations(plan: Plan) -> Operations:
    """Return what (L) takes for this plan, a closed formula; the hidden layer as ``brute_force`` counts it."""
    p, n, groups = plan.p, plan.cell.size, len(plan.groups)
    products = sum(group.members.size * 2 * len(group.retained) for group in plan.groups)
    steps = (
        *common_steps(plan),
        ("waveforms", 2 * groups * p * plan.cells),
        ("hidden layer", 2 * p * p * n),
        ("errors of the activations", 6 * p * p * n),
        ("retained sums", 2 * p * p * products),
        ("residual", 6 * p * p * n + 4 * groups * p * p),
    )
    return Operations(steps=steps, **pair_operations(plan))
