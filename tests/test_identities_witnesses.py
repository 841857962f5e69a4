"""Four routes that share no code with the proofs agree with every stored statement, and each of them refutes a wrong
one.
"""

from dataclasses import replace

import numpy as np
import pytest
from sympy import Integral, Rational, S, cos, pi

import quadlens as ql
from quadlens.errors import DerivationError, PrecisionError
from quadlens.identities.catalogue import statements_of
from quadlens.identities.functions import ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import x, y
from quadlens.identities.witnesses import balls, finite_sums, float64, multiprecision
from quadlens.identities.witnesses.sampling import draw

STATEMENTS = ql.identities()
NAMES = [statement.name for statement in STATEMENTS]
ROUTES = (multiprecision, float64, finite_sums, balls)


@pytest.mark.parametrize("statement", STATEMENTS, ids=NAMES)
def test_every_route_agrees(statement: Statement) -> None:
    values = draw(statement, np.random.default_rng(len(statement.name)))
    assert multiprecision.witness(statement, values) <= 1e-25
    assert float64.witness(statement, values) <= 1e-6
    assert balls.witness(statement, values) <= balls.WIDEST
    if finite_sums.is_limit(statement):
        assert len(finite_sums.witness(statement, values)) == 2


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__.rpartition(".")[2])
@pytest.mark.parametrize("name", ["pizza_integral", "rectangle_bound.inside", "secondary_frequency.pizza_limit"])
def test_a_changed_constant_is_refuted(route: object, name: str) -> None:
    (statement,) = [one for one in STATEMENTS if one.name == name]
    wrong = replace(statement, right=statement.right * Rational(11, 10))
    values = draw(statement, np.random.default_rng(3))
    with pytest.raises(DerivationError, match=name):
        route.witness(wrong, values)  # type: ignore[attr-defined]


@pytest.mark.parametrize("route", ROUTES[:2] + ROUTES[3:], ids=lambda route: route.__name__.rpartition(".")[2])
def test_a_false_inequality_is_refuted(route: object) -> None:
    statement = statements_of("gate_lemma")[0]
    wrong = replace(statement, left=statement.left + Rational(1, 8))
    values = draw(statement, np.random.default_rng(3))
    with pytest.raises(DerivationError, match="gate_lemma"):
        route.witness(wrong, values)  # type: ignore[attr-defined]


def test_the_finite_sums_converge_like_the_inverse_square() -> None:
    statement = statements_of("pizza_integral")[1]
    errors = [finite_sums.witness(statement, draw(statement, np.random.default_rng(seed))) for seed in range(20)]
    coarse, fine = (max(pair[index] for pair in errors) for index in (0, 1))
    # twice the points: a quarter of the worst error over random offsets of the kinks, within a factor 2
    assert coarse / 8 <= fine <= coarse / 2


def test_a_wide_ball_is_an_error_and_not_an_agreement() -> None:
    statement = Statement(
        name="wide",
        title="A function with a pole",
        left=Integral(1 / cos(x), (x, 0, 1)),
        right=S.One,
        variables=(),
        source="for the tests",
    )
    with pytest.raises(PrecisionError, match="not entire"):
        balls.witness(statement, {})
    iterated = replace(statement, left=Integral(ReLU(cos(x) + cos(y)), (x, -pi, pi), (y, -pi, pi)))
    with pytest.raises(PrecisionError, match="ball_left"):
        balls.witness(iterated, {})


def test_the_values_drawn_satisfy_the_conditions() -> None:
    statement = statements_of("secondary_frequency")[0]
    values = draw(statement, np.random.default_rng(0))
    g, C, kappa = (float(values[variable.symbol]) for variable in (statement.variables[2], *statement.variables[:2]))
    assert C**2 + 4 * g * (2 * g + kappa) >= 0
    with pytest.raises(DerivationError, match="satisfy its conditions"):
        draw(replace(statement, conditions=(statement.variables[1].symbol >= 9,)), np.random.default_rng(0))
