"""Rules that establish equalities: in exponentials, by squares, case by case of signs, instances of what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Eq, Expr, Poly, Symbol, diff, minimal_polynomial, sympify

from quadlens.identities.cases import nonnegative_in_every_case
from quadlens.identities.conclusion import satisfies
from quadlens.identities.conditions import ASSUMED, Conditions, as_conditions, put_into
from quadlens.identities.deduction import left_over
from quadlens.identities.definedness import defined
from quadlens.identities.derivation import Fact
from quadlens.identities.exponentials import same, vanishes
from quadlens.identities.functions import Gate, Modulus, ReLU, conjugated
from quadlens.identities.grammar import bound_in, kind_of, read, real_valued, renamed
from quadlens.identities.ledger import Ledger, rule


@rule
def equal(ledger: Ledger, text: str, left: Any, right: Any, *, assuming: Sequence[Any] = ()) -> Expr:
    """Show ``left = right`` identically, and return ``right``."""
    left, right = sympify(left), sympify(right)
    read(left, right)
    if not same(ledger.known(left, assuming), ledger.known(right, assuming)):
        raise ledger.fail(text, f"{left} is not shown equal to {right}")
    ledger.step(text, Eq(left, right, evaluate=False), "difference expands to 0 in exponentials")
    return right


@rule
def modulus_squared(ledger: Ledger, text: str, argument: Any, value: Any) -> Expr:
    """Show ``|argument|^2 = value``, the product with the conjugate, and return the value."""
    argument, value = sympify(argument), sympify(value)
    if not vanishes(argument * conjugated(argument) - value):
        raise ledger.fail(text, f"{argument} times its conjugate is not {value}")
    check = "z times its conjugate expands to it in exponentials"
    ledger.learn(text, "=", (Modulus(argument) ** 2, value), check)
    return value


@rule
def simplified(ledger: Ledger, text: str, left: Any, right: Any) -> Expr:
    """Show ``left = right`` between algebraic numbers, by the minimal polynomial of the difference."""
    left, right = sympify(left), sympify(right)
    read(left, right)
    difference = left - right
    if not difference.is_number or not difference.is_algebraic:
        raise ledger.fail(text, f"{left} and {right} must be algebraic numbers")
    variable = Symbol("z")
    if Poly(minimal_polynomial(difference, variable), variable) != Poly(variable, variable):
        raise ledger.fail(text, f"{left} - ({right}) does not simplify to 0")
    ledger.learn(text, "=", (left, right), "the minimal polynomial of the difference is z")
    return right


@rule
def derivative(ledger: Ledger, text: str, function: Expr, variable: Symbol, value: Expr) -> Expr:
    """Show ``d function / d variable = value`` for a function without kinks, and return ``value``."""
    require_smooth(ledger, text, function, variable)
    if not vanishes(diff(function, variable) - value):
        raise ledger.fail(text, f"the derivative of {function} is not {value}")
    ledger.step(
        text, Eq(function.diff(variable, evaluate=False), value, evaluate=False), "differentiated; difference is 0"
    )
    return value


def require_smooth(ledger: Ledger, text: str, function: Expr, variable: Symbol) -> None:
    """Refuse a function that is not differentiable, or not defined, at some value of its variable.

    What remains are sums, products and compositions of powers, exponentials, sines, cosines and unnamed functions.
    """
    from sympy import Integral, Max, Min, Sum, acos

    ledger.require(function)
    rough = function.atoms(ReLU, Modulus, Gate, Max, Min, acos, Integral, Sum)
    roots = {power for power in function.atoms(type(variable**2)) if power.exp.is_Rational and not power.exp.is_Integer}
    if any(part.has(variable) for part in rough | roots):
        raise ledger.fail(text, f"{function} is not shown to be differentiable in {variable}")
    for need in defined(function, frozenset()):
        if variable in need.free_symbols:
            raise ledger.fail(text, f"{function} is not defined for every {variable}: {need} must hold")


@rule
def equal_by_cases(ledger: Ledger, text: str, left: Any, right: Any, *, assuming: Sequence[Any] = ()) -> Expr:
    """Show ``left = right`` between ReLUs, gates and moduli of real numbers.

    Neither side exceeds the other in any case of their signs.
    """
    left, right = sympify(left), sympify(right)
    cases = in_every_case(ledger, text, right - left, assuming) + in_every_case(ledger, text, left - right, assuming)
    check = f"a combination of the signs, exact, in each of {cases} cases"
    ledger.learn(text, "=", (left, right), check, assuming)
    return right


def in_every_case(ledger: Ledger, text: str, slack: Expr, assuming: Sequence[Any]) -> int:
    """Return in how many cases of the signs ``slack >= 0`` was shown; the arguments are real."""
    read(slack)
    if not all(real_valued(part.args[0]) for part in slack.atoms(ReLU, Gate, Modulus)):
        raise ledger.fail(text, f"{slack} has a modulus of what is not shown to be real")
    if any(part.free_symbols & bound_in(slack) for part in slack.atoms(ReLU, Gate, Modulus)):
        raise ledger.fail(text, f"{slack} has a sign that changes under its integral or sum: there are no two cases")
    conditions = [condition for condition in as_conditions(assuming) if isinstance(condition, Expr)]
    return nonnegative_in_every_case(slack, conditions)


@rule
def opposite(ledger: Ledger, text: str, left: Expr, right: Expr) -> None:
    """Show ``|z| = |z'|`` because ``z = z'`` or ``z = -z'``."""
    one, other = ledger.known(left.args[0]), ledger.known(right.args[0])
    if not (isinstance(left, Modulus) and isinstance(right, Modulus) and (same(one, other) or same(one, -other))):
        raise ledger.fail(text, f"{left} and {right} are not moduli of the same or opposite expressions")
    ledger.learn(text, "=", (left, right), "the arguments agree, or differ in sign")


@rule
def rewritten(
    ledger: Ledger, text: str, expression: Expr, arguments: Mapping[Expr, Expr], *, assuming: Sequence[Any] = ()
) -> Expr:
    """Replace parts by equal ones (``{part: equal}``, each pair shown equal), and return the new expression."""
    for old, new in arguments.items():
        read(old, new)
        if not same(ledger.known(old, assuming), ledger.known(new, assuming)):
            raise ledger.fail(text, f"{old} is not shown equal to {new}")
        if not expression.has(old):
            raise ledger.fail(text, f"{old} does not occur in {expression}")
    result = expression.xreplace(dict(arguments))
    if result != expression:
        ledger.learn(text, "=", (expression, result), "equals replaced by equals", assuming)
    return result


@rule
def equal_squares(ledger: Ledger, text: str, left: Any, right: Any) -> Expr:
    """Show ``left = right`` for two expressions that are not negative and whose squares agree; return ``right``."""
    left, right = sympify(left), sympify(right)
    if not (left.is_nonnegative and right.is_nonnegative):
        raise ledger.fail(text, f"{left} and {right} must be known not to be negative")
    if not same(ledger.known(left**2), ledger.known(right**2)):
        raise ledger.fail(text, f"the squares of {left} and {right} are not shown equal")
    ledger.learn(text, "=", (left, right), "neither is negative, and the squares agree")
    return right


@rule
def instance(
    ledger: Ledger, text: str, values: Mapping[Any, Any], *, of: Expr, assuming: Sequence[Any] = ()
) -> None:
    """Use what is established about the left side ``of``, an equality or a bound, with other symbols put in.

    Conditions come along. A value must be known to be what its symbol is declared to be.
    """
    key = of.as_dummy()
    facts = [fact for fact in ledger.facts if fact.left.as_dummy() == key]
    latest = [fact for fact in facts if fact.relation == "=" and not fact.assumes][-1:]
    facts = [fact for fact in facts if fact.relation == "<=" or fact.assumes] + latest
    if not facts:
        raise ledger.fail(text, f"nothing is established about {of}")
    for fact in facts:
        put(ledger, text, fact, values, assuming)


def put(ledger: Ledger, text: str, fact: Fact, values: Mapping[Any, Any], assuming: Sequence[Any] = ()) -> None:
    """Record an instance of a fact under what it assumes, at the values, and ``assuming``."""
    given = as_conditions(assuming)
    check_values(ledger, text, values, given)
    taken = set().union(*(sympify(value).free_symbols for value in values.values()))
    left, right = (renamed(side, taken) for side in (fact.left, fact.right))
    if bound_in(left, right) & (taken | set(values)):
        raise ledger.fail(text, f"{values} would be captured by the variables of {fact.left}")
    ledger.require(*values.values(), given=given)
    needs, assumes = (frozenset(put_into(one, values) for one in some) for some in (fact.needs, fact.assumes))
    ledger.use([replace(fact, needs=needs)], given)
    left_open = left_over(assumes, given)
    sides = tuple(side.subs(values, simultaneous=True) for side in (left, right))
    shown = ", ".join(f"{symbol} -> {value}" for symbol, value in values.items())
    ledger.learn(text, fact.relation, (sides[0], sides[1]), f"an instance, with {shown}", [*given, *left_open])


def check_values(ledger: Ledger, text: str, values: Mapping[Any, Any], given: Conditions) -> None:
    """Refuse values that their symbols exclude, and keys that are no symbols."""
    for symbol, value in values.items():
        if not getattr(symbol, "is_Symbol", False):
            raise ledger.fail(text, f"{symbol} is no symbol: only symbols stand for all their values")
        kind = kind_of(symbol)
        lost = [name for name in ASSUMED if kind.get(name) and not satisfies(value, name, given)]
        if lost or not real_valued(value):
            raise ledger.fail(text, f"{symbol} is {(lost or ['real'])[0]}, and {value} is not known to be")
