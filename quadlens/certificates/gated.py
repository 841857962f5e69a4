r"""The method ``gated``: a margin for every input, from the sums that ``linear`` reads; O(p³|F|) more.

The inequality (G) of docs/certificates.md.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from quadlens.certificates.certificate import Certificate, ClassBound
from quadlens.certificates.choose import Budget
from quadlens.certificates.digest import network_digest
from quadlens.certificates.float32 import float32_margin_error
from quadlens.certificates.inequality import ARITHMETIC, evaluate_inequality, refusal
from quadlens.certificates.input_bounds import InputBounds
from quadlens.certificates.ledger import blame, input_ledger
from quadlens.certificates.linear import LINEAR_BUDGET
from quadlens.certificates.operations import OperationCounter, brute_force_operations
from quadlens.circuits.circuit import Circuit


def certify_gated(
    circuit: Circuit, *, budget: Budget = LINEAR_BUDGET, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Certify each input on its own; a class's margin is the least of its inputs'.

    Parameters
    ----------
    circuit : activation ReLU or |x|
    budget : limits on what the prover may spend, as for ``linear``
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``method = "gated"``; refused, with the reason, if the activation is another or the numbers may overflow.
        Proved in docs/certificates.md, inequality (G).
    """
    start = time.perf_counter()
    count = OperationCounter()
    reason = refusal(circuit)
    classes: list[ClassBound] = []
    sentences: tuple[str, ...] = ()
    record: dict[str, Any] = {}
    # neither depends on the bounds
    with ThreadPoolExecutor(2) as aside:
        sha256, float32_error = aside.submit(network_digest, circuit), aside.submit(float32_margin_error, circuit)
        if reason is None:
            p = circuit.p
            found = evaluate_inequality(circuit, budget, count, progress and (lambda done: progress(0.6 * done)))
            of_class = found.lowered(found.classes.bound.min(axis=1))
            bounds = InputBounds(found)
            delta = np.arange(1, p)
            for d in range(p):
                every = bounds.of_class(d, delta, count)
                # an input is never worse off than its class; the two differ by rounding only where they are equal
                margins = np.maximum(every.min(axis=1), of_class[d])
                b = int(margins.argmin())
                classes.append(
                    ClassBound(
                        difference=d,
                        margin_lower_bound=float(margins[b]),
                        certified=int((margins > 0).sum()),
                        ledger=input_ledger(found, d, b, int(every[b].argmin()) + 1, float(margins[b])),
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
        sha256=sha256.result(),
        arithmetic=ARITHMETIC,
        operations=count.total,
        brute_force_operations=brute_force_operations(circuit),
        seconds=time.perf_counter() - start,
        classes=tuple(classes),
        ledger=min(classes, key=lambda bound: bound.margin_lower_bound).ledger if classes else (),
        prover=record,
        blame=sentences,
        float32_error=float32_error.result() if reason is None else None,
        refusal=reason,
    )
