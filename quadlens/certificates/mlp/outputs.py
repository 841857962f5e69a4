r"""Norms of the two parts of U that the pass is given in place of oscillations, over all answers and of the largest.

dU° is dU less its mean over c. ``Split`` then makes of ``R`` and ``res`` bounds on norms over c (docs/certificates.md).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.split import Split, split_outputs
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Splits:
    """The split for norms over all answers (``l2``), and for the largest answer (``largest``)."""

    l2: Split
    largest: Split


def splits(at: Namespace, circuit: Circuit, plan: Plan) -> Splits:
    """Return both splits of a circuit without skip path; O(pn) with constants from the plan."""
    whole = split_outputs(at, circuit, plan)
    found = [_norms(at, circuit, plan, whole, number) for number in range(len(plan.groups))]
    # the pass adds the largest to each: half of a matrix norm is given it twice
    matrix, column = (np.array([one[key] for one in found]) / 2 for key in ("matrix", "column"))
    ones = np.ones((1, plan.p))
    bare = tuple(part[:, :0] for part in whole.u_hat)
    return Splits(
        l2=replace(
            whole,
            osc=tuple(one["rest"] for one in found),
            V=tuple(one["kept"] for one in found),
            norm_U=matrix[:, None] * ones,
        ),
        largest=replace(
            whole,
            u_hat=bare,
            osc=tuple(one["rest_largest"] for one in found),
            V=tuple(one["kept_largest"] for one in found),
            norm_U=column[:, None] * ones,
        ),
    )


def without_skip_path(circuit: Circuit) -> Circuit:
    """Return the circuit of the MLP alone."""
    nothing = np.zeros((circuit.p, circuit.p))
    return replace(circuit, S_a=nothing, S_b=nothing, weights=None)


def _norms(at: Namespace, circuit: Circuit, plan: Plan, split: Split, number: int) -> dict[str, Any]:
    """Return, of a group: norms of each neuron's parts (members,), and of the matrix dU° and its columns."""
    members = plan.groups[number].members
    u, wave = split.of_group(at, plan, number)

    def work(block: slice) -> tuple[Any, ...]:
        kept = u[block] @ wave
        rest: FloatArray = circuit.U[members[block]] - kept
        rest -= rest.mean(axis=1, keepdims=True)
        size, square = np.abs(rest), rest * rest
        return (
            np.sqrt(square.sum(axis=1)),
            np.sqrt((kept * kept).sum(axis=1)),
            size.max(axis=1),
            np.abs(kept).max(axis=1),
            size.sum(axis=1),
            size.sum(axis=0),
            square.sum(axis=0),
        )

    rest, kept, rest_largest, kept_largest, rows, columns, squares = zip(
        *at.over(work, members.size, 3 * plan.p), strict=True
    )
    square = np.sum(squares, axis=0)
    by_sums = np.concatenate(rows).max() * np.sum(columns, axis=0).max()
    return {
        "rest": np.concatenate(rest),
        "kept": np.concatenate(kept),
        "rest_largest": np.concatenate(rest_largest),
        "kept_largest": np.concatenate(kept_largest),
        "matrix": float(np.sqrt(min(square.sum(), by_sums))),
        "column": float(np.sqrt(square.max())),
    }
