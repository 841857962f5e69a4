"""Antiderivatives of sums of ``x^k`` and ``exp(l x)``, each checked by differentiating before it is used.

This is all the integration that the derivations need: every ReLU and absolute value has been split at its kinks before.
"""

from collections.abc import Sequence
from typing import Any

from sympy import Expr, I, S, Symbol, degree, diff, exp, expand, powsimp, sympify
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
    if _is_power(dependent, variable):
        return constant * variable * dependent / (degree(dependent, variable) + 1)
    if dependent.is_Mul:
        power, exponential = dependent.as_independent(exp, as_Add=False)
        if isinstance(exponential, exp) and _is_power(power, variable):
            return constant * _by_parts(power, exponential, variable, nonzero)
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


def _is_power(expression: Expr, variable: Symbol) -> bool:
    base, exponent = expression.as_base_exp()
    return bool(base == variable and exponent.is_Integer and exponent > 0)


def _by_parts(power: Expr, exponential: Expr, variable: Symbol, nonzero: Sequence[Expr]) -> Expr:
    inner = _term(exponential, variable, nonzero)
    if power == 1 or not power.has(variable):
        return power * inner
    return power * inner - antiderivative(expand(diff(power, variable) * inner), variable, nonzero=nonzero)


def _require_nonzero(rate: Expr, nonzero: Sequence[Expr]) -> None:
    if rate.is_nonzero:
        return
    for expression in nonzero:
        ratio: Any = (sympify(rate) / expression).cancel()
        if ratio.is_number and ratio.is_nonzero:
            return
    raise DerivationError(f"the rate {rate} may be 0: state that it is not, or treat that case by itself")
