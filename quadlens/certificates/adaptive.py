r"""The method ``adaptive``: the exact accuracy and the smallest margin, evaluating only what the bounds leave open.

(L) for every class and wrong answer; (G) for those it leaves open; the network itself for the triples that remain.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.certificates.certificate import LISTED, Certificate, ClassBound
from quadlens.certificates.choose import Budget
from quadlens.certificates.digest import network_digest
from quadlens.certificates.float32 import float32_margin_error
from quadlens.certificates.inequality import ARITHMETIC, Inequality, evaluate_inequality, refusal
from quadlens.certificates.input_bounds import InputBounds
from quadlens.certificates.operations import OperationCounter, brute_force_operations
from quadlens.certificates.single_inputs import SingleInputs
from quadlens.circuits.circuit import Circuit

ADAPTIVE_BUDGET = Budget(retained=10, buckets=6, levels=3, solo=8, harmonics=12, clusters=8)
"""Bounds that cost less than ``linear``'s: what they leave open is decided by other means."""

SINGLE = "single inputs in float64 with their own rounding bound, in integers where that does not decide"

PROBES = 4
"""Classes whose worst input is evaluated first, for an upper bound of the smallest margin."""


def certify_adaptive(
    circuit: Circuit, *, budget: Budget = ADAPTIVE_BUDGET, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Decide every input; sound and complete.

    Parameters
    ----------
    circuit : activation ReLU; its tables, or its stored weights, are taken as exact
    budget : limits on what the bounds may spend
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``certified_accuracy`` is the network's accuracy (a tie is wrong), ``margin_lower_bound`` its smallest margin to
        rounding; a class's margin may be below its true one, unless the class holds the smallest. Refused, with
        the reason, if the activation is another or the numbers may overflow.

    Raises
    ------
    CertificateError
        If a margin cannot be told from zero in float64, and the tables are known within a radius only.
    """
    start = time.perf_counter()
    count = OperationCounter()
    reason = refusal(circuit)
    classes: tuple[ClassBound, ...] = ()
    wrong: list[tuple[int, int]] = []
    record: dict[str, Any] = {}
    if reason is None:
        found = evaluate_inequality(circuit, budget, count, progress and (lambda done: progress(0.5 * done)))
        classes, wrong, stages = _decide(circuit, found, count, progress)
        record = {**found.record(), "stages": stages}
    decided = reason is None
    return Certificate(
        method="adaptive",
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=network_digest(circuit),
        arithmetic=f"{ARITHMETIC}; {SINGLE}",
        operations=count.total,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        classes=classes,
        ledger=min(classes, key=lambda bound: bound.margin_lower_bound).ledger if classes else (),
        prover=record,
        misclassified=tuple(sorted(wrong)[:LISTED]) if decided else None,
        misclassified_count=len(wrong) if decided else None,
        float32_error=float32_margin_error(circuit) if reason is None else None,
        refusal=reason,
    )


def _decide(
    circuit: Circuit, found: Inequality, count: OperationCounter, progress: Callable[[float], None] | None
) -> tuple[tuple[ClassBound, ...], list[tuple[int, int]], dict[str, int]]:
    """Return the classes, the misclassified inputs, and how many pairs and triples each stage took."""
    p = circuit.p
    of_class = found.lowered(found.classes.bound)
    bounds, single = InputBounds(found), SingleInputs(circuit, found.rounding.tables, count)
    smallest = _probe(of_class, bounds, single, count)
    classes: list[ClassBound] = []
    wrong: list[tuple[int, int]] = []
    pairs = triples = 0
    # classes whose bounds are lowest first: they bring the smallest margin down soon
    for done, d in enumerate(np.argsort(of_class.min(axis=1), kind="stable").tolist()):
        settled_above = max(0.0, smallest)
        open_delta = np.flatnonzero(of_class[d] <= settled_above) + 1
        closed = np.delete(of_class[d], open_delta - 1)
        margin = float(closed.min(initial=np.inf))
        stage = "linear bound"
        misclassified: list[int] = []
        if open_delta.size:
            pairs += open_delta.size
            by_input = np.maximum(bounds.of_class(d, open_delta, count), of_class[d, open_delta - 1])
            b, column = np.nonzero(by_input <= settled_above)
            least = float(by_input[by_input > settled_above].min(initial=np.inf))
            if least < margin:
                margin, stage = least, "gated bound"
            if b.size:
                refined = bounds.of_triples(d, b, open_delta[column], count)
                still = refined <= settled_above
                least = float(refined[~still].min(initial=np.inf))
                if least < margin:
                    margin, stage = least, "gated bound with its harmonics"
                b, column = b[still], column[still]
            if b.size:
                triples += b.size
                decided = single.margins(d, b, open_delta[column])
                smallest = min(smallest, float(decided.upper.min()))
                misclassified = np.unique(b[decided.lower <= 0]).tolist()
                least = float(decided.lower.min())
                if least < margin:
                    margin, stage = least, "exact evaluation"
        wrong += [((d + b) % p, b) for b in misclassified]
        classes.append(
            ClassBound(
                difference=d,
                margin_lower_bound=margin,
                certified=p - len(misclassified),
                ledger=((stage, margin),),
            )
        )
        if progress is not None:
            progress(0.5 + 0.5 * (done + 1) / p)
    classes.sort(key=lambda bound: bound.difference)
    stages = {"pairs": p * (p - 1), "pairs_gated": int(pairs), "triples_evaluated": triples, "triples_in_integers":
    single.exactly}
    return tuple(classes), wrong, stages


def _probe(of_class: FloatArray, bounds: InputBounds, single: SingleInputs, count: OperationCounter) -> float:
    """Return an upper bound of the smallest margin: that of inputs where the bounds are lowest."""
    smallest = np.inf
    for d in np.argsort(of_class.min(axis=1), kind="stable")[:PROBES].tolist():
        delta = np.argsort(of_class[d], kind="stable")[:PROBES] + 1
        by_input = bounds.of_class(d, delta, count)
        b, column = np.unravel_index(np.argsort(by_input, axis=None, kind="stable")[:PROBES], by_input.shape)
        order = np.argsort(b, kind="stable")
        smallest = min(smallest, float(single.margins(d, b[order], delta[column[order]]).upper.min()))
    return smallest
