r"""The inequality (G): a bound for an input and a wrong answer, from the quantities that ``linear`` has read
already."""

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.inequality import Inequality
from quadlens.certificates.operations import OperationCounter


class InputBounds:
    """Evaluates (G) for a class and a set of δ, all inputs of the class at once; O(|F|) for each (b, δ)."""

    __slots__ = ("_Q", "_found", "_owned", "_roots", "_table")

    def __init__(self, found: Inequality) -> None:
        self._found = found
        plan = found.plan
        own = sorted({position for bucket in plan.buckets if (position := plan.own(bucket)) is not None})
        self._owned = np.array(own, dtype=np.int64)
        turn = 1 - np.exp(2j * np.pi / plan.p * (np.outer(plan.retained, np.arange(plan.p)) % plan.p))
        self._table = np.concatenate([turn.real, turn.imag, -np.abs(turn[self._owned])])
        # for each c all harmonics of all groups in one row
        self._Q = np.ascontiguousarray(found.rest.Q.reshape(-1, plan.p).T)
        self._roots = np.exp(2j * np.pi / plan.cells * np.arange(plan.cells))

    @property
    def triple_operations(self) -> int:
        """What one triple costs in ``of_triples``."""
        return int(6 * self._Q.shape[1] + 2 * self._table.shape[0] + 8)

    def of_class(self, d: int, delta: IntArray, count: OperationCounter) -> FloatArray:
        """Return lower bounds of ``margin(d+b, b, δ)`` for every b and the given δ (1 … p−1), shape (p, δ)."""
        found, inputs = self._found, self._found.inputs
        X = inputs.X[d]
        terms = np.concatenate([X.real, -X.imag, inputs.own(d)[:, self._owned]], axis=1)
        fixed = inputs.fixed(d)
        whole = found.rest.D(d)[delta] + found.rest.tail[:, d].sum()
        count.add(terms.shape[0], delta.size, 2 * terms.shape[1] + 4)
        count.add(2 * len(found.plan.groups) * (found.plan.harmonics + 1), found.plan.p)
        return found.lowered(terms @ self._table[:, delta] - fixed[:, None] - whole)

    def of_triples(self, d: int, b: IntArray, delta: IntArray, count: OperationCounter) -> FloatArray:
        """Return lower bounds of ``margin(d+b, b, δ)`` for given triples of a class: (G) with D and skip not bounded
        but evaluated.

        ``Re Σ_γ Σ_{m≤M} μ_m P̂_{γ,d}[m] e^{2πi m g k b/G} (Q_{γ,m}(Y) − Q_{γ,m}(Y+δ))`` takes the place of ``−D(d,δ)``.
        """
        found, inputs, plan = self._found, self._found.inputs, self._found.plan
        p, m = plan.p, np.arange(plan.harmonics + 1)
        only, which = np.unique(b, return_inverse=True)
        turned = [
            found.rest.P_hat[number, d] * self._roots[np.outer(plan.shifts(group.frequency)[only], m) % plan.cells]
            for number, group in enumerate(plan.groups)
        ]
        a, Y = (d + b) % p, (d + 2 * b) % p
        c = (Y + delta) % p
        harmonic = np.einsum("tm,tm->t", np.concatenate(turned, axis=1)[which], self._Q[Y] - self._Q[c]).real
        skip = inputs.rest_a[a, c] - inputs.rest_a[a, Y] + inputs.rest_b[b, c] - inputs.rest_b[b, Y]
        X = inputs.X[d, b]
        terms = np.concatenate([X.real, -X.imag, inputs.own(d)[b][:, self._owned]], axis=1)
        value = np.einsum("tz,tz->t", terms, self._table[:, delta].T)
        fixed = inputs.crossed(d)[b] + inputs.res[d, b] + found.rest.tail[:, d].sum()
        count.add(only.size, 6 * self._Q.shape[1])
        count.add(b.size, self.triple_operations)
        return found.lowered(value + harmonic + skip - fixed)
