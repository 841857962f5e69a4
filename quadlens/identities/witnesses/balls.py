"""Witness by ball arithmetic (python-flint): both sides enclosed at exact parameters; balls that cannot meet refute a
statement.

An integral is cut where the sign of every ReLU, modulus and gate is certain; the uncertain rest is shorter than 2^-48
of the whole and enters with its own enclosure. A ball too wide to say anything is an error, never an agreement.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import flint
import sympy
from sympy import Expr, Indexed, Integral, Sum

from quadlens.errors import DerivationError, PrecisionError
from quadlens.identities.functions import Gate, Modulus, Re, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses.sampling import Values, concrete, member

BITS = 128
NARROW = 2.0**-48
WIDEST = 1e-12
ANALYTIC: dict[Any, Callable[..., Any]] = {
    sympy.cos: lambda z: z.cos(),
    sympy.sin: lambda z: z.sin(),
    sympy.exp: lambda z: z.exp(),
    sympy.erf: lambda z: z.erf(),
    sympy.besseli: lambda order, z: z.bessel_i(order),
}


def witness(statement: Statement, values: Values) -> float:
    """Return the radius of the ball of the difference, which must contain 0 (an equality) or not be positive.

    Raises
    ------
    DerivationError
        If the balls refute the statement.
    PrecisionError
        If they are too wide to say anything.
    """
    with flint.ctx.workprec(BITS):
        left_side = statement.left if statement.ball_left is None else statement.ball_left
        numbers = {symbol: value if isinstance(value, tuple) else _ball(value) for symbol, value in values.items()}
        left, right = (_value(concrete(statement, side), numbers) for side in (left_side, statement.right))
        difference = left - right
        radius = float(difference.real.rad()) + float(difference.imag.rad())
        if not radius <= WIDEST:
            raise PrecisionError(f"{statement.name}: a ball of radius {radius:.3g} decides nothing at {values}")
        if not difference.imag.contains(0):
            raise DerivationError(f"{statement.name}: the sides differ in their imaginary parts at {values}")
        wrong = not difference.real.contains(0) if statement.relation == "=" else difference.real > 0
        if wrong:
            raise DerivationError(f"{statement.name}: the balls refute it, by {difference.real} at {values}")
        return radius


def _ball(value: Any) -> Any:
    return flint.acb(flint.fmpq(value.numerator, value.denominator))


def _value(node: Expr, numbers: dict[Any, Any]) -> Any:
    if node in numbers:
        return numbers[node]
    if node == sympy.pi:
        return flint.acb.pi()
    if node == sympy.I:
        return flint.acb(0, 1)
    if node == sympy.E:
        return flint.acb(1).exp()
    if node.is_Rational:
        return flint.acb(flint.fmpq(int(node.p), int(node.q)))
    if isinstance(node, Integral):
        return _integral(node, numbers)
    if isinstance(node, Sum):
        index, low, high = node.limits[0]
        first, last = (_integer(_value(end, numbers)) for end in (low, high))
        total = flint.acb(0)
        for j in range(first, last + 1):
            total += _value(node.function, numbers | {index: flint.acb(j)})
        return total
    if isinstance(node, Indexed):
        return _ball(member(node, _integer(numbers[node.indices[0]]), numbers))
    parts = [_value(part, numbers) for part in node.args]
    if node.is_Add:
        return sum(parts, flint.acb(0))
    if node.is_Mul:
        total = flint.acb(1)
        for part in parts:
            total *= part
        return total
    if node.is_Pow:
        if node.exp.is_Integer:
            return parts[0] ** int(node.exp)
        if node.exp == sympy.S.Half or node.exp == -sympy.S.Half:
            root = parts[0].sqrt()
            return root if node.exp > 0 else 1 / root
        if node.base == -1:
            return flint.acb(-1) ** _integer(parts[1])
        return parts[0] ** parts[1]
    if node.func in ANALYTIC:
        return ANALYTIC[node.func](*parts)
    return _real_function(node, parts)


def _real_function(node: Expr, parts: list[Any]) -> Any:
    first = parts[0]
    if isinstance(node, Re):
        return flint.acb(first.real)
    if isinstance(node, Modulus):
        return flint.acb(abs(first.real) if first.imag == 0 else abs(first))
    if isinstance(node, ReLU):
        return flint.acb((first.real + abs(first.real)) / 2)
    if isinstance(node, Gate):
        return flint.acb(1 if first.real > 0 else 0 if first.real <= 0 else flint.arb("0.5", "0.5"))
    if isinstance(node, sympy.acos):
        return flint.acb(first.real.acos())
    if isinstance(node, sympy.Max | sympy.Min):
        chosen = first.real
        for other in parts[1:]:
            chosen = chosen.max(other.real) if isinstance(node, sympy.Max) else chosen.min(other.real)
        return flint.acb(chosen)
    raise PrecisionError(f"ball arithmetic does not know {node.func.__name__}")


def _integer(ball: Any) -> int:
    value = round(float(ball.real.mid()))
    if not ball.real == value:
        raise PrecisionError(f"{ball} must be an integer")
    return value


def _integral(node: Integral, numbers: dict[Any, Any]) -> Any:
    (variable, low, high), inner = node.limits[-1], node.limits[:-1]
    function = Integral(node.function, *inner) if inner else node.function
    _require_entire(node.function, variable)
    ends = [_value(end, numbers) for end in (low, high)]
    parts = sorted((part for part in node.function.atoms(ReLU, Modulus, Gate) if part.has(variable)), key=str)
    if not parts:
        return flint.acb.integral(lambda z, _: _value(function, numbers | {variable: z}), *ends)
    if inner:
        raise PrecisionError(f"{node} has kinks in an iterated integral: give the statement a ball_left")

    def point(share: float) -> Any:
        return ends[0] + (ends[1] - ends[0]) * share

    total = flint.acb(0)
    for first, last, signs in _pieces(parts, variable, point, numbers):
        if signs is None:
            hull = flint.acb(point(first).real.union(point(last).real))
            total += _value(function, numbers | {variable: hull}) * (point(last) - point(first))
            continue
        smooth = function.xreplace({part: _branch(part, sign) for part, sign in zip(parts, signs, strict=True)})
        total += flint.acb.integral(partial(_at, smooth, variable, numbers), point(first), point(last))
    return total


def _at(function: Expr, variable: Any, numbers: dict[Any, Any], z: Any, analytic: bool) -> Any:
    """Return the integrand at a complex ball; it is entire, so the flag changes nothing."""
    return _value(function, numbers | {variable: z})


def _require_entire(function: Expr, variable: Any) -> None:
    for power in function.atoms(sympy.Pow):
        if power.has(variable) and not (power.exp.is_Integer and power.exp > 0) and not power.base == sympy.E:
            raise PrecisionError(f"{power} is not entire in {variable}: its integral is not enclosed here")


def _branch(part: Expr, sign: int) -> Expr:
    argument = part.args[0]
    if isinstance(part, Gate):
        return sympy.Integer(1 if sign > 0 else 0)
    if isinstance(part, ReLU):
        return argument if sign > 0 else sympy.Integer(0)
    return sign * argument


def _pieces(parts: list[Expr], variable: Any, point: Callable[[float], Any], numbers: dict[Any, Any]) -> list[Any]:
    """Cut [0, 1] where every sign is certain; neighbours with the same signs are joined; None: too short to go on."""
    pieces: list[Any] = []
    waiting = [(0.0, 1.0)]
    while waiting:
        first, last = waiting.pop()
        hull = flint.acb(point(first).real.union(point(last).real))
        balls = [_value(part.args[0], numbers | {variable: hull}).real for part in parts]
        signs = tuple(1 if ball >= 0 else -1 if ball <= 0 else 0 for ball in balls)
        if 0 in signs and last - first > NARROW:
            middle = (first + last) / 2
            waiting += [(middle, last), (first, middle)]
            continue
        found = None if 0 in signs else signs
        if pieces and found is not None and pieces[-1][2] == found:
            pieces[-1] = (pieces[-1][0], last, found)
        else:
            pieces.append((first, last, found))
    return pieces
