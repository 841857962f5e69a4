"""The second harmonic with a secondary frequency and a bias: closed forms when locked, finite sums in general."""

from sympy import Expr, Ge, I, Integral, Le, Max, Min, Ne, S, Symbol, acos, cos, exp, pi, sin, sqrt, symbols

from quadlens.identities.functions import Modulus, Re, ReLU
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import W, angles, b, beta, c, gamma, k, omega, phi, reals, residues, t, theta

SOURCE = "derived here"
circle = (t, -pi, pi)
C, kappa = symbols("C kappa", real=True)
g, sigma = Symbol("g", real=True), Symbol("sigma", nonnegative=True)
half = Symbol("delta", real=True)
low, high, upper, lower = symbols("tau_1 tau_2 u_1 u_2", real=True)
second = Symbol(r"\hat{h}_2")


def waveform(cosine: Expr, secondary: Expr, bias: Expr) -> Expr:
    """Return ``2 C cos t - 2 g cos 2t + kappa``."""
    return 2 * cosine * cos(t) - 2 * secondary * cos(2 * t) + bias


def antiderivative(angle: Expr) -> Expr:
    """Return the antiderivative of the waveform times cos 2t."""
    return C * (sin(angle) + sin(3 * angle) / 3) - g * (angle + sin(4 * angle) / 4) + kappa * sin(2 * angle) / 2


def mean(integrand: Expr) -> Expr:
    """Return the mean over a turn of t."""
    return Integral(integrand, circle) / (2 * pi)


def clipped(value: Expr) -> Expr:
    """Return the angle in [0, pi] whose cosine is the value, clipped to [-1, 1]."""
    return acos(Max(-1, Min(1, value)))


roots = (
    (upper, (C + sqrt(C**2 + 4 * g * (2 * g + kappa))) / (4 * g)),
    (lower, (C - sqrt(C**2 + 4 * g * (2 * g + kappa))) / (4 * g)),
)
locked = mean(ReLU(waveform(C, g, kappa)) * cos(2 * t))
positive, negative = Symbol("g", positive=True), Symbol("g", negative=True)


def with_sign(side: Expr, sign: Symbol) -> Expr:
    """Return ``side`` for g of one sign."""
    return side.subs(g, sign)


a1, a2, a3, a4 = symbols("alpha_1 alpha_2 alpha_3 alpha_4", real=True)
c0, p1, p2, q1, q2 = symbols("kappa p' p'' q' q''", real=True)
first, other = p1 + I * p2, q1 + I * q2
general = Re(first * exp(I * theta) + other * exp(2 * I * theta)) + c0
factored = sin((theta - a1) / 2) * sin((theta - a2) / 2)
four = factored * sin((theta - a3) / 2) * sin((theta - a4) / 2)
turn = (theta, a1, a1 + 2 * pi)
rho, eta = Symbol("rho", real=True), Symbol("eta", real=True)
wave = exp(-2 * I * theta)
order = Symbol("m", real=True)
left_end, right_end = symbols("alpha beta", real=True)


def arc(angle: Expr, harmonic: Expr) -> Expr:
    """Return the antiderivative of the general waveform times e^{-im theta}, at a general order."""
    return (
        I * c0 * exp(-I * harmonic * angle) / harmonic
        - I * first * exp(I * (1 - harmonic) * angle) / (2 * (1 - harmonic))
        + I * (p1 - I * p2) * exp(-I * (1 + harmonic) * angle) / (2 * (1 + harmonic))
        - I * other * exp(I * (2 - harmonic) * angle) / (2 * (2 - harmonic))
        + I * (q1 - I * q2) * exp(-I * (2 + harmonic) * angle) / (2 * (2 + harmonic))
    )


def arc_two(angle: Expr) -> Expr:
    """Return the antiderivative of the general waveform times e^{-2 i theta}."""
    return (
        I * c0 * exp(-2 * I * angle) / 2
        + I * first * exp(-I * angle) / 2
        + I * (p1 - I * p2) * exp(-3 * I * angle) / 6
        + other * angle / 2
        + I * (q1 - I * q2) * exp(-4 * I * angle) / 8
    )


h_even, h_odd = symbols("h' h''", real=True)


def at(angle: Expr) -> Expr:
    """Return the general waveform at an angle."""
    return general.subs(theta, angle)


ordered = (Le(a1, a2), Le(a2, a3), Le(a3, a4), Le(a4, a1 + 2 * pi))
STATEMENTS = (
    Statement(
        name="secondary_frequency",
        title=(
            "Locked case, g = sigma cos 2 delta > 0 and C = cos delta: positive between two zeros, clipped to the "
            "circle."
        ),
        left=with_sign(locked, positive),
        right=with_sign((antiderivative(high) - antiderivative(low)) / pi, positive),
        variables=reals(C, kappa) + reals(positive, low=0.0625, high=1),
        where=(
            *((symbol, with_sign(value, positive)) for symbol, value in roots),
            (low, clipped(upper)),
            (high, clipped(lower)),
        ),
        conditions=(Ge(C**2 + 4 * positive * (2 * positive + kappa), 0),),
        defines=second,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.convex",
        title="With g < 0 and real zeros it is positive outside of them.",
        left=with_sign(locked, negative),
        right=with_sign(-g - (antiderivative(high) - antiderivative(low)) / pi, negative),
        variables=reals(C, kappa) + reals(negative, low=-1, high=-0.0625),
        where=(
            *((symbol, with_sign(value, negative)) for symbol, value in roots),
            (low, clipped(lower)),
            (high, clipped(upper)),
        ),
        conditions=(Ge(C**2 + 4 * negative * (2 * negative + kappa), 0),),
        defines=second,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.always_on",
        title=(
            "With g < 0 and no real zeros the ReLU is never inactive, and the second harmonic is that of the waveform."
        ),
        left=with_sign(locked, negative),
        right=-negative,
        variables=reals(C, low=-1, high=1) + reals(negative, low=-1, high=-0.0625) + reals(kappa, low=0, high=4),
        conditions=(Le(C**2 + 4 * negative * (2 * negative + kappa), 0),),
        defines=second,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.no_second",
        title="With g = 0 (delta = pi/4) a bias alone shortens the arc: the cube of a sine.",
        left=mean(ReLU(2 * C * cos(t) - 2 * C * cos(low)) * cos(2 * t)),
        right=2 * Modulus(C) / (3 * pi) * sin(low) ** 3,
        variables=reals(C) + reals(low, low=0, high=3.140625),
        conditions=(Ge(low, 0), Le(low, pi)),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.blind_spot",
        title="At the blind spot of the pizza (delta = pi/2), with kappa >= 2 sigma, the second harmonic is sigma.",
        left=mean(ReLU(2 * cos(half) * cos(t) - 2 * sigma * cos(2 * half) * cos(2 * t) + kappa) * cos(2 * t)),
        right=sigma,
        variables=reals(sigma, low=0, high=1) + reals(kappa, low=0, high=4),
        where=((half, pi / 2),),
        conditions=(Ge(kappa, 2 * sigma),),
        defines=second,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.pizza_limit",
        title="Without either it is the pizza factor.",
        left=mean(ReLU(2 * C * cos(t)) * cos(2 * t)),
        right=2 * Modulus(C) / (3 * pi),
        variables=reals(C),
        defines=second,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.waveform",
        title="The locked waveform in its own variables: theta_a and theta_b lie delta to either side of t.",
        left=cos(t + half) + cos(t - half) - sigma * (cos(2 * (t + half)) + cos(2 * (t - half))) + kappa,
        right=2 * cos(half) * cos(t) - 2 * (sigma * cos(2 * half)) * cos(2 * t) + kappa,
        variables=angles(t, half) + reals(sigma, low=0) + reals(kappa),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.no_sine",
        title="It is even in t: the second harmonic has no imaginary part.",
        left=mean(ReLU(waveform(C, g, kappa)) * sin(2 * t)),
        right=S.Zero,
        variables=reals(C, g, kappa),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.quartic",
        title=(
            "The waveform times 2 z^2, with z = e^{i theta}, is a quartic in z: its zeros are roots on the unit circle."
        ),
        left=2 * exp(2 * I * theta) * general,
        right=other * exp(4 * I * theta)
        + first * exp(3 * I * theta)
        + 2 * c0 * exp(2 * I * theta)
        + (p1 - I * p2) * exp(I * theta)
        + (q1 - I * q2),
        variables=angles(theta) + reals(c0, p1, p2, q1, q2),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.arc",
        title="One arc between two zeros, at every order m but 0, +-1, +-2.",
        left=Integral(general * exp(-I * order * theta), (theta, left_end, right_end)),
        right=arc(right_end, order) - arc(left_end, order),
        variables=angles(left_end, right_end) + reals(c0, p1, p2, q1, q2) + reals(order, low=3, high=6),
        conditions=tuple(Ne(order, number) for number in (0, 1, -1, 2, -2)),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.arc_second",
        title="One arc at the order 2.",
        left=Integral(general * wave, (theta, left_end, right_end)),
        right=arc_two(right_end) - arc_two(left_end),
        variables=angles(left_end, right_end) + reals(c0, p1, p2, q1, q2),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.four_zeros",
        title="A product of four sines, zeros in order: it is positive on every other arc.",
        left=Integral(ReLU(four) * wave, turn),
        right=Integral(four * wave, (theta, a2, a3)) + Integral(four * wave, (theta, a4, a1 + 2 * pi)),
        variables=angles(a1) + reals(a2, a3, a4, low=-4, high=6),
        conditions=ordered,
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.two_zeros",
        title="A product of two sines and a factor that is not negative: it is positive on one arc.",
        left=Integral(ReLU(-factored * (1 + rho * cos(theta - eta))) * wave, turn),
        right=Integral(-factored * (1 + rho * cos(theta - eta)) * wave, (theta, a1, a2)),
        variables=angles(a1, eta) + reals(a2, low=-4, high=6) + reals(rho, low=-1, high=1),
        conditions=(Le(a1, a2), Le(a2, a1 + 2 * pi), Le(-1, rho), Le(rho, 1)),
        source=SOURCE,
    ),
    Statement(
        name="secondary_frequency.logits",
        title=(
            "The refined logits of any H_d, a waveform of degree 2: the second harmonic h' + i h'' of ReLU(H_d), "
            "conjugated and turned by the phase of c - 2b; W times its real part."
        ),
        left=W / (2 * pi) * Integral(ReLU(at(beta + phi)) * cos(2 * phi + gamma), (phi, -pi, pi)),
        right=W * Re(exp(I * (gamma - 2 * beta)) * (h_even - I * h_odd)),
        variables=residues(b, c, k) + reals(W, low=0) + reals(c0, p1, p2, q1, q2),
        where=(
            (beta, omega * k * b),
            (gamma, omega * k * c),
            (h_even, mean(ReLU(at(t)) * cos(2 * t))),
            (h_odd, -mean(ReLU(at(t)) * sin(2 * t))),
        ),
        source=SOURCE,
    ),
)
