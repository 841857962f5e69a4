r"""The output side split in two: retained frequencies, treated exactly, and the rest.

    U[i, c] = Re Σ_{z∈F_γ} û_{i,z} e^{iωzc} + dU_i(c)       û_{i,z} = (ν_z/p) Σ_c U[i,c] e^{−iωzc},  ν = 2, 1 at 2z = p

and the same, with all of F, for the rows of ``S_a`` and ``S_b``. Complex numbers are kept as real arrays, the real
parts first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.namespace import Namespace, waves
from quadlens.certificates.plan.plan import Plan
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The split of U, S_a and S_b, as arrays of one namespace.

    By group: ``u_hat (members, 2 |F_γ|)``; ``osc, V (members,)`` the oscillation over c of ``dU_i``, and of the
    retained part where neurons are bounded (0 elsewhere). ``norm_U (groups, p)`` is ``‖dU(c)‖_γ``. Of the skip path:
    ``skip_a, skip_b (p, 2 |F|)``, and ``rest_a[a, c], rest_b[b, c]`` how far the rest of a row lies below its maximum;
    ``skips`` says whether there is a skip path at all.
    """

    u_hat: tuple[Any, ...]
    osc: tuple[Any, ...]
    V: tuple[Any, ...]
    norm_U: Any
    skip_a: Any
    skip_b: Any
    rest_a: Any
    rest_b: Any
    skips: bool

    def of_group(self, at: Namespace, plan: Plan, number: int) -> tuple[Any, Any]:
        """Return two factors, (members, 2 |F_γ|) and (2 |F_γ|, p), of the retained part of a group's rows of U."""
        kept = plan.groups[number].retained
        sign = np.repeat([1.0, -1.0], len(kept))
        return self.u_hat[number] * at.array(sign), at.array(waves(plan.p, kept))


def split_outputs(at: Namespace, circuit: Circuit, plan: Plan) -> Split:
    """Split the output side of a circuit at a plan's retained frequencies; O(pn) with constants from the plan."""
    groups = [_of_group(at, circuit, plan, number) for number in range(len(plan.groups))]
    u_hat, osc, V, norms = zip(*groups, strict=True)
    skip = {name: _skip(at, getattr(circuit, name), plan) for name in ("S_a", "S_b")}
    return Split(
        u_hat=u_hat,
        osc=osc,
        V=V,
        norm_U=at.xp.stack(norms),
        skip_a=skip["S_a"][0],
        skip_b=skip["S_b"][0],
        rest_a=skip["S_a"][1],
        rest_b=skip["S_b"][1],
        skips=bool(circuit.S_a.any() or circuit.S_b.any()),
    )


def _of_group(at: Namespace, circuit: Circuit, plan: Plan, number: int) -> tuple[Any, Any, Any, Any]:
    """Return û, osc, V and the norms of dU of a group."""
    group, xp, p = plan.groups[number], at.xp, plan.p
    to, back = (at.array(factor) for factor in _factors(p, group.retained))
    bounded = plan.bounded[group.members]

    def work(block: slice) -> tuple[Any, Any, Any, Any]:
        rows = at.array(circuit.U[group.members[block]])
        u_hat = rows @ to
        kept = u_hat @ back
        rest = rows - kept
        osc = xp.max(rest, axis=1) - xp.min(rest, axis=1)
        if bounded[block].any():
            swing = (xp.max(kept, axis=1) - xp.min(kept, axis=1)) * at.array(bounded[block].astype(np.float64))
        else:
            swing = 0 * osc
        return u_hat, osc, swing, xp.sum(rest * rest, axis=0)

    parts = list(zip(*at.over(work, group.members.size, 3 * p), strict=True))
    u_hat, osc, swing = (xp.concat(part, axis=0) for part in parts[:3])
    return u_hat, osc, swing, xp.sqrt(xp.sum(xp.stack(parts[3]), axis=0))


def _skip(at: Namespace, table: FloatArray, plan: Plan) -> tuple[Any, Any]:
    """Return the retained parts of a skip table's rows, and how far the rest lies below its maximum."""
    xp = at.xp
    to, back = (at.array(factor) for factor in _factors(plan.p, plan.retained))

    def work(block: slice) -> tuple[Any, Any]:
        rows = at.array(table[block])
        hat = rows @ to
        rest = rows - hat @ back
        return hat, xp.max(rest, axis=1, keepdims=True) - rest

    hats, rests = zip(*at.over(work, plan.p, 3 * plan.p), strict=True)
    return xp.concat(hats, axis=0), xp.concat(rests, axis=0)


def _factors(p: int, frequencies: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Return what takes a row to its retained coefficients, (p, 2 |F|), and what takes these back, (2 |F|, p)."""
    wave, sign = waves(p, frequencies), np.repeat([1.0, -1.0], len(frequencies))[:, None]
    scale = np.array([1.0 if 2 * z == p else 2.0 for z in frequencies] * 2)[:, None] / p
    return (scale * sign * wave).T.copy(), sign * wave
