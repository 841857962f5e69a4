r"""The method ``adaptive``: the exact accuracy and the smallest margin, evaluating only what the bounds leave open.

(L) for every class and wrong answer; (G) for those it leaves open; the network itself for the triples that remain.
First until every
input is decided; then, at a limited price, until the smallest margin is known.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.certificate import LISTED, Certificate, ClassBound
from quadlens.certificates.choose import Budget
from quadlens.certificates.inequality import ARITHMETIC, Inequality, evaluate_inequality, refusal
from quadlens.certificates.input_bounds import InputBounds
from quadlens.certificates.network_facts import network_facts
from quadlens.certificates.operations import OperationCounter, brute_force_operations
from quadlens.certificates.single_inputs import SingleInputs
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

ADAPTIVE_BUDGET = Budget(retained=10, buckets=6, levels=2, solo=16, harmonics=6, clusters=8)
"""Bounds that cost less than ``linear``'s: what they leave open is decided by other means."""

SINGLE = "single inputs in float64 with their own rounding bound, in integers where that does not decide"

PARTS = (0.4, 0.7, 1.0)
"""Parts of the smallest margin known that every class's bounds are brought above, in turn."""

PROBES = 3
"""Classes whose worst input is evaluated first, for an upper bound of the smallest margin."""


def certify_adaptive(
    circuit: Circuit,
    *,
    budget: Budget = ADAPTIVE_BUDGET,
    search: float = 0.2,
    progress: Callable[[float], None] | None = None,
) -> Certificate:
    """Decide every input; sound and complete.

    Parameters
    ----------
    circuit : activation ReLU or |x|; its tables, or its stored weights, are taken as exact
    budget : limits on what the bounds may spend
    search : the search for the smallest margin, once every input is decided, may cost this many times what was spent
        before
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``certified_accuracy`` is the network's accuracy (a tie is wrong). Its smallest margin lies between
        ``margin_lower_bound`` and ``prover["stages"]["smallest_margin_at_most"]``, both proved. Refused, with the
        reason, if the activation is another or the numbers may overflow.

    Raises
    ------
    CertificateError
        If a margin cannot be told from zero in float64, and the tables are known within a radius only.
    """
    start = time.perf_counter()
    count = OperationCounter()
    if not (np.isfinite(search) and search >= 0):
        raise OptionError(f"search must be a finite number >= 0, got {search!r}")
    reason = refusal(circuit)
    classes: tuple[ClassBound, ...] = ()
    wrong: list[tuple[int, int]] = []
    record: dict[str, Any] = {}
    with network_facts(circuit) as facts:
        if reason is None:
            found = evaluate_inequality(circuit, budget, count, progress and (lambda done: progress(0.5 * done)))
            classes, wrong, stages = _decide(
                circuit, found, search, count, (lambda done: progress(0.5 + 0.5 * done)) if progress else (lambda done:
                None)
            )
            record = {**found.record(), "stages": stages}
    decided = reason is None
    return Certificate(
        method="adaptive",
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=facts.sha256.result(),
        arithmetic=f"{ARITHMETIC}; {SINGLE}",
        operations=count.total,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        classes=classes,
        ledger=min(classes, key=lambda bound: bound.margin_lower_bound).ledger if classes else (),
        prover=record,
        misclassified=tuple(wrong[:LISTED]) if decided else None,
        misclassified_count=len(wrong) if decided else None,
        float32_error=facts.float32_error.result() if reason is None else None,
        refusal=reason,
    )


STAGES = ("linear bound", "gated bound", "gated bound, harmonics evaluated", "exact evaluation")


@dataclass(slots=True, kw_only=True)
class _ClassState:
    """What is proved of one class so far: ``settled[δ − 1]`` bounds the margin of every input against Y + δ, by
    ``stage``."""

    d: int
    settled: FloatArray
    stage: IntArray
    wrong: frozenset[int] = frozenset()


@dataclass(slots=True, kw_only=True)
class _Search:
    """Settles wrong answers class by class: (G), (G) with its harmonics evaluated, the network itself."""

    bounds: InputBounds
    single: SingleInputs
    count: OperationCounter
    neurons: int
    smallest: float = np.inf
    pairs: int = 0
    triples: int = 0

    def settle(self, state: _ClassState, above: float, limit: float = np.inf) -> None:
        """Bring every bound of a class above ``above``, or find margins at most that; stop where ``limit``
        operations end.

        A δ that is not finished keeps the lowest bound that its triples have.
        """
        delta = np.flatnonzero(state.settled <= above) + 1
        if not delta.size or self.count.total >= limit:
            return
        self.pairs += delta.size
        lower = np.maximum(self.bounds.of_class(state.d, delta, self.count), state.settled[delta - 1])
        stage = np.ones(lower.shape, dtype=np.int64)
        b, column = np.nonzero(lower <= above)
        # where most is open, or neurons are few, the network itself is cheaper
        if b.size and b.size <= lower.size // 3 and self.bounds.triple_operations < self.neurons:
            refined = self.bounds.of_triples(state.d, b, delta[column], self.count)
            stage[b, column] = 2
            lower[b, column] = np.maximum(lower[b, column], refined)
            open_still = lower[b, column] <= above
            b, column = b[open_still], column[open_still]
        p = lower.shape[0]
        if b.size > p * (p - 1) // 2 and self.count.total + 2 * self.neurons * p * p <= limit:
            # all logits of an input cost no more than half of them: then nothing of the class stays a bound
            self._evaluate_all(state)
            return
        if b.size and self.count.total + 2 * self.neurons * b.size <= limit:
            self.triples += b.size
            decided = self.single.margins(state.d, b, delta[column])
            stage[b, column] = 3
            lower[b, column] = decided.lower
            self.smallest = min(self.smallest, float(decided.upper.min()))
            state.wrong |= frozenset(b[decided.upper <= 0].tolist())
        worst = lower.argmin(axis=0)
        state.settled[delta - 1] = lower[worst, np.arange(delta.size)]
        state.stage[delta - 1] = stage[worst, np.arange(delta.size)]

    def _evaluate_all(self, state: _ClassState) -> None:
        """Evaluate every input of a class against every wrong answer."""
        p = state.settled.size + 1
        b, delta = np.divmod(np.arange(p * (p - 1)), p - 1)
        self.triples += b.size
        decided = self.single.margins(state.d, b, delta + 1)
        self.smallest = min(self.smallest, float(decided.upper.min()))
        state.wrong = frozenset(b[decided.upper <= 0].tolist())
        state.settled[:] = decided.lower.reshape(p, p - 1).min(axis=0)
        state.stage[:] = 3


def _decide(
    circuit: Circuit, found: Inequality, search: float, count: OperationCounter, report: Callable[[float], None]
) -> tuple[tuple[ClassBound, ...], list[tuple[int, int]], dict[str, Any]]:
    """Return the classes, the misclassified inputs, and how much each stage took."""
    p = circuit.p
    of_class = found.lowered(found.classes.bound)
    single = SingleInputs(circuit, found.rounding.tables, count)
    work = _Search(bounds=InputBounds(found), single=single, count=count, neurons=circuit.neurons)
    states = [_ClassState(d=d, settled=of_class[d].copy(), stage=np.zeros(p - 1, dtype=np.int64)) for d in range(p)]
    # first the accuracy, whatever it costs
    for done, state in enumerate(states):
        work.settle(state, 0.0)
        report(0.5 * (done + 1) / p)
    # then the smallest margin, lowest bounds first, at a limited price
    limit = (1 + search) * count.total
    ordered = sorted(states, key=lambda state: float(state.settled.min()))
    for state in ordered[:PROBES]:
        if not state.wrong:
            _probe(state, work)
    # all classes a part of the way before any goes on, so that where the price ends the margin has got somewhere
    for step, part in enumerate(PARTS):
        for done, state in enumerate(ordered):
            if work.smallest > 0:
                work.settle(state, part * work.smallest, limit)
            report(0.5 + 0.5 * (step + (done + 1) / p) / len(PARTS))
    classes = []
    for state in states:
        worst = int(state.settled.argmin())
        margin = float(state.settled[worst])
        ledger = ((STAGES[state.stage[worst]], margin),)
        certified = p - len(state.wrong)
        classes.append(ClassBound(difference=state.d, margin_lower_bound=margin, certified=certified, ledger=ledger))
    wrong = sorted(((state.d + b) % p, b) for state in states for b in state.wrong)
    stages = {
        "pairs": p * (p - 1),
        "pairs_gated": work.pairs,
        "triples_evaluated": work.triples,
        "triples_in_integers": single.exactly,
        # the least upper bound of a margin that was evaluated: the network's smallest margin is no larger
        "smallest_margin_at_most": work.smallest,
    }
    return tuple(classes), wrong, stages


def _probe(state: _ClassState, work: _Search) -> None:
    """Evaluate a few triples where the bounds of a class are lowest: an upper bound of the smallest margin."""
    delta = np.argsort(state.settled, kind="stable")[:PROBES] + 1
    lower = work.bounds.of_class(state.d, delta, work.count)
    b, column = np.unravel_index(np.argsort(lower, axis=None, kind="stable")[:PROBES], lower.shape)
    order = np.argsort(b, kind="stable")
    decided = work.single.margins(state.d, b[order], delta[column[order]])
    work.smallest = min(work.smallest, float(decided.upper.min()))
