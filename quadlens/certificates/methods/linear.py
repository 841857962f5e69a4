r"""The method ``linear``: a margin for every class a − b, in time linear in the parameters.

(L) of docs/certificates.md for every pair of a class and a wrong answer, and (G′) for the few pairs that decide. No
step touches the p²n preactivations or the p³ logits.
"""

from collections.abc import Callable

import numpy as np

from quadlens.certificates.compute.namespace import evaluated_by, namespace_of
from quadlens.certificates.inequality.branch_and_bound import Limits, branch_and_bound
from quadlens.certificates.inequality.evaluate import ARITHMETIC, Inequality, evaluate, refusal
from quadlens.certificates.inequality.ledger import accounts, blame
from quadlens.certificates.inequality.rounding import sizes
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.plan.choose import BUDGET, Budget
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.circuits.circuit import Circuit

PAIRS = 48
"""Wrong answers of one class that (G′) may be asked about."""

REFINEMENT = 1.0
"""All pairs together may cost this many times what (L) costs, so that the whole stays linear."""


def certify_linear(
    circuit: Circuit,
    *,
    budget: Budget = BUDGET,
    pairs: int = PAIRS,
    device: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Certificate:
    """Certify each class ``d = a − b``: all of its inputs are right, with a margin, or nothing is said of it.

    Parameters
    ----------
    circuit : one kink: ReLU, |x|
    budget : limits on what the prover may spend; every constant of the linear time is in it
    pairs : so many wrong answers of one class may be bounded at every b, by (G′)
    device : None for numpy and its compiled kernel; ``cpu``, ``cuda`` or ``cuda:1`` for torch there, in float64 with
        the same rounding term; the plan is chosen by numpy
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``method = "linear"``; refused, with the reason, if the activation is another or the numbers may overflow.
        Proved in docs/certificates.md, inequalities (L) and (G′).

    Raises
    ------
    OptionError
        If there is no such device.
    """

    arithmetic = evaluated_by(ARITHMETIC, device)

    at, report = namespace_of(device), progress or (lambda done: None)

    def prove() -> Proof:
        size = sizes(circuit)
        reason = refusal(circuit, size)
        if reason is not None:
            return Proof(arithmetic=arithmetic, refusal=reason)
        found = evaluate(circuit, size, budget, at, lambda done: report(0.8 * done))
        proof = class_proof(circuit, found, pairs, arithmetic)
        report(1.0)
        return proof

    return certificate_of("linear", circuit, prove)


def class_proof(circuit: Circuit, found: Inequality, pairs: int, arithmetic: str) -> Proof:
    """Return what (L), and (G′) for at most ``pairs`` wrong answers of a class, prove of every class."""
    counted = found.operations
    limits = Limits(per_class=pairs, pairs=int(REFINEMENT * counted.total / counted.pair))
    refined = branch_and_bound(found.classes.bound, found.least_of_pairs, found.zero, limits)
    account = accounts(circuit, found, refined)
    margins = found.rounding.lowered(refined.bound.min(axis=1))
    classes = tuple(
        ClassBound(
            difference=d,
            margin_lower_bound=float(margin),
            certified=circuit.p if margin > 0 else 0,
            ledger=account.of_class(d),
        )
        for d, margin in enumerate(margins)
    )
    used = [(np.flatnonzero(row) + 1).tolist() for row in refined.refined]
    return Proof(
        arithmetic=arithmetic,
        classes=classes,
        prover={**found.plan.to_dict(), "pairs": used},
        operations=counted.total + counted.refinement(refined.refined),
        blame=blame(account),
    )
