"""Rules that close an argument by cases. The kernel makes the list of cases: nothing can be left out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integral, Max, Min, S, Symbol, acos, cos, pi, sin, sqrt, symbols, sympify

from quadlens.identities.conditions import as_conditions, symbols_of
from quadlens.identities.deduction import is_nonnegative
from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.grammar import bound_in, kind_of
from quadlens.identities.ledger import Ledger, rule

Case = tuple[str, dict[Symbol, Expr]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """A real ``symbol`` is ``positive``, ``-positive`` or 0."""

    symbol: Symbol
    positive: Symbol

    @property
    def cases(self) -> tuple[Case, ...]:
        """Each case with the values that it puts in."""
        values = (self.positive, -self.positive, S.Zero)
        return tuple((f"{self.symbol} = {value}", {self.symbol: value}) for value in values)

    @property
    def fresh(self) -> tuple[Symbol, ...]:
        """The symbols of the cases."""
        return (self.positive,)

    @property
    def assumes(self) -> tuple[Any, ...]:
        """What the two numbers must satisfy."""
        return ()

    @property
    def within(self) -> tuple[Any, ...]:
        """What the symbols of the cases satisfy."""
        return ()

    @property
    def split(self) -> tuple[Symbol, ...]:
        """The symbols that the cases are about."""
        return (self.symbol,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Two real numbers ``larger >= smaller``: each lies in [-1, 1], where it is a cosine, or beyond one of the ends.

    In every case ``0 <= tau_1 <= tau_2 <= pi``: the larger number has the smaller angle. An angle that a case does not
    use may be any, as long as they are in order.
    """

    larger: Symbol
    smaller: Symbol

    @property
    def fresh(self) -> tuple[Symbol, ...]:
        """The symbols of the cases: two excesses and two angles."""
        return (*symbols("e f", nonnegative=True), *symbols("tau_1 tau_2", real=True))

    @property
    def assumes(self) -> tuple[Any, ...]:
        """What the two numbers must satisfy."""
        return (self.larger - self.smaller >= 0,)

    @property
    def within(self) -> tuple[Any, ...]:
        """What the symbols of the cases satisfy."""
        first, last = self.fresh[2:]
        return (first >= 0, first <= last, last <= pi, first <= pi, last >= 0)

    @property
    def split(self) -> tuple[Symbol, ...]:
        """The symbols that the cases are about."""
        return (self.larger, self.smaller)

    @property
    def cases(self) -> tuple[Case, ...]:
        """Each case with the values that it puts in."""
        e, f, first, last = self.fresh
        pairs = (
            ("both in [-1, 1]", cos(first), cos(last)),
            ("the larger beyond 1", 1 + e, cos(last)),
            ("the smaller beyond -1", cos(first), -1 - f),
            ("one beyond each end", 1 + e, -1 - f),
            ("both beyond 1", 1 + e + f, 1 + f),
            ("both beyond -1", -1 - e, -1 - e - f),
        )
        return tuple((label, {self.larger: one, self.smaller: other}) for label, one, other in pairs)


@rule
def by_cases(
    ledger: Ledger,
    text: str,
    left: Any,
    right: Any,
    cases: Any,
    exhaustive: Any = None,
    *,
    assuming: Sequence[Any] = (),
) -> None:
    """Show ``left = right``, established in each case of `Signs` or `Places`: their list is the kernel's and complete.

    The symbols of the cases are new: they occur neither in the sides nor in the conditions.
    """
    left, right = sympify(left), sympify(right)
    if not isinstance(cases, Signs | Places) or exhaustive is not None:
        raise ledger.fail(text, "the cases must be Signs or Places, lists that are known to be complete")
    if any(kind_of(symbol) != {"real": True} for symbol in cases.split) or (
        isinstance(cases, Signs) and kind_of(cases.positive) != {"real": True, "positive": True}
    ):
        raise ledger.fail(text, f"{cases.fresh[0]} must be positive and {cases.split} real")
    conditions = as_conditions(assuming)
    taken = left.free_symbols | right.free_symbols | bound_in(left, right) | symbols_of(conditions)
    names = {symbol.name for symbol in taken if symbol.is_Symbol}
    if names & {symbol.name for symbol in cases.fresh} or bound_in(left, right) & set(cases.split):
        raise ledger.fail(text, f"{cases.fresh} must be new symbols, and {cases.split} not bound")
    if symbols_of(conditions) & set(cases.split):
        raise ledger.fail(text, f"the conditions must not speak of {cases.split}")
    needed = (*assuming, *cases.within)
    for label, values in cases.cases:
        one, other = (_settled(side.subs(values, simultaneous=True), needed) for side in (left, right))
        ledger.require(one, other, given=as_conditions(needed))
        if not same(ledger.known(one, needed), ledger.known(other, needed)):
            raise ledger.fail(text, f"the case {label} is not established: {one} against {other}")
        for need in ledger.premises.needs:
            if need.free_symbols & set(cases.fresh):
                raise ledger.fail(text, f"the case {label} needs {need}, which is not shown to hold in it")
    labels = ", ".join(label for label, _ in cases.cases)
    ledger.learn(text, "=", (left, right), f"each of the cases {labels} is established", (*assuming, *cases.assumes))


def by_sign(
    ledger: Ledger,
    text: str,
    left: Any,
    right: Any,
    symbol: Symbol,
    positive: Symbol,
    *,
    assuming: Sequence[Any] = (),
) -> None:
    """Show ``left = right`` for a real ``symbol``, which is ``positive``, ``-positive`` or 0."""
    by_cases(ledger, text, left, right, Signs(symbol=symbol, positive=positive), assuming=assuming)


@rule
def either(
    ledger: Ledger,
    text: str,
    left: Any,
    right: Any,
    symbol: Symbol,
    values: Sequence[Any],
    *,
    assuming: Sequence[Any] = (),
) -> None:
    """Show ``left <= right`` when an integer ``symbol`` takes one of the consecutive ``values``.

    That it does is a condition from here on; each case is established already.
    """
    left, right = sympify(left), sympify(right)
    numbers = sorted(sympify(value) for value in values)
    if not numbers or not symbol.is_Symbol or not symbol.is_integer or not all(number.is_Integer for number in numbers):
        raise ledger.fail(text, f"{symbol} must be an integer that takes integer values, not {values}")
    if numbers != [numbers[0] + step for step in range(len(numbers))]:
        raise ledger.fail(text, f"the values {values} must be consecutive")
    if symbol in bound_in(left, right) or symbol in symbols_of(as_conditions(assuming)):
        raise ledger.fail(text, f"{symbol} must stand free, and in no condition")
    for value in numbers:
        lower, upper = (_settled(side.subs(symbol, value), assuming) for side in (left, right))
        if not ledger.follows(lower, upper, assuming):
            raise ledger.fail(text, f"the case {symbol} = {value} is not established")
    ends = as_conditions((symbol - numbers[0] >= 0, numbers[-1] - symbol >= 0))
    ledger.needs(end for end in ends if not is_nonnegative(end, frozenset()))
    shown = ", ".join(map(str, numbers))
    ledger.learn(text, "<=", (left, right), f"each of the cases {symbol} = {shown} is established", assuming)


def _settled(expression: Expr, assuming: Sequence[Any] = ()) -> Expr:
    """Evaluate ReLUs, moduli and clipped arc cosines that the assumptions decide, and integrals of 0."""
    given = as_conditions(assuming)
    for part in sorted(expression.atoms(ReLU, Modulus), key=lambda candidate: len(str(candidate))):
        argument = part.args[0]
        if argument.is_nonnegative:
            expression = expression.xreplace({part: argument})
        elif argument.is_nonpositive:
            expression = expression.xreplace({part: S.Zero if isinstance(part, ReLU) else -argument})
    # SymPy writes sin(acos(z)) as sqrt(1 - z^2): for z = cos(tau), clipped or not, that is sin(tau).
    for wave in expression.atoms(cos):
        angle = wave.args[0]
        if is_nonnegative(angle, given) and is_nonnegative(pi - angle, given):
            expression = expression.xreplace({Max(-1, Min(1, wave)): wave})
            expression = expression.xreplace({acos(wave): angle, sqrt(1 - wave**2): sin(angle)})
    return expression.replace(lambda part: isinstance(part, Integral) and part.function == 0, lambda part: S.Zero)
