"""The method ``exact``: all p² inputs in integer arithmetic. No rounding, so no tolerance and no doubt: the oracle."""

from collections.abc import Callable

import flint

from quadlens.certificates.exact.exact_tables import ExactTables, exact_tables
from quadlens.certificates.exact.integer_product import LimbTables, limb_tables
from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.record.certificate import Certificate, ClassBound
from quadlens.circuits.circuit import Circuit

BLOCK_ENTRIES = 2**18
"""Most integers of hidden activations that are held at once, unless one input has more."""


def certify_exact(circuit: Circuit, *, progress: Callable[[float], None] | None = None) -> Certificate:
    """Evaluate the network on every input in integers.

    Proves the accuracy, the smallest margin of each class (rounded down to float64), and which inputs are wrong. An
    input is right when
    the logit of ``a + b mod p`` is strictly the largest: a tie is wrong. O(p³ n) integer operations, memory in blocks.

    Raises
    ------
    CertificateError
        If the activation is not ReLU, |x| or x², the tables are not known exactly, or a margin is below the range of
        float64.
    """
    return certificate_of("exact", circuit, lambda: _prove(circuit, progress or (lambda done: None)))


def _prove(circuit: Circuit, report: Callable[[float], None]) -> Proof:
    tables = exact_tables(circuit)
    p = circuit.p
    smallest: list[int | None] = [None] * p
    right = [0] * p
    wrong = []
    limbs = limb_tables(tables)
    for a in range(p):
        for b, margin in enumerate(row_margins(tables, a, limbs)):
            d = (a - b) % p
            least = smallest[d]
            smallest[d] = margin if least is None or margin < least else least
            if margin > 0:
                right[d] += 1
            else:
                wrong.append((a, b))
        report((a + 1) / p)
    classes = tuple(
        ClassBound(
            difference=d,
            margin_lower_bound=(bound := tables.rounded_down(margin)),
            certified=right[d],
            ledger=(("exact margin, rounded down", bound),),
        )
        for d, margin in enumerate(smallest)
        if margin is not None
    )
    return Proof(
        arithmetic="integers, exact; margins rounded down to float64",
        classes=classes,
        operations=brute_force_operations(p, circuit.neurons),
        wrong=wrong,
    )


def row_margins(tables: ExactTables, a: int, limbs: LimbTables | None = None) -> list[int]:
    """Return ``denominator ·`` the margin of every input ``(a, b)``, ``b = 0 … p−1``: the right logit minus the largest
    other. The tables' limbs, if given, make it faster."""
    p, n = tables.p, tables.neurons
    step = max(1, BLOCK_ENTRIES // n)
    margins = []
    for start in range(0, p, step):
        chosen = range(start, min(start + step, p))
        if limbs is None:
            hidden = flint.fmpz_mat(len(chosen), n, [h for b in chosen for h in tables.hidden(a, b)])
            rows = [[int(logit) for logit in row] for row in (hidden * tables.U).tolist()]
        else:
            rows = limbs.mlp(a, slice(chosen.start, chosen.stop)).tolist()
        for b, logits in zip(chosen, rows, strict=True):
            skip = zip(tables.S_a[a], tables.S_b[b], strict=True)
            total = [logit + x + y for logit, (x, y) in zip(logits, skip, strict=True)]
            correct = total.pop((a + b) % p)
            margins.append(correct - max(total))
    return margins
