"""The identities that the code computes with, six times each: proved, by four witnesses, and by the code itself."""

from collections.abc import Callable

import numpy as np
import pytest
from sympy import Expr

import quadlens as ql
from quadlens.identities.scripts import proved
from quadlens.identities.statement import Statement
from quadlens.identities.witnesses import balls, finite_sums, float64, multiprecision
from quadlens.identities.witnesses.sampling import Values, draw
from quadlens.quadrature.closed_form import waveform_harmonics
from quadlens.quadrature.rates import even_error, random_std

STATEMENTS = {statement.name: statement for statement in ql.identities()}


def value(statement: Statement, side: Expr, values: Values) -> complex:
    return complex(float64.evaluate(statement.expanded(side), values))


def pizza(statement: Statement, values: Values) -> float:
    t = float(next(iter(values.values())))
    return float(2 * np.pi * (waveform_harmonics(np.array([0.0, 1.0]), np.array([-2])) * np.exp(1j * t)).real[0])


def sharp(statement: Statement, values: Values) -> float:
    return 2 / 3 * even_error(2 * int(next(iter(values.values()))))


def moment(statement: Statement, values: Values) -> float:
    kappa, p1, p2, q1, q2 = (float(values[variable.symbol]) for variable in statement.variables)
    c = np.array([kappa, p1 + 1j * p2, q1 + 1j * q2])
    second = waveform_harmonics(c, np.array([2]))[0]
    # one node of weight 2 pi: random_std^2 = (moment - |h_2|^2) / |h_2|^2
    return float(abs(second) ** 2 * (1 + random_std([2 * np.pi], c) ** 2))


def refined(statement: Statement, values: Values) -> float:
    at = {str(variable.symbol): float(values[variable.symbol]) for variable in statement.variables}
    c = np.array([at["kappa"], at["p'"] + 1j * at["p''"], at["q'"] + 1j * at["q''"]])
    turn = np.exp(1j * at["omega"] * at["k"] * (at["c"] - 2 * at["b"]))
    return float(at["W"] * (turn * np.conj(waveform_harmonics(c, np.array([2]))[0])).real)


CODE: dict[str, Callable[[Statement, Values], float]] = {
    "pizza_integral": pizza,
    "equally_spaced_phases.sharp": sharp,
    "random_phases.any_waveform": moment,
    "secondary_frequency.logits": refined,
}


@pytest.mark.parametrize("name", CODE)
def test_six_routes_to_one_number(name: str) -> None:
    statement = STATEMENTS[name]
    verdicts = {result.statement.name: result.verdict for result in proved(statement.family).results}
    assert verdicts[name] == "proved"
    for seed in range(3):
        values = draw(statement, np.random.default_rng(seed))
        assert multiprecision.witness(statement, values) <= 1e-25
        assert float64.witness(statement, values) <= 1e-6
        assert balls.witness(statement, values) <= balls.WIDEST
        if finite_sums.is_limit(statement):
            assert len(finite_sums.witness(statement, values)) == 2
        assert CODE[name](statement, values) == pytest.approx(value(statement, statement.right, values).real, abs=1e-9)


@pytest.mark.parametrize("number", [4, 6, 10, 24])
def test_no_offset_of_even_phases_errs_more_than_the_sharp_error(number: int) -> None:
    v = np.linspace(-np.pi / number, np.pi / number, 201)[:, None]
    nodes = -np.pi / 2 + np.pi / number + v + 2 * np.pi * np.arange(number) / number
    rule = 2 * np.pi / number * (np.maximum(np.cos(nodes), 0) * np.exp(2j * nodes)).sum(axis=1)
    # over t the largest error at an offset is the modulus of the difference
    assert np.abs(rule - 2 / 3).max() == pytest.approx(2 / 3 * even_error(number), rel=1e-9)
