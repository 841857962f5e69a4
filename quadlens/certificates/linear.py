r"""The method ``linear``: a margin for every class a − b, in time linear in the parameters.

The inequality (L) of docs/certificates.md. No step touches the p²n preactivations or the p³ logits.
"""

import time
from collections.abc import Callable

from quadlens.certificates.certificate import Certificate, ClassBound
from quadlens.certificates.choose import Budget
from quadlens.certificates.device import evaluated_by, require_device
from quadlens.certificates.inequality import (
    ARITHMETIC,
    ClassInequality,
    evaluate_inequality,
    refusal,
)
from quadlens.certificates.ledger import blame, class_ledger
from quadlens.certificates.network_facts import network_facts
from quadlens.certificates.operations import OperationCounter, brute_force_operations
from quadlens.circuits.circuit import Circuit

LINEAR_BUDGET = Budget()


def certify_linear(
    circuit: Circuit,
    *,
    budget: Budget = LINEAR_BUDGET,
    device: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Certificate:
    """Certify each class ``d = a − b``: all of its inputs are right, with a margin, or nothing is said of it.

    Parameters
    ----------
    circuit : activation ReLU or |x|
    budget : limits on what the prover may spend; every constant of the linear time is in it
    device : None for numpy and its compiled kernel; ``cpu``, ``cuda`` or ``cuda:1`` for torch there, in float64 with
        the rounding term of numpy's (docs/certificates.md, "Rounding"); the plan is chosen by numpy
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``method = "linear"``; refused, with the reason, if the activation is another or the numbers may overflow.
        Proved in docs/certificates.md, inequality (L).

    Raises
    ------
    OptionError
        If there is no such device.
    """
    start = time.perf_counter()
    count = OperationCounter()
    require_device(device)
    reason = refusal(circuit)
    classes: tuple[ClassBound, ...] = ()
    sentences: tuple[str, ...] = ()
    record = {}
    with network_facts(circuit) as facts:
        if reason is None:
            found = _evaluated(circuit, budget, count, device, progress)
            margins = found.lowered(found.classes.bound.min(axis=1))
            classes = tuple(
                ClassBound(
                    difference=d,
                    margin_lower_bound=float(margin),
                    certified=circuit.p if margin > 0 else 0,
                    ledger=class_ledger(found, d),
                )
                for d, margin in enumerate(margins)
            )
            sentences = blame(found, [bound.difference for bound in classes if not bound.certified])
            record = found.record()
    return Certificate(
        method="linear",
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=facts.sha256.result(),
        arithmetic=evaluated_by(ARITHMETIC, device),
        operations=count.total,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        classes=classes,
        ledger=min(classes, key=lambda bound: bound.margin_lower_bound).ledger if classes else (),
        prover=record,
        blame=sentences,
        float32_error=facts.float32_error.result() if reason is None else None,
        refusal=reason,
    )


def _evaluated(
    circuit: Circuit,
    budget: Budget,
    count: OperationCounter,
    device: str | None,
    progress: Callable[[float], None] | None,
) -> ClassInequality:
    if device is None:
        return evaluate_inequality(circuit, budget, count, progress)
    from quadlens.certificates.on_torch.inequality import evaluate_on

    return evaluate_on(circuit, budget, count, device, progress).found
