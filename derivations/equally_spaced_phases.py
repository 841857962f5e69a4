"""Equally spaced phases: the harmonics they annihilate, the rule in closed form, its aliases, and the rate n^-2.

Run ``python derivations/equally_spaced_phases.py`` to read the steps.
"""

from collections.abc import Iterable

from sympy import Expr, Ge, Le, Rational, S, Sum, Symbol, cos, factor, pi, sin, symbols

from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.proof import Derivation, Proof
from quadlens.identities.statement import Statement

x, y, t, v, phi = symbols("x y t v phi", real=True)
n, N, L = symbols("n N L", integer=True, positive=True)
j, m, order = symbols("j m l", integer=True)
phase = phi + 2 * pi * j / n
steps = (j, 0, n - 1)


def derive(stored: Iterable[Statement] | None = None) -> Derivation:
    """Prove the family ``equally_spaced_phases``; ``stored`` replaces the statements to compare with."""
    proof = Proof("equally_spaced_phases", "Equally spaced phases as a quadrature rule", stored)
    _harmonics(proof)
    _closed_form(proof)
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
    node = -pi / 2 + pi / (2 * N) + v + pi * j / N
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
    proof.say("N >= 2 keeps sin(pi/2N) and sin(3 pi/2N) away from 0", sin(3 * pi / (2 * N)))
    left = pi / N * Sum(term, (j, 0, 2 * N - 1))
    right = pi / (2 * N) * (cos(t + v) / sin(pi / (2 * N)) - cos(t + 3 * v) / sin(3 * pi / (2 * N)))
    conditions = (Ge(N, 2), *offset)
    proof.conclude("equally_spaced_phases", left, right, conditions=conditions)


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


def _inverse_squares(proof: Proof, scale: Expr) -> tuple[Expr, Expr, tuple[Symbol, int, Symbol]]:
    """Bound the partial sums of ``scale / l^2`` from L + 1 on and from 1 on; return both terms and their range."""
    d, end = Symbol("d", integer=True, nonnegative=True), Symbol("K", integer=True, nonnegative=True)
    limits = (d, 0, end)
    sums = []
    for first, times, text in (
        (L + 1, 1, "For l = L + 1 + d, 1/l^2 is at most 1/(l - 1) - 1/l"),
        (S.One, 2, "For l = 1 + d, 1/l^2 is at most 2 (1/l - 1/(l + 1))"),
    ):
        start = first - 1 if times == 1 else first
        term = scale / (first + d) ** 2
        telescoped = times * scale * (1 / (start + d) - 1 / (start + 1 + d))
        proof.at_most(text, term, telescoped, factor(telescoped - term))
        proof.summed_bound("So do the sums", term, telescoped, limits)
        closed = times * scale * (1 / start - 1 / (start + 1 + end))
        proof.induction("Which telescope", telescoped, limits, closed)
        proof.at_most("And what is left is less", closed, times * scale / start, times * scale / (start + 1 + end))
        whole = times * scale / start
        proof.chain("So every partial sum is bounded", Sum(term, limits), Sum(telescoped, limits), closed, whole)
        sums.append(term)
    return sums[0], sums[1], limits


def _aliases(proof: Proof) -> None:
    _sizes(proof)
    beyond, all_of_them, limits = _inverse_squares(proof, 48 / (5 * n**2))
    proof.lemma("rectified_cosine.series")
    rule = 2 * pi / n * Sum(ReLU(cos(phase + x)) * cos(2 * phase + y), steps)
    target = Rational(2, 3) * cos(y - 2 * x)
    proof.equal("The order -2 gives the target", 2 * pi * _coefficient(S(-2)) * cos(y - 2 * x), target)

    def alias(number: Expr) -> Expr:
        harmonic = number * n - 2
        return _coefficient(harmonic) * cos(number * n * phi + harmonic * x + y)

    z = Symbol("z", real=True)
    size = 12 / (5 * pi * order**2 * n**2)
    proof.equal("An alias of either side, twice 2 pi", 2 * pi * 2 * size * order**2, 48 / (5 * n**2))
    proof.equal(
        "An order m meets the second harmonic in m + 2",
        cos(m * z) * cos(2 * z),
        cos((m + 2) * z) / 2 + cos((m - 2) * z) / 2,
    )
    large = (Ge(n, 6),)
    aliased = 2 * pi * Sum(alias(order) + alias(-order), (order, 1, L))
    error = Modulus(rule - target - aliased)
    why = "a uniformly convergent series may be summed over finitely many nodes term by term"
    proof.series_remainder(
        "Of the series of ReLU(cos) the nodes keep the orders l n - 2 only (l = 0: the target); beyond L they add up "
        "to at most 48/(5 n^2) times the sum of 1/l^2",
        error,
        beyond,
        limits,
        48 / (5 * n**2 * L),
        theorem=why,
        assuming=large,
    )
    proof.conclude("equally_spaced_phases.aliasing", error, 48 / (5 * n**2 * L), relation="<=", conditions=large)
    proof.series_remainder(
        "All aliases together are at most 48/(5 n^2) times 2",
        Modulus(rule - target),
        all_of_them,
        limits,
        Rational(96, 5) / n**2,
        theorem=why,
        assuming=large,
    )
    proof.conclude(
        "equally_spaced_phases.rate", Modulus(rule - target), Rational(96, 5) / n**2, relation="<=", conditions=large
    )


if __name__ == "__main__":
    from quadlens.identities.printing import run_script

    raise SystemExit(run_script(derive))
