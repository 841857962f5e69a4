"""Rules that evaluate integrals: signs, pieces between kinks, checked antiderivatives, iteration."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sympy import Expr, Integral, S, Symbol, diff, expand, sympify
from sympy.core.relational import Relational

from quadlens.identities.antiderivatives import antiderivative
from quadlens.identities.conditions import as_conditions
from quadlens.identities.deduction import is_nonnegative
from quadlens.identities.definedness import defined
from quadlens.identities.equalities import require_smooth
from quadlens.identities.exponentials import vanishes
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.grammar import bound_in
from quadlens.identities.ledger import Ledger, rule
from quadlens.identities.signs import proved_sign

Limits = tuple[Symbol, Any, Any]


@rule
def sign(
    ledger: Ledger,
    text: str,
    expression: Expr,
    limits: Limits,
    *,
    factors: Sequence[Expr] | None = None,
    assuming: Sequence[Relational] = (),
) -> int:
    """Show the sign of an expression throughout an interval, and return it as +1 (``>= 0``) or -1 (``<= 0``)."""
    variable, low, high = limits
    given = as_conditions(assuming)
    parts = [expression, *(factors or ())]
    ledger.require(*parts, sympify(low), sympify(high), given=given)
    if any(variable in need.free_symbols for part in parts for need in defined(part, frozenset())):
        raise ledger.fail(text, f"a factor of {expression} is not defined at every {variable}")
    if any(variable in condition.free_symbols for condition in given):
        raise ledger.fail(text, f"a condition speaks of {variable}, which takes all values of the interval")
    found = proved_sign(expression, variable, sympify(low), sympify(high), factors=factors, assuming=assuming)
    ledger.step(
        text,
        expression >= 0 if found > 0 else expression <= 0,
        f"each factor has one sign for {variable} in ({low}, {high})",
    )
    return found


@rule
def split(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    variable: Symbol,
    points: Sequence[Any],
    *,
    factors: Mapping[Expr, Sequence[Expr]] | None = None,
    assuming: Sequence[Relational] = (),
) -> list[tuple[Expr, tuple[Symbol, Expr, Expr]]]:
    """Split an integrand with ReLUs and moduli at ``points``.

    On each piece every one is replaced by its proved branch. Returns the smooth integrand and the limits of each
    piece. ``factors`` gives, for an argument that is no single sine or cosine, its factorisation
    (`quadlens.identities.signs`).
    """
    pieces = []
    for low, high in pairwise(points):
        limits = (variable, sympify(low), sympify(high))
        smooth = integrand
        for part in sorted(integrand.atoms(ReLU, Modulus), key=str):
            if not part.has(variable):
                continue
            argument = part.args[0]
            found = sign(
                ledger,
                f"{text}: the sign between {low} and {high}",
                argument,
                limits,
                factors=None if factors is None else factors.get(argument),
                assuming=assuming,
            )
            branch = (argument if found > 0 else S.Zero) if isinstance(part, ReLU) else found * argument
            smooth = smooth.xreplace({part: branch})
        pieces.append((smooth, limits))
    return pieces


@rule
def integral(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    limits: Limits,
    value: Any,
    *,
    nonzero: Sequence[Expr] = (),
) -> Expr:
    """Show that a smooth integral has the value given, through a checked antiderivative, and return the value."""
    integrand, value = sympify(integrand), sympify(value)
    found, written = _between(ledger, integrand, limits, nonzero)
    if not vanishes(found - value):
        raise ledger.fail(text, f"the integral of {integrand} over ({limits[1]}, {limits[2]}) is not {value}")
    ledger.learn(text, "=", (Integral(integrand, limits), value), f"F' - f = 0 in exponentials, with {written}")
    return value


def _between(ledger: Ledger, integrand: Expr, limits: Limits, nonzero: Sequence[Expr]) -> tuple[Expr, str]:
    """Return ``F(high) - F(low)`` and a line that shows F; what F divides by is needed not to be 0."""
    variable, low, high = limits
    function = antiderivative(integrand, variable, nonzero=nonzero)
    ledger.require(function)
    ends = [function.subs(variable, end) for end in (high, low)]
    written = str(function)
    return ends[0] - ends[1], f"F = {written if len(written) <= 160 else 'the antiderivative wave by wave'}"


@rule
def integral_by_pieces(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    variable: Symbol,
    points: Sequence[Any],
    value: Any,
    *,
    factors: Mapping[Expr, Sequence[Expr]] | None = None,
    assuming: Sequence[Relational] = (),
    nonzero: Sequence[Expr] = (),
) -> Expr:
    """Show the value of an integral whose integrand has kinks at ``points``, and return the value."""
    value = sympify(value)
    total: Expr = S.Zero
    written = []
    for smooth, limits in split(ledger, text, integrand, variable, points, factors=factors, assuming=assuming):
        if smooth != 0:
            found, line = _between(ledger, smooth, limits, nonzero)
            total += found
            written.append(f"{line} on ({limits[1]}, {limits[2]})")
    if not vanishes(total - value):
        raise ledger.fail(text, f"the integral of {integrand} is not {value}")
    whole = Integral(integrand, (variable, points[0], points[-1]))
    check = "sum over the pieces of F(right) - F(left), each with F' - f = 0 in exponentials"
    ledger.learn(text, "=", (whole, value), "; ".join([check, *written]), assuming)
    return value


@rule
def pieces(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    variable: Symbol,
    points: Sequence[Any],
    *,
    factors: Mapping[Expr, Sequence[Expr]] | None = None,
    assuming: Sequence[Any] = (),
) -> Expr:
    """Write an integral with kinks at ``points`` as the sum of smooth ones, those of 0 left out; return the sum."""
    total: Expr = S.Zero
    for smooth, limits in split(ledger, text, integrand, variable, points, factors=factors, assuming=assuming):
        total += S.Zero if smooth == 0 else Integral(smooth, limits)
    whole = Integral(integrand, (variable, points[0], points[-1]))
    ledger.learn(text, "=", (whole, total), "split at the kinks, each piece with its proved sign", assuming)
    return total


@rule
def fundamental(ledger: Ledger, text: str, function: Expr, integrand: Expr, limits: Limits) -> Expr:
    """Show that the integral is ``F(high) - F(low)`` because ``F' = integrand`` everywhere.

    ``F`` is built of powers, exponentials, sines, cosines and unnamed functions, and defined for every value of the
    variable; an unnamed function must have one continuous derivative more than occur in ``F``.
    """
    variable, low, high = limits
    function, integrand = sympify(function), sympify(integrand)
    require_smooth(ledger, text, function, variable)
    slope = diff(function, variable).doit()
    ledger.require(slope, integrand)
    if not vanishes(slope - integrand):
        raise ledger.fail(text, f"the derivative of {function} is not {integrand}")
    value = sympify(function.subs(variable, high) - function.subs(variable, low))
    check = f"F' - f = 0, with F = {function}; fundamental theorem of calculus"
    ledger.learn(text, "=", (Integral(integrand, limits), value), check)
    return value


@rule
def iterated(
    ledger: Ledger,
    text: str,
    integrand: Expr,
    inner: Limits,
    outer: Symbol,
    pieces: Sequence[tuple[Any, Any, Expr]],
    value: Any,
) -> Expr:
    """Show the value of a double integral whose inner one is established on each piece ``(low, high, inner value)``.

    Each inner value must have been established, assuming ``outer >= low`` and ``outer <= high``, where ``low <=
    high``.
    """
    total: Expr = S.Zero
    value = sympify(value)
    for (low, high, found), after in zip(pieces, [*pieces[1:], None], strict=True):
        within = as_conditions((outer >= low, outer <= high))
        if not is_nonnegative(expand(sympify(high) - low), frozenset()) or outer in bound_in(found):
            raise ledger.fail(text, f"{low} <= {high} is not known")
        if not vanishes(ledger.known(Integral(integrand, inner), within) - sympify(found)):
            raise ledger.fail(text, f"the inner integral is not established as {found}")
        if after is not None and sympify(high) != sympify(after[0]):
            raise ledger.fail(text, "the pieces do not follow one another")
        total += _between(ledger, sympify(found), (outer, low, high), ())[0]
    if not vanishes(total - value):
        raise ledger.fail(text, f"the outer integral is not {value}")
    whole = Integral(integrand, inner, (outer, pieces[0][0], pieces[-1][1]))
    ledger.learn(text, "=", (whole, value), "the inner values integrated through checked antiderivatives")
    return value
