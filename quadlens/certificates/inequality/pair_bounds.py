r"""The inequality (G′): a bound for a class d and a wrong answer Y + δ at every b, head and skip path evaluated.

    Re Σ_z X_z(d,b)(1 − e^{iωzδ}) + Re Σ_γ Σ_{m≤m₀} μ_m P̂_{γ,d}[m] e^{2πi m g k b/G} (Q_{γ,m}(Y) − Q_{γ,m}(Y+δ))
      + dS(Y) − dS(Y+δ) − D_{m₀,M}(d,δ) − tail(d) − res(a,b) − R(a,b)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.compute.namespace import Namespace
from quadlens.certificates.inequality.class_bounds import turns
from quadlens.certificates.inequality.inputs import Inputs
from quadlens.certificates.inequality.remainder import Remainder
from quadlens.certificates.inequality.split import Split
from quadlens.certificates.plan.plan import Plan

KEPT = 2**26
"""Float64 numbers of classes' heads that are kept at most (512 MiB)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairTerms:
    """What the bound of some pairs is the sum of, each (pairs, p) by b or (pairs, 1); what lowers it is negative."""

    ideal: FloatArray
    head: FloatArray
    skip: FloatArray
    tail: FloatArray
    residual: FloatArray
    gates: FloatArray

    @property
    def bound(self) -> FloatArray:
        """The bound without its rounding term, shape (pairs, p)."""
        return self.ideal + self.head + self.skip + self.tail + self.residual + self.gates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairBounds:
    """Evaluates (G′) for any pairs (d, δ); arrays of one namespace.

    ``effect (p − 1, 2 |F|)`` takes X to ``Re Σ X_z (1 − e^{iωzδ})``; ``walk`` are the parts of ``e^{2πi m g k b/G}``,
    ``P`` of ``μ_m P̂_{γ,d}[m]`` and ``Q`` of ``Q_{γ,m}(c)``, γ and m in one axis; ``size`` is ``|P|`` for ``m > m₀`` and
    ``widest`` holds the ``O`` there. ``heads`` keeps what is a class's own: parts of ``μ_m P̂ e^{2πi m g k b/G}``, shape
    (p, γ m), and the sum of its products with ``Q(Y)``.
    """

    at: Namespace
    plan: Plan
    inputs: Inputs
    split: Split
    effect: Any
    walk: tuple[Any, Any]
    P: tuple[Any, Any]
    Q: tuple[Any, Any]
    size: Any
    widest: Any
    tail: Any
    heads: dict[int, tuple[Any, Any, Any]]

    @classmethod
    def of(cls, at: Namespace, plan: Plan, inputs: Inputs, rest: Remainder, split: Split) -> "PairBounds":
        """Prepare what all pairs share."""
        xp, turn, kept, m = at.xp, turns(plan), plan.harmonics + 1, np.arange(plan.head + 1)
        circle = np.exp(2j * np.pi / plan.cells * np.arange(plan.cells))
        walk = np.concatenate([circle[np.outer(m, plan.shifts(g.frequency)) % plan.cells] for g in plan.groups])
        first = np.concatenate([number * kept + m for number in range(len(plan.groups))])
        beyond = np.delete(np.arange(len(plan.groups) * kept), first)
        P, Q = xp.concat(list(rest.P_hat), axis=1), xp.concat(list(rest.Q), axis=0)
        head_P, head_Q = at.take(P, first, 1), at.take(Q, first, 0).T
        return cls(
            at=at,
            plan=plan,
            inputs=inputs,
            split=split,
            effect=at.array(np.concatenate([turn.re, -turn.im]).T.copy()),
            walk=(at.array(walk.real.T.copy()), at.array(walk.imag.T.copy())),
            P=(xp.real(head_P), xp.imag(head_P)),
            Q=(at.contiguous(xp.real(head_Q)), at.contiguous(xp.imag(head_Q))),
            size=xp.abs(at.take(P, beyond, 1)),
            widest=at.contiguous(at.take(xp.concat(list(rest.widest), axis=0), beyond, 0).T),
            tail=xp.sum(rest.tail, axis=0),
            heads={},
        )

    def of_pairs(self, d: IntArray, delta: IntArray) -> PairTerms:
        """Return the terms of (G′) for the pairs ``(d, δ)``, ``1 ≤ δ ≤ p − 1``."""
        rows = max(1, self.at.block // (self.plan.p * (2 * len(self.plan.retained) + 3 * self.walk[0].shape[1] + 8)))
        found = [self._some(d[start : start + rows], delta[start : start + rows]) for start in range(0, d.size, rows)]
        parts = (self.at.numpy(self.at.xp.concat(part, axis=0)) for part in zip(*found, strict=True))
        return PairTerms(**dict(zip(("ideal", "head", "skip", "tail", "residual", "gates"), parts, strict=True)))

    def _some(self, d: IntArray, delta: IntArray) -> list[Any]:
        at, xp, p = self.at, self.at.xp, self.plan.p
        at_d, b = at.array(d), np.arange(p)
        X, res, R = (xp.take(table, at_d, axis=0) for table in (self.inputs.X, self.inputs.res, self.inputs.R))
        ideal = (X @ at.take(self.effect, delta - 1, 0)[:, :, None])[:, :, 0]
        cost = xp.take(self.size, at_d, axis=0) * at.take(self.widest, delta, 0)
        tail = -(xp.sum(cost, axis=1) + xp.take(self.tail, at_d, axis=0))[:, None]
        re, im, of_Y = self._heads(d)
        a = (d[:, None] + b) % p
        Y = (a + b) % p
        c = (Y + delta[:, None]) % p
        Q_re, Q_im = (at.take(part, c.reshape(-1), 0) for part in self.Q)
        of_c = xp.reshape(xp.sum(re * xp.reshape(Q_re, re.shape) - im * xp.reshape(Q_im, re.shape), axis=2), c.shape)
        skip = 0 * ideal
        for table, residue in ((self.split.rest_a, a), (self.split.rest_b, np.broadcast_to(b, a.shape))):
            flat = xp.reshape(table, (-1,))
            # max_c dS is in both: dS(Y) − dS(c) is what c lies below it less what Y does
            to, away = (at.take(flat, (residue * p + answer).reshape(-1), 0) for answer in (c, Y))
            skip = skip + xp.reshape(to - away, a.shape)
        return [ideal, of_Y - of_c, skip, tail, -res, -R]

    def _heads(self, d: IntArray) -> tuple[Any, Any, Any]:
        """Return ``heads`` of the classes d, stacked; what is missing is worked out, and kept while there is room."""
        at, xp, p = self.at, self.at.xp, self.plan.p
        if len(self.heads) * p * (2 * self.walk[0].shape[1] + 1) > KEPT:
            self.heads.clear()
        for one in np.unique(d).tolist():
            if one not in self.heads:
                (x, y), (u, v) = (part[one] for part in self.P), self.walk
                re, im = x * u - y * v, x * v + y * u
                Q_re, Q_im = (at.take(part, (one + 2 * np.arange(p)) % p, 0) for part in self.Q)
                self.heads[one] = re, im, xp.sum(re * Q_re - im * Q_im, axis=1)
        re, im, of_Y = (xp.stack([self.heads[one][part] for one in d.tolist()]) for part in range(3))
        return re, im, of_Y
