"""Antiderivatives of sums of ``x^k`` and ``exp(l x)``, each checked by differentiating before it is used.

This is all the integration that the derivations need: every ReLU and absolute value has been split at its kinks before.
"""

from collections.abc import Sequence
from typing import Any

from sympy import Expr, I, S, Symbol, diff, exp, expand, powsimp, sympify
from sympy.core.function import AppliedUndef

from quadlens.errors import DerivationError
from quadlens.identities.exponentials import OPAQUE, in_exponentials, vanishes


def antiderivative(integrand: Expr, variable: Symbol, *, nonzero: Sequence[Expr] = ()) -> Expr:
    """Return ``F`` with ``F' = integrand``, shown by ``F' - integrand`` expanding to 0 in exponentials.

    ``nonzero`` lists expressions that the statement's conditions keep away from 0, so that a symbolic rate may be
    divided by.

    Raises
    ------
    DerivationError
        If a term is no product of a power and an exponential, a rate may be 0, or the check fails.
    """
    total: Expr = S.Zero
    for term in in_exponentials(integrand).as_ordered_terms():
        total += _term(term, variable, nonzero)
    if not vanishes(diff(total, variable) - integrand):
        raise DerivationError(f"the derivative of the antiderivative is not the integrand {integrand}")
    return total


def _term(term: Expr, variable: Symbol, nonzero: Sequence[Expr]) -> Expr:
    constant, dependent = term.as_independent(variable, as_Add=False)
    dependent = powsimp(dependent, force=False)
    if dependent.atoms(AppliedUndef, *OPAQUE) & {part for part in dependent.atoms(*OPAQUE) if part.has(variable)}:
        raise DerivationError(f"cannot integrate {dependent}: split it at its kinks first")
    if dependent == 1:
        return constant * variable
    if dependent.is_Pow and dependent.base == variable and dependent.exp.is_Integer and dependent.exp > 0:
        return constant * variable ** (dependent.exp + 1) / (dependent.exp + 1)
    if dependent == variable:
        return constant * variable**2 / 2
    if isinstance(dependent, exp):
        argument = expand(dependent.args[0])
        rate = argument.coeff(variable, 1)
        if expand(argument - rate * variable).has(variable):
            raise DerivationError(f"cannot integrate {dependent}: the exponent is not linear in {variable}")
        if rate == 0:
            return constant * dependent * variable
        _require_nonzero(rate / I, nonzero)
        return constant * dependent / rate
    raise DerivationError(f"cannot integrate {dependent}: neither a power nor an exponential of {variable}")


def _require_nonzero(rate: Expr, nonzero: Sequence[Expr]) -> None:
    if rate.is_nonzero:
        return
    for expression in nonzero:
        ratio: Any = (sympify(rate) / expression).cancel()
        if ratio.is_number and ratio.is_nonzero:
            return
    raise DerivationError(f"the rate {rate} may be 0: state that it is not, or treat that case by itself")
