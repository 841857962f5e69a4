"""The proved distance of the MLP from its integrals, as the report and ``quadlens fit`` tell it; draws nothing."""

from typing import Any

from quadlens.certificates.certify import certify
from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.errors import CertificateError, CircuitError


def mlp_distance(circuit: Circuit) -> Certificate | None:
    """Return the certificate of ``mlp``, None where its ideals or its bound cannot be had."""
    try:
        found = certify(circuit, "mlp")
    except (CertificateError, CircuitError):
        return None
    return found if found.refusal is None and found.frequencies else None


def distance_data(certificate: Certificate) -> dict[str, Any]:
    """Return what ``mlp`` proves of a network, as JSON values."""
    return {
        "verdict": certificate.verdict,
        "relative_error_bound": certificate.relative_error_bound,
        "relative_error_measured": certificate.relative_error_measured,
        "sup_error_bound": certificate.sup_error_bound,
        "operations": certificate.operations,
        "frequencies": [dict(record) for record in certificate.frequencies or ()],
    }
