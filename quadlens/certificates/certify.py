"""One verb for all methods: ``certify(circuit, method=…)``."""

from collections.abc import Callable
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
    options : of the method

    Raises
    ------
    OptionError
        If there is no such method, or it has no such option.
    CertificateError
        If the method cannot treat this circuit (its activation, or tables that are not known exactly).
    """
    if method not in _PROVERS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    module, name = _PROVERS[method].split(":")
    prove = getattr(import_module(f"quadlens.certificates.{module}"), name)
    allowed = set(prove.__kwdefaults__)
    unknown = sorted(set(options) - allowed)
    if unknown:
        raise OptionError(f"method {method} has no option {unknown[0]!r}; it has {', '.join(sorted(allowed))}")
    certificate: Certificate = prove(circuit, progress=progress, **options)
    return certificate
