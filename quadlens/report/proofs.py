"""The certificates that a report carries: every method that can treat the network, and why the others cannot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from quadlens.certificates.certify import certify
from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError

LINEAR_TIME = ("linear",)
"""Methods whose cost is linear in the parameters: they are run on a network of any size."""

METHODS = (*LINEAR_TIME, "smooth", "interval", "adaptive", "brute-force", "exact")
"""All methods that certify inputs; the cost of those after the first grows with p² at least."""

EXACT_OPERATIONS = 3 * 10**8
"""Above this cost of running all inputs (p = 59 with 700 neurons), integer arithmetic takes longer than a reader waits:
``exact`` is left out, and the report says so. Brute force with proved rounding gives the same but for that rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Certificates in the order in which they were made, and (method, reason) where there is none."""

    certificates: tuple[Certificate, ...] = ()
    refusals: tuple[tuple[str, str], ...] = field(default=())

    @property
    def best(self) -> Certificate | None:
        """The certificate that proves most: first the inputs, then the margin; the cheapest of equals."""
        return max(
            self.certificates,
            key=lambda c: (c.certified_inputs, c.margin_lower_bound or 0.0, -c.operations),
            default=None,
        )

    @property
    def cheapest_whole(self) -> Certificate | None:
        """The cheapest certificate that proves every input right; None where none does."""
        return min((c for c in self.certificates if c.certified), key=lambda c: c.operations, default=None)


def prove(
    circuit: Circuit, methods: Sequence[str] = METHODS, *, progress: Callable[[float], None] | None = None
) -> Proofs:
    """Run certificate methods on a circuit; ``exact`` only where ``EXACT_OPERATIONS`` allow it."""
    certificates, refusals = [], []
    for done, method in enumerate(methods):
        if progress is not None:
            progress(done / len(methods))
        if method == "exact" and brute_force_operations(circuit.p, circuit.neurons) > EXACT_OPERATIONS:
            refusals.append((method, "left out, it takes long on a network of this size; quadlens certify runs it"))
            continue
        try:
            certificate = certify(circuit, method)
        except CertificateError as error:
            refusals.append((method, str(error)))
            continue
        if certificate.refusal is None:
            certificates.append(certificate)
        else:
            refusals.append((method, certificate.refusal))
    if progress is not None:
        progress(1.0)
    return Proofs(certificates=tuple(certificates), refusals=tuple(refusals))
