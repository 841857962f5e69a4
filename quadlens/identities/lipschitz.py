"""How fast a function with kinks can move: the mean value theorem on every branch, and which functions it is for."""

from typing import Any

from sympy import Expr, S, Symbol, cos, diff, exp, sin, sympify

from quadlens.identities.deduction import is_nonnegative, is_positive
from quadlens.identities.equalities import check_values
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.grammar import kind_of, real_valued
from quadlens.identities.ledger import Ledger, rule
from quadlens.identities.theorems import MEAN_VALUE, Theorem


def is_piecewise_smooth(function: Expr, variable: Symbol) -> bool:
    """Return True for what is continuous, and smooth between finitely many points of every interval.

    Sums, products and natural powers of the variable, exponentials, sines, cosines, ReLUs and moduli of real numbers.
    """
    if not function.has(variable) or function == variable:
        return True
    if isinstance(function, ReLU | Modulus) and not real_valued(function.args[0]):
        return False
    if function.is_Pow and not (function.exp.is_Integer and function.exp > 0):
        return False
    smooth = function.is_Add or function.is_Mul or function.is_Pow or isinstance(function, sin | cos | exp)
    if not smooth and not isinstance(function, ReLU | Modulus):
        return False
    return all(is_piecewise_smooth(part, variable) for part in function.args)


@rule
def mean_value(
    ledger: Ledger,
    text: str,
    function: Expr,
    variable: Symbol,
    one: Any,
    other: Any,
    slope: Any,
    *,
    theorem: Theorem = MEAN_VALUE,
) -> None:
    """Show ``|f(one) - f(other)| <= slope |one - other|`` for a continuous ``f`` made of smooth branches.

    ``f`` is a polynomial in sines, cosines, ReLUs and moduli, so it is continuous; each branch that they leave has
    the derivative 0 or one whose modulus is established to be at most ``slope``, which is not negative and does not
    depend on the variable.
    """
    function, slope, one, other = map(sympify, (function, slope, one, other))
    if theorem is not MEAN_VALUE:
        raise ledger.fail(text, f"a theorem is a named record whose hypotheses are checked, got {theorem!r}")
    ledger.require(function, slope, one, other)
    if not is_piecewise_smooth(function, variable) or not real_valued(function):
        raise ledger.fail(text, f"{function} is not a polynomial in sines, cosines, ReLUs and moduli of real numbers")
    if slope.has(variable) or not is_nonnegative(slope, frozenset()):
        raise ledger.fail(text, f"the slope {slope} must be at least 0 and must not depend on {variable}")
    if kind_of(variable).get("integer"):
        raise ledger.fail(text, f"{variable} is an integer: between two of its values nothing is established")
    for value in (one, other):
        check_values(ledger, text, {variable: value}, frozenset())
    for branch in _branches(function, variable):
        steep = diff(branch, variable)
        if steep != 0 and not _is_at_most(ledger, steep, slope, variable):
            raise ledger.fail(text, f"|{steep}| <= {slope} is not established")
    difference = function.subs(variable, one) - function.subs(variable, other)
    ledger.rests(str(MEAN_VALUE))
    ledger.learn(text, "<=", (Modulus(difference), slope * Modulus(one - other)), str(MEAN_VALUE))


def _is_at_most(ledger: Ledger, derivative: Expr, slope: Expr, variable: Symbol) -> bool:
    for fact in ledger.facts:
        if fact.relation != "<=" or not isinstance(fact.left, Modulus) or fact.assumes or slope == 0:
            continue
        if any(variable in need.free_symbols for need in fact.needs):
            continue
        scale = fact.right / slope
        if not is_positive(scale, frozenset()):
            continue
        scaled = scale * derivative
        if same(fact.left.args[0], scaled) or same(fact.left.args[0], -scaled):
            ledger.use([fact], frozenset())
            return True
    return False


def _branches(function: Expr, variable: Symbol) -> list[Expr]:
    """Return what is left of a function in each combination of signs of its ReLUs and moduli, the outer ones first."""
    kinks = [part for part in function.atoms(ReLU, Modulus) if part.has(variable)]
    if not kinks:
        return [function]
    part = max(kinks, key=lambda one: (one.count_ops(), str(one)))
    argument = part.args[0]
    signs = (S.Zero, argument) if isinstance(part, ReLU) else (argument, -argument)
    return [branch for value in signs for branch in _branches(function.xreplace({part: value}), variable)]
