"""Stored statements as Rocq propositions over the real numbers, for proofs that are checked by its kernel.

What is printed is the statement itself: both sides as they are stored, its symbols with what is assumed of them, its
conditions as hypotheses, its abbreviations written out. An equation whose left side is one integral is printed as
``is_RInt f a b value``: the integral exists and has that value. What the printer does not know it names.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Add, Integer, Integral, Mul, Pow, Rational, Symbol, cos, exp, pi, sin, sqrt
from sympy.core.relational import Equality, GreaterThan, LessThan, StrictGreaterThan, StrictLessThan, Unequality

from quadlens.errors import DerivationError, OptionError
from quadlens.identities.functions import Gate, Modulus, ReLU
from quadlens.identities.grammar import bound_in, kind_of
from quadlens.identities.statement import Statement

RELATIONS = {
    Equality: "=",
    LessThan: "<=",
    GreaterThan: ">=",
    StrictLessThan: "<",
    StrictGreaterThan: ">",
    Unequality: "<>",
}
FUNCTIONS = {cos: "cos", sin: "sin", exp: "exp", ReLU: "relu", Gate: "gate", Modulus: "Rabs"}
HEAD = """(* Printed by `quadlens equations --format rocq`; not written by hand. *)
From Coq Require Import Reals.
From Coquelicot Require Import Coquelicot.
Require Import Quadlens.Definitions.
Open Scope R_scope.
"""
RESERVED = {"as", "at", "cofix", "else", "end", "exists", "fix", "for", "forall", "fun", "if", "in", "let", "match"}
RESERVED |= {"mod", "return", "then", "using", "where", "with", "I", "O", "S", "R", "Z", "PI", "Prop", "Set", "Type"}
RESERVED |= {*FUNCTIONS.values(), "sqrt", "RInt", "is_RInt", "IZR"}


class Unprintable(OptionError):
    """A statement has something that the printer does not know."""


def proposition_name(statement: Statement) -> str:
    """Return the name of a statement's proposition: ``pizza_integral.scaled`` is ``pizza_integral_scaled``."""
    return statement.name.replace(".", "_")


def as_rocq(statement: Statement) -> str:
    """Return ``Definition name : Prop := …``.

    Raises
    ------
    Unprintable
        If the statement has an expression, a symbol or a condition that the printer does not know.
    """
    try:
        return _definition(statement)
    except (Unprintable, DerivationError) as reason:
        raise Unprintable(f"{statement.name}: {reason}") from None


def _definition(statement: Statement) -> str:
    binders, hypotheses = [], []
    for variable in statement.variables:
        symbol = variable.symbol
        if not isinstance(symbol, Symbol) or variable.length is not None:
            raise Unprintable(f"{symbol} is a family of numbers")
        name = _name(symbol)
        binders.append(f"({name} : {'Z' if symbol.is_integer else 'R'})")
        kind = kind_of(symbol)
        if kind.get("positive"):
            hypotheses.append(f"0 < {_value(symbol)}")
        elif kind.get("nonnegative"):
            hypotheses.append(f"0 <= {_value(symbol)}")
        elif kind.get("negative"):
            hypotheses.append(f"{_value(symbol)} < 0")
    hypotheses += [_relation(statement, condition) for condition in statement.conditions]
    left, right = statement.expanded(statement.left), statement.expanded(statement.right)
    _require_own_names({variable.symbol for variable in statement.variables} | bound_in(left, right))
    if binders and not (left.free_symbols | right.free_symbols):
        raise Unprintable("both sides are numbers as they are stored, whatever its variables")
    if statement.relation == "=" and isinstance(left, Integral):
        claim = f"is_RInt {_integrand(left)} ({_value(right)})"
    else:
        claim = f"{_value(left)} {statement.relation} {_value(right)}"
    quantified = f"forall {' '.join(binders)}, " if binders else ""
    given = "".join(f"{hypothesis} -> " for hypothesis in hypotheses)
    return f"Definition {proposition_name(statement)} : Prop :=\n  {quantified}{given}\n  {claim}."


def statements_file(statements: Iterable[Statement]) -> str:
    """Return one Rocq file with the proposition of every statement that can be printed, and the names of the others."""
    parts, missing = [HEAD], []
    for statement in statements:
        try:
            parts.append(f"(* {_comment(statement.title)} *)\n{as_rocq(statement)}\n")
        except Unprintable as reason:
            missing.append(f"   {_comment(str(reason))}")
    listed = "\n".join(missing)
    return "\n".join([*parts, f"(* Not printed:\n{listed} *)" if missing else ""]).rstrip() + "\n"


def _comment(text: str) -> str:
    """Return a text that neither ends the comment that it stands in nor opens a string or a comment there."""
    return text.replace('"', "'").replace("(*", "( *").replace("*)", "* )")


def _require_own_names(symbols: set[Any]) -> None:
    names: dict[str, Any] = {}
    for symbol in sorted(symbols, key=str):
        other = names.setdefault(_name(symbol), symbol)
        if other != symbol:
            raise Unprintable(f"{other} and {symbol} would have one name in Rocq, {_name(symbol)}")


def _relation(statement: Statement, condition: Any) -> str:
    sign = RELATIONS.get(type(condition))
    if sign is None:
        raise Unprintable(f"the condition {condition} is not a relation of real numbers")
    return f"{_value(statement.expanded(condition.lhs))} {sign} {_value(statement.expanded(condition.rhs))}"


def _name(symbol: Any) -> str:
    text = str(symbol).replace("\\", "").replace("'", "_prime")
    plain = "".join(character if character.isascii() and character.isalnum() else "_" for character in text).strip("_")
    if not plain or not plain[0].isalpha():
        raise Unprintable(f"the symbol {symbol} has no name in Rocq")
    return f"{plain}_" if plain in RESERVED else plain


def _integrand(integral: Any) -> str:
    if len(integral.limits) != 1 or len(integral.limits[0]) != 3:
        raise Unprintable(f"{integral} is no integral over one interval")
    x, low, high = integral.limits[0]
    return f"(fun {_name(x)} : R => {_value(integral.function)}) ({_value(low)}) ({_value(high)})"


def _value(expression: Any) -> str:
    """Return a real value, in brackets where it is no single word."""
    if isinstance(expression, Symbol):
        return f"IZR {_name(expression)}" if expression.is_integer else _name(expression)
    if expression is pi:
        return "PI"
    if isinstance(expression, Integer):
        return f"({int(expression)})" if expression < 0 else str(int(expression))
    if isinstance(expression, Rational):
        return f"({_value(Integer(expression.p))} / {expression.q})"
    if isinstance(expression, Add):
        return f"({' + '.join(_value(term) for term in expression.args)})"
    if isinstance(expression, Mul):
        return f"({' * '.join(_value(factor) for factor in expression.args)})"
    if isinstance(expression, Pow):
        return _power(expression)
    if isinstance(expression, Integral):
        return f"(RInt {_integrand(expression)})"
    name = FUNCTIONS.get(expression.func)
    if name is None or len(expression.args) != 1 or not all(symbol.is_real for symbol in expression.free_symbols):
        raise Unprintable(f"{expression.func.__name__} is not known")
    return f"({name} {_argument(expression.args[0])})"


def _argument(expression: Any) -> str:
    value = _value(expression)
    return value if value.startswith("(") or " " not in value else f"({value})"


def _power(expression: Any) -> str:
    base, exponent = expression.base, expression.exp
    if expression == sqrt(base):
        return f"(sqrt {_argument(base)})"
    if not isinstance(exponent, Integer):
        raise Unprintable(f"the exponent {exponent} is not a whole number")
    power = _argument(base) if abs(exponent) == 1 else f"({_argument(base)} ^ {abs(int(exponent))})"
    return power if exponent > 0 else f"(/ {power})"
