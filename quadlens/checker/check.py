r"""The independent checker: believe a certificate only as far as it can be proved again, densely and in balls.

It shares the certificate's record and the network's fingerprint with the provers and nothing else (a test reads its
imports). Every table
comes from the stored weights in fractions; every sum is a ball of at least 128 bits that contains the exact value; a
comparison counts only
if it holds for the whole ball. What balls leave open is decided in fractions where activation and tables allow it, and
refused where not.

What it does with each key of a certificate stands in ``record``, and a result lists it.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.certificates.record.certificate import Certificate
from quadlens.certificates.record.digest import network_digest
from quadlens.certificates.record.file import read_certificate
from quadlens.checker.all_inputs import all_inputs
from quadlens.checker.float32 import evaluation, float32_error_ball
from quadlens.checker.inequality import class_margins
from quadlens.checker.mlp_distance import mlp_reasons
from quadlens.checker.provenance import provenance_reasons
from quadlens.checker.record import keys_of, record_reasons
from quadlens.checker.stored import StoredTables
from quadlens.checker.tables import PRECISION, BallNetwork, ball_network
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.errors import CertificateError

Progress = Callable[[float], None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """Whether the certificate is accepted, and if not every reason found, the gravest first.

    ``checked`` and ``unchecked`` name every key of an accepted certificate: those that were proved again or compared
    with the model, and those that describe, whose form alone was checked. Of a refused one nothing is vouched for: both
    are empty.
    """

    reasons: tuple[str, ...]
    seconds: float
    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """True if nothing speaks against the certificate."""
        return not self.reasons


def check(
    certificate: Certificate | str | os.PathLike[str], circuit: Circuit, *, progress: Progress = None
) -> CheckResult:
    """Check every claim of ``certificate``, or of the file that holds one, about ``circuit`` again.

    ``linear``: the inequalities of docs/certificates.md are evaluated from the prover's choices, O(p² n); a class bound
    is accepted if it is at most what comes out. ``smooth``, ``adaptive``, ``exact``, ``brute-force``, ``interval``: all
    inputs are evaluated in balls, O(p³ n), and a claim is accepted if it is true; ``mlp`` likewise, of the distance
    from the integrals whose numbers it gives. ``rectangle`` says nothing about the network's logits and is refused.
    """
    start = time.perf_counter()
    require_circuit(circuit, "check")
    if isinstance(certificate, str | os.PathLike):
        certificate = read_certificate(certificate)
    elif not isinstance(certificate, Certificate):
        raise CertificateError(f"check takes a Certificate or the file of one, got {type(certificate).__qualname__}")
    reasons = _identity(certificate, circuit) + provenance_reasons(certificate, circuit) + record_reasons(certificate)
    if not reasons:
        with _precision():
            try:
                reasons = _claims(certificate, ball_network(circuit), progress)
            except CertificateError as error:
                reasons = [str(error)]
    checked, unchecked = ((), ()) if reasons else keys_of(certificate)
    seconds = time.perf_counter() - start
    return CheckResult(reasons=tuple(reasons), seconds=seconds, checked=checked, unchecked=unchecked)


def _precision() -> Any:
    return flint.ctx.workprec(PRECISION)


def _identity(certificate: Certificate, circuit: Circuit) -> list[str]:
    p, n = circuit.p, circuit.neurons
    found = {
        "p": p,
        "neurons": n,
        "activation": circuit.activation,
        "parameters": 3 * p * n + 2 * p * p,
        "sha256": network_digest(circuit),
        "brute_force_operations": 2 * p * p * n + 2 * p**3 * n + 3 * p**3,
    }
    return [
        f"the certificate is about another network: its {name} is {getattr(certificate, name)}, the model's {value}"
        for name, value in found.items()
        if getattr(certificate, name) != value
    ]


def _claims(certificate: Certificate, network: BallNetwork, progress: Progress) -> list[str]:
    if certificate.refusal is not None:
        return ["the certificate is a refusal: it claims nothing that could be accepted"]
    reasons = _float32(certificate, network)
    if certificate.method == "linear":
        tables = StoredTables(network=network)
        reasons += _compare(certificate, class_margins(certificate.prover, tables, progress))
    elif certificate.method == "mlp":
        reasons += mlp_reasons(certificate, network, progress)
    elif certificate.method == "rectangle":
        reasons.append("rectangle certifies no input, so there is nothing to check; use another method")
    else:
        reasons += all_inputs(certificate, network, progress)
    return reasons


def _compare(certificate: Certificate, proved: list[Any]) -> list[str]:
    """Compare each class with the lower bound of its margin: above 0 all of its inputs are right."""
    reasons = []
    for claim, margin in zip(certificate.classes, proved, strict=True):
        name, count = f"class {claim.difference}", certificate.p if margin > 0 else 0
        if not margin >= claim.margin_lower_bound:
            most = f"{float(margin.lower()):.17g}"
            reasons.append(f"{name} claims a margin of {claim.margin_lower_bound!r}; only {most} can be proved")
        if claim.certified > count:
            reasons.append(f"{name} claims {claim.certified} certified inputs; only {count} can be proved")
    if certificate.misclassified is not None:
        reasons.append(f"{certificate.method} cannot prove that inputs are wrong, but the certificate lists some")
    return reasons


def _float32(certificate: Certificate, network: BallNetwork) -> list[str]:
    if certificate.float32_error is None:
        return []
    if certificate.float32_evaluation != evaluation(network.circuit):
        claimed, has = certificate.float32_evaluation, evaluation(network.circuit)
        return [f"the float32 error is claimed for an evaluation of the {claimed}, but what is stored are the {has}"]
    own = float32_error_ball(network)
    if own is None:
        return ["the certificate claims a float32 error bound, but none can be proved for this network"]
    if not own <= certificate.float32_error:
        least = float(own.upper())
        return [f"the float32 error is claimed to be at most {certificate.float32_error!r}; {least:.6g} can be proved"]
    return []
