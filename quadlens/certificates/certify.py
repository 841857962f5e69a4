"""One verb for all methods: ``certify(circuit, method=…)``."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from quadlens.certificates.certificate import METHODS, Certificate
from quadlens.circuits.circuit import Circuit
from quadlens.errors import OptionError

_HOMES = {method: method.replace("-", "_") for method in METHODS}
"""Method -> module of ``quadlens.certificates``; the function there is ``certify_`` and the module's name."""


def certify(
    circuit: Circuit, method: str = "adaptive", *, progress: Callable[[float], None] | None = None, **options: Any
) -> Certificate:
    """Prove how many of the p² inputs the whole network classifies right, and with what margin.

    Parameters
    ----------
    method : ``rectangle``, ``interval``, ``linear``, ``gated``, ``adaptive``, ``brute-force`` or ``exact``
    progress : called with the fraction done
    options : of the method

    Raises
    ------
    OptionError
        If there is no such method, or it has no such option.
    CertificateError
        If the method cannot treat this circuit (its activation, or tables that are not known exactly).
    """
    if method not in _HOMES:
        raise OptionError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    home = _HOMES[method]
    prove = getattr(import_module(f"quadlens.certificates.{home}"), f"certify_{home}")
    allowed = set(prove.__kwdefaults__)
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise OptionError(f"method {method} has no option {unknown[0]!r}; it has {', '.join(sorted(allowed))}")
    certificate: Certificate = prove(circuit, progress=progress, **options)
    return certificate
