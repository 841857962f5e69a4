"""Inequalities that ball arithmetic decides: the kernel encloses the sides itself, over a whole box of parameters.

The only integrals it encloses are second harmonics of ReLU (`quadlens.identities.response`), at points; in between they
move by no more than established facts allow, and the box is halved until every part is decided.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from sympy import Add, Expr, Integral, Max, Min, Mul, Symbol, Tuple, acos, cos, expand, pi, sin, sympify

from quadlens.errors import DerivationError, PrecisionError
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.grammar import kind_of, read
from quadlens.identities.ledger import Ledger, rule

BITS = 128
MOST_PARTS = 400_000
DEEPEST = 40
NEARBY = (Fraction(1, 2), Fraction(45, 97), Fraction(53, 97))
"""Where in a part an integral is tried, as shares of its sides: a harmonic whose zeros meet is taken elsewhere."""

Box = Mapping[Symbol, tuple[Any, Any]]
Slopes = Mapping[Symbol, tuple[Symbol, Any]]
Part = dict[Symbol, tuple[Fraction, Fraction]]
Ball = Callable[[Mapping[Any, Any]], Any]
OF_ONE: dict[Any, Callable[[Any], Any]] = {
    cos: lambda z: z.cos(),
    sin: lambda z: z.sin(),
    acos: lambda z: z.acos(),
    Modulus: abs,
}
OF_MANY: dict[Any, Callable[[Any, Any], Any]] = {
    Add: operator.add,
    Mul: operator.mul,
    Max: lambda one, other: one.max(other),
    Min: lambda one, other: one.min(other),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Harmonic:
    """An integral ``ReLU(2 C cos t - 2 g cos 2t + kappa) cos 2t`` over a turn, and how fast it moves."""

    integral: Integral
    coefficients: tuple[Expr, Expr, Expr]
    slopes: dict[Symbol, Expr]


def number_at_most(lower: Any, upper: Any) -> bool:
    """Return True when the balls of two numbers show ``lower <= upper``."""
    import flint

    read(lower, upper)
    with flint.ctx.workprec(BITS):
        return bool(_ball(sympify(lower) - upper) <= 0)


@rule
def by_balls(ledger: Ledger, text: str, left: Any, right: Any, box: Box, slopes: Slopes | None = None) -> None:
    """Show ``left <= right`` at every point of ``box``, by balls that the kernel computes from these expressions.

    ``slopes`` gives for a symbol another, and a bound: it is established that every integral at the two differs by at
    most the bound times their distance.
    """
    import flint

    left, right = sympify(left), sympify(right)
    if not isinstance(box, Mapping):
        raise ledger.fail(text, f"the balls need the box of all symbols, not {box!r}: they are computed here")
    symbols = left.free_symbols | right.free_symbols
    if symbols != set(box):
        raise ledger.fail(text, f"the box must give a range to each of {symbols}, and to no other")
    conditions = [relation for symbol, (low, high) in box.items() for relation in (symbol >= low, symbol <= high)]
    ledger.require(left, right, *(sympify(end) for ends in box.values() for end in ends))
    for symbol, (low, high) in box.items():
        if symbol.is_integer or not number_at_most(low, high) or Tuple(low, high).free_symbols:
            raise ledger.fail(text, f"the range ({low}, {high}) of the real {symbol} must be two numbers in order")
    harmonics = [
        _recognised(ledger, text, one, slopes or {}) for one in sorted((right - left).atoms(Integral), key=str)
    ]
    with flint.ctx.workprec(BITS):
        parts = _decide(right - left, box, harmonics)
    check = f"in balls of {BITS} bits, over {parts} parts of the box"
    ledger.rests(f"computation in ball arithmetic: {text} ({check})")
    ledger.learn(text, "<=", (left, right), check, conditions)


def _recognised(ledger: Ledger, text: str, integral: Integral, slopes: Slopes) -> _Harmonic:
    ((t, low, high),) = integral.limits
    rectified = integral.function.atoms(ReLU)
    if (low, high) != (-pi, pi) or len(rectified) != 1 or integral.function != ReLU(*next(iter(rectified)).args) * cos(
        2 * t
    ):
        raise ledger.fail(text, f"the kernel encloses second harmonics of a ReLU, not {integral}")
    waveform = expand(next(iter(rectified)).args[0])
    first, second = waveform.coeff(cos(t)), waveform.coeff(cos(2 * t))
    rest = expand(waveform - first * cos(t) - second * cos(2 * t))
    if Tuple(first, second, rest).has(t) or not same(first * cos(t) + second * cos(2 * t) + rest, waveform):
        raise ledger.fail(text, f"{waveform} is no sum of cos {t}, cos 2{t} and a constant")
    fast = {}
    for symbol in integral.free_symbols:
        if symbol not in slopes:
            raise ledger.fail(text, f"give a bound of how fast {integral} moves with {symbol}")
        shadow, slope = slopes[symbol][0], sympify(slopes[symbol][1])
        if kind_of(shadow) != kind_of(symbol) or shadow in integral.free_symbols or slope.has(symbol, shadow):
            raise ledger.fail(text, f"{shadow} must be another symbol like {symbol}, and {slope} depend on neither")
        moved = Modulus(integral - integral.subs(symbol, shadow))
        if not ledger.follows(moved, slope * Modulus(symbol - shadow)):
            raise ledger.fail(text, f"no fact says that {integral} moves at most {slope} times as fast as {symbol}")
        fast[symbol] = slope
    return _Harmonic(integral=integral, coefficients=(first / 2, -second / 2, rest), slopes=fast)


def _decide(difference: Expr, box: Box, harmonics: list[_Harmonic]) -> int:
    """Return in how many parts of the box ``difference >= 0`` was shown.

    Raises
    ------
    DerivationError
        If a part stays undecided: the claim may be false there.
    """
    compiled = _Compiled(difference, box, harmonics)
    parts = 0
    waiting: list[tuple[Part, int]] = [({symbol: (Fraction(0), Fraction(1)) for symbol in box}, 0)]
    while waiting:
        part, depth = waiting.pop()
        if _is_nonnegative(compiled, part):
            parts += 1
            continue
        if depth >= DEEPEST or parts + len(waiting) > MOST_PARTS or not part:
            raise DerivationError(f"the balls do not show {difference} >= 0: a part stays undecided")
        widest = max(part, key=lambda symbol: part[symbol][1] - part[symbol][0])
        low, high = part[widest]
        waiting += [({**part, widest: ends}, depth + 1) for ends in ((low, (low + high) / 2), ((low + high) / 2, high))]
    return parts


def _is_nonnegative(at: "_Compiled", part: Part) -> bool:
    numbers: dict[Any, Any] = {}
    for symbol, (low, high) in part.items():
        numbers[symbol] = at.point(symbol, low).union(at.point(symbol, high))
    for harmonic in at.harmonics:
        enclosure = _enclosed(at, harmonic, part, numbers)
        if enclosure is None:
            return False
        numbers[harmonic.integral] = enclosure
    return bool(at.difference(numbers) >= 0)


def _enclosed(at: "_Compiled", harmonic: _Harmonic, part: Part, numbers: dict[Any, Any]) -> Any:
    import flint

    from quadlens.identities.response import second_harmonic

    for share in NEARBY:
        point = {symbol: at.point(symbol, low + share * (high - low)) for symbol, (low, high) in part.items()}
        try:
            value = second_harmonic(*(compiled(point) for compiled in at.coefficients[harmonic.integral]))
        except PrecisionError:
            continue
        moved = flint.arb(0)
        for symbol in harmonic.slopes:
            distance = (numbers[symbol] - point[symbol]).abs_upper()
            moved += at.slopes[harmonic.integral, symbol](numbers).abs_upper() * distance
        return (value - moved).union(value + moved)
    return None


class _Compiled:
    """The difference, the coefficients of the harmonics and the slopes, as functions of balls."""

    def __init__(self, difference: Expr, box: Box, harmonics: list[_Harmonic]) -> None:
        self.harmonics = harmonics
        known = frozenset([*box, *(harmonic.integral for harmonic in harmonics)])
        self.difference = _compiled(difference, known)
        self.coefficients = {one.integral: [_compiled(part, known) for part in one.coefficients] for one in harmonics}
        self.slopes = {
            (one.integral, symbol): _compiled(slope, known) for one in harmonics for symbol, slope in one.slopes.items()
        }
        self._ends = {symbol: [_ball(sympify(end)) for end in ends] for symbol, ends in box.items()}

    def point(self, symbol: Symbol, share: Fraction) -> Any:
        """Return a ball that contains the point at a share of the range of a symbol."""
        import flint

        low, high = self._ends[symbol]
        return low + (high - low) * flint.arb(flint.fmpq(share.numerator, share.denominator))


def _ball(node: Expr) -> Any:
    """Return a ball that contains a real number."""
    return _compiled(node, frozenset())({})


def _compiled(node: Expr, known: frozenset[Any]) -> Ball:
    """Return a function from balls of what is known to a ball that contains the value of a real expression.

    Raises
    ------
    DerivationError
        If there is no ball for a part of it.
    """
    import flint

    if node in known:
        return lambda numbers: numbers[node]
    if node.is_Rational:
        number = flint.fmpq(int(node.p), int(node.q))
        return lambda numbers: flint.arb(number)
    if node == pi:
        return lambda numbers: flint.arb.pi()
    parts = [_compiled(part, known) for part in node.args]
    if node.is_Pow and node.exp.is_Integer:
        power = int(node.exp)
        return lambda numbers: parts[0](numbers) ** power
    if node.is_Pow and abs(node.exp) == sympify(1) / 2:
        return lambda numbers: parts[0](numbers).sqrt() if node.exp > 0 else parts[0](numbers).rsqrt()
    if type(node) in OF_ONE:
        function = OF_ONE[type(node)]
        return lambda numbers: function(parts[0](numbers))
    for kind, combine in OF_MANY.items():
        if isinstance(node, kind):
            return lambda numbers: reduce(combine, (part(numbers) for part in parts))
    raise DerivationError(f"the kernel has no ball for {node}")
