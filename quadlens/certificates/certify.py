"""One verb for all methods: ``certify(circuit, method=…)``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import Any

from quadlens.certificates.certificate import METHODS, Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

_PROVERS = {
    "rectangle": "rectangle:certify_rectangle",
    "interval": "interval:certify_interval",
    "linear": "linear:certify_linear",
    "gated": "gated:certify_gated",
    "adaptive": "adaptive:certify_adaptive",
    "brute-force": "brute_force:certify_brute_force",
    "exact": "exact:certify_exact",
}
"""Method -> module of ``quadlens.certificates`` and the function there."""


def certify(
    circuit: Circuit, method: str = "adaptive", *, progress: Callable[[float], None] | None = None, **options: Any
) -> Certificate:
    """Prove how many of the p² inputs the whole network classifies right, and with what margin.

    Parameters
    ----------
    method : ``rectangle``, ``interval``, ``linear``, ``gated``, ``adaptive``, ``brute-force`` or ``exact``
    progress : called with the fraction done
    options : of the method; ``linear``, ``gated`` and ``brute-force`` have ``device``: None (the default) for numpy, or
        ``cpu``, ``cuda``, ``cuda:1`` for torch there, in float64 with the same rounding bounds

    Raises
    ------
    OptionError
        If there is no such method, or it has no such option, there is no such device, or its memory is not enough.
    CertificateError
        If the method cannot treat this circuit (its activation, or tables that are not known exactly).
    """
    if method not in _PROVERS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    module, name = _PROVERS[method].split(":")
    prove = getattr(import_module(f"quadlens.certificates.{module}"), name)
    allowed = set(prove.__kwdefaults__) - {"progress"}
    unknown = sorted(set(options) - allowed)
    if unknown:
        has = ", ".join(sorted(allowed)) or "none"
        raise OptionError(f"method {method} has no option {unknown[0]!r}, it has {has}; leave it out")
    with nullcontext() if options.get("device") is None else _enough_memory(options["device"]):
        certificate: Certificate = prove(circuit, progress=progress, **options)
    return replace(certificate, provenance=circuit.provenance)


@contextmanager
def _enough_memory(device: str) -> Iterator[None]:
    """Say in one sentence that a device's memory was not enough."""
    from torch import OutOfMemoryError

    try:
        yield
    except OutOfMemoryError:
        raise OptionError(f"device {device} has not enough memory for this circuit; leave the device out") from None
