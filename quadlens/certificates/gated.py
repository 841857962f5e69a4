r"""The method ``gated``: a margin for every input, from the sums that ``linear`` reads; O(p³|F|) more.

The inequality (G) of docs/certificates.md.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from quadlens.arrays import FloatArray, IntArray
from quadlens.certificates.certificate import Certificate, ClassBound
from quadlens.certificates.choose import Budget
from quadlens.certificates.device import evaluated_by, require_device
from quadlens.certificates.inequality import (
    ARITHMETIC,
    Inequality,
    evaluate_inequality,
    refusal,
)
from quadlens.certificates.input_bounds import InputBounds
from quadlens.certificates.ledger import blame, input_ledger
from quadlens.certificates.linear import LINEAR_BUDGET
from quadlens.certificates.network_facts import network_facts
from quadlens.certificates.operations import OperationCounter, brute_force_operations
from quadlens.circuits.circuit import Circuit


def certify_gated(
    circuit: Circuit,
    *,
    budget: Budget = LINEAR_BUDGET,
    device: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Certificate:
    """Certify each input on its own; a class's margin is the least of its inputs'.

    Parameters
    ----------
    circuit : activation ReLU or |x|
    budget : limits on what the prover may spend, as for ``linear``
    device : None for numpy; ``cpu``, ``cuda`` or ``cuda:1`` for torch there, as for ``linear``
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``method = "gated"``; refused, with the reason, if the activation is another or the numbers may overflow.
        Proved in docs/certificates.md, inequality (G).

    Raises
    ------
    OptionError
        If there is no such device.
    """
    start = time.perf_counter()
    count = OperationCounter()
    require_device(device)
    reason = refusal(circuit)
    classes: list[ClassBound] = []
    sentences: tuple[str, ...] = ()
    record: dict[str, Any] = {}
    with network_facts(circuit) as facts:
        if reason is None:
            p = circuit.p
            found, every_class = _evaluated(
                circuit, budget, count, device, progress and (lambda done: progress(0.6 * done))
            )
            of_class = found.lowered(found.classes.bound.min(axis=1))
            for d, (least, delta) in enumerate(every_class):
                # an input is never worse off than its class; the two differ by rounding only where they are equal
                margins = np.maximum(least, of_class[d])
                b = int(margins.argmin())
                classes.append(
                    ClassBound(
                        difference=d,
                        margin_lower_bound=float(margins[b]),
                        certified=int((margins > 0).sum()),
                        ledger=input_ledger(found, d, b, int(delta[b]), float(margins[b])),
                    )
                )
                if progress is not None:
                    progress(0.6 + 0.4 * (d + 1) / p)
            sentences = blame(found, [bound.difference for bound in classes if bound.certified < p])
            record = found.record()
    return Certificate(
        method="gated",
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=facts.sha256.result(),
        arithmetic=evaluated_by(ARITHMETIC, device),
        operations=count.total,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        classes=tuple(classes),
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
) -> tuple[Inequality, Iterator[tuple[FloatArray, IntArray]]]:
    """Return the inequality and, class by class, each input's least bound over δ, and that δ."""
    if device is None:
        found = evaluate_inequality(circuit, budget, count, progress)
        return found, _least_of_classes(found, count)
    from quadlens.certificates.on_torch.inequality import evaluate_on
    from quadlens.certificates.on_torch.input_bounds import least_of_classes

    evaluated = evaluate_on(circuit, budget, count, device, progress)
    inputs = evaluated.inputs.on_cpu(evaluated.found.plan, evaluated.retained)
    return evaluated.with_inputs(inputs), least_of_classes(evaluated, count)


def _least_of_classes(found: Inequality, count: OperationCounter) -> Iterator[tuple[FloatArray, IntArray]]:
    bounds, delta = InputBounds(found), np.arange(1, found.plan.p)
    for d in range(found.plan.p):
        every = bounds.of_class(d, delta, count)
        yield every.min(axis=1), every.argmin(axis=1) + 1
