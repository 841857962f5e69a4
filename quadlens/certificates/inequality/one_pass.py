r"""One pass over the neurons: the retained outputs of every input, and what is left open of each.

    C_z(a,b) = Σ_{i evaluated} h(y_i) û_{i,z} + Σ_{i bounded} [(g_i + α(1−g_i)) y_i + ½κ ρ̄_i] û_{i,z} + Ŝ_z
    R(a,b) = ½κ Σ_{i bounded} ρ̄_i V_i
    res(a,b) = Σ_γ min( Σ_{i∈γ} (η^A_i + η^B_i + x_i) osc_i , (‖η^A‖ + ‖η^B‖ + ‖x‖)(‖dU(Y)‖ + max_c ‖dU(c)‖) )

(docs/certificates.md). O(pn + p²) for prefix sums along the circle, and the gates that curves do not settle.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from quadlens.activations import negative_slope
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.exceptions import Exceptions, exceptions, scattered
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.inequality.streams import LookedAt, Weights
from quadlens.certificates.inequality.table_sums import add_group
from quadlens.certificates.plan.choose import Choice
from quadlens.certificates.plan.plan import Group, Plan
from quadlens.certificates.plan.unsettled import levels_needed
from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassSums:
    """``C (|F|, p, p)`` complex, ``R, res (p, p)``, axes d, b: the input is ``a = d + b mod p``, b.

    By group: gates looked at (``candidates``) and found to be not as their curve says (``exceptions``), the most
    ``arc_ends`` of one class, and how many prefix sums were looked up at them for all inputs (``look_ups``, of one
    channel of one table)."""

    C: Any
    R: Any
    res: Any
    candidates: tuple[int, ...]
    exceptions: tuple[int, ...]
    arc_ends: tuple[int, ...]
    look_ups: tuple[int, ...]

    @property
    def crossings(self) -> int:
        """The most arc ends of one sum."""
        return max(self.arc_ends, default=0)


def one_pass(at: Namespace, circuit: Circuit, choice: Choice, split: Split) -> PassSums:
    """Return what every input's retained outputs are, and how far they are known.

    Raises
    ------
    CertificateError
        If the gate of a bounded neuron can change where the plan says that it cannot.
    """
    plan, xp = choice.plan, at.xp
    p, kept, slope = plan.p, len(plan.retained), negative_slope(circuit.activation)
    C = xp.zeros((kept, p, p), dtype=xp.complex128, device=at.device)
    if split.skips:
        residue = np.arange(p)
        a = ((residue[:, None] + residue) % p).reshape(-1)
        of_a, of_b = (part[:, :kept] + 1j * part[:, kept:] for part in (split.skip_a, split.skip_b))
        C += xp.reshape(at.take(of_a.T, a, 1), C.shape) + of_b.T[:, None, :]
    R, res = 0 * split.rest_a, 0 * split.rest_a
    candidates, wrong = [0] * len(plan.groups), [0] * len(plan.groups)
    look_ups, ends = list[int](), list[int]()
    for number, group in enumerate(plan.groups):
        levels = levels_needed(plan, group, choice.delta)
        _require_settled(choice, group, levels)
        bounded = plan.bounded[group.members]
        weights = Weights(
            u_hat=split.u_hat[number],
            V=split.V[number],
            osc=split.osc[number],
            bounded=at.array(bounded.astype(np.float64)) if bounded.any() else None,
            slope=slope,
        )
        x_osc = x_norm = R[:0]
        if not bounded.all():
            found = exceptions(at, plan, group, levels, (circuit.A, circuit.B))
            x_osc, x_norm = _add_exceptions(at, plan, group, weights, found, C)
            candidates[number], wrong[number] = found.candidates, found.count
        norms = split.norm_U[number] + xp.max(split.norm_U[number])
        given = LookedAt(C=C, R=R, res=res, norms=norms, x_osc=x_osc, x_norm=x_norm)
        arcs = add_group(at, circuit, plan, group, weights, given)
        ends.append(arcs.most)
        look_ups.append(p * (arcs.total + p * len(arcs.ends)))
    return PassSums(
        C=C,
        R=R,
        res=res,
        candidates=tuple(candidates),
        exceptions=tuple(wrong),
        arc_ends=tuple(ends),
        look_ups=tuple(look_ups),
    )


def _add_exceptions(
    at: Namespace, plan: Plan, group: Group, weights: Weights, found: Exceptions, C: Any
) -> tuple[Any, Any]:
    """Add ``κ ρ û`` to C; return ``Σ x osc`` and ``‖x‖`` of every input."""
    xp, p, slope, kept = at.xp, plan.p, weights.slope, len(group.retained)
    sums = scattered(at, found, weights.u_hat, (1 - slope) * xp.abs(found.y), p * p)
    for place, z in enumerate(map(int, plan.positions(group))):
        C[z, :, :] += xp.reshape(sums[:, place] + 1j * sums[:, kept + place], (p, p))
    # H ≤ 0 < y
    x = (1 - abs(slope)) * xp.maximum(found.y, 0 * found.y)
    osc = scattered(at, found, weights.osc[:, None], x, p * p)
    square = scattered(at, found, 1 + 0 * weights.osc[:, None], x * x, p * p)
    return xp.reshape(osc, (p, p)), xp.sqrt(xp.reshape(square, (p, p)))


def _require_settled(choice: Choice, group: Group, levels: Any) -> None:
    """Raise CertificateError unless the group's level is enough for its bounded neurons.

    The levels have room for rounding; where they say no, fractions decide.
    """
    plan = choice.plan
    if group.level >= group.highest:
        return
    for i in group.members[plan.bounded[group.members] & (levels > group.level)]:
        if Fraction(plan.amplitude[i]) * Fraction(group.level) < Fraction(choice.delta[i]):
            raise CertificateError(
                f"neuron {i} is bounded and not settled at level {group.level} of |H|; it needs {choice.delta[i]:.6g} "
                f"/ {plan.amplitude[i]:.6g}: raise the level or leave it out"
            )
