r"""The inequality (L): a bound for every class d and every wrong answer Y + δ.

    Re Σ_z Z_z (1 − e^{iωzδ}) − min(Σ_z E_z |1 − e^{iωzδ}|, N (Σ_z |1 − e^{iωzδ}|²)^½) − T − D_M(d,δ) − tail(d)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.inputs import Inputs
from quadlens.certificates.inequality.remainder import Remainder
from quadlens.certificates.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """``1 − e^{iωzδ}`` by z and ``δ = 1 … p − 1``, each (|F|, p − 1): real and imaginary parts and moduli."""

    re: FloatArray
    im: FloatArray
    length: FloatArray


def turns(plan: Plan) -> Turns:
    """Return them from numpy's roots of unity; the residue ``zδ mod p`` is exact."""
    angle = 2j * np.pi / plan.p * (np.outer(np.array(plan.retained, dtype=np.int64), np.arange(1, plan.p)) % plan.p)
    turn = 1 - np.exp(angle)
    return Turns(re=turn.real, im=turn.imag, length=np.abs(turn))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassBounds:
    """(L) and what it is made of, numpy arrays of shape (p, p − 1) at (d, δ − 1), or (p,).

    ``bound = ideal − spread − D − tail − T`` without the rounding term; ``R, res, skip`` are those of the input where
    their sum T is largest.
    """

    bound: FloatArray
    ideal: FloatArray
    spread: FloatArray
    D: FloatArray
    tail: FloatArray
    R: FloatArray
    res: FloatArray
    skip: FloatArray


def class_bounds(at: Namespace, plan: Plan, inputs: Inputs, rest: Remainder) -> ClassBounds:
    """Evaluate (L), without its rounding term, for every class and δ: O(p²|F|)."""
    p, xp, kept = plan.p, at.xp, len(plan.retained)
    turn = turns(plan)
    effect = at.array(np.concatenate([turn.re, -turn.im]))
    length = at.array(turn.length)
    norm = xp.sqrt(xp.sum(length * length, axis=0))
    head = xp.abs(rest.P_hat)

    def work(block: slice) -> list[Any]:
        X = inputs.X[block]
        Z = xp.mean(X, axis=1)
        apart = X - Z[:, None, :]
        apart = apart * apart
        square = apart[..., :kept] + apart[..., kept:]
        E = xp.sqrt(xp.max(square, axis=1))
        N = xp.sqrt(xp.max(xp.sum(square, axis=2), axis=1))
        spread = xp.minimum(E @ length, N[:, None] * norm)
        D = sum(head[number, block] @ rest.widest[number] for number in range(head.shape[0]))[:, 1:]
        parts = [part[block] for part in (inputs.R, inputs.res, inputs.skip)]
        total = parts[0] + parts[1] + parts[2]
        worst = xp.argmax(total, axis=1)[:, None]
        costs = [xp.take_along_axis(part, worst, axis=1)[:, 0] for part in parts]
        return [Z @ effect, spread, D, xp.sum(rest.tail[:, block], axis=0), *costs]

    found = at.over(work, p, 4 * p * (kept + 1))
    ideal, spread, D, tail, R, res, skip = (at.numpy(xp.concat(parts, axis=0)) for parts in zip(*found, strict=True))
    bound = ideal - spread - D - (tail + (R + res + skip))[:, None]
    return ClassBounds(bound=bound, ideal=ideal, spread=spread, D=D, tail=tail, R=R, res=res, skip=skip)
