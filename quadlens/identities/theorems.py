"""The theorems that proofs rest on and do not prove: named, with hypotheses that are checked or listed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Theorem:
    """A textbook theorem: its name, what it needs, and who sees to it.

    ``checked`` are hypotheses that a rule checks before it uses the theorem; ``listed`` are those it cannot check, or
    that the reader must see for themselves, and they appear beside the verdict.
    """

    name: str
    checked: tuple[str, ...]
    listed: tuple[str, ...] = ()

    def __str__(self) -> str:
        unchecked = f" (not checked: {'; '.join(self.listed)})" if self.listed else ""
        return f"theorem: {self.name}{unchecked}"


MEAN_VALUE = Theorem(
    name="the mean value theorem on each smooth piece of a continuous function",
    checked=(
        "the function is a polynomial in sines, cosines, ReLUs and moduli of real numbers, so continuous",
        "the derivative of every branch is bounded for all values of the variable",
    ),
)
FOURIER = Theorem(
    name="a continuous, piecewise smooth function of period 2 pi is the uniform sum of its Fourier series",
    checked=(
        "the function is a polynomial in sines, cosines, ReLUs and moduli of such, so continuous and piecewise smooth",
        "it has period 2 pi",
        "its harmonics are established, for every order that occurs",
    ),
)
BESSEL = Theorem(
    name="I_n(z) is the mean of e^{z cos u} cos nu over a turn of u (Bessel's integral), here with u = 2x + pi",
    checked=("n is a natural number", "z is real and free of the variable"),
)
