"""The one rule that proves nothing: two sides that agree to some digits at some points."""

from collections.abc import Callable
from typing import Any

from sympy import Eq, sympify

from quadlens.identities.ledger import Ledger, rule


@rule
def numeric(
    ledger: Ledger, text: str, left: Any, right: Any, digits: int, difference: Callable[[int], Any]
) -> None:
    """Record a step that is checked numerically only: ``difference(digits)`` must be below ``10**-digits``."""
    error = difference(digits)
    if not abs(error) < 10 ** sympify(-digits):
        raise ledger.fail(text, f"the sides differ by {error}, more than 1e-{digits}")
    detail = f"checked numerically to {digits} digits: {text}"
    ledger.numeric_pairs.append((detail, sympify(left), sympify(right)))
    ledger.step(text, Eq(left, right, evaluate=False), detail)
