"""What a certificate says of its network whatever is proved of it, computed while the proof is."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from quadlens.certificates.digest import network_digest
from quadlens.certificates.float32 import float32_margin_error
from quadlens.circuits.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """``network_digest`` and ``float32_margin_error`` of a circuit: results are there when the ``with`` has ended."""

    sha256: Future[str]
    float32_error: Future[float | None]


@contextmanager
def network_facts(circuit: Circuit) -> Iterator[NetworkFacts]:
    """Compute both in threads of their own while the body of the ``with`` runs."""
    with ThreadPoolExecutor(2) as aside:
        yield NetworkFacts(
            sha256=aside.submit(network_digest, circuit), float32_error=aside.submit(float32_margin_error, circuit)
        )
