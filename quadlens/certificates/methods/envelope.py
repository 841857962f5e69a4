"""What a method proves, put into a certificate with what every certificate says of its network."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from quadlens.certificates.inequality.operations import brute_force_operations
from quadlens.certificates.record.certificate import LISTED, Certificate, ClassBound
from quadlens.certificates.record.digest import network_digest
from quadlens.certificates.record.float32 import evaluation, float32_margin_error
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a method found: classes (or ``frequencies``), or the reason for which it refuses. ``wrong`` are the
    misclassified inputs in order, None where they are not decided.
    """

    arithmetic: str
    classes: tuple[ClassBound, ...] = ()
    prover: Mapping[str, Any] = field(default_factory=dict)
    operations: int = 0
    wrong: list[tuple[int, int]] | None = None
    blame: tuple[str, ...] = ()
    refusal: str | None = None
    frequencies: tuple[Mapping[str, Any], ...] | None = None
    ideals: tuple[Mapping[str, Any], ...] | None = None


def certificate_of(method: str, circuit: Circuit, prove: Callable[[], Proof]) -> Certificate:
    """Run a method's proof and return its certificate; digest and float32 bound are computed beside it."""
    start = time.perf_counter()
    with _network_facts(circuit) as facts:
        proof = prove()
    float32_error = facts.float32_error.result() if proof.classes else None
    worst = min(proof.classes, key=lambda bound: bound.margin_lower_bound, default=None)
    return Certificate(
        method=method,
        p=circuit.p,
        neurons=circuit.neurons,
        parameters=circuit.parameters,
        activation=circuit.activation,
        sha256=facts.sha256.result(),
        arithmetic=proof.arithmetic,
        operations=proof.operations,
        brute_force_operations=brute_force_operations(circuit.p, circuit.neurons),
        seconds=time.perf_counter() - start,
        classes=proof.classes,
        ledger=() if worst is None else worst.ledger,
        prover=proof.prover,
        misclassified=None if proof.wrong is None else tuple(proof.wrong[:LISTED]),
        misclassified_count=None if proof.wrong is None else len(proof.wrong),
        float32_error=float32_error,
        float32_evaluation=None if float32_error is None else evaluation(circuit),
        blame=proof.blame,
        refusal=proof.refusal,
        frequencies=proof.frequencies,
        ideals=proof.ideals,
        provenance=circuit.provenance,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _NetworkFacts:
    sha256: Future[str]
    float32_error: Future[float | None]


@contextmanager
def _network_facts(circuit: Circuit) -> Iterator[_NetworkFacts]:
    """Compute both in threads of their own while the body of the ``with`` runs."""
    with ThreadPoolExecutor(2) as aside:
        yield _NetworkFacts(
            sha256=aside.submit(network_digest, circuit), float32_error=aside.submit(float32_margin_error, circuit)
        )
