r"""The method ``adaptive``: the exact accuracy and the smallest margin, evaluating only what the bounds leave open.

(L) for every class and wrong answer; (G′) for the pairs that it leaves open; the network itself for the triples
``(d, b, δ)`` that remain. Open is what is not above 0 or not above the smallest margin that was evaluated so far: in
the end every input is decided, and no bound left is below the smallest margin.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.certificates.compute.namespace import numpy_namespace
from quadlens.certificates.exact.single_inputs import SingleInputs
from quadlens.certificates.inequality.evaluate import ARITHMETIC, Inequality, evaluate, refusal
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.circuits.circuit import Circuit

SINGLE = "single inputs in float64 with their own rounding bound, in integers where that does not decide"

BUDGET = Budget(candidates=256)
"""Gates that are bounded leave far more open than it costs to look at them: more of them than ``linear`` looks at."""

CHUNK = 64
"""Least number of pairs asked about, and of triples evaluated, before the level is lowered again."""

PROBES = 4
"""Margins evaluated where a chunk of pairs has its lowest bounds."""

STAGES = ("class bound", "pair bound", "evaluated")


def certify_adaptive(
    circuit: Circuit, *, budget: Budget = BUDGET, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Decide every input and find the smallest margin; sound and complete.

    Parameters
    ----------
    circuit : one kink: ReLU, |x|; its tables, or its stored weights, are taken as exact
    budget : limits on what the bounds may spend; by default more gates are looked at than by ``linear``
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``certified_accuracy`` is the network's accuracy (a tie is wrong). ``margin_lower_bound`` is its smallest margin
        rounded down: ``prover["stages"]["smallest_margin_at_most"]`` bounds it from above, and the two differ by
        rounding only. Refused, with the reason, if the activation is another or the numbers may overflow.

    Raises
    ------
    CertificateError
        If a margin cannot be told from zero in float64, and the tables are known within a radius only.
    """

    arithmetic = f"{ARITHMETIC}; {SINGLE}"

    report = progress or (lambda done: None)

    def prove() -> Proof:
        size = sizes(circuit)
        reason = refusal(circuit, size)
        if reason is not None:
            return Proof(arithmetic=arithmetic, refusal=reason)
        found = evaluate(circuit, size, budget, numpy_namespace(), lambda done: report(0.5 * done))
        bound = found.rounding.lowered(found.classes.bound)
        return _Search(
            found=found,
            single=SingleInputs(circuit, found.rounding.tables),
            bound=bound,
            stage=np.zeros(bound.shape, dtype=np.int64),
            wrong=set(),
            refined=np.zeros(bound.shape, dtype=bool),
            report=lambda done: report(0.5 + 0.5 * done),
        ).run()

    return certificate_of("adaptive", circuit, prove)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Triples:
    """Inputs b of classes d against Y + δ, each with the bound that is known of it."""

    d: IntArray
    b: IntArray
    delta: IntArray
    bound: FloatArray

    def take(self, index: Any) -> "_Triples":
        """Return some of them."""
        return _Triples(d=self.d[index], b=self.b[index], delta=self.delta[index], bound=self.bound[index])


def _joined(parts: list[_Triples]) -> _Triples:
    whole = {name: [getattr(part, name) for part in parts] for name in ("d", "b", "delta", "bound")}
    return _Triples(**{name: np.concatenate(values) if values else np.zeros(0, int) for name, values in whole.items()})


@dataclass(slots=True, kw_only=True, eq=False)
class _Search:
    """``bound (p, p − 1)`` is what is known of each pair over all b; ``stage`` says by what, an index into ``STAGES``.

    ``smallest`` is the least upper bound of a margin that was evaluated: the network's smallest margin is no larger.
    """

    found: Inequality
    single: SingleInputs
    bound: FloatArray
    stage: IntArray
    wrong: set[tuple[int, int]]
    report: Callable[[float], None]
    refined: BoolArray
    smallest: float = np.inf
    triples: int = 0

    @property
    def p(self) -> int:
        """The number of residues."""
        return int(self.bound.shape[0])

    @property
    def level(self) -> float:
        """What is above this is right, and not the smallest margin."""
        return max(self.smallest, 0.0)

    def run(self) -> Proof:
        """Decide every input and find the smallest margin."""
        self._evaluate(self._open_triples())
        self.report(1.0)
        wrong = sorted(self.wrong)
        of_class = np.bincount([(a - b) % self.p for a, b in wrong], minlength=self.p)
        classes = []
        for d, worst in enumerate(self.bound.argmin(axis=1)):
            margin = float(self.bound[d, worst])
            ledger = ((STAGES[self.stage[d, worst]], margin),)
            certified = self.p - int(of_class[d])
            classes.append(ClassBound(difference=d, margin_lower_bound=margin, certified=certified, ledger=ledger))
        stages = {
            "pairs": self.bound.size,
            "pairs_refined": int(self.refined.sum()),
            "triples_evaluated": self.triples,
            "triples_in_integers": self.single.exactly,
            "smallest_margin_at_most": self.smallest,
        }
        counted = self.found.operations
        return Proof(
            arithmetic=f"{ARITHMETIC}; {SINGLE}",
            classes=tuple(classes),
            prover={**self.found.plan.to_dict(), "stages": stages},
            operations=counted.total + counted.refinement(self.refined) + self.single.operations,
            wrong=wrong,
        )

    def _open_triples(self) -> _Triples:
        """Ask (G′) about the pairs that (L) leaves open, lowest first; return the triples that it leaves open."""
        order = np.argsort(self.bound, axis=None, kind="stable")
        lowest = self.bound.ravel()[order]
        left: list[_Triples] = []
        at = 0
        while at < order.size and lowest[at] <= self.level:
            stop = min(at + max(CHUNK, self.p), int(np.searchsorted(lowest, self.level, side="right")))
            d, column = np.divmod(order[at:stop], self.p - 1)
            terms = self.found.pairs.of_pairs(d, column + 1)
            of_b = np.maximum(self.found.rounding.lowered(terms.bound), self.bound[d, column][:, None])
            self.refined[d, column] = True
            if float(of_b.min()) < self.smallest:
                # the margins where the bounds are lowest: the level that the others must be above
                probe, b = np.divmod(np.argsort(of_b, axis=None)[:PROBES], self.p)
                self._margins(_Triples(d=d[probe], b=b, delta=column[probe] + 1, bound=of_b[probe, b]))
            row, b = np.nonzero(of_b <= self.level)
            left.append(_Triples(d=d[row], b=b, delta=column[row] + 1, bound=of_b[row, b]))
            # of the others the least is known; the open ones are settled in the end
            self.bound[d, column] = np.where(of_b <= self.level, np.inf, of_b).min(axis=1)
            self.stage[d, column] = 1
            at = stop
            self.report(0.5 * at / order.size)
        return _joined(left)

    def _evaluate(self, triples: _Triples) -> None:
        """Evaluate open triples, lowest bounds first, while their bounds are not above the level.

        A class with most of its triples open is evaluated whole: all logits of an input cost no more than half of them.
        """
        p = self.p
        crowded = np.flatnonzero(np.bincount(triples.d, minlength=p) > p * (p - 1) // 2)
        b, delta = np.divmod(np.arange(p * (p - 1)), p - 1)
        for d in map(int, crowded):
            lower = self._margins(_Triples(d=np.full(b.size, d), b=b, delta=delta + 1, bound=0.0 * b))
            self.bound[d], self.stage[d] = lower.reshape(p, p - 1).min(axis=0), 2
        rest = triples.take(~np.isin(triples.d, crowded))
        rest = rest.take(np.argsort(rest.bound, kind="stable"))
        value, stage = rest.bound.copy(), np.ones(rest.d.size, dtype=np.int64)
        at, size = 0, max(CHUNK, p)
        while at < rest.d.size and rest.bound[at] <= self.level:
            some = slice(at, min(at + size, int(np.searchsorted(rest.bound, self.level, side="right"))))
            value[some], stage[some] = self._margins(rest.take(some)), 2
            at, size = some.stop, 2 * size
            self.report(0.5 + 0.5 * at / rest.d.size)
        # each pair's least triple decides, if it is below what is known of its others
        order = np.argsort(-value, kind="stable")
        pair = rest.d[order], rest.delta[order] - 1
        lowest, by = np.full(self.bound.shape, np.inf), np.zeros(self.bound.shape, dtype=np.int64)
        lowest[pair], by[pair] = value[order], stage[order]
        below = lowest < self.bound
        self.bound[below], self.stage[below] = lowest[below], by[below]

    def _margins(self, triples: _Triples) -> FloatArray:
        """Evaluate triples; note wrong inputs and the smallest margin, return lower bounds."""
        lower = np.empty(triples.d.size)
        if not lower.size:
            return lower
        order = np.lexsort((triples.b, triples.d))
        starts = np.flatnonzero(np.diff(triples.d[order], prepend=-1))
        for mine in np.split(order, starts[1:]):
            d, b = int(triples.d[mine[0]]), triples.b[mine]
            decided = self.single.margins(d, b, triples.delta[mine])
            lower[mine] = decided.lower
            self.smallest = min(self.smallest, float(decided.upper.min()))
            self.wrong |= {((d + b_) % self.p, b_) for b_ in b[decided.upper <= 0].tolist()}
        self.triples += triples.d.size
        return lower
