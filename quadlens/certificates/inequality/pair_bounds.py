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

    ``effect (p − 1, 2 |F|)`` takes X to ``Re Σ X_z (1 − e^{iωzδ})``. With γ and m in one axis, ``walk (p, γ m)`` is
    ``e^{2πi m g k b/G}``, ``P`` of that shape ``μ_m P̂_{γ,d}[m]``, and ``Q (p, 2 γ m)`` the conjugate of ``Q_{γ,m}(c)``
    as pairs of reals; ``size`` is ``|P|`` for ``m > m₀`` and ``widest`` holds the ``O`` there. ``rests`` are the rests
    of the skip path, of a and of b, where there is one.
    """

    at: Namespace
    plan: Plan
    inputs: Inputs
    effect: Any
    walk: Any
    P: Any
    Q: Any
    size: Any
    widest: Any
    tail: Any
    rests: tuple[Any, Any] | None

    @classmethod
    def of(cls, at: Namespace, plan: Plan, inputs: Inputs, rest: Remainder, split: Split) -> "PairBounds":
        """Prepare what all pairs share."""
        xp, turn, kept, m = at.xp, turns(plan), plan.harmonics + 1, np.arange(plan.head + 1)
        circle = np.exp(2j * np.pi / plan.cells * np.arange(plan.cells))
        walk = np.concatenate([circle[np.outer(m, plan.shifts(g.frequency)) % plan.cells] for g in plan.groups])
        first = np.concatenate([number * kept + m for number in range(len(plan.groups))])
        beyond = np.delete(np.arange(len(plan.groups) * kept), first)
        P, Q = xp.concat(list(rest.P_hat), axis=1), xp.concat(list(rest.Q), axis=0)
        return cls(
            at=at,
            plan=plan,
            inputs=inputs,
            effect=at.array(np.concatenate([turn.re, -turn.im]).T.copy()),
            walk=at.array(walk.T.copy()),
            P=at.take(P, first, 1),
            Q=at.as_pairs(xp.conj(at.contiguous(at.take(Q, first, 0).T))),
            size=xp.abs(at.take(P, beyond, 1)),
            widest=at.contiguous(at.take(xp.concat(list(rest.widest), axis=0), beyond, 0).T),
            tail=xp.sum(rest.tail, axis=0),
            rests=(split.rest_a, split.rest_b) if split.skips else None,
        )

    def of_pairs(self, d: IntArray, delta: IntArray) -> PairTerms:
        """Return the terms of (G′) for the pairs ``(d, δ)``, ``1 ≤ δ ≤ p − 1``."""
        numbers = self.plan.p * (2 * len(self.plan.retained) + 3 * self.Q.shape[1] + 8)
        found = self.at.over(lambda block: self._some(d[block], delta[block]), d.size, numbers)
        parts = (self.at.numpy(self.at.xp.concat(part, axis=0)) for part in zip(*found, strict=True))
        return PairTerms(**dict(zip(("ideal", "head", "skip", "tail", "residual", "gates"), parts, strict=True)))

    def _some(self, d: IntArray, delta: IntArray) -> list[Any]:
        at, xp, p = self.at, self.at.xp, self.plan.p
        at_d, b = at.array(d), np.arange(p)
        X, res, R = (xp.take(table, at_d, axis=0) for table in (self.inputs.X, self.inputs.res, self.inputs.R))
        ideal = xp.einsum("kbz,kz->kb", X, at.take(self.effect, delta - 1, 0))
        cost = xp.take(self.size, at_d, axis=0) * at.take(self.widest, delta, 0)
        tail = -(xp.sum(cost, axis=1) + xp.take(self.tail, at_d, axis=0))[:, None]
        a = (d[:, None] + b) % p
        Y = (a + b) % p
        c = (Y + delta[:, None]) % p
        skip = 0 * ideal
        for table, residue in zip(self.rests or (), (a, np.broadcast_to(b, a.shape)), strict=False):
            flat = xp.reshape(table, (-1,))
            # max_c dS is in both: dS(Y) − dS(c) is what c lies below it less what Y does
            to, away = (at.take(flat, (residue * p + answer).reshape(-1), 0) for answer in (c, Y))
            skip = skip + xp.reshape(to - away, a.shape)
        return [ideal, self._head(d, c), skip, tail, -res, -R]

    def _head(self, d: IntArray, c: IntArray) -> Any:
        """Return ``Re Σ μ_m P̂ e^{2πi m g k b/G} (Q(Y) − Q(c))`` for classes d and answers ``c (pairs, p)``."""
        at, xp, p = self.at, self.at.xp, self.plan.p
        classes, place = np.unique(d, return_inverse=True)
        waves = at.as_pairs(at.take(self.P, classes, 0)[:, None, :] * self.walk)
        Y = (classes[:, None] + 2 * np.arange(p)) % p

        def effect(of: Any, answer: IntArray) -> Any:
            Q = xp.reshape(at.take(self.Q, answer.reshape(-1), 0), (*answer.shape, -1))
            return xp.einsum("kbh,kbh->kb", of, Q)

        return at.take(effect(waves, Y), place, 0) - effect(at.take(waves, place, 0), c)
