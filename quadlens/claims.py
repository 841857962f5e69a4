"""Proved, measured, estimated: three words with three types.

A number that quadlens prints is one of these. Nothing converts an estimate or a measurement into a proved bound.
"""

import math
from dataclasses import dataclass

from quadlens.errors import CertificateError


def _finite(value: float, what: str) -> None:
    if not math.isfinite(value):
        raise CertificateError(f"{what} must be finite, got {value}; a NaN or an infinity is never a claim")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedBound:
    """An upper bound (``value``) that a theorem gives, with the way its rounding was handled.

    ``theorem`` names the script in ``derivations/`` that proves it; ``arithmetic`` says why rounding cannot break it.
    """

    value: float
    theorem: str
    arithmetic: str

    def __post_init__(self) -> None:
        _finite(self.value, "a proved bound")
        if not self.theorem or not self.arithmetic:
            raise CertificateError("a proved bound names its theorem and its arithmetic; give both")

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A value that was computed over a stated set of cases, in floating point: true of those cases, to rounding."""

    value: float
    over: str

    def __post_init__(self) -> None:
        _finite(self.value, "a measurement")

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value that a sample or a model suggests; ``low`` and ``high`` are its interval at the stated level."""

    value: float
    low: float
    high: float
    method: str

    def __post_init__(self) -> None:
        for name, value in (("an estimate", self.value), ("its lower end", self.low), ("its upper end", self.high)):
            _finite(value, name)
        if self.low > self.high:
            raise CertificateError(f"an estimate's interval must be ordered, got [{self.low}, {self.high}]")

    def __float__(self) -> float:
        return self.value
