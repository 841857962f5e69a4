"""The flattest response over delta: what no choice reaches, and where two choices lie, by ball arithmetic.

Run ``python derivations/flattest_response.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Integral, Max, Min, Rational, S, Symbol, cos, diff, pi, sin, sqrt, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

t, delta, kappa, delta_0, kappa_0 = symbols("t delta kappa delta_0 kappa_0", real=True)
sigma, sigma_0 = symbols("sigma sigma_0", nonnegative=True)
turn = (t, -pi, pi)
SHADOW = {delta: delta_0, sigma: sigma_0, kappa: kappa_0}
# How fast the integrand moves at most, and the integral: the integral of that over a turn.
STEEP = {delta: 2 + 4 * sigma, sigma: 2 * cos(2 * t) ** 2, kappa: Modulus(cos(2 * t))}
FAST = {delta: 2 * pi * (2 + 4 * sigma), sigma: 2 * pi, kappa: S(4)}


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``flattest_response``; ``stored`` replaces the statements to compare with."""
    proof = Proof("flattest_response", "How flat the response over a - b can be", stored)
    _slopes(proof)
    _placed(proof, "found_by_hand", (Rational(1, 8), sqrt(2) - 1), (Rational(1021, 10000), Rational(1313, 10000)))
    _placed(proof, "near_optimum", (Rational(11, 80), Rational(69, 200)), (Rational(114, 1000), Rational(1376, 10000)))
    _no_flatter(proof)
    return proof.finish()


def _waveform(s: Expr, k: Expr, d: Expr) -> Expr:
    return 2 * cos(d) * cos(t) - 2 * s * cos(2 * d) * cos(2 * t) + k


def _integral(s: Expr, k: Expr, d: Expr) -> Expr:
    return Integral(ReLU(_waveform(s, k, d)) * cos(2 * t), turn)


def _slopes(proof: Proof) -> None:
    waveform = _waveform(sigma, kappa, delta)
    proof.say("The response at delta = omega k (a - b) / 2 is the second harmonic of ReLU of this waveform", waveform)
    first = _wave(proof, (-2 * sin(delta), 2, 2 * cos(delta)), (cos(t), 1, sin(t)), (cos(2 * t), 1, sin(2 * t)))
    double = 4 * sigma
    second = _wave(
        proof,
        (double * sin(2 * delta), double, double * cos(2 * delta)),
        (cos(2 * t), 1, sin(2 * t)),
        (cos(2 * t), 1, sin(2 * t)),
    )
    u, v = symbols("u v", real=True)
    proof.at_most_by_cases("The modulus of a sum", Modulus(u + v), Modulus(u) + Modulus(v))
    proof.instance("Of the two parts of the slope", {u: first, v: second}, of=Modulus(u + v))
    parts = [
        (Modulus(first + second), Modulus(first) + Modulus(second)),
        (Modulus(first), S(2)),
        (Modulus(second), double),
    ]
    proof.added("So the slope over delta", Modulus(first + second), 2 + double, parts)
    square, wave = 2 * cos(2 * t) ** 2, Modulus(cos(2 * t))
    proof.modulus_at_most("A square is its modulus", square, square)
    _wave(proof, (cos(2 * delta), 1, sin(2 * delta)))
    proof.multiplied("The slope over sigma", (square, square), (cos(2 * delta), S.One))
    proof.at_most("The slope over kappa", wave, wave, S.Zero)
    proof.integral("The mean of 2 cos^2 2t is 1", cos(2 * t) ** 2, turn, pi)
    quarters = tuple(pi * number / 4 for number in (-4, -3, -2, -1, 0, 1, 2, 3, 4))
    proof.integral_by_pieces("That of |cos 2t| is 2/pi", wave, t, quarters, 4)
    for symbol in FAST:
        _moves(proof, symbol)


def _wave(proof: Proof, *factors: tuple[Expr, Expr, Expr]) -> Expr:
    """Show that a product of waves ``(wave, amplitude, quadrature)`` is at most the product of the amplitudes."""
    product, most = S.One, S.One
    for wave, amplitude, quadrature in factors:
        proof.at_most("A wave is at most its amplitude", wave**2, amplitude**2, quadrature**2)
        proof.modulus_at_most("So in modulus", wave, amplitude)
        if product == 1:
            product, most = wave, amplitude
            continue
        proof.multiplied("And a product is", (product, most), (wave, amplitude))
        product, most = product * wave, most * amplitude
    return product


def _moves(proof: Proof, symbol: Symbol) -> None:
    """Show how fast the integral moves with a symbol at most: its integrand is continuous, with a bounded slope."""
    integrand = ReLU(_waveform(sigma, kappa, delta)) * cos(2 * t)
    on = _waveform(sigma, kappa, delta) * cos(2 * t)
    proof.derivative("The slope where the ReLU is on", on, symbol, diff(on, symbol))
    shadow = SHADOW[symbol]
    proof.mean_value(f"So much the integrand moves with {symbol}", integrand, symbol, symbol, shadow, STEEP[symbol])
    difference = integrand - integrand.subs(symbol, shadow)
    bound = STEEP[symbol] * Modulus(symbol - shadow)
    proof.integrated("Integrate", difference, bound, turn)
    proof.linear("Two integrals", Integral(difference, turn))
    proof.linear("The distance is a constant", Integral(bound, turn))
    whole = _integral(sigma, kappa, delta)
    moved, most = Modulus(whole - whole.subs(symbol, shadow)), FAST[symbol] * Modulus(symbol - shadow)
    proof.chain("So much the integral moves", moved, most)


def _moved(proof: Proof, symbol: Symbol, values: dict[Symbol, Expr]) -> Expr:
    """Put values into how fast the integral moves with a symbol, and return the bound."""
    whole, shadow = _integral(sigma, kappa, delta), SHADOW[symbol]
    left, right = Modulus(whole - whole.subs(symbol, shadow)), FAST[symbol] * Modulus(symbol - shadow)
    proof.bound_with(f"How fast it moves with {symbol} here", left, right, values)
    return FAST[symbol].subs(values)


def _placed(proof: Proof, name: str, choice: tuple[Expr, Expr], bounds: tuple[Expr, Expr]) -> None:
    response = _integral(*choice, delta) / (2 * pi)
    conditions = (delta >= 0, delta <= pi / 2)
    fast = _moved(proof, delta, dict(zip((sigma, kappa), choice, strict=True)))
    for suffix, left, right in (("", bounds[0], response), ("_above", response, bounds[1])):
        text = f"at sigma = {choice[0]}, kappa = {choice[1]}"
        proof.by_balls(text, left, right, {delta: (0, pi / 2)}, {delta: (delta_0, fast)})
        proof.conclude(f"flattest_response.{name}{suffix}", left, right, relation="<=", conditions=conditions)


def _no_flatter(proof: Proof) -> None:
    points = (Rational(0), Rational(6, 7), Rational(51, 40), pi / 2)
    for point in points:
        for symbol in (sigma, kappa):
            _moved(proof, symbol, {delta: point})
    box = {sigma: (0, Rational(1, 2)), kappa: (-1, Rational(3, 2))}
    sizes = symbols("r_1 r_2 r_3 r_4", nonnegative=True)
    integrals = [_integral(sigma, kappa, point) for point in points]
    where = {size: Modulus(integral / (2 * pi)) for size, integral in zip(sizes, integrals, strict=True)}
    left, right = Min(*sizes), Rational(17, 20) * Max(*sizes)
    written_out = (side.subs(where) for side in (left, right))
    slopes = {symbol: (SHADOW[symbol], FAST[symbol]) for symbol in (sigma, kappa)}
    proof.by_balls("four values of delta are enough", *written_out, box, slopes)
    conditions = (sigma <= Rational(1, 2), kappa >= -1, kappa <= Rational(3, 2))
    proof.conclude("flattest_response", left, right, relation="<=", conditions=conditions, where=where)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
