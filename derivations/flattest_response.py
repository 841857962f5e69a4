"""The flattest response over delta: what no choice reaches, and where two choices lie, by ball arithmetic.

Run ``python derivations/flattest_response.py`` to read the steps.
"""

from collections.abc import Iterable
from fractions import Fraction

import flint
from sympy import Expr, Integral, Max, Min, Rational, Symbol, cos, diff, pi, sin, sqrt, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.response import flatness_at_most, response_range
from quadlens.identities.statement import Statement

NODES = 20_000
t, delta, kappa = symbols("t delta kappa", real=True)
sigma = Symbol("sigma", nonnegative=True)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``flattest_response``; ``stored`` replaces the statements to compare with."""
    proof = Proof("flattest_response", "How flat the response over a - b can be", stored)
    _slopes(proof)
    with flint.ctx.workprec(128):
        _placed(proof, "found_by_hand", (Rational(1, 8), sqrt(2) - 1), (Rational(1021, 10000), Rational(1313, 10000)))
        _placed(
            proof, "near_optimum", (Rational(11, 80), Rational(69, 200)), (Rational(114, 1000), Rational(1376, 10000))
        )
        _no_flatter(proof)
    return proof.finish()


def _waveform(s: Expr, k: Expr, d: Expr) -> Expr:
    return 2 * cos(d) * cos(t) - 2 * s * cos(2 * d) * cos(2 * t) + k


def _response(s: Expr, k: Expr, d: Expr) -> Expr:
    return Integral(ReLU(_waveform(s, k, d)) * cos(2 * t), (t, -pi, pi)) / (2 * pi)


def _slopes(proof: Proof) -> None:
    waveform = _waveform(sigma, kappa, delta)
    proof.say("The response at delta = omega k (a - b) / 2 is the second harmonic of ReLU of this waveform", waveform)
    slope = -2 * sin(delta) * cos(t) + 4 * sigma * sin(2 * delta) * cos(2 * t)
    proof.derivative("How the waveform moves with delta", waveform, delta, slope)
    proof.equal("With sigma", diff(waveform, sigma), -2 * cos(2 * delta) * cos(2 * t))
    proof.equal("And with kappa", diff(waveform, kappa), 1)
    turn = (t, -pi, pi)
    quarters = tuple(pi * number / 4 for number in (-4, -3, -2, -1, 0, 1, 2, 3, 4))
    proof.integral_by_pieces("The mean of |cos 2t| is 2/pi", Modulus(cos(2 * t)), t, quarters, 4)
    proof.integral("That of 2 cos^2 2t is 1", 2 * cos(2 * t) ** 2, turn, 2 * pi)
    proof.cite(
        "ReLU does not increase distances, and |cos t| <= 1: the response moves by at most 4/pi + 2 sigma < 4/3 + 2 "
        "sigma "
        "per unit of delta, 1 per unit of sigma, 2/pi per unit of kappa",
        "a continuous function moves by at most the bound of its slope",
    )


def _ball(value: Expr) -> flint.arb:
    if value == sqrt(2) - 1:
        return flint.arb(2).sqrt() - 1
    return flint.arb(flint.fmpq(int(value.p), int(value.q)))


def _placed(proof: Proof, name: str, choice: tuple[Expr, Expr], bounds: tuple[Expr, Expr]) -> None:
    low, high = response_range(_ball(choice[0]), _ball(choice[1]), NODES)
    response = _response(*choice, delta)
    conditions = (delta >= 0, delta <= pi / 2)
    check = f"enclosed in balls at {NODES} values of delta in [0, pi/2], and between them by the slope"
    for suffix, left, right, holds in (
        ("", bounds[0], response, bool(low >= _ball(bounds[0]))),
        ("_above", response, bounds[1], bool(high <= _ball(bounds[1]))),
    ):
        text = f"At sigma = {choice[0]}, kappa = {choice[1]}"
        proof.by_balls(text, left, right, holds, check, assuming=conditions)
        proof.conclude(f"flattest_response.{name}{suffix}", left, right, relation="<=", conditions=conditions)


def _no_flatter(proof: Proof) -> None:
    points = (Rational(0), Rational(6, 7), Rational(51, 40), pi / 2)
    balls = [flint.arb.pi() / 2 if point == pi / 2 else _ball(point) for point in points]
    limit = Rational(17, 20)
    box = ((Fraction(0), Fraction(1, 2)), (Fraction(-1), Fraction(3, 2)))
    parts = flatness_at_most(_ball(limit), balls, box)
    sizes = symbols("r_1 r_2 r_3 r_4", nonnegative=True)
    conditions = (sigma <= Rational(1, 2), kappa >= -1, kappa <= Rational(3, 2))
    left = Min(*sizes) / Max(*sizes)
    check = (
        f"the box of (sigma, kappa) is cut into {parts} parts; in each, two of the four responses are that far apart"
    )
    proof.by_balls("Four values of delta are enough", left, limit, parts > 0, check, assuming=conditions)
    where = {size: Modulus(_response(sigma, kappa, point)) for size, point in zip(sizes, points, strict=True)}
    proof.conclude("flattest_response", left, limit, relation="<=", conditions=conditions, where=where)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
