"""The activations a circuit may have, with the facts about each that the mathematics uses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from quadlens.arrays import FloatArray
from quadlens.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activation ``act``.

    ``degree`` is the ``D`` with ``act(t x) = t^D act(x)`` for ``t > 0``, or None where there is none. ``lipschitz``
    bounds ``|act'|`` on the whole line (rounded up), None where it is unbounded. ``smooth`` says that ``act`` is
    analytic on the real line. ``slope_below`` is the α of an activation with one kink, ``act(x) = x`` for ``x > 0`` and
    ``α x`` for ``x <= 0``, exact in float64 for α = 0 and −1; None for all others.
    """

    name: str
    apply: Callable[[FloatArray], FloatArray]
    degree: int | None
    lipschitz: float | None
    smooth: bool
    slope_below: float | None = None


def _relu(x: FloatArray) -> FloatArray:
    return np.maximum(x, 0.0)


def _gelu(x: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(x * ndtr(x))


def _gelu_tanh(x: FloatArray) -> FloatArray:
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def _silu(x: FloatArray) -> FloatArray:
    from scipy.special import expit

    return np.asarray(x * expit(x))


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation(name="relu", apply=_relu, degree=1, lipschitz=1.0, smooth=False, slope_below=0.0),
        Activation(name="abs", apply=np.abs, degree=1, lipschitz=1.0, smooth=False, slope_below=-1.0),
        Activation(name="square", apply=np.square, degree=2, lipschitz=None, smooth=True),
        Activation(name="gelu", apply=_gelu, degree=None, lipschitz=1.12905, smooth=True),
        Activation(name="gelu_tanh", apply=_gelu_tanh, degree=None, lipschitz=1.12905, smooth=True),
        Activation(name="silu", apply=_silu, degree=None, lipschitz=1.09985, smooth=True),
        Activation(name="tanh", apply=np.tanh, degree=None, lipschitz=1.0, smooth=True),
    )
}


def activation_named(name: str) -> Activation:
    """Return the activation called ``name``.

    >>> activation_named("relu").apply(np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    try:
        return ACTIVATIONS[name]
    except KeyError:
        raise OptionError(f"activation must be one of {', '.join(ACTIVATIONS)}; got {name!r}") from None


def negative_slope(activation: str) -> float:
    """Return ``slope_below``, the α of the gate lemma (docs/certificates.md).

    Raises
    ------
    OptionError
        If the activation is not one with a kink at 0 and slope 1 above it.
    """
    slope = activation_named(activation).slope_below
    if slope is None:
        known = " and ".join(name for name, one in ACTIVATIONS.items() if one.slope_below is not None)
        raise OptionError(f"the gate lemma is for {known}, this circuit has {activation}")
    return slope
