"""Claims held against every input: those of ``smooth``, ``adaptive``, ``exact``, ``brute-force`` and ``interval``."""

from collections.abc import Callable

from quadlens.certificates.record.certificate import COMPLETE, LISTED, Certificate
from quadlens.checker.differences import is_above, row_differences
from quadlens.checker.tables import BallNetwork

Progress = Callable[[float], None] | None


def all_inputs(certificate: Certificate, network: BallNetwork, progress: Progress) -> list[str]:
    """Return what speaks against claims about single inputs: all of them are evaluated, O(p³ n)."""
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
            if not low[d] and not all(is_above(network, a, b, x, claims[d], strict=False) is True for x in differences):
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
