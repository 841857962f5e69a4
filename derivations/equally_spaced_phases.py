"""Equally spaced phases: the harmonics they annihilate, the rule in closed form, its aliases, and the rate n^-2.

Run ``python derivations/equally_spaced_phases.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Ge, I, Integral, Le, Ne, Rational, S, Sum, Symbol, cos, exp, factor, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.series import Aliases
from quadlens.identities.statement import Statement

x, y, t, v, phi = symbols("x y t v phi", real=True)
n, N, L = symbols("n N L", integer=True, positive=True)
j, m, order = symbols("j m l", integer=True)
phase = phi + 2 * pi * j / n
steps = (j, 0, n - 1)
node = -pi / 2 + pi / (2 * N) + v + pi * j / N
even = pi / N * Sum(ReLU(cos(node)) * cos(2 * node + t), (j, 0, 2 * N - 1))
z = Symbol("z", real=True)
d, end = symbols("d K", integer=True, nonnegative=True)
LARGE = (Ge(n, 6),)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``equally_spaced_phases``; ``stored`` replaces the statements to compare with."""
    proof = Proof("equally_spaced_phases", "Equally spaced phases as a quadrature rule", stored)
    _harmonics(proof)
    _closed_form(proof)
    _sharp(proof)
    _odd_aliases(proof)
    _aliases(proof)
    return proof.finish()


def _progression(proof: Proof, start: Symbol, step: Symbol) -> None:
    """Sum cosines of an arithmetic progression: multiply by 2 sin(step/2) and telescope."""
    end = Symbol("K", integer=True)
    term = cos(start + step * j)
    closed = (sin(start + step * (end + Rational(1, 2))) - sin(start - step / 2)) / (2 * sin(step / 2))
    proof.equal(
        "A cosine times 2 sin of half the step is a difference of sines",
        2 * sin(step / 2) * cos(start + step * j),
        sin(start + step * (j + Rational(1, 2))) - sin(start + step * (j - Rational(1, 2))),
    )
    proof.induction("So a progression of cosines telescopes, where sin(step/2) is not 0", term, (j, 0, end), closed)


def _harmonics(proof: Proof) -> None:
    start, step, end = Symbol("alpha", real=True), Symbol("beta", real=True), Symbol("K", integer=True)
    _progression(proof, start, step)
    total = Sum(cos(start + step * j), (j, 0, end))
    term = cos(m * phase + y)
    proof.say(
        "For 1 <= m <= n - 1 the half step pi m / n lies strictly between 0 and pi: its sine is not 0", pi * m / n
    )
    values = {start: m * phi + y, step: 2 * pi * m / n, end: n - 1}
    proof.instance("The phases are such a progression", values, of=total)
    proof.rewritten("Its terms", Sum(term, steps), {term: cos(m * phi + y + 2 * pi * m / n * j)})
    proof.equal("The last sine is the first one, m whole turns later", proof.known(Sum(term, steps)), S.Zero)
    proof.conclude("equally_spaced_phases.exact", Sum(term, steps), S.Zero, conditions=(Ge(m, 1), Le(m, n - 1)))

    multiple = cos(order * n * phase + y)
    proof.equal("At m = l n every term is the same: j l whole turns", multiple, cos(order * n * phi + y))
    proof.rewritten("So there are n equal terms", Sum(multiple, steps), {multiple: cos(order * n * phi + y)})
    proof.linear_sum("Their sum", Sum(cos(order * n * phi + y), steps))
    proof.conclude("equally_spaced_phases.alias", Sum(multiple, steps), n * cos(order * n * phi + y))


def _closed_form(proof: Proof) -> None:
    start, step, end = Symbol("alpha", real=True), Symbol("beta", real=True), Symbol("K", integer=True)
    total = Sum(cos(start + step * j), (j, 0, end))
    offset = (Le(-pi / (2 * N), v), Le(v, pi / (2 * N)))
    term = ReLU(cos(node)) * cos(2 * node + t)
    proof.sign("The first N nodes lie between the kinks", cos(node), (j, 0, N - 1), assuming=offset)
    proof.sign("The other N nodes do not", cos(node), (j, N, 2 * N - 1), assuming=offset)
    proof.halves("So the sum has the first N terms only", term, cos(node), (j, 0, N, 2 * N - 1), assuming=offset)
    product = cos(node) * cos(2 * node + t)
    first, third = node + t, 3 * node + t
    proof.equal("Product to sum", product, cos(first) / 2 + cos(third) / 2)
    half = (j, 0, N - 1)
    proof.rewritten("In the sum", Sum(product, half), {product: cos(first) / 2 + cos(third) / 2})
    proof.linear_sum("Two progressions", Sum(cos(first) / 2 + cos(third) / 2, half))
    for multiple, angle in ((1, first), (3, third)):
        begin, width = angle.subs(j, 0), multiple * pi / N
        proof.instance(f"The progression of step {width}", {start: begin, step: width, end: N - 1}, of=total)
        proof.rewritten("Its terms", Sum(cos(angle), half), {cos(angle): cos(begin + width * j)})
    proof.say("For N >= 2 both half steps lie strictly between 0 and pi: no sine is 0", sin(3 * pi / (2 * N)))
    right = pi / (2 * N) * (cos(t + v) / sin(pi / (2 * N)) - cos(t + 3 * v) / sin(3 * pi / (2 * N)))
    conditions = (Ge(N, 2), *offset)
    proof.conclude("equally_spaced_phases", even, right, conditions=conditions)


def _target(angle: Expr) -> Expr:
    return ReLU(cos(angle + x)) * cos(2 * angle + y)


def _coefficient(harmonic: Expr) -> Expr:
    return cos(pi * harmonic / 2) / (pi * (1 - harmonic**2))


def _sizes(proof: Proof) -> None:
    rest, z = Symbol("r", nonnegative=True), Symbol("z", real=True)
    q = Symbol("q", positive=True)
    proof.at_most("A cosine is at most 1 in modulus", cos(z) ** 2, S.One, sin(z) ** 2)
    proof.modulus_at_most("So is its modulus", cos(z), S.One)
    least = pi * Rational(5, 12) * (6 + rest) ** 2
    for name, shift in (("size", -2), ("size_below", 2)):
        harmonic = 6 + rest + shift
        numerator, denominator = cos(pi * harmonic / 2), pi * (harmonic**2 - 1)
        proof.instance("The numerator", {z: pi * harmonic / 2}, of=Modulus(cos(z)))
        spare = {-2: 3 * rest + Rational(7, 12) * rest**2, 2: 48 + 11 * rest + Rational(7, 12) * rest**2}[shift]
        proof.at_most("The denominator is at least 5/12 q^2 pi, with q = 6 + r", least, denominator, pi * spare)
        proof.fraction("So their quotient is at most", (numerator, S.One), (denominator, least))
        coefficient = Modulus(_coefficient(harmonic))
        proof.opposite("The sign of the coefficient does not matter", coefficient, Modulus(numerator / denominator))
        bound = 12 / (5 * pi * q**2)
        proof.conclude(
            f"equally_spaced_phases.{name}",
            Modulus(_coefficient(q + shift)),
            bound,
            relation="<=",
            where={q: 6 + rest},
        )


def _inverse_squares(proof: Proof, first: Expr, times: int, scale: Expr) -> None:
    """Bound the partial sums of ``scale / l^2`` from ``first`` on; ``times`` is 1 or 2."""
    limits = (d, 0, end)
    start = first - 1 if times == 1 else first
    term = scale / (first + d) ** 2
    telescoped = times * scale * (1 / (start + d) - 1 / (start + 1 + d))
    proof.at_most(
        f"1/l^2 is at most {times} times the difference of two neighbouring 1/l",
        term,
        telescoped,
        factor(telescoped - term),
    )
    proof.summed_bound("So do the sums", term, telescoped, limits)
    closed = times * scale * (1 / start - 1 / (start + 1 + end))
    proof.induction("Which telescope", telescoped, limits, closed)
    whole = times * scale / start
    proof.at_most("And what is left is less", closed, whole, times * scale / (start + 1 + end))
    proof.chain("So every partial sum is bounded", Sum(term, limits), Sum(telescoped, limits), closed, whole)


def _order_of_target(proof: Proof) -> None:
    """Establish the harmonic of h(z) = ReLU(cos(z + x)) cos(2z + y) at an integer order."""
    wave = _target(z) * exp(-I * m * z)
    moved = proof.periodic("Shift by x: a whole turn is a period at an integer order m", wave, (z, -pi, pi), shift=-x)
    value, rates = 2 * pi * _at_order(m), (m - 3, m - 1, m + 1, m + 3)
    text = "The second harmonic moves the order m to m - 2 and m + 2"
    proof.integral_by_pieces(text, moved, z, (-pi, -pi / 2, pi / 2, pi), value, nonzero=rates)
    whole = Integral(wave, (z, -pi, pi))
    proof.rewritten("So that is the harmonic of order m", whole, {whole: value})


def _at_order(harmonic: Expr) -> Expr:
    """Return the harmonic of h(z) = ReLU(cos(z + x)) cos(2z + y) at an order."""
    above, below = harmonic + 2, harmonic - 2
    return (
        exp(I * (above * x - y)) * _coefficient(above) / 2 + exp(I * (below * x + y)) * _coefficient(below) / 2
    )


def _alias(number: Expr) -> Expr:
    harmonic = number * n - 2
    return _coefficient(harmonic) * cos(number * n * phi + harmonic * x + y)


def _one_alias(proof: Proof, number: Expr) -> Expr:
    """Show that what the orders of l and -l add is at most 48/(5 l^2 n^2); return that bound."""
    r, u, v = Symbol("r", nonnegative=True), *symbols("u v", real=True)
    bound = 12 / (5 * pi * (number * n) ** 2)
    sizes = []
    for shift, alias in ((-2, _alias(number)), (2, _alias(-number))):
        small = Modulus(_coefficient(6 + r + shift))
        values = {r: number * n - 6}
        proof.bound_with("A coefficient, with q = l n", small, 12 / (5 * pi * (6 + r) ** 2), values, assuming=LARGE)
        sign = 1 if shift < 0 else -1
        angle = sign * number * n * phi + (sign * number * n - 2) * x + y
        wave = 2 * pi * cos(angle)
        proof.at_most("A wave is at most its amplitude", wave**2, (2 * pi) ** 2, (2 * pi) ** 2 * sin(angle) ** 2)
        proof.modulus_at_most("So in modulus", wave, 2 * pi)
        coefficient = _coefficient(number * n + shift)
        proof.multiplied("One alias", (coefficient, bound), (wave, 2 * pi), assuming=LARGE)
        proof.equal("That is it", coefficient * wave, 2 * pi * alias)
        sizes.append((coefficient * wave, 2 * pi * bound))
    (one, first), (other, second) = sizes
    proof.at_most_by_cases("The modulus of a sum", Modulus(u + v), Modulus(u) + Modulus(v))
    proof.instance("Of the two aliases", {u: one, v: other}, of=Modulus(u + v), assuming=LARGE)
    total = first + second
    parts = [(Modulus(one + other), Modulus(one) + Modulus(other)), (Modulus(one), first), (Modulus(other), second)]
    proof.added("Both together", Modulus(one + other), total, parts, assuming=LARGE)
    return total


def _aliases(proof: Proof) -> None:
    _sizes(proof)
    _order_of_target(proof)
    target = Rational(2, 3) * cos(y - 2 * x)
    for name, kept, times, bound in (
        ("aliasing", L, 1, 48 / (5 * n**2 * L)),
        ("rate", S.Zero, 2, Rational(96, 5) / n**2),
    ):
        first = kept + 1
        scale = Rational(48, 5) / n**2
        term = scale / (first + d) ** 2
        _inverse_squares(proof, first, times, scale)
        size = _one_alias(proof, first + d)
        proof.equal("Both aliases of a number l, from the size of one", size, term)
        series = Aliases(
            function=_target(z),
            variable=z,
            order=m,
            nodes=n,
            phase=phi,
            index=(order, j),
            constant=target,
            term=2 * pi * (_alias(order) + _alias(-order)),
            scale=2 * pi,
            kept=kept,
        )
        error = Modulus(series.remainder)
        text = "Of the series of h the nodes keep the orders l n; beyond those written they add up to at most the bound"
        proof.series_remainder(text, error, term, (d, 0, end), bound, theorem=series, assuming=LARGE)
        proof.conclude(f"equally_spaced_phases.{name}", error, bound, relation="<=", conditions=LARGE)


def _sharp(proof: Proof) -> None:
    half = pi / (2 * N)
    proof.instance("At the largest offset, v = pi/2N, and t = 0", {v: half, t: S.Zero}, of=even, assuming=(Ge(N, 2),))
    left = even.subs({v: half, t: S.Zero}, simultaneous=True) - Rational(2, 3)
    relative = 3 * pi / (4 * N) * (cos(half) / sin(half) - cos(3 * half) / sin(3 * half)) - 1
    right = Rational(2, 3) * relative
    proof.conclude("equally_spaced_phases.sharp", left, right, conditions=(Ge(N, 2),))


def _odd_aliases(proof: Proof) -> None:
    odd = (2 * order + 1) * (2 * L + 1) - 2
    wave, points = ReLU(cos(t)) * cos(odd * t), (-pi, -pi / 2, pi / 2, pi)
    text = "The harmonic of an odd order other than 1 and -1 is 0"
    proof.integral_by_pieces(text, wave, t, points, S.Zero, nonzero=(odd - 1, odd + 1))
    others = (Ne(odd, 1), Ne(odd, -1))
    proof.conclude("equally_spaced_phases.odd", Integral(wave, (t, -pi, pi)), S.Zero, conditions=others)


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
