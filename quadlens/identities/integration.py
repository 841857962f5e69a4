"""Rules that establish integrals: pieces between kinks, checked antiderivatives, shifts, parity, iteration."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sympy import Add, Expr, Integral, S, Sum, Symbol, diff, expand, sympify
from sympy.core.relational import Relational

from quadlens.errors import DerivationError
from quadlens.identities.antiderivatives import antiderivative
from quadlens.identities.conditions import as_conditions
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.ledger import Ledger
from quadlens.identities.signs import proved_sign


class Integration(Ledger):
    """Integrals."""

    def sign(
        self,
        text: str,
        expression: Expr,
        limits: tuple[Symbol, Any, Any],
        *,
        factors: Sequence[Expr] | None = None,
        assuming: Sequence[Relational] = (),
    ) -> int:
        """Show the sign of an expression throughout an open interval, and return it as +1 or -1."""
        variable, low, high = limits
        try:
            sign = proved_sign(expression, variable, sympify(low), sympify(high), factors=factors, assuming=assuming)
        except DerivationError as error:
            raise self._fail(text, str(error)) from error
        self._step(
            text,
            expression >= 0 if sign > 0 else expression <= 0,
            f"each factor has one sign for {variable} in ({low}, {high})",
        )
        return sign

    def split(
        self,
        text: str,
        integrand: Expr,
        variable: Symbol,
        points: Sequence[Any],
        *,
        factors: Mapping[Expr, Sequence[Expr]] | None = None,
        assuming: Sequence[Relational] = (),
    ) -> list[tuple[Expr, tuple[Symbol, Expr, Expr]]]:
        """Split an integrand with ReLUs and moduli at ``points``.

        On each piece every one is replaced by its proved branch.

        Returns the smooth integrand and the limits of each piece. ``factors`` gives, for an argument that is no
        single sine or cosine, its factorisation (`quadlens.identities.signs`).
        """
        pieces = []
        for low, high in pairwise(points):
            limits = (variable, sympify(low), sympify(high))
            smooth = integrand
            for part in integrand.atoms(ReLU, Modulus):
                if not part.has(variable):
                    continue
                argument = part.args[0]
                given = None if factors is None else factors.get(argument)
                sign = self.sign(
                    f"{text}: the sign between {low} and {high}", argument, limits, factors=given, assuming=assuming
                )
                branch = (argument if sign > 0 else S.Zero) if isinstance(part, ReLU) else sign * argument
                smooth = smooth.xreplace({part: branch})
            pieces.append((smooth, limits))
        return pieces

    def integral(
        self,
        text: str,
        integrand: Expr,
        limits: tuple[Symbol, Any, Any],
        value: Any,
        *,
        nonzero: Sequence[Expr] = (),
    ) -> Expr:
        """Show that a smooth integral has the value given, through a checked antiderivative, and return the value."""
        variable, low, high = limits
        self._divisors += nonzero
        function = antiderivative(integrand, variable, nonzero=nonzero)
        found = function.subs(variable, high) - function.subs(variable, low)
        if not vanishes(found - value):
            raise self._fail(text, f"the integral of {integrand} over ({low}, {high}) is not {value}")
        self._learn(
            text,
            Integral(integrand, limits),
            sympify(value),
            "antiderivative F with F' - f = 0 in exponentials; F at the ends",
        )
        return sympify(value)

    def integral_by_pieces(
        self,
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
        total: Expr = S.Zero
        self._divisors += nonzero
        for smooth, (_, low, high) in self.split(text, integrand, variable, points, factors=factors, assuming=assuming):
            if smooth == 0:
                continue
            function = antiderivative(smooth, variable, nonzero=nonzero)
            total += function.subs(variable, high) - function.subs(variable, low)
        if not vanishes(total - value):
            raise self._fail(text, f"the integral of {integrand} is not {value}")
        self._learn(
            text,
            Integral(integrand, (variable, points[0], points[-1])),
            sympify(value),
            "sum over the pieces of F(right) - F(left), each with F' - f = 0 in exponentials",
            assuming,
        )
        return sympify(value)

    def pieces(
        self,
        text: str,
        integrand: Expr,
        variable: Symbol,
        points: Sequence[Any],
        *,
        factors: Mapping[Expr, Sequence[Expr]] | None = None,
        assuming: Sequence[Any] = (),
    ) -> Expr:
        """Write an integral with kinks at ``points`` as the sum of smooth ones, those of 0 left out, and return the
        sum.
        """
        total: Expr = S.Zero
        for smooth, limits in self.split(text, integrand, variable, points, factors=factors, assuming=assuming):
            total += S.Zero if smooth == 0 else Integral(smooth, limits)
        whole = Integral(integrand, (variable, points[0], points[-1]))
        self._learn(text, whole, total, "split at the kinks, each piece with its proved sign", assuming)
        return total

    def active(
        self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], parts: Sequence[Expr], condition: Any
    ) -> None:
        """Show that the one ReLU in an integral does nothing: its argument is a sum of parts that are not negative.

        A part is not negative by assumption, or because it is ``(e - condition)`` of a sign that divides it.
        """
        (rectified,) = integrand.atoms(ReLU)
        argument = rectified.args[0]
        if not same(Add(*parts), argument):
            raise self._fail(text, f"the parts do not add up to {argument}")
        (given,) = as_conditions((condition,))
        for part in parts:
            scale = (part / given).cancel()
            if not part.is_nonnegative and not scale.is_nonnegative:
                raise self._fail(text, f"{part} is not shown to be non-negative")
        without = integrand.xreplace({rectified: argument})
        check = "the argument of the ReLU is a sum of parts that are not negative"
        self._learn(text, Integral(integrand, limits), Integral(without, limits), check, (condition,))

    def periodic(self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], *, shift: Any) -> Expr:
        """Show that the limits span a period of ``integrand``, so that it may be shifted; return the shifted integrand.

        For ``G(s)`` the integral over ``[s, s + period]``, ``G'(s) = g(s + period) - g(s) = 0``: it does not depend
        on ``s``.
        """
        variable, low, high = limits
        period = sympify(high) - low
        if period.has(variable) or sympify(shift).has(variable):
            raise self._fail(text, "the period and the shift must not depend on the variable")
        moved = integrand.subs(variable, variable + period)
        if not same(_tidy(moved), _tidy(integrand)):
            raise self._fail(text, f"{integrand} does not have the period {period}")
        shifted = _tidy(integrand.subs(variable, variable + shift))
        self._learn(
            text,
            Integral(integrand, limits),
            Integral(shifted, limits),
            f"the integrand has period {period}: the integral over a period may be shifted",
        )
        return shifted

    def over_a_period(self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], low: Any, high: Any) -> None:
        """Show that the integral over ``limits`` is that over ``(low, high)``: both are one period of the integrand."""
        variable, first, last = limits
        period = sympify(last) - first
        if not same(sympify(high) - low, period):
            raise self._fail(text, f"({low}, {high}) is not as long as ({first}, {last})")
        if not same(_tidy(integrand.subs(variable, variable + period)), _tidy(integrand)):
            raise self._fail(text, f"{integrand} does not have the period {period}")
        self._learn(
            text,
            Integral(integrand, limits),
            Integral(integrand, (variable, low, high)),
            f"the integrand has period {period}: all intervals of that length give the same",
        )

    def adjacent(
        self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any], steps: tuple[Symbol, Any, Any]
    ) -> None:
        """Show that integrals over adjacent intervals add up to one: the end of each is the start of the next."""
        variable, low, high = limits
        index, start, end = steps
        if not same(high, low.subs(index, index + 1)):
            raise self._fail(text, f"the interval after {limits} does not start at {high}")
        self._learn(
            text,
            Sum(Integral(integrand, limits), steps),
            Integral(integrand, (variable, low.subs(index, start), expand(high.subs(index, end)))),
            "the intervals are adjacent",
        )

    def halves(
        self,
        text: str,
        term: Expr,
        argument: Expr,
        steps: tuple[Symbol, Any, Any, Any],
        *,
        assuming: Sequence[Any] = (),
    ) -> None:
        """Show that a sum of ``ReLU(argument) ...`` over ``start..end`` has the terms before ``middle`` only.

        The argument is shown to be ``>= 0`` from ``start`` to ``middle - 1`` and ``<= 0`` from ``middle`` on.
        """
        index, start, middle, end = steps
        first = self.sign(f"{text}: before", argument, (index, start, middle - 1), assuming=assuming)
        second = self.sign(f"{text}: after", argument, (index, middle, end), assuming=assuming)
        if (first, second) != (1, -1):
            raise self._fail(text, f"{argument} is not first positive and then negative")
        on = Sum(term.xreplace({ReLU(argument): argument}), (index, start, middle - 1))
        self._learn(text, Sum(term, (index, start, end)), on, "ReLU of what is not positive is 0", assuming)

    def odd(self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any]) -> None:
        """Show that an integral over a symmetric interval is 0: the integrand changes sign with its variable."""
        variable, low, high = limits
        if not same(integrand.subs(variable, -variable), -integrand) or sympify(low) != -sympify(high):
            raise self._fail(text, f"{integrand} is not odd on a symmetric interval")
        self._learn(text, Integral(integrand, limits), S.Zero, "an odd integrand on a symmetric interval")

    def even(self, text: str, integrand: Expr, limits: tuple[Symbol, Any, Any]) -> Integral:
        """Show that an integral over ``[-a, a]`` is twice that over ``[0, a]``, and return the latter."""
        variable, low, high = limits
        if not same(integrand.subs(variable, -variable), integrand) or sympify(low) != -sympify(high):
            raise self._fail(text, f"{integrand} is not even on a symmetric interval")
        half = Integral(integrand, (variable, 0, high))
        self._learn(text, Integral(integrand, limits), 2 * half, "an even integrand on a symmetric interval")
        return half

    def linear(self, text: str, integral: Integral) -> Expr:
        """Split an integral of a sum into integrals of its terms, constants taken out, and return the split form."""
        total = _split(integral)
        self._learn(text, integral, total, "an integral is linear; that of a constant is the constant times the length")
        return total

    def isolated(self, text: str, integral: Integral, value: Expr, part: Integral) -> Expr:
        """Solve ``integral = value`` for one of the integrals that a sum under the integral sign splits into; return
        its value.
        """
        if not same(self.known(integral), self.known(value)):
            raise self._fail(text, f"{integral} is not established to be {value}")
        others = _split(integral) - part
        if others.has(part):
            raise self._fail(text, f"{part} is not one of the terms of {integral}, with the factor 1")
        self._learn(text, part, value - others, "an integral is linear; the other terms go to the other side")
        return value - others

    def fundamental(self, text: str, function: Expr, integrand: Expr, limits: tuple[Symbol, Any, Any]) -> Expr:
        """Show that the integral is ``F(high) - F(low)`` because ``F' = integrand``.

        Undefined functions are allowed.
        """
        variable, low, high = limits
        if not vanishes(diff(function, variable).doit() - integrand):
            raise self._fail(text, f"the derivative of {function} is not {integrand}")
        value = function.subs(variable, high) - function.subs(variable, low)
        self._learn(text, Integral(integrand, limits), value, "F' - f = 0; fundamental theorem of calculus")
        return sympify(value)

    def shifted_torus(
        self,
        text: str,
        integrand: Expr,
        one: tuple[Symbol, Any, Any],
        other: tuple[Symbol, Any, Any],
        shift: Mapping[Symbol, Expr],
        shifted: Expr,
    ) -> None:
        """Show that a double integral over a period of each variable is that of ``shifted``, the integrand after the
        shifts.
        """
        for variable, low, high in (one, other):
            moved = integrand.subs(variable, variable + sympify(high) - low)
            if not same(_tidy(moved), _tidy(integrand)):
                raise self._fail(text, f"{integrand} is not periodic in {variable}")
            if (shift[variable] - variable).has(one[0], other[0]):
                raise self._fail(text, f"the shift of {variable} must not depend on the variables")
        if not same(_tidy(integrand.subs(shift, simultaneous=True)), _tidy(shifted)):
            raise self._fail(text, f"{shifted} is not the shifted integrand")
        left, right = Integral(integrand, one, other), Integral(shifted, one, other)
        self._learn(text, left, right, "periodic in both variables: the integral over the torus may be shifted")

    def separated(
        self,
        text: str,
        integrand: Expr,
        one: tuple[Symbol, Any, Any],
        other: tuple[Symbol, Any, Any],
        products: Sequence[tuple[Any, Any, Any]],
    ) -> Expr:
        """Write a double integral as a sum of products of single ones: the integrand is ``sum c f(one) g(other)``.

        ``products`` lists ``(c, f, g)``; ``f`` depends on the first variable only, ``g`` on the second, ``c`` on
        neither.
        """
        total: Expr = S.Zero
        value: Expr = S.Zero
        for constant, first, second in (tuple(map(sympify, product)) for product in products):
            if first.has(other[0]) or second.has(one[0]) or constant.has(one[0], other[0]):
                raise self._fail(text, f"{constant}, {first}, {second} do not separate the variables")
            total += constant * first * second
            value += constant * Integral(first, one) * Integral(second, other)
        if not vanishes(total - integrand):
            raise self._fail(text, f"the products do not add up to {integrand}")
        self._learn(text, Integral(integrand, one, other), value, "each product integrates factor by factor")
        return value

    def iterated(
        self,
        text: str,
        integrand: Expr,
        inner: tuple[Symbol, Any, Any],
        outer: Symbol,
        pieces: Sequence[tuple[Any, Any, Expr]],
        value: Any,
    ) -> Expr:
        """Show the value of a double integral whose inner integral is established on each piece ``(low, high.

        Inner value)``.

        Each inner value must have been established by `integral_by_pieces`, assuming ``outer >= low`` and ``outer <=
        high``.
        """
        total: Expr = S.Zero
        for (low, high, found), after in zip(pieces, [*pieces[1:], None], strict=True):
            within = as_conditions((outer >= low, outer <= high))
            if (Integral(integrand, inner), sympify(found), within) not in self._conditional:
                raise self._fail(text, f"the inner integral is not established as {found}")
            if after is not None and sympify(high) != sympify(after[0]):
                raise self._fail(text, "the pieces do not follow one another")
            function = antiderivative(found, outer)
            total += function.subs(outer, high) - function.subs(outer, low)
        if not vanishes(total - value):
            raise self._fail(text, f"the outer integral is not {value}")
        self._learn(
            text,
            Integral(integrand, inner, (outer, pieces[0][0], pieces[-1][1])),
            sympify(value),
            "the inner values integrated through checked antiderivatives",
        )
        return sympify(value)


def _tidy(expression: Expr) -> Expr:
    """Expand the arguments of functions, so that ``cos(x + s + 2 pi)`` becomes ``cos(x + s)``, and use ``|-z| =
    |z|``.
    """
    expanded = expression.replace(
        lambda part: part.is_Function and len(part.args) == 1, lambda part: part.func(expand(part.args[0]))
    )
    return expanded.replace(
        lambda part: isinstance(part, Modulus) and part.args[0].could_extract_minus_sign(),
        lambda part: Modulus(-part.args[0]),
    )


def _split(integral: Integral) -> Expr:
    """Return the integrals of the terms, constants taken out."""
    variable, low, high = integral.limits[0]
    total: Expr = S.Zero
    for term in expand(integral.function, deep=False).as_ordered_terms():
        constant, dependent = term.as_independent(variable, as_Add=False)
        total += constant * ((sympify(high) - low) if dependent == 1 else Integral(dependent, integral.limits[0]))
    return total
