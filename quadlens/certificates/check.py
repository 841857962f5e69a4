r"""The independent checker: believe a certificate only as far as it can be proved again, densely and in balls.

It shares the certificate's record and the network's fingerprint with the provers and nothing else (a test reads its
imports). Every table
comes from the stored weights in fractions; every sum is a ball of at least 128 bits that contains the exact value; a
comparison counts only
if it holds for the whole ball. What balls leave open is decided in fractions where activation and tables allow it, and
refused where not.

What it does with each key of a certificate stands in ``check_record``, and a result lists it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint

from quadlens.certificates.certificate import COMPLETE, LISTED, Certificate
from quadlens.certificates.check_differences import is_above, row_differences
from quadlens.certificates.check_provenance import provenance_reasons
from quadlens.certificates.check_record import keys_of, record_reasons
from quadlens.certificates.check_tables import PRECISION, BallNetwork, ball_network
from quadlens.certificates.digest import network_digest
from quadlens.circuits.circuit import Circuit
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


def check(certificate: Certificate, circuit: Circuit, *, progress: Progress = None) -> CheckResult:
    """Check every claim of ``certificate`` about ``circuit`` again.

    ``linear`` and ``gated``: the inequalities of docs/certificates.md are evaluated from the certificate's parameters,
    O(p² n); a class bound is accepted if it is at most what comes out. ``adaptive``, ``exact``, ``brute-force``,
    ``interval``: all inputs are evaluated in balls, O(p³ n), and a claim is accepted if it is true. ``rectangle`` says
    nothing about inputs and is refused.
    """
    start = time.perf_counter()
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
    if certificate.method in ("linear", "gated"):
        from quadlens.certificates.check_inequality import provable_classes

        proved = provable_classes(certificate, network, progress)
        reasons += _compare(certificate, proved)
    elif certificate.method == "rectangle":
        reasons.append("rectangle certifies no input, so there is nothing to check; use another method")
    else:
        reasons += _all_inputs(certificate, network, progress)
    return reasons


def _compare(certificate: Certificate, proved: list[tuple[Any, int]]) -> list[str]:
    """Compare each class with ``(lower bound of the margin, inputs proved right)``."""
    reasons = []
    for claim, (margin, count) in zip(certificate.classes, proved, strict=True):
        name = f"class {claim.difference}"
        if not margin >= claim.margin_lower_bound:
            most = f"{float(margin.lower()):.17g}"
            reasons.append(f"{name} claims a margin of {claim.margin_lower_bound!r}; only {most} can be proved")
        if claim.certified > count:
            reasons.append(f"{name} claims {claim.certified} certified inputs; only {count} can be proved")
    if certificate.misclassified is not None:
        reasons.append(f"{certificate.method} cannot prove that inputs are wrong, but the certificate lists some")
    return reasons


def _all_inputs(certificate: Certificate, network: BallNetwork, progress: Progress) -> list[str]:
    p = network.p
    reasons = []
    right = [0] * p
    low = [False] * p
    wrong = []
    claims = [bound.margin_lower_bound for bound in certificate.classes]
    at_most = certificate.prover["stages"]["smallest_margin_at_most"] if certificate.method == "adaptive" else None
    for a in range(p):
        for b, differences in enumerate(row_differences(network, a)):
            d = (a - b) % p
            signs = [is_above(network, a, b, x, 0.0, strict=True) for x in differences]
            if all(sign is True for sign in signs):
                right[d] += 1
            elif any(sign is False for sign in signs):
                wrong.append((a, b))
            if not low[d] and not all(
                is_above(network, a, b, x, claims[d], strict=False) is True for x in differences
            ):
                low[d] = True
                reasons.append(f"class {d} claims a margin of {claims[d]!r}; the input ({a}, {b}) has less")
            if at_most is not None and any(
                is_above(network, a, b, x, at_most, strict=True) is False for x in differences
            ):
                at_most = None
        if progress is not None:
            progress((a + 1) / p)
    if at_most is not None:
        reasons.append(f"the smallest margin is claimed to be at most {at_most!r}; no input has so small a margin")
    for bound, count in zip(certificate.classes, right, strict=True):
        if bound.certified > count:
            reasons.append(f"class {bound.difference} claims {bound.certified} certified inputs; {count} are right")
    return reasons + _wrong_inputs(certificate, wrong)


def _wrong_inputs(certificate: Certificate, wrong: list[tuple[int, int]]) -> list[str]:
    listed, count = certificate.misclassified, certificate.misclassified_count
    if listed is None or count is None:
        return []
    reasons = []
    false = sorted(set(listed) - set(wrong))
    if false:
        reasons.append(f"the input {false[0]} is listed as misclassified, which cannot be proved")
    if count > len(wrong):
        reasons.append(f"{count} inputs are claimed misclassified; only {len(wrong)} can be proved wrong")
    if certificate.method in COMPLETE and (count != len(wrong) or listed != tuple(wrong[:LISTED])):
        reasons.append(f"{certificate.method} must list every misclassified input; {len(wrong)} are wrong")
    return reasons


def _float32(certificate: Certificate, network: BallNetwork) -> list[str]:
    if certificate.float32_error is None:
        return []
    from quadlens.certificates.check_float32 import float32_error_ball

    own = float32_error_ball(network)
    if own is None:
        return ["the certificate claims a float32 error bound, but none can be proved for this network"]
    if not own <= certificate.float32_error:
        least = float(own.upper())
        return [f"the float32 error is claimed to be at most {certificate.float32_error!r}; {least:.6g} can be proved"]
    return []
