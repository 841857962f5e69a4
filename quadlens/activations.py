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
    ``α x`` for ``x <= 0``: 0 for ReLU and −1 for |x|, whose rounding is proved; None for all others.
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
        Activation(name="sin", apply=np.sin, degree=None, lipschitz=1.0, smooth=True),
    )
}


def register_activation(activation: Activation) -> None:
    """Give ``ACTIVATIONS`` an entry of your own, after holding it to what it claims on numbers from −8 to 8.

    Every method then honours the entry, or refuses in one sentence: certificates and enclosures need more than a
    function in float64.

    Raises
    ------
    OptionError
        If the name is taken or no identifier, ``slope_below`` is given, ``lipschitz`` is not a finite number, or
        ``apply`` does not return finite float64 of its argument's shape, is steeper than ``lipschitz``, or is not
        homogeneous of degree ``degree``.
    """
    if not isinstance(activation, Activation):
        raise OptionError(f"an activation of your own is an Activation, got {type(activation).__name__}")
    name, steepest = activation.name, activation.lipschitz
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or name in ACTIVATIONS:
        raise OptionError(f"the name of an activation must be an identifier not taken yet, got {name!r:.60}")
    if activation.slope_below is not None:
        raise OptionError(f"{name}: slope_below is for relu and abs, whose rounding is proved; leave it out")
    if isinstance(steepest, bool) or not isinstance(steepest, (int, float)) or not 0 < steepest < np.inf:
        raise OptionError(f"{name}: lipschitz must bound its slope, a finite number above 0; got {steepest!r:.60}")
    x = np.linspace(-8, 8, 4097)
    y = np.asarray(activation.apply(x))
    if y.dtype != np.float64 or y.shape != x.shape or not np.isfinite(y).all():
        raise OptionError(f"{name}: apply must return finite float64 of its argument's shape")
    rounding = 1e-12 * (1 + np.abs(y).max())
    if (np.abs(np.diff(y)) > steepest * np.diff(x) + rounding).any():
        raise OptionError(f"{name}: its slope is above the lipschitz it states, {steepest}")
    if activation.degree is not None:
        apart = np.abs(np.asarray(activation.apply(2 * x)) - 2.0**activation.degree * y).max()
        if not apart <= 2.0**activation.degree * rounding:
            raise OptionError(f"{name} is not homogeneous of the degree it states, {activation.degree}; None says so")
    ACTIVATIONS[name] = activation


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
