"""The second harmonic of the waveform with a secondary frequency and a bias: the blind spot filled.

Run ``python derivations/secondary_frequency.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import (
    Expr,
    Ge,
    I,
    Integral,
    Le,
    Max,
    Min,
    Ne,
    S,
    Symbol,
    acos,
    cos,
    exp,
    pi,
    sin,
    sqrt,
    symbols,
)

from quadlens.identities.case_analysis import Places
from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

t, theta, C, kappa, delta = symbols("t theta C kappa delta", real=True)
u_1, u_2, tau_1, tau_2 = symbols("u_1 u_2 tau_1 tau_2", real=True)
turn = (t, -pi, pi)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``secondary_frequency``; ``stored`` replaces the statements to compare with."""
    proof = Proof("secondary_frequency", "The second harmonic with a secondary frequency and a bias", stored)
    _waveform(proof)
    _two_roots(proof, Symbol("g", positive=True))
    _two_roots(proof, Symbol("g", negative=True))
    _always_on(proof)
    _special(proof)
    _general(proof)
    _logits(proof)
    return proof.finish()


def _locked(g: Expr, bias: Expr = kappa, cosine: Expr = C) -> Expr:
    return 2 * cosine * cos(t) - 2 * g * cos(2 * t) + bias


def _waveform(proof: Proof) -> None:
    sigma = Symbol("sigma", nonnegative=True)
    left = cos(t + delta) + cos(t - delta) - sigma * (cos(2 * (t + delta)) + cos(2 * (t - delta))) + kappa
    right = 2 * cos(delta) * cos(t) - 2 * (sigma * cos(2 * delta)) * cos(2 * t) + kappa
    proof.equal("Sum to product at both frequencies", left, right)
    proof.conclude("secondary_frequency.waveform", left, right)
    g = Symbol("g", real=True)
    integrand = ReLU(_locked(g)) * sin(2 * t)
    proof.odd("The waveform is even, the sine is odd", integrand, turn)
    proof.conclude("secondary_frequency.no_sine", Integral(integrand, turn) / (2 * pi), S.Zero)


def _primitive(g: Expr, angle: Expr, cosine: Expr = C, bias: Expr = kappa) -> Expr:
    return cosine * (sin(angle) + sin(3 * angle) / 3) - g * (angle + sin(4 * angle) / 4) + bias * sin(2 * angle) / 2


def _factor(root: Expr) -> Expr:
    """Return ``cos t - root`` as sines and numbers of visible sign."""
    if isinstance(root, cos):
        angle = root.args[0]
        return -2 * sin((t + angle) / 2) * sin((t - angle) / 2)
    if root.subs(dict.fromkeys(root.free_symbols, 0)) == 1:
        return -(2 * sin(t / 2) ** 2 + (root - 1))
    return 2 * cos(t / 2) ** 2 - (root + 1)


def _two_roots(proof: Proof, g: Symbol) -> None:
    convex = bool(g.is_negative)
    larger, smaller = symbols("U V", real=True)
    places = Places(larger=larger, smaller=smaller)
    sign, rest = (-1, -g) if convex else (1, S.Zero)

    def value(first: Expr, last: Expr, cosine: Expr, bias: Expr) -> Expr:
        return (_primitive(g, last, cosine, bias) - _primitive(g, first, cosine, bias)) / pi * sign + rest

    def parameters(one: Expr, other: Expr) -> tuple[Expr, Expr]:
        return 2 * g * (one + other), -2 * g - 4 * g * one * other

    for label, values in places.cases:
        one, other = values[larger], values[smaller]
        cosine, bias = parameters(one, other)
        shape = _locked(g, bias, cosine)
        proof.equal(
            f"Roots {label}: the waveform in terms of them", shape, -4 * g * (cos(t) - one) * (cos(t) - other)
        )
        here = ReLU(shape) * cos(2 * t)
        angles = [_angle(number, places) for number in (one, other)]
        points = (S.Zero, *(angle for angle in angles if angle not in (0, pi)), pi)
        factors = {shape: [-4 * g, _factor(one), _factor(other)]}
        proof.even("The waveform is even", here, turn)
        half = pi * value(*angles, cosine, bias)
        proof.integral_by_pieces("Half a turn", here, t, points, half, factors=factors, assuming=places.within)
    cosine, bias = parameters(larger, smaller)
    whole = Integral(ReLU(_locked(g, bias, cosine)) * cos(2 * t), turn)
    general = value(_clipped(larger), _clipped(smaller), cosine, bias)
    text = "Whatever the roots U >= V, the arc runs between their clipped angles"
    proof.by_cases(text, whole / (2 * pi), general, places)
    _put_roots(proof, g, (larger, smaller), whole)


def _put_roots(proof: Proof, g: Symbol, roots: tuple[Symbol, Symbol], whole: Expr) -> None:
    """Put the roots of the quadratic in, whatever C and kappa are, and conclude."""
    convex = bool(g.is_negative)
    root = sqrt(C**2 + 4 * g * (2 * g + kappa))
    conditions = (Ge(C**2 + 4 * g * (2 * g + kappa), 0),)
    plus, minus = (C + root) / (4 * g), (C - root) / (4 * g)
    u = Symbol("u", real=True)
    proof.equal(
        f"With u = cos t the waveform is a quadratic with these roots (g {'<' if convex else '>'} 0)",
        2 * C * u - 2 * g * (2 * u**2 - 1) + kappa,
        -4 * g * (u - plus) * (u - minus),
    )
    larger, smaller = (minus, plus) if convex else (plus, minus)
    proof.say("The larger root has the smaller angle; for g < 0 it is the one with minus", larger)
    values = dict(zip(roots, (larger, smaller), strict=True))
    proof.instance("Put the roots in", values, of=whole / (2 * pi), assuming=conditions)
    waveform = _locked(g)
    (rectified,) = whole.subs(values, simultaneous=True).atoms(ReLU)
    mean = Integral(ReLU(waveform) * cos(2 * t), turn) / (2 * pi)
    text = "The waveform with these roots is the one with C and kappa"
    proof.rewritten(text, mean, {waveform: rectified.args[0]}, assuming=conditions)
    sign, rest = (-1, -g) if convex else (1, S.Zero)
    right = (_primitive(g, tau_2) - _primitive(g, tau_1)) / pi * sign + rest
    first, last = (u_2, u_1) if convex else (u_1, u_2)
    where = {u_1: plus, u_2: minus, tau_1: _clipped(first), tau_2: _clipped(last)}
    name = "secondary_frequency.convex" if convex else "secondary_frequency"
    proof.conclude(name, mean, right, conditions=conditions, where=where)


def _clipped(number: Expr) -> Expr:
    return acos(Max(-1, Min(1, number)))


def _angle(number: Expr, places: Places) -> Expr:
    """Return the angle of a number in one of the places: clipped to [-1, 1], the arc cosine."""
    if isinstance(number, cos):
        return number.args[0]
    return S.Zero if number.subs(dict.fromkeys(places.fresh, 0)) == 1 else pi


def _always_on(proof: Proof) -> None:
    g = Symbol("g", negative=True)
    integrand = ReLU(_locked(g)) * cos(2 * t)
    condition = Le(C**2 + 4 * g * (2 * g + kappa), 0)
    missing = C**2 + 4 * g * (2 * g + kappa)
    square = -4 * g * (cos(t) - C / (4 * g)) ** 2
    proof.equal("Complete the square", _locked(g), square + missing / (4 * g))
    proof.active(
        "Both terms are not negative: the ReLU does nothing", integrand, turn, (square, missing / (4 * g)), condition
    )
    proof.integral("So it is the waveform's own second harmonic", _locked(g) * cos(2 * t), turn, -2 * pi * g)
    left = Integral(integrand, turn) / (2 * pi)
    proof.conclude("secondary_frequency.always_on", left, -g, conditions=(condition,))


def _special(proof: Proof) -> None:
    r = Symbol("r", positive=True)
    general = ReLU(2 * C * cos(t) - 2 * C * cos(tau_1)) * cos(2 * t)
    order = (Ge(tau_1, 0), Le(tau_1, pi))
    points = (-pi, -tau_1, tau_1, pi)
    cube = 4 * r * sin(tau_1) ** 3 / 3
    for sign in (1, -1):
        shape = sign * 2 * r * cos(t) - sign * 2 * r * cos(tau_1)
        factors = {shape: [sign * 2 * r, -2 * sin((t + tau_1) / 2), sin((t - tau_1) / 2)]}
        integrand = ReLU(shape) * cos(2 * t)
        text = f"C = {'' if sign > 0 else '-'}r with r > 0: one arc, to the one or the other side of tau_1"
        proof.integral_by_pieces(text, integrand, t, points, cube, factors=factors, assuming=order)
    right = 2 * Modulus(C) / (3 * pi) * sin(tau_1) ** 3
    left = Integral(general, turn) / (2 * pi)
    proof.by_sign("C is positive, negative or 0", left, right, C, r, assuming=order)
    proof.conclude("secondary_frequency.no_second", left, right, conditions=order)

    plain = ReLU(2 * C * cos(t)) * cos(2 * t)
    for sign in (1, -1):
        integrand = ReLU(2 * sign * r * cos(t)) * cos(2 * t)
        proof.integral_by_pieces(f"C = {'' if sign > 0 else '-'}r", integrand, t, (-pi, -pi / 2, pi / 2, pi), 4 * r / 3)
    proof.by_sign("C is positive, 0 or negative", Integral(plain, turn), 4 * Modulus(C) / 3, C, r)
    proof.conclude("secondary_frequency.pizza_limit", Integral(plain, turn) / (2 * pi), 2 * Modulus(C) / (3 * pi))

    sigma = Symbol("sigma", nonnegative=True)
    waveform = 2 * cos(delta) * cos(t) - 2 * sigma * cos(2 * delta) * cos(2 * t) + kappa
    at_spot = waveform.subs(delta, pi / 2)
    condition = Ge(kappa, 2 * sigma)
    proof.equal(
        "At delta = pi/2 only the secondary wave and the bias are left", at_spot, 2 * sigma * cos(2 * t) + kappa
    )
    proof.equal("Both terms are not negative", at_spot, 4 * sigma * cos(t) ** 2 + (kappa - 2 * sigma))
    parts = (4 * sigma * cos(t) ** 2, kappa - 2 * sigma)
    proof.active("So the ReLU does nothing", ReLU(at_spot) * cos(2 * t), turn, parts, condition)
    proof.integral("And the second harmonic is the wave's", at_spot * cos(2 * t), turn, 2 * pi * sigma)
    left = Integral(ReLU(waveform) * cos(2 * t), turn) / (2 * pi)
    proof.conclude("secondary_frequency.blind_spot", left, sigma, conditions=(condition,), where={delta: pi / 2})


def _general(proof: Proof) -> None:
    p1, p2, q1, q2, alpha, beta, m = symbols("p' p'' q' q'' alpha beta m", real=True)
    first, other = p1 + I * p2, q1 + I * q2
    conjugates = p1 - I * p2, q1 - I * q2
    waveform = Re(first * exp(I * theta) + other * exp(2 * I * theta)) + kappa
    left = 2 * exp(2 * I * theta) * waveform
    right = (
        other * exp(4 * I * theta)
        + first * exp(3 * I * theta)
        + 2 * kappa * exp(2 * I * theta)
        + conjugates[0] * exp(I * theta)
        + conjugates[1]
    )
    proof.equal("Twice a real part is a number and its conjugate", left, right)
    proof.conclude("secondary_frequency.quartic", left, right)

    def primitive(angle: Expr, harmonic: Expr) -> Expr:
        total = I * kappa * exp(-I * harmonic * angle) / harmonic
        for order, number, conjugate in ((1, first, conjugates[0]), (2, other, conjugates[1])):
            if harmonic == order:
                total += number * angle / 2
            else:
                total -= I * number * exp(I * (order - harmonic) * angle) / (2 * (order - harmonic))
            total += I * conjugate * exp(-I * (order + harmonic) * angle) / (2 * (order + harmonic))
        return total

    for name, harmonic in (("arc", m), ("arc_second", S(2))):
        integrand = waveform * exp(-I * harmonic * theta)
        value = primitive(beta, harmonic) - primitive(alpha, harmonic)
        rates = (m, 1 - m, 1 + m, 2 - m, 2 + m) if harmonic == m else ()
        proof.integral("Wave by wave", integrand, (theta, alpha, beta), value, nonzero=rates)
        conditions = tuple(Ne(m, number) for number in (0, 1, -1, 2, -2)) if rates else ()
        proof.conclude(
            f"secondary_frequency.{name}", Integral(integrand, (theta, alpha, beta)), value, conditions=conditions
        )
    _between_zeros(proof)


def _between_zeros(proof: Proof) -> None:
    a1, a2, a3, a4, rho, eta = symbols("alpha_1 alpha_2 alpha_3 alpha_4 rho eta", real=True)
    wave = exp(-2 * I * theta)
    whole = (theta, a1, a1 + 2 * pi)
    sines = [sin((theta - angle) / 2) for angle in (a1, a2, a3, a4)]
    four = sines[0] * sines[1] * sines[2] * sines[3]
    ordered = (Le(a1, a2), Le(a2, a3), Le(a3, a4), Le(a4, a1 + 2 * pi))
    points = (a1, a2, a3, a4, a1 + 2 * pi)
    right = proof.pieces("Every zero passed changes one sign", ReLU(four) * wave, theta, points, assuming=ordered)
    proof.conclude("secondary_frequency.four_zeros", Integral(ReLU(four) * wave, whole), right, conditions=ordered)

    shape = -sines[0] * sines[1] * (1 + rho * cos(theta - eta))
    limits = (Le(a1, a2), Le(a2, a1 + 2 * pi), Le(-1, rho), Le(rho, 1))
    half = (theta - eta) / 2
    proof.equal(
        "The other factor is not negative",
        1 + rho * cos(theta - eta),
        (1 + rho) * cos(half) ** 2 + (1 - rho) * sin(half) ** 2,
    )
    steady = (1 + rho) * cos(half) ** 2 + (1 - rho) * sin(half) ** 2
    factors = {shape: [-sines[0], sines[1], steady]}
    points = (a1, a2, a1 + 2 * pi)
    right = proof.pieces(
        "Positive between the zeros", ReLU(shape) * wave, theta, points, factors=factors, assuming=limits
    )
    proof.conclude("secondary_frequency.two_zeros", Integral(ReLU(shape) * wave, whole), right, conditions=limits)


def _logits(proof: Proof) -> None:
    b, c, k, omega, phi, W, beta, gamma = symbols("b c k omega phi W beta gamma", real=True)
    p1, p2, q1, q2 = symbols("p' p'' q' q''", real=True)

    def curve(angle: Expr) -> Expr:
        return Re((p1 + I * p2) * exp(I * angle) + (q1 + I * q2) * exp(2 * I * angle)) + kappa

    circle = (phi, -pi, pi)
    whole = ReLU(curve(beta + phi)) * cos(2 * phi + gamma)
    after = proof.periodic("Shift the phase by beta: the waveform has period 2 pi", whole, circle, shift=-beta)
    (rectified,) = after.atoms(ReLU)
    tidy = {rectified.args[0]: curve(phi)}
    proof.rewritten("The waveform, written as before", Integral(after, circle), tidy)
    alpha = gamma - 2 * beta
    products = [(cos(alpha), ReLU(curve(phi)) * cos(2 * phi)), (-sin(alpha), ReLU(curve(phi)) * sin(2 * phi))]
    text = "The output wave is cos(alpha + 2 phi), with alpha = gamma - 2 beta"
    proof.linear(text, Integral(after.xreplace(tidy), circle), products)
    angles = {beta: omega * k * b, gamma: omega * k * c}
    h_even, h_odd = symbols("h' h''", real=True)
    even, odd = (Integral(ReLU(curve(t)) * wave(2 * t), (t, -pi, pi)) / (2 * pi) for wave in (cos, sin))
    left, right = W / (2 * pi) * Integral(whole, circle), W * Re(exp(I * alpha) * (h_even - I * h_odd))
    proof.conclude("secondary_frequency.logits", left, right, where={**angles, h_even: even, h_odd: -odd})


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
