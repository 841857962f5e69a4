"""Rules that establish inequalities: visible squares, cases of sign, integrals, sums and products of bounds."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sympy import Add, Expr, Integral, S, sympify
from sympy.core.relational import GreaterThan, LessThan, Relational

from quadlens.identities.conditions import as_conditions
from quadlens.identities.deduction import is_nonnegative, is_positive
from quadlens.identities.derivation import Fact
from quadlens.identities.equalities import in_every_case, put
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus
from quadlens.identities.grammar import real_valued
from quadlens.identities.integrals import Limits
from quadlens.identities.ledger import Ledger, rule


@rule
def at_most(
    ledger: Ledger, text: str, left: Any, right: Any, slack: Any, *, assuming: Sequence[Relational] = ()
) -> None:
    """Show ``left <= right``: the difference equals ``slack``, which is visibly non-negative."""
    left, right, slack = sympify(left), sympify(right), sympify(slack)
    given = as_conditions(assuming)
    ledger.require(slack, given=given)
    if not same(ledger.known(right - left, assuming), ledger.known(slack, assuming)):
        raise ledger.fail(text, f"{right} - ({left}) is not shown equal to {slack}")
    if not (slack.is_nonnegative or is_nonnegative(slack, given)):
        raise ledger.fail(text, f"{slack} is not shown to be non-negative")
    ledger.learn(text, "<=", (left, right), f"the difference is {slack}, which is not negative", assuming)


@rule
def chain(ledger: Ledger, text: str, *terms: Any, assuming: Sequence[Any] = ()) -> None:
    """Show ``terms[0] <= terms[-1]``: each neighbour pair is an established bound or an equality."""
    ledger.require(*terms, given=as_conditions(assuming))
    for lower, upper in pairwise(terms):
        if not ledger.follows(lower, upper, assuming):
            raise ledger.fail(text, f"{lower} <= {upper} is not established")
    check = f"chain of {len(terms) - 1} established comparisons"
    ledger.learn(text, "<=", (terms[0], terms[-1]), check, assuming)


@rule
def at_most_by_cases(
    ledger: Ledger, text: str, left: Any, right: Any, *, assuming: Sequence[Relational] = ()
) -> None:
    """Show ``left <= right`` between ReLUs, gates and moduli, in each case of their signs by an exact combination."""
    left, right = sympify(left), sympify(right)
    cases = in_every_case(ledger, text, right - left, assuming)
    check = f"a combination of the signs, exact, in each of {cases} cases"
    ledger.learn(text, "<=", (left, right), check, assuming)


@rule
def modulus_at_most(
    ledger: Ledger, text: str, expression: Any, bound: Any, *, assuming: Sequence[Relational] = ()
) -> None:
    """Show ``|expression| <= bound`` for a real expression, from ``expression^2 <= bound^2`` and ``bound >= 0``."""
    expression, bound = sympify(expression), sympify(bound)
    if not (bound.is_nonnegative or is_nonnegative(bound, as_conditions(assuming))) or not real_valued(expression):
        raise ledger.fail(text, f"{bound} must be non-negative and {expression} real")
    if not ledger.follows(expression**2, bound**2, assuming):
        raise ledger.fail(text, f"({expression})^2 <= ({bound})^2 is not established")
    check = "the squares compare, and the bound is not negative"
    ledger.learn(text, "<=", (Modulus(expression), bound), check, assuming)


@rule
def integrated(
    ledger: Ledger, text: str, integrand: Expr, bound: Expr, limits: Limits, *, assuming: Sequence[Any] = ()
) -> None:
    """Show ``|integral f| <= integral g`` from the established ``|f| <= g``; the limits must be in order."""
    if not ledger.follows(Modulus(integrand), bound, assuming):
        raise ledger.fail(text, f"|{integrand}| <= {bound} is not established")
    if not is_nonnegative(sympify(limits[2]) - limits[1], as_conditions(assuming)):
        raise ledger.fail(text, f"{limits[1]} <= {limits[2]} is not known")
    check = f"the modulus of an integral is at most the integral of the modulus ({limits[1]} <= {limits[2]})"
    sides = (Modulus(Integral(integrand, limits)), Integral(bound, limits))
    ledger.learn(text, "<=", sides, check, assuming)


@rule
def added(
    ledger: Ledger,
    text: str,
    left: Any,
    right: Any,
    parts: Sequence[tuple[Any, Any]],
    *,
    assuming: Sequence[Any] = (),
) -> None:
    """Show ``left <= right``: the difference is the sum of those of established bounds ``(lower, upper)``."""
    left, right = sympify(left), sympify(right)
    total: Expr = S.Zero
    for lower, upper in parts:
        ledger.require(lower, upper, given=as_conditions(assuming))
        if not ledger.follows(lower, upper, assuming):
            raise ledger.fail(text, f"{lower} <= {upper} is not established")
        total += sympify(upper) - sympify(lower)
    if not same(ledger.known(right - left, assuming), ledger.known(total, assuming)):
        raise ledger.fail(text, f"the bounds do not add up to {left} <= {right}")
    ledger.learn(text, "<=", (left, right), f"the sum of {len(parts)} established bounds", assuming)


@rule
def triangle(ledger: Ledger, text: str, *terms: Any) -> None:
    """Show ``|z_1 + z_2 + ...| <= |z_1| + |z_2| + ...`` for finitely many numbers, real or complex."""
    parts = [sympify(term) for term in terms]
    sides = (Modulus(Add(*parts)), Add(*(Modulus(part) for part in parts)))
    ledger.learn(text, "<=", sides, f"triangle inequality for {len(parts)} numbers")


@rule
def multiplied(
    ledger: Ledger, text: str, one: tuple[Any, Any], other: tuple[Any, Any], *, assuming: Sequence[Any] = ()
) -> None:
    """Show ``|f g| <= a b`` from the established ``|f| <= a`` and ``|g| <= b``, given as ``(f, a)`` and ``(g, b)``."""
    for factor, bound in (one, other):
        ledger.require(factor, bound, given=as_conditions(assuming))
        if not ledger.follows(Modulus(factor), bound, assuming):
            raise ledger.fail(text, f"|{factor}| <= {bound} is not established")
    sides = (Modulus(one[0] * other[0]), one[1] * other[1])
    ledger.learn(text, "<=", sides, "moduli multiply", assuming)


@rule
def given(ledger: Ledger, text: str, condition: Any) -> None:
    """Use a condition of the statement, an inequality, as a bound under itself."""
    if not isinstance(condition, GreaterThan | LessThan):
        raise ledger.fail(text, f"{condition} is no inequality between expressions")
    ledger.learn(text, "<=", (condition.lts, condition.gts), "a condition of the statement", (condition,))


@rule
def fraction(ledger: Ledger, text: str, numerator: tuple[Any, Any], denominator: tuple[Any, Any]) -> None:
    """Show ``|a / b| <= A / B`` from the established ``|a| <= A`` and ``B <= b``, where ``B > 0`` by assumption."""
    (a, upper), (b, lower) = (tuple(map(sympify, pair)) for pair in (numerator, denominator))
    ledger.require(a, upper, b, lower)
    if not is_positive(lower, frozenset()):
        raise ledger.fail(text, f"{lower} is not known to be positive")
    if not ledger.follows(Modulus(a), upper) or not ledger.follows(lower, b):
        raise ledger.fail(text, f"|{a}| <= {upper} or {lower} <= {b} is not established")
    check = "numerator at most, denominator at least"
    # b >= B > 0: the quotient is defined.
    ledger.learn(text, "<=", (Modulus(a / b), upper / lower), check)


@rule
def bound_with(
    ledger: Ledger, text: str, left: Any, right: Any, values: Mapping[Any, Any], *, assuming: Sequence[Any] = ()
) -> None:
    """Use the established ``left <= right`` with other symbols put in."""
    left, right = sympify(left), sympify(right)
    if not ledger.follows(left, right):
        raise ledger.fail(text, f"{left} <= {right} is not established")
    inherited = ledger.premises
    fact = Fact(relation="<=", left=left, right=right, needs=frozenset(inherited.needs))
    inherited.needs.clear()
    put(ledger, text, fact, values, assuming)


@rule
def holds(ledger: Ledger, text: str, formula: Any, condition: Any = None, check: Any = None) -> None:
    """Show an inequality between numbers, which the kernel encloses in balls; nobody else's word is taken for it."""
    from quadlens.identities.enclosures import number_at_most

    if condition is not None or check is not None or not isinstance(formula, GreaterThan | LessThan):
        raise ledger.fail(text, f"{check or formula} does not hold by itself: give an inequality between numbers")
    if not number_at_most(formula.lts, formula.gts):
        raise ledger.fail(text, f"the balls do not show {formula}: it does not hold, or is too close")
    ledger.rests("computation in ball arithmetic: two numbers")
    ledger.learn(text, "<=", (formula.lts, formula.gts), "two numbers, in balls")


