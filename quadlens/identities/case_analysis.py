"""Rules that close an argument by cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from sympy import Expr, Integral, S, Symbol, sympify

from quadlens.identities.exponentials import same
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.ledger import Ledger


class CaseAnalysis(Ledger):
    """Case analyses whose cases earlier steps have established."""

    def either(
        self, text: str, left: Any, right: Any, symbol: Symbol, values: Sequence[Any], *, assuming: Sequence[Any] = ()
    ) -> None:
        """Show ``left <= right`` when ``symbol`` takes one of finitely many values.

        Each case is established already.
        """
        left, right = sympify(left), sympify(right)
        for value in values:
            if not self._follows(_settled(left.subs(symbol, value)), _settled(right.subs(symbol, value)), assuming):
                raise self._fail(text, f"the case {symbol} = {value} is not established")
        self._bound(
            text, left, right, f"each of the cases {symbol} = {', '.join(map(str, values))} is established", assuming
        )

    def by_sign(self, text: str, left: Any, right: Any, symbol: Symbol, positive: Symbol) -> None:
        """Show ``left = right`` for a real ``symbol``.

        It is ``positive``, ``-positive`` or 0, and each case is established.
        """
        left, right = sympify(left), sympify(right)
        if positive.is_positive is not True or symbol.is_real is not True:
            raise self._fail(text, f"{positive} must be positive and {symbol} real")
        for value in (positive, -positive, S.Zero):
            one, other = (_settled(side.subs(symbol, value)) for side in (left, right))
            if not same(self.known(one), self.known(other)):
                raise self._fail(text, f"the case {symbol} = {value} is not established: {one} against {other}")
        self._learn(text, left, right, f"each of the cases {symbol} > 0, < 0, = 0 is established")

    def by_cases(
        self,
        text: str,
        left: Any,
        right: Any,
        cases: Sequence[tuple[str, Mapping[Any, Any], Sequence[Any]]],
        exhaustive: str,
        *,
        assuming: Sequence[Any] = (),
    ) -> None:
        """Show ``left = right``: in each case, a substitution.

        It is established; ``exhaustive`` says why there is no other case.
        """
        left, right = sympify(left), sympify(right)
        for label, values, needed in cases:
            one, other = (_settled(side.subs(values, simultaneous=True)) for side in (left, right))
            if not same(self.known(one, needed), self.known(other, needed)):
                raise self._fail(text, f"the case {label} is not established: {one} against {other}")
        self._learn(text, left, right, f"established in each of {len(cases)} cases; {exhaustive}", assuming)


def _settled(expression: Expr) -> Expr:
    """Evaluate each ReLU and modulus whose argument has a sign by assumption, and integrals of 0."""
    for part in sorted(expression.atoms(ReLU, Modulus), key=lambda candidate: len(str(candidate))):
        argument = part.args[0]
        if argument.is_nonnegative:
            expression = expression.xreplace({part: argument})
        elif argument.is_nonpositive:
            expression = expression.xreplace({part: S.Zero if isinstance(part, ReLU) else -argument})
    return expression.replace(lambda part: isinstance(part, Integral) and part.function == 0, lambda part: S.Zero)
