"""Activations with one kink, at 0: ``h(y) = y`` for ``y > 0`` and ``α y`` for ``y <= 0``, with slopes 1 and α.

The gate lemma (docs/certificates.md) is about these. With ``α <= 0`` they are ``max(y, α y)``, never negative,
and exact in float64 for ``α = 0, −1``.
"""

from collections.abc import Mapping
from types import MappingProxyType

from quadlens.errors import OptionError

SLOPES: Mapping[str, float] = MappingProxyType({"relu": 0.0, "abs": -1.0})
"""Activation -> α."""


def negative_slope(activation: str) -> float:
    """Return α.

    Raises
    ------
    OptionError
        If the activation is not one with a kink at 0 and slope 1 above it.
    """
    if activation not in SLOPES:
        raise OptionError(f"the gate lemma is for {' and '.join(SLOPES)}, this circuit has {activation}")
    return SLOPES[activation]
