r"""The inequality (L) of ``certificates.class_bounds`` on a device, for every class and wrong answer.

A block of classes has room for every cluster that a class may have; one without inputs bounds nothing (+∞).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quadlens.arrays import IntArray
from quadlens.certificates.class_bounds import ClassBounds
from quadlens.certificates.on_torch.device import block_of, placed, squares
from quadlens.certificates.on_torch.input_quantities import InputsOnDevice
from quadlens.certificates.operations import OperationCounter
from quadlens.certificates.parallel import blocks_of
from quadlens.certificates.plan import Plan
from quadlens.certificates.remainder import Remainder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What (L) needs of each δ: ``turn (2|F|, p−1)``: real parts of ``1 − e^{iωzδ}`` and minus their imaginary parts,
    in pairs of rows; ``length (|F|, p−1)`` their moduli, ``norm (p−1,)`` the norms of those.

    ``head (groups, p, M + 1)`` are ``|P̂_{γ,d}[m]|``, ``widest (groups, M + 1, p−1)`` ``O_{γ,m}(δ)``, ``tail (p,)``.
    """

    turn: Tensor
    length: Tensor
    norm: Tensor
    head: Tensor
    widest: Tensor
    tail: Tensor

    def D(self, d: slice) -> Tensor:
        """Return ``D(d, δ)`` for some classes, shape (classes, p−1)."""
        out = self.head.new_zeros((d.stop - d.start, self.widest.shape[2]))
        # group by group, as the rounding term counts the roundings of one sum
        for head, widest in zip(self.head, self.widest, strict=True):
            out += head[d] @ widest
        return out


def answers_on(plan: Plan, rest: Remainder, device: torch.device) -> Answers:
    """Place what (L) and (G) need of each wrong answer on a device."""
    turn = 1 - np.exp(2j * np.pi / plan.p * (np.outer(plan.retained, np.arange(1, plan.p)) % plan.p))
    return Answers(
        turn=placed(np.stack([turn.real, -turn.imag], axis=1).reshape(-1, plan.p - 1), device),
        length=placed(np.abs(turn), device),
        norm=placed(np.sqrt((np.abs(turn) ** 2).sum(axis=0)), device),
        head=placed(np.abs(rest.P_hat), device),
        widest=placed(rest.widest[:, :, 1:], device),
        tail=placed(rest.tail.sum(axis=0), device),
    )


def class_bounds(
    plan: Plan, inputs: InputsOnDevice, rest: Remainder, label: IntArray, count: OperationCounter
) -> ClassBounds:
    """Evaluate (L) without its rounding term for every class and δ."""
    p, kept, device = plan.p, len(plan.retained), inputs.X.device
    number = int(label.max()) + 1
    answers = answers_on(plan, rest, device)
    rows = block_of(device) // (p * (8 * kept + 4 * number))
    found = [some_classes(inputs, answers, placed(label[block], device), number, block) for block in blocks_of(p, rows)]
    joined = {name: torch.cat([part[name] for part in found]).cpu().numpy() for name in found[0]}
    count.add(p * p, kept * (2 + 4 + 1 + 3 + 1) + 4 + 2 * len(plan.buckets))
    count.add(int(joined.pop("clusters").sum()) * (p - 1), 4 * kept + 2 * kept + 4)
    count.add(p * p, 2 * len(plan.groups) * (plan.harmonics + 1) + 3)
    return ClassBounds(
        **joined,
        tail=rest.tail.sum(axis=0),
        D_by_group=rest.D_by_group(np.arange(p), joined["delta"]).T,
    )


def some_classes(
    inputs: InputsOnDevice, answers: Answers, label: Tensor, number: int, block: slice
) -> dict[str, Tensor]:
    """Return the fields of ``ClassBounds`` for a block of classes, and how many ``clusters`` each has."""

    def largest(values: Tensor) -> Tensor:
        """Return the largest of numbers >= 0 over each cluster: (classes, number, …) from (classes, p, …)."""
        if number == 1:
            return values.amax(dim=1, keepdim=True)
        index = label.reshape(*label.shape, *(1,) * (values.dim() - 2)).expand_as(values)
        out = values.new_zeros((values.shape[0], number, *values.shape[2:]))
        return out.scatter_reduce_(1, index, values, "amax")

    X, own = inputs.X[block], inputs.own(block)
    member = (label[:, :, None] == torch.arange(number, device=X.device)).to(X.dtype)
    size = member.sum(dim=1)
    # any centre will do; a product adds in the same order each time, and scattered additions do not
    Z = member.transpose(1, 2) @ X / size.clamp_min(1.0)[:, :, None]
    e = squares(X - Z.gather(1, label[:, :, None].expand_as(X))).sqrt() + own
    E_max, N, own_max = largest(e), largest(e.square().sum(dim=2)).sqrt(), largest(own)
    T = largest(inputs.fixed(block))

    spread = torch.minimum(E_max @ answers.length, N[:, :, None] * answers.norm)
    by_cluster = Z @ answers.turn - spread - T[:, :, None]
    by_cluster.masked_fill_((size == 0)[:, :, None], torch.inf)
    D = answers.D(block)
    bound = by_cluster.amin(dim=1) - D - answers.tail[block, None]

    # the ledger, at the worst δ and cluster of each class
    delta = bound.argmin(dim=1)
    classes = torch.arange(delta.numel(), device=X.device)
    worst = by_cluster[classes, :, delta].argmin(dim=1)
    mean = (Z * size[:, :, None]).sum(dim=1) / label.shape[1]
    ideal = (mean * answers.turn[:, delta].T).sum(dim=1)
    length = answers.length[:, delta].T
    own_cost = own_max[classes, worst] * length
    R = own_cost.sum(dim=1) + largest(inputs.crossed(block))[classes, worst]
    res, skip = (largest(values[block])[classes, worst] for values in (inputs.res, inputs.skip))
    return {
        "bound": bound,
        "ideal": ideal,
        # what is not R, res or skip; the maxima of a cluster need not meet at one input
        "E": ideal - by_cluster[classes, worst, delta] - R - res - skip,
        "R": R,
        "D": D[classes, delta],
        "res": res,
        "skip": skip,
        "delta": delta + 1,
        "R_by_retained": own_cost,
        "E_by_retained": (E_max - own_max)[classes, worst] * length,
        "clusters": (size > 0).sum(dim=1),
    }
