"""Rules about finite sums: induction, linearity, terms that agree, terms that are bounded, adjacent intervals."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from sympy import Add, Dummy, Expr, Integral, S, Sum, Symbol, diff, expand, sympify

from quadlens.identities.definedness import defined
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Modulus, Re, ReLU, conjugated
from quadlens.identities.grammar import read
from quadlens.identities.integrals import sign
from quadlens.identities.ledger import Ledger, rule

LONGEST = 1000
"""Terms that are written out at most."""


@rule
def induction(ledger: Ledger, text: str, term: Expr, limits: tuple[Symbol, Any, Symbol], closed: Expr) -> Expr:
    """Show ``sum_{j=start}^{end} term(j) = closed(end)`` for every ``end >= start - 1``, and return ``closed``.

    The term and the start do not depend on the end, nor the closed form on the index; the closed form is defined at
    every end on the way.
    """
    index, start, end = limits
    term, start, closed = sympify(term), sympify(start), sympify(closed)
    if not (end.is_Symbol and end.is_integer) or term.has(end) or start.has(end) or closed.has(index):
        raise ledger.fail(text, f"the term {term} must not depend on the end {end}, nor {closed} on {index}")
    from_start = frozenset({expand(end - start + 1)})
    for need in defined(closed, from_start):
        if end in need.free_symbols:
            raise ledger.fail(text, f"{closed} must be defined at every {end} from {start - 1} on, and needs {need}")
    if not same(closed.subs(end, start - 1), 0):
        raise ledger.fail(text, f"the closed form is not 0 for the empty sum ({end} = {start} - 1)")
    if not same(closed - closed.subs(end, end - 1), term.subs(index, end)):
        raise ledger.fail(text, f"closed({end}) - closed({end} - 1) is not the term {term} at {index} = {end}")
    check = "induction: the empty sum is 0, and one more term is the difference of the closed forms"
    ledger.learn(text, "=", (Sum(term, limits), closed), check)
    return closed


@rule
def linear_sum(ledger: Ledger, text: str, total: Sum) -> Expr:
    """Split a sum of several terms, constants taken out, and return the split form."""
    ((index, start, end),) = total.limits
    split: Expr = S.Zero
    for term in expand(total.function, deep=False).as_ordered_terms():
        constant, dependent = term.as_independent(index, as_Add=False)
        split += constant * ((sympify(end) - start + 1) if dependent == 1 else Sum(dependent, total.limits[0]))
    check = "a sum is linear; that of a constant is the constant times the number of terms"
    ledger.learn(text, "=", (total, split), check)
    return split


@rule
def termwise(ledger: Ledger, text: str, left: Any, right: Any, *, over: tuple[Any, ...] | None = None) -> Expr:
    """Show ``left = right`` where both sides are linear in finite sums: term by term. Return ``right``.

    Every term lies in a sum over the range ``over`` (by default the only range there is); sums over other ranges
    may stand inside or outside of these, since finite sums can be exchanged: every range has an index of its own, and
    none depends on another.
    """
    left, right = sympify(left), sympify(right)
    read(left, right)
    sums = left.atoms(Sum) | right.atoms(Sum)
    ranges = sorted({part.limits[0] for part in sums}, key=str)
    if over is None and len(ranges) != 1:
        raise ledger.fail(text, f"name the range that every term is summed over, one of {ranges}")
    main = ranges[0] if over is None else sympify(over)
    indices = {limits[0] for limits in ranges}
    if len(indices) != len(ranges) or any(end.has(*indices) for limits in ranges for end in limits[1:]):
        raise ledger.fail(text, f"the ranges {ranges} must have an index each and not depend on each other")
    marks = {limits: Dummy(f"mark{number}", real=True) for number, limits in enumerate(ranges)}

    def opened(side: Expr) -> Expr:
        side = side.replace(lambda part: isinstance(part, Sum), lambda part: part.function * marks[part.limits[0]])
        return side.replace(Re, lambda inner: (inner + conjugated(inner)) / 2)

    for limits, mark in marks.items():
        for side in map(opened, (left, right)):
            at_zero = side.subs(mark, 0)
            if not vanishes(diff(side, mark, 2)) or (limits == main and not vanishes(at_zero)):
                raise ledger.fail(text, f"{left} or {right} is not linear in its sums")
    difference = ledger.known(opened(left) - opened(right))
    for values in product((0, 1), repeat=len(marks)):
        if not vanishes(difference.subs(dict(zip(marks.values(), values, strict=True)))):
            raise ledger.fail(text, f"the terms of {left} and {right} are not shown equal")
    check = "term by term: both sides are linear in the sums, and the terms agree"
    ledger.learn(text, "=", (left, right), check)
    return right


@rule
def written_out(ledger: Ledger, text: str, total: Sum) -> Expr:
    """Write a sum over a range of numbers out, and return its terms added up."""
    ((index, start, end),) = total.limits
    if not (start.is_Integer and end.is_Integer and start - 1 <= end <= start + LONGEST):
        raise ledger.fail(text, f"the range of {total} must be numbers in order")
    value = Add(*(total.function.subs(index, number) for number in range(int(start), int(end) + 1)))
    ledger.learn(text, "=", (total, value), f"{int(end) - int(start) + 1} terms written out")
    return value


@rule
def peeled(ledger: Ledger, text: str, total: Sum) -> Expr:
    """Split a sum into its first term and the others, and return that form.

    The range has at least one number: that is what the sum of the others needs to be defined.
    """
    ((index, start, end),) = total.limits
    value = total.function.subs(index, start) + Sum(total.function, (index, start + 1, end))
    ledger.learn(text, "=", (total, value), "the first term, and the others")
    return value


@rule
def adjacent(
    ledger: Ledger, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], steps: tuple[Symbol, Any, Any]
) -> None:
    """Show that integrals of one function over adjacent intervals add up to one: where each ends, the next starts."""
    variable, low, high = limits
    index, start, end = steps
    if integrand.has(index):
        raise ledger.fail(text, f"{integrand} must be the same function in every interval, and it depends on {index}")
    if not same(high, low.subs(index, index + 1)):
        raise ledger.fail(text, f"the interval after {limits} does not start at {high}")
    whole = Integral(integrand, (variable, low.subs(index, start), expand(high.subs(index, end))))
    ledger.learn(text, "=", (Sum(Integral(integrand, limits), steps), whole), "the intervals are adjacent")


@rule
def halves(
    ledger: Ledger,
    text: str,
    term: Expr,
    argument: Expr,
    steps: tuple[Symbol, Any, Any, Any],
    *,
    assuming: Sequence[Any] = (),
) -> None:
    """Show that a sum of ``ReLU(argument) ...`` over ``start..end`` has the terms before ``middle`` only.

    The argument is shown to be ``>= 0`` from ``start`` to ``middle - 1`` and ``<= 0`` from ``middle`` on; the term is
    a multiple of its ReLU.
    """
    index, start, middle, end = map(sympify, steps)
    if not vanishes(term.xreplace({ReLU(argument): S.Zero})):
        raise ledger.fail(text, f"{term} must vanish where the ReLU of {argument} does")
    first = sign(ledger, f"{text}: before", argument, (index, start, middle - 1), assuming=assuming)
    second = sign(ledger, f"{text}: after", argument, (index, middle, end), assuming=assuming)
    if (first, second) != (1, -1):
        raise ledger.fail(text, f"{argument} is not first positive and then negative")
    on, off = (index, start, middle - 1), (index, middle, end)
    ledger.require(Sum(S.One, on), Sum(S.One, off))
    kept = Sum(term.xreplace({ReLU(argument): argument}), on)
    check = "ReLU of what is not positive is 0"
    ledger.learn(text, "=", (Sum(term, (index, start, end)), kept), check, assuming)


@rule
def summed(
    ledger: Ledger, text: str, term: Expr, bound: Expr, limits: tuple[Any, ...], *, weight: Any = S.One
) -> None:
    """Show ``|sum w f| <= sum w g`` from ``|f| <= g``, established in the range, and ``w >= 0`` (by assumption)."""
    weight, (index, start, end) = sympify(weight), limits
    within = (expand(index - start), expand(end - index))
    if not weight.is_nonnegative:
        raise ledger.fail(text, f"the weight {weight} is not known to be non-negative")
    if not ledger.follows(Modulus(term), bound, within):
        raise ledger.fail(text, f"|{term}| <= {bound} is not established")
    check = "triangle inequality, term by term, with weights that are not negative"
    ledger.learn(text, "<=", (Modulus(Sum(weight * term, limits)), Sum(weight * bound, limits)), check)


@rule
def summed_bound(ledger: Ledger, text: str, lower: Expr, upper: Expr, limits: tuple[Any, ...]) -> None:
    """Show ``sum lower <= sum upper`` from the established ``lower <= upper``, term by term."""
    if not ledger.follows(lower, upper):
        raise ledger.fail(text, f"{lower} <= {upper} is not established")
    ledger.learn(text, "<=", (Sum(lower, limits), Sum(upper, limits)), "term by term")
