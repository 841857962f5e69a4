"""A function and its Fourier series: what the mean over equally spaced points sees of it, and what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, I, Integral, S, Sum, Symbol, besseli, cos, exp, expand, pi, sympify

from quadlens.identities.conditions import as_conditions, put_into, symbols_of
from quadlens.identities.deduction import is_positive, left_over
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus
from quadlens.identities.grammar import kind_of, real_valued
from quadlens.identities.ledger import Ledger, rule
from quadlens.identities.lipschitz import is_piecewise_smooth
from quadlens.identities.theorems import BESSEL, FOURIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """The series of a function at equally spaced points, ready to be displayed.

    The mean of ``f(phase + 2 pi j / nodes)`` over ``j = 0 .. nodes - 1`` is the sum of ``c(l nodes) e^{i l nodes
    phase}`` over all integers ``l``, with ``c(m)`` the mean of ``f(x) e^{-imx}``; with one node that is the Fourier
    series.

    Parameters
    ----------
    function, variable, order : Expr, Symbol, Symbol
        ``f`` of ``variable``; the integral of ``f(x) exp(-i order x)`` over (-pi, pi) is established for real order.
    nodes, phase : Expr
        How many points, and where they start.
    index : (Symbol, Symbol)
        ``l``, and ``j`` of the sum over the points.
    constant, term : Expr
        ``scale c(0)``, and ``scale`` times what ``l`` and ``-l`` add, as they are displayed.
    scale, kept : Expr
        A positive factor; how many terms are kept.
    """

    function: Expr
    variable: Symbol
    order: Symbol
    nodes: Expr
    phase: Expr
    index: tuple[Symbol, Symbol]
    constant: Expr
    term: Expr
    scale: Expr = S.One
    kept: Expr = S.Zero

    @property
    def mean(self) -> Expr:
        """``scale`` times the mean over the points."""
        point = self.phase + 2 * pi * self.index[1] / self.nodes
        points = (self.index[1], 0, self.nodes - 1)
        return self.scale / self.nodes * Sum(self.function.subs(self.variable, point), points)

    @property
    def remainder(self) -> Expr:
        """The mean less the constant and the terms that are kept."""
        kept = S.Zero if self.kept == 0 else Sum(self.term, (self.index[0], 1, self.kept))
        return self.mean - self.constant - kept


@rule
def series_remainder(
    ledger: Ledger,
    text: str,
    error: Any,
    term: Expr,
    limits: tuple[Symbol, Any, Symbol],
    bound: Any,
    *,
    theorem: Any,
    assuming: Sequence[Any] = (),
) -> None:
    """Show ``error <= bound`` for what the series ``theorem`` leaves out.

    Its term ``kept + 1 + d`` is at most ``term``, as is established.
    The terms with ``d = 0 .. K`` (``limits``) add up to at most ``bound``, whatever ``K``: established, too. The
    constant and the terms of the series are computed from the established harmonics of its function.
    """
    if not isinstance(theorem, Aliases):
        raise ledger.fail(text, f"a theorem is a named record whose hypotheses are checked, got {theorem!r}")
    series, given, bound = theorem, as_conditions(assuming), sympify(bound)
    beyond, start, end = limits
    _require_function(ledger, text, series)
    count = series.index[0]
    if not (end.is_Symbol and end.is_integer and end.is_nonnegative and beyond.is_nonnegative and start == 0):
        raise ledger.fail(text, f"the terms left out are counted from 0 by {beyond}, up to any {end} >= 0")
    if bound.has(end, beyond) or (series.remainder.free_symbols | symbols_of(given)) & {end, beyond}:
        raise ledger.fail(text, f"{bound} must not depend on {end}: it bounds every partial sum")
    kept = series.kept
    if not count.is_integer or kept.has(count) or not (kept.is_nonnegative and kept.is_integer):
        raise ledger.fail(text, f"{series.kept} must be a number of terms")
    some = Symbol(count.name, integer=True, positive=True)
    orders = (S.Zero, some * series.nodes, -some * series.nodes)
    step = [_harmonic(ledger, text, series, order, given) for order in orders]
    wave = exp(I * some * series.nodes * series.phase)
    if not same(series.constant, series.scale * step[0]):
        raise ledger.fail(text, f"the constant {series.constant} is not the mean of {series.function}")
    if not same(series.term.subs(count, some), series.scale * (step[1] * wave + step[2] / wave)):
        raise ledger.fail(text, f"{series.term} is not what the orders {count * series.nodes} of both signs add")
    left_out = series.term.subs(count, series.kept + 1 + beyond)
    if not ledger.bounds(left_out, term, assuming):
        raise ledger.fail(text, f"|{left_out}| <= {term} is not established")
    if not ledger.follows(Sum(term, limits), bound, assuming):
        raise ledger.fail(text, f"the partial sums of {term} are not established to be at most {bound}")
    if not same(sympify(error).args[0], series.remainder) or not isinstance(error, Modulus):
        raise ledger.fail(text, f"{error} is not what the series of {series.function} leaves out")
    ledger.rests(str(FOURIER))
    ledger.learn(text, "<=", (error, bound), str(FOURIER), assuming)


@rule
def bessel(ledger: Ledger, text: str, order: Any, argument: Any, variable: Symbol) -> None:
    """Evaluate the integral of ``exp(-z cos 2x) cos 2nx`` over a turn: ``2 pi (-1)^n I_n(z)``, a theorem.

    ``n`` is a natural number, ``z`` real and free of ``x``.
    """
    order, argument = sympify(order), sympify(argument)
    if not (order.is_Integer and order >= 0) or argument.has(variable) or not real_valued(argument):
        raise ledger.fail(text, f"{order} must be a natural number, and {argument} real and free of {variable}")
    ledger.rests(str(BESSEL))
    integrand = exp(-argument * cos(2 * variable)) * cos(2 * order * variable)
    value = 2 * pi * (-1) ** order * besseli(order, argument)
    ledger.learn(text, "=", (Integral(integrand, (variable, -pi, pi)), value), str(BESSEL))


def _require_function(ledger: Ledger, text: str, series: Aliases) -> None:
    function, variable = series.function, series.variable
    if not is_piecewise_smooth(function, variable) or not real_valued(function):
        raise ledger.fail(text, f"{function} is not a polynomial in sines, cosines, ReLUs and moduli of real numbers")
    if kind_of(variable) != {"real": True}:
        raise ledger.fail(text, f"{variable} must be declared real and nothing else: it takes all values")
    if not same(function.subs(variable, variable + 2 * pi), function):
        raise ledger.fail(text, f"{function} does not have the period 2 pi")
    if not (series.nodes.is_integer and series.nodes.is_positive) or series.nodes.has(*series.index, variable):
        raise ledger.fail(text, f"{series.nodes} must be a positive integer")
    if not is_positive(series.scale, frozenset()) or series.scale.has(*series.index) or not real_valued(series.phase):
        raise ledger.fail(text, f"{series.scale} must be a positive number, and {series.phase} real")


def _harmonic(ledger: Ledger, text: str, series: Aliases, order: Expr, given: Any) -> Expr:
    """Return the harmonic of the function at an order: an instance of what is established for every real order."""
    if kind_of(series.order) not in ({"real": True}, {"integer": True}):
        raise ledger.fail(text, f"the order {series.order} must be declared real or an integer, of any sign")
    whole = Integral(series.function * exp(-I * series.order * series.variable), (series.variable, -pi, pi))
    for fact in ledger.facts:
        if fact.relation != "=" or fact.left.as_dummy() != whole.as_dummy() or fact.right.has(Integral):
            continue
        conditions = frozenset(put_into(one, {series.order: order}) for one in fact.assumes | fact.needs)
        if not left_over(conditions, given):
            ledger.use([fact], given | fact.needs)
            return expand(fact.right.subs(series.order, order) / (2 * pi), deep=False)
    raise ledger.fail(text, f"the harmonic of {series.function} at the order {order} is not established")
