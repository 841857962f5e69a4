"""One verb for all methods: ``certify(circuit, method=…)``."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from quadlens.certificates.exact.activation_enclosure import BY_TAYLOR
from quadlens.certificates.methods.adaptive import certify_adaptive
from quadlens.certificates.methods.brute_force import certify_brute_force
from quadlens.certificates.methods.exact import certify_exact
from quadlens.certificates.methods.interval import certify_interval
from quadlens.certificates.methods.linear import certify_linear
from quadlens.certificates.methods.mlp import certify_mlp
from quadlens.certificates.methods.rectangle import certify_rectangle
from quadlens.certificates.methods.smooth import certify_smooth
from quadlens.certificates.record.certificate import METHODS, Certificate
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.errors import CertificateError, OptionError

PROVERS: Mapping[str, Callable[..., Certificate]] = MappingProxyType(
    {
        "rectangle": certify_rectangle,
        "mlp": certify_mlp,
        "interval": certify_interval,
        "linear": certify_linear,
        "smooth": certify_smooth,
        "adaptive": certify_adaptive,
        "brute-force": certify_brute_force,
        "exact": certify_exact,
    }
)
"""What proves by each method."""

DECIDING = ("adaptive", "smooth", "brute-force", "exact")
"""What is tried, in this order, where no method is named: the first that decides every input of the network;
``smooth`` for the activations that it is for, from ``SMOOTH_FROM`` on."""

SMOOTH_FROM = 31
"""From this p on ``smooth`` takes fewer operations than ``brute-force``, which proves more."""


def certify(
    circuit: Circuit,
    method: str | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    **options: Any,
) -> Certificate:
    """Prove how many of the p² inputs the whole network classifies right, and with what margin.

    Parameters
    ----------
    method : ``rectangle``, ``mlp``, ``interval``, ``linear``, ``smooth``, ``adaptive``, ``brute-force`` or ``exact``;
        None (the default): what ``decide`` finds, which is ``adaptive`` for ReLU and |x|, and ``smooth`` for GELU,
        SiLU, tanh and sin from p = 31 on, where it certifies every input
    progress : called with the fraction done
    options : of the method; ``linear`` and ``brute-force`` have ``device``: None (the default) for numpy, or
        ``cpu``, ``cuda``, ``cuda:1`` for torch there, in float64 with the same rounding bounds

    Raises
    ------
    OptionError
        If there is no such method, or it has no such option, there is no such device, or its memory is not enough.
    CertificateError
        If the method cannot treat this circuit (its activation, or tables that are not known exactly).
    """
    require_circuit(circuit, "certify")
    if method is None:
        if options:
            raise OptionError(f"{min(options)} is an option of one method; name the method, too")
        return decide(circuit, progress=progress).certificate
    if method not in PROVERS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    prove = PROVERS[method]
    allowed = set(getattr(prove, "__kwdefaults__", None) or ()) - {"progress"}
    unknown = sorted(set(options) - allowed)
    if unknown:
        has = ", ".join(sorted(allowed)) or "none"
        raise OptionError(f"method {method} has no option {unknown[0]!r}, it has {has}; leave it out")
    with nullcontext() if options.get("device") is None else _enough_memory(options["device"]):
        return prove(circuit, progress=progress, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The certificate that decides most, and (method, reason) for each that was tried first and could not."""

    certificate: Certificate
    passed_over: tuple[tuple[str, str], ...]


def decide(circuit: Circuit, *, progress: Callable[[float], None] | None = None) -> Decided:
    """Try the methods of ``DECIDING`` until one has decided every input, right or wrong.

    Raises
    ------
    CertificateError
        If none of them can treat this circuit: the reason that the last one gives.
    """
    found: list[Certificate] = []
    passed_over: list[tuple[str, str]] = []
    failure = CertificateError("no method can treat this circuit")
    for method in DECIDING:
        if method == "smooth" and (circuit.activation not in BY_TAYLOR or circuit.p < SMOOTH_FROM):
            continue
        try:
            certificate = certify(circuit, method, progress=progress)
        except CertificateError as error:
            failure = error
            passed_over.append((method, str(error)))
            continue
        if certificate.decides_every_input:
            return Decided(certificate=certificate, passed_over=tuple(passed_over))
        found.append(certificate)
        passed_over.append((method, certificate.refusal or next(iter(certificate.blame), "it leaves inputs open")))
    if not found:
        raise failure
    best = max(found, key=lambda certificate: certificate.refusal is None)
    return Decided(
        certificate=best, passed_over=tuple(entry for entry in passed_over if entry[0] != best.method)
    )


@contextmanager
def _enough_memory(device: str) -> Iterator[None]:
    """Say in one sentence that a device's memory was not enough."""
    from torch import OutOfMemoryError

    try:
        yield
    except OutOfMemoryError:
        raise OptionError(f"device {device} has not enough memory for this circuit; leave the device out") from None
