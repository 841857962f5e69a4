"""Every key that a certificate can hold: what the checker does with it, and a refusal of every other.

*Checked* keys are proved again, or compared with the model. *Unchecked* ones are descriptions: their form is checked
and nothing else, and no claim rests on them.
"""

from collections.abc import Mapping
from typing import Any

from quadlens.certificates.record.certificate import Certificate
from quadlens.checker.plan import KEYS, read_plan, require_known
from quadlens.errors import CertificateError

CHECKED = (
    *("p", "neurons", "parameters", "activation", "sha256", "brute_force_operations", "classes", "misclassified"),
    *("misclassified_count", "frequencies", "ideals", "float32_error", "float32_evaluation", "refusal"),
    *("provenance.task", "provenance.left_out", "provenance.frozen", "provenance.changed"),
)
"""``refusal``, and ``frequencies`` of ``rectangle``, by what they are: with one of them nothing is left to check."""

OF_IDEALS = ("terms",)
OF_RULES = ("arcs_bound", "rectangle_bound", "actual")
"""What ``mlp`` says beside the distance of the MLP: parts of its bounds, and errors of fitted rules. Unchecked."""

UNCHECKED = (
    *("arithmetic", "operations", "seconds", "ledger", "classes.ledger", "blame"),
    *("provenance.family", "provenance.file", "provenance.said", "provenance.assumed"),
)

STAGES = {
    "pairs": "checked",
    "pairs_refined": "unchecked",
    "triples_evaluated": "unchecked",
    "triples_in_integers": "unchecked",
    "smallest_margin_at_most": "checked",
}
"""What ``adaptive`` says of its stages."""


def keys_of(certificate: Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys that a check of this certificate checks, and those that it does not, as dotted names."""
    by_plan = certificate.method == "linear"
    checked, unchecked = list(CHECKED), list(UNCHECKED)
    # of all inputs what is claimed is true or not, whoever found it
    (checked if by_plan else unchecked).append("method")
    if certificate.ideals is not None:
        unchecked += [f"ideals.{key}" for key in OF_IDEALS] + [f"frequencies.{key}" for key in OF_RULES]
        if any(ideal["inputs_measured"] < certificate.p**2 for ideal in certificate.ideals):
            unchecked += ["ideals.relative_error_measured", "ideals.frequencies.measured"]
    for key, value in certificate.prover.items():
        if key == "stages" and isinstance(value, Mapping):
            for stage in value:
                (checked if STAGES.get(stage) == "checked" else unchecked).append(f"prover.stages.{stage}")
        else:
            (checked if by_plan else unchecked).append(f"prover.{key}")
    return tuple(checked), tuple(unchecked)


def record_reasons(certificate: Certificate) -> list[str]:
    """Return what speaks against the form of the prover's record."""
    if certificate.refusal is not None:
        return []
    try:
        _read_record(certificate)
    except CertificateError as error:
        return [str(error)]
    return []


def _read_record(certificate: Certificate) -> None:
    prover, method, p = certificate.prover, certificate.method, certificate.p
    plan = tuple(key for key in KEYS if key != "pairs")
    of_mlp = tuple(key for key in plan if key != "head")
    by_class = {"linear": KEYS, "smooth": KEYS, "mlp": of_mlp}
    known = {"interval": ("boxes",), "adaptive": (*plan, "stages"), **by_class}.get(method, ())
    require_known(prover, known, f"the prover of {method}")
    if method == "interval":
        _count(prover.get("boxes"), "prover.boxes", 1, p)
    if method == "mlp":
        read_plan({**prover, "head": 0, "pairs": ((),) * p}, p, certificate.neurons)
    if method == "smooth":
        read_plan(prover, p, certificate.neurons)
    if method == "adaptive":
        chosen = {key: value for key, value in prover.items() if key != "stages"}
        read_plan({**chosen, "pairs": ((),) * p}, p, certificate.neurons)
        stages = prover.get("stages")
        if not isinstance(stages, Mapping) or set(stages) != set(STAGES):
            raise CertificateError(f"prover.stages must hold {', '.join(STAGES)}; got {_names(stages)}")
        _count(stages["pairs"], "prover.stages.pairs", p * (p - 1), p * (p - 1))
        for name in ("pairs_refined", "triples_evaluated", "triples_in_integers"):
            _count(stages[name], f"prover.stages.{name}", 0, 2**100)
        if not isinstance(stages["smallest_margin_at_most"], float):
            got = stages["smallest_margin_at_most"]
            raise CertificateError(f"prover.stages.smallest_margin_at_most must be a float, got {got!r:.80}")


def _count(value: Any, what: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        wanted = str(low) if low == high else f"an integer in {low}..{high}"
        raise CertificateError(f"{what} must be {wanted}, got {value!r:.80}")


def _names(value: Any) -> str:
    return f"{', '.join(value)}"[:120] or "nothing" if isinstance(value, Mapping) else type(value).__name__
