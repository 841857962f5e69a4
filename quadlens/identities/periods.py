"""Rules that change integrals without evaluating them: periods, parity, linearity, ReLUs that do nothing, products."""

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Add, Expr, Integral, S, Symbol, expand, sympify

from quadlens.identities.conditions import as_conditions
from quadlens.identities.deduction import is_nonnegative
from quadlens.identities.definedness import defined
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.grammar import real_valued
from quadlens.identities.integrals import Limits
from quadlens.identities.ledger import Ledger, rule


def _require_period(ledger: Ledger, text: str, integrand: Expr, limits: Limits) -> Expr:
    """Return the length of the limits, which is shown to be a period of the integrand, defined everywhere."""
    variable, low, high = limits
    period = expand(sympify(high) - low)
    if period.has(variable) or not real_valued(period):
        raise ledger.fail(text, f"the period {period} must be real and must not depend on {variable}")
    if not same(_tidy(integrand.subs(variable, variable + period)), _tidy(integrand)):
        raise ledger.fail(text, f"{integrand} does not have the period {period}")
    if any(variable in need.free_symbols for need in defined(sympify(integrand), frozenset())):
        raise ledger.fail(text, f"{integrand} must be defined for every {variable}")
    return period


@rule
def periodic(ledger: Ledger, text: str, integrand: Expr, limits: Limits, *, shift: Any) -> Expr:
    """Show that the limits span a period of ``integrand``, so that it may be shifted; return the shifted integrand.

    For ``G(s)`` the integral over ``[s, s + period]``, ``G'(s) = g(s + period) - g(s) = 0``: it does not depend
    on ``s``.
    """
    variable, shift = limits[0], sympify(shift)
    if shift.has(variable) or not real_valued(shift):
        raise ledger.fail(text, f"the shift {shift} must be real and must not depend on {variable}")
    period = _require_period(ledger, text, integrand, limits)
    ledger.require(shift)
    shifted = _tidy(integrand.subs(variable, variable + shift))
    check = f"the integrand has period {period}: the integral over a period may be shifted"
    ledger.learn(text, "=", (Integral(integrand, limits), Integral(shifted, limits)), check)
    return shifted


@rule
def over_a_period(ledger: Ledger, text: str, integrand: Expr, limits: Limits, low: Any, high: Any) -> None:
    """Show that the integral over ``limits`` is that over ``(low, high)``: both are one period of the integrand."""
    period = _require_period(ledger, text, integrand, limits)
    if not same(sympify(high) - low, period):
        raise ledger.fail(text, f"({low}, {high}) is not as long as ({limits[1]}, {limits[2]})")
    moved = Integral(integrand, (limits[0], low, high))
    check = f"the integrand has period {period}: all intervals of that length give the same"
    ledger.learn(text, "=", (Integral(integrand, limits), moved), check)


@rule
def shifted_torus(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    one: Limits,
    other: Limits,
    shift: Mapping[Symbol, Expr],
    shifted: Expr,
) -> None:
    """Show that a double integral over a period of each variable is that of ``shifted``: the integrand, shifted."""
    if set(shift) != {one[0], other[0]}:
        raise ledger.fail(text, f"only {one[0]} and {other[0]} may be shifted, each once, not {set(shift)}")
    for limits in (one, other):
        _require_period(ledger, text, integrand, limits)
        by = expand(shift[limits[0]] - limits[0])
        if by.has(one[0], other[0]) or not real_valued(by) or sympify(limits[1]).has(one[0], other[0]):
            raise ledger.fail(text, f"the shift {by} of {limits[0]} must be real and not depend on the variables")
        ledger.require(by)
    if not same(_tidy(integrand.subs(shift, simultaneous=True)), _tidy(shifted)):
        raise ledger.fail(text, f"{shifted} is not the shifted integrand")
    sides = (Integral(integrand, one, other), Integral(shifted, one, other))
    ledger.learn(text, "=", sides, "periodic in both variables: the integral over the torus may be shifted")


@rule
def odd(ledger: Ledger, text: str, integrand: Expr, limits: Limits) -> None:
    """Show that an integral over a symmetric interval is 0: the integrand changes sign with its variable."""
    variable, low, high = limits
    if not same(integrand.subs(variable, -variable), -integrand) or sympify(low) != -sympify(high):
        raise ledger.fail(text, f"{integrand} is not odd on a symmetric interval")
    ledger.learn(text, "=", (Integral(integrand, limits), S.Zero), "an odd integrand on a symmetric interval")


@rule
def even(ledger: Ledger, text: str, integrand: Expr, limits: Limits) -> Integral:
    """Show that an integral over ``[-a, a]`` is twice that over ``[0, a]``, and return the latter."""
    variable, low, high = limits
    if not same(integrand.subs(variable, -variable), integrand) or sympify(low) != -sympify(high):
        raise ledger.fail(text, f"{integrand} is not even on a symmetric interval")
    half = Integral(integrand, (variable, 0, high))
    ledger.learn(text, "=", (Integral(integrand, limits), 2 * half), "an even integrand on a symmetric interval")
    return half


@rule
def linear(
    ledger: Ledger, text: str, integral: Integral, terms: Sequence[tuple[Any, Any]] | None = None
) -> Expr:
    """Split an integral of a sum into integrals of its terms, constants taken out, and return the split form.

    ``terms`` lists ``(constant, function)`` where the sum is not to be expanded.
    """
    total = _split(integral)
    if terms is not None:
        ((variable, *_),) = integral.limits
        if any(sympify(constant).has(variable) for constant, _ in terms):
            raise ledger.fail(text, f"the constants must not depend on {variable}")
        if not same(Add(*(constant * function for constant, function in terms)), integral.function):
            raise ledger.fail(text, f"the terms do not add up to {integral.function}")
        total = Add(*(constant * Integral(function, integral.limits[0]) for constant, function in terms))
    check = "an integral is linear; that of a constant is the constant times the length"
    ledger.learn(text, "=", (integral, total), check)
    return total


@rule
def isolated(ledger: Ledger, text: str, integral: Integral, value: Expr, part: Integral) -> Expr:
    """Solve ``integral = value`` for an integral of some of its terms, and return its value."""
    if not same(ledger.known(integral), ledger.known(value)):
        raise ledger.fail(text, f"{integral} is not established to be {value}")
    whole = _split(integral)
    forms = [own for own in (_constant_out(part), _split(part)) if not (whole - own).has(part, *own.atoms(Integral))]
    others = whole - (forms[0] if forms else part)
    if not forms:
        raise ledger.fail(text, f"{part} is not one of the terms of {integral}, with the factor 1")
    ledger.learn(text, "=", (part, value - others), "an integral is linear; the other terms go to the other side")
    return value - others


@rule
def active(ledger: Ledger, text: str, integrand: Expr, limits: Limits, parts: Sequence[Expr], condition: Any) -> None:
    """Show that the one ReLU in an integral does nothing: its argument is a sum of parts that are not negative.

    A part is not negative by assumption, or because it follows from the condition.
    """
    (rectified,) = integrand.atoms(ReLU)
    argument = rectified.args[0]
    if not same(Add(*parts), argument):
        raise ledger.fail(text, f"the parts do not add up to {argument}")
    (given,) = as_conditions((condition,))
    ledger.require(*parts, given=frozenset({given}))
    for part in parts:
        scale = (part / given).cancel()
        follows = scale.is_nonnegative and same(scale * given, part)
        if not (part.is_nonnegative or follows or is_nonnegative(part, frozenset({given}))):
            raise ledger.fail(text, f"{part} is not shown to be non-negative")
    without = integrand.xreplace({rectified: argument})
    check = "the argument of the ReLU is a sum of parts that are not negative"
    ledger.learn(text, "=", (Integral(integrand, limits), Integral(without, limits)), check, (condition,))


@rule
def separated(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    one: Limits,
    other: Limits,
    products: Sequence[tuple[Any, Any, Any]],
) -> Expr:
    """Write a double integral as a sum of products of single ones: the integrand is ``sum c f(one) g(other)``.

    ``products`` lists ``(c, f, g)``; ``f`` depends on the first variable only, ``g`` on the second, ``c`` on
    neither, and no limit on a variable.
    """
    if any(sympify(end).has(one[0], other[0]) for limits in (one, other) for end in limits[1:]):
        raise ledger.fail(text, f"the limits {one[1:]} and {other[1:]} must not depend on the variables")
    total: Expr = S.Zero
    value: Expr = S.Zero
    for constant, first, second in (tuple(map(sympify, product)) for product in products):
        if first.has(other[0]) or second.has(one[0]) or constant.has(one[0], other[0]):
            raise ledger.fail(text, f"{constant}, {first}, {second} do not separate the variables")
        total += constant * first * second
        value += constant * Integral(first, one) * Integral(second, other)
    if not vanishes(total - integrand):
        raise ledger.fail(text, f"the products do not add up to {integrand}")
    sides = (Integral(integrand, one, other), value)
    ledger.learn(text, "=", sides, "each product integrates factor by factor")
    return value


def _tidy(expression: Expr) -> Expr:
    """Expand the arguments of functions, so that ``cos(x + s + 2 pi)`` becomes ``cos(x + s)``; ``|-z| = |z|``."""
    expanded = expression.replace(
        lambda part: part.is_Function and len(part.args) == 1, lambda part: part.func(expand(part.args[0]))
    )
    return expanded.replace(
        lambda part: isinstance(part, Modulus) and part.args[0].could_extract_minus_sign(),
        lambda part: Modulus(-part.args[0]),
    )


def _split(integral: Integral) -> Expr:
    """Return the integrals of the terms, constants taken out."""
    ((variable, low, high),) = integral.limits
    terms = expand(integral.function, deep=False).as_ordered_terms()
    return Add(*(_constant_out(Integral(term, (variable, low, high))) for term in terms))


def _constant_out(integral: Integral) -> Expr:
    """Return the constant factors of an integrand times the integral of the rest."""
    ((variable, low, high),) = integral.limits
    constant, dependent = integral.function.as_independent(variable, as_Add=False)
    return constant * ((sympify(high) - low) if dependent == 1 else Integral(dependent, integral.limits[0]))
