r"""The method ``smooth``: a margin for every class a − b where the activation is smooth, without the p³n product.

(L) and (G′) of docs/certificates.md with every neuron evaluated at every input: O(p²n) with constants from the budget.
"""

from collections.abc import Callable

from quadlens.activations import activation_named
from quadlens.certificates.exact.activation_enclosure import BY_TAYLOR, ENCLOSED
from quadlens.certificates.inequality.evaluate_grid import evaluate_grid
from quadlens.certificates.inequality.rounding import sizes, too_large
from quadlens.certificates.methods.envelope import Proof, certificate_of
from quadlens.certificates.methods.linear import PAIRS, class_proof
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import Circuit

BUDGET = Budget(retained_by_group=6)
"""Each retained frequency of a group costs two products for each of its neurons and inputs."""

ARITHMETIC = (
    "float64, with an a-priori bound on all rounding (gamma_n), itself rounded up; activations enclosed by Taylor "
    "polynomials with ball arithmetic; no tolerance"
)


def certify_smooth(
    circuit: Circuit, *, budget: Budget = BUDGET, pairs: int = PAIRS, progress: Callable[[float], None] | None = None
) -> Certificate:
    """Certify each class ``d = a − b``: all of its inputs are right, with a margin, or nothing is said of it.

    Parameters
    ----------
    circuit : GELU (both forms), SiLU, tanh, sin
    budget : limits on frequencies, harmonics and cells (``candidates`` is for gates, of which there are none)
    pairs : so many wrong answers of one class may be bounded at every b, by (G′)
    progress : called with the fraction done

    Returns
    -------
    Certificate
        ``method = "smooth"``; refused, with the reason, if the activation is another or the numbers may overflow.
        Proved in docs/certificates.md, "Smooth activations".
    """
    report = progress or (lambda done: None)

    def prove() -> Proof:
        size = sizes(circuit)
        reason = _refusal(circuit) or too_large(size)
        if reason is not None:
            return Proof(arithmetic=ARITHMETIC, refusal=reason)
        found = evaluate_grid(circuit, size, budget, lambda done: report(0.8 * done))
        proof = class_proof(circuit, found, pairs, ARITHMETIC)
        report(1.0)
        return proof

    return certificate_of("smooth", circuit, prove)


def _refusal(circuit: Circuit) -> str | None:
    if circuit.activation in BY_TAYLOR:
        return None
    kinked = activation_named(circuit.activation).slope_below is not None
    instead = "; use linear" if kinked else "; use brute-force" if circuit.activation in ENCLOSED else ""
    return f"smooth is for {', '.join(BY_TAYLOR)}, this circuit has {circuit.activation}{instead}"
