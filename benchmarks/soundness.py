"""``python -m benchmarks.soundness``: is any method ever more optimistic than the exact answer?

    python -m benchmarks.soundness                        20,000 circuits, two processes
    python -m benchmarks.soundness --circuits 500 --workers 1 -o soundness.json
    python -m benchmarks.soundness --mlp --circuits 2000  the MLP's distance from its integrals, against all logits

Every circuit is decided by ``exact`` (integers) and then by every other method; a class's margin bound above the true
margin, a class with more certified inputs than right ones, or an input wrongly called wrong, is a violation.
``adaptive`` must find exactly the misclassified inputs, and its bracket must hold the smallest margin. Circuits are
small so that there can be many: p = 3 … 12, mostly up to 25 neurons.

random        normal tables, some spread over 20 orders of magnitude
trained-like  constructed, with noise, uneven phases and amplitudes, a skip path
degenerate    equal phases, one neuron, zero rows and tables, negative bias, no zeros, integers with many ties
planted       one input's margin set to ±2^-10 … ±2^-50, or exactly 0, in dyadic arithmetic
scaled        one of the above, its tables multiplied by 1e±30 or powers of two
cancelling    stored weights whose products, 1e4 … 1e12, cancel to small tables; neurons, and skip paths, that cancel
subnormal     margins around and below the smallest float64, down to 2^-1130
corners       p = 3, 4, 5; small integers: ties, kinks at exactly 0, dead neurons, one neuron
radius        tables known within a radius: a claim must hold of every network in it, and four of them are tried
adversarial   hill climbing on the tables towards margins that the bounds meet, every step a circuit
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from quadlens.certificates.certify import certify
from quadlens.certificates.check import check
from quadlens.certificates.exact.exact_tables import exact_tables
from quadlens.certificates.plan.choose import Budget
from quadlens.certificates.record.certificate import Certificate
from quadlens.circuits.circuit import TABLES, Circuit
from quadlens.circuits.construct import construct
from quadlens.circuits.weights import Product, Weights, circuit_from_weights
from quadlens.errors import CertificateError

METHODS = ("linear", "adaptive", "brute-force", "interval")
MODULUS = 0.3
"""So many of the circuits have |x| in place of ReLU."""

CHECKED_EVERY = 200
"""One circuit in so many has its certificates checked by the independent checker too."""


def random_circuit(generator: np.random.Generator) -> Circuit:
    """Normal tables; every third with entries of very different size."""
    p, n = int(generator.integers(3, 10)), int(generator.integers(1, 21))
    spread = float(generator.choice([0.0, 0.0, 10.0]))

    def table(rows: int, columns: int) -> Any:
        return generator.standard_normal((rows, columns)) * 10.0 ** (spread * generator.uniform(-1, 1, (rows, columns)))

    skip = {"S_a": table(p, p), "S_b": table(p, p)} if generator.random() < 0.7 else {}
    return Circuit(p=p, A=table(p, n), B=table(p, n), U=table(n, p), **skip)


def trained_circuit(generator: np.random.Generator) -> Circuit:
    """A constructed network with noise, uneven amplitudes, and a small skip path: mostly right, sometimes not."""
    p = int(generator.choice([5, 6, 7, 8, 9]))
    most = (p - 1) // 2
    count = int(generator.integers(min(most, 2), min(most, 3) + 1))
    frequencies = generator.choice(np.arange(1, most + 1), count, replace=False)
    base = construct(
        p=p,
        frequencies=[int(k) for k in frequencies],
        neurons=int(generator.integers(5 * count, 25)),
        sigma=float(generator.uniform(0.08, 0.18)),
        kappa=float(generator.uniform(0.0, 0.5)),
        noise=float(10.0 ** generator.uniform(-5, -1)),
        seed=int(generator.integers(2**31)),
    )
    amplitude = 10.0 ** (float(generator.choice([0.0, 0.03, 0.3])) * generator.uniform(-1, 1, base.neurons))
    size = float(10.0 ** generator.uniform(-5, -0.5))
    skip: dict[str, Any] = {name: size * generator.standard_normal((p, p)) for name in ("S_a", "S_b")}
    return replace(base, A=base.A * amplitude, B=base.B * amplitude, **skip)


def degenerate_circuit(generator: np.random.Generator) -> Circuit:
    """Corners: what has no phases, no zeros, no output, or only ties."""
    base = trained_circuit(generator)
    p, n = base.p, base.neurons
    corner = int(generator.integers(8))
    if corner == 0:  # equal phases
        return replace(base, A=np.repeat(base.A[:, :1], n, axis=1), B=np.repeat(base.B[:, :1], n, axis=1))
    if corner == 1:  # one neuron
        return replace(base, A=base.A[:, :1], B=base.B[:, :1], U=base.U[:1])
    if corner == 2:  # some neurons and residues without input
        A = base.A * (generator.random(n) < 0.5)
        return replace(base, A=A * (generator.random((p, 1)) < 0.7), U=base.U * (generator.random((n, 1)) < 0.7))
    if corner == 3:  # always inactive, or always active
        return replace(base, B=base.B + float(generator.choice([-10.0, 10.0])))
    if corner == 4:  # small integers: many ties
        shapes = {name: getattr(base, name).shape for name in TABLES}
        tables: dict[str, Any] = {name: 1.0 * generator.integers(-2, 3, shape) for name, shape in shapes.items()}
        return replace(base, **tables)
    if corner == 5:  # zero tables
        zero: dict[str, Any] = {name: np.zeros_like(getattr(base, name)) for name in TABLES if generator.random() < 0.5}
        return replace(base, **zero)
    if corner == 6:  # no skip path, p = 3 or even
        return construct(p=int(generator.choice([3, 4, 6, 8, 12])), frequencies=[1], neurons=12, noise=0.01)
    return construct(p=7, frequencies=[1, 2, 3], neurons=int(generator.integers(3, 8)))  # groups of one or two


def planted_circuit(generator: np.random.Generator) -> Circuit:
    """A network of dyadic numbers in which a neuron of one input's own moves that input's margin where we want it."""
    base = trained_circuit(generator)
    p = base.p
    dyadic = {name: np.rint(getattr(base, name) * 2**8) / 2**8 for name in TABLES}
    a, b = (int(x) for x in generator.integers(0, p, 2))
    A, B = np.full((p, 1), -64.0), np.full((p, 1), -64.0)
    A[a], B[b] = 32.5, -31.5  # 1 at (a, b), at most 0.5 - 64 + … elsewhere
    B[np.arange(p) != b] = -96.0
    with_neuron: dict[str, Any] = {
        "A": np.hstack([dyadic["A"], A]),
        "B": np.hstack([dyadic["B"], B]),
        "U": np.vstack([dyadic["U"], np.zeros((1, p))]),
        "S_a": dyadic["S_a"],
        "S_b": dyadic["S_b"],
    }
    tables = exact_tables(Circuit(p=p, **with_neuron))
    y = (a + b) % p
    margin = min(tables.margin(a, b, c) for c in range(p) if c != y) / tables.denominator
    gap = float(generator.choice([0.0, *(sign * 2.0**-k for k in (10, 20, 30, 40, 50) for sign in (1, -1))]))
    with_neuron["U"][-1, y] = gap - margin
    return Circuit(p=p, **with_neuron)


def scaled_circuit(generator: np.random.Generator) -> Circuit:
    """Another circuit with tables of extreme size."""
    make = (random_circuit, trained_circuit, degenerate_circuit, planted_circuit)[int(generator.integers(4))]
    base = make(generator)
    x, u = (float(generator.choice([1e-30, 2.0**-100, 1.0, 2.0**100, 1e30])) for _ in range(2))
    return replace(base, A=base.A * x, B=base.B * x, U=base.U * u, S_a=base.S_a * (x * u), S_b=base.S_b * (x * u))


def cancelling_circuit(generator: np.random.Generator) -> Circuit:
    """What is large cancels: in the products of stored weights, in sums over neurons, or in the skip path."""
    base = (random_circuit, trained_circuit)[int(generator.integers(2))](generator)
    p, n, size = base.p, base.neurons, 10.0 ** generator.uniform(4, 12)
    corner = int(generator.integers(4))
    if corner == 0:  # pairs of neurons that are equal, but for the little that is left
        twice = {name: np.hstack([getattr(base, name)] * 2) for name in ("A", "B")}
        large = size * generator.standard_normal((n, p))
        return replace(base, **twice, U=np.vstack([base.U + large, -large]))
    if corner == 1:
        large = size * generator.standard_normal(p)
        return replace(base, S_a=base.S_a + large, S_b=base.S_b - large)
    tensors: dict[str, Any] = {}
    tables: dict[str, tuple[Product, ...]] = {}
    for name in TABLES:
        table = getattr(base, name)
        tensors[name] = table
        tables[name] = (Product(factors=(name,)),)
        if generator.random() < 0.7:
            left, right = (np.sqrt(size) * generator.standard_normal(shape) for shape in ((len(table), 3), (3, p)))
            if table.shape[1] != p:
                right = np.sqrt(size) * generator.standard_normal((3, n))
            undone = -right * (1 + 2.0**-45 * generator.standard_normal(right.shape))
            tensors |= {f"left {name}": np.hstack([left, left]), f"right {name}": np.vstack([right, undone])}
            tables[name] += (Product(factors=(f"left {name}", f"right {name}")),)
    activation = "abs" if generator.random() < MODULUS else "relu"
    return circuit_from_weights(Weights(p=p, neurons=n, tensors=tensors, tables=tables, activation=activation))


def subnormal_circuit(generator: np.random.Generator) -> Circuit:
    """Margins around the smallest float64: a network scaled down, or one neuron for each input and little in U."""
    total = int(generator.integers(1000, 1131))
    inner = int(generator.integers(total - 600, 601))
    if generator.random() < 0.5:
        base = (trained_circuit, degenerate_circuit, corner_circuit)[int(generator.integers(3))](generator)
        x, u = 2.0**-inner, 2.0 ** -(total - inner)
        return replace(base, A=base.A * x, B=base.B * x, U=base.U * u, S_a=base.S_a * x * u, S_b=base.S_b * x * u)
    p, gap = int(generator.integers(3, 5)), 2.0 ** -(total - inner)
    return Circuit(p=p, **_one_neuron_each(p, 2.0**-inner, gap * generator.uniform(0.5, 2, p * p)))


def _one_neuron_each(p: int, size: float, gap: Any) -> dict[str, Any]:
    """Return A, B and U of p² neurons: each on, with the value ``size``, for one input alone."""
    number = np.arange(p * p)
    A, B = np.full((p, p * p), -size), np.full((p, p * p), -size)
    A[number // p, number], B[number % p, number] = size, 0.0
    U = np.zeros((p * p, p))
    U[number, (number // p + number % p) % p] = gap
    return {"A": A, "B": B, "U": U}


def corner_circuit(generator: np.random.Generator) -> Circuit:
    """The smallest p, one neuron or few, numbers that tie, and preactivations that are exactly 0."""
    p, n = int(generator.integers(3, 6)), int(generator.choice([1, 1, 2, 5, 9]))
    shapes = {"A": (p, n), "B": (p, n), "U": (n, p), "S_a": (p, p), "S_b": (p, p)}
    tables: dict[str, Any] = {name: 1.0 * generator.integers(-2, 3, shape) for name, shape in shapes.items()}
    if generator.random() < 0.5:
        tables["B"][int(generator.integers(p))] = -tables["A"][int(generator.integers(p))]
    if generator.random() < 0.5:
        tables["S_a"] *= 2.0**-int(generator.integers(0, 60))
    if generator.random() < 0.5:  # right, or tied, or nearly so, against what the other neurons say
        with_each = _one_neuron_each(p, 1.0, float(generator.choice([1.0, 4.0, 12.0, 40.0, 60.0])))
        for axis, name in ((1, "A"), (1, "B"), (0, "U")):
            tables[name] = np.concatenate([tables[name], with_each[name]], axis=axis)
    if generator.random() < 0.3:
        tables["U"][int(generator.integers(n))] = 0.0
        tables["A"][:, int(generator.integers(n))] -= 10.0
    return Circuit(p=p, **tables)


def radius_circuit(generator: np.random.Generator) -> Circuit:
    """A network of dyadic numbers, each table known within a power of two: sums of both are exact."""
    base = (trained_circuit, degenerate_circuit)[int(generator.integers(2))](generator)
    dyadic: dict[str, Any] = {name: np.rint(getattr(base, name) * 2**20) / 2**20 for name in TABLES}
    radius = {name: 2.0 ** -int(generator.integers(6, 31)) for name in TABLES if generator.random() < 0.6}
    return replace(base, **dyadic, radius=radius)


def networks_within(circuit: Circuit, generator: np.random.Generator) -> list[Circuit]:
    """Return the network that a circuit is, or some that it may be, at corners of its radius."""
    if circuit.weights is not None or not any(circuit.radius.values()):
        return [circuit]
    moved = []
    for _ in range(4):
        tables: dict[str, Any] = {}
        for name, radius in circuit.radius.items():
            table = getattr(circuit, name)
            tables[name] = table + radius * generator.choice([-1.0, 1.0], table.shape)
        moved.append(replace(circuit, **tables, radius={}))
    return moved


MAKERS = {
    "random": random_circuit,
    "trained-like": trained_circuit,
    "degenerate": degenerate_circuit,
    "planted": planted_circuit,
    "scaled": scaled_circuit,
    "cancelling": cancelling_circuit,
    "subnormal": subnormal_circuit,
    "corners": corner_circuit,
    "radius": radius_circuit,
}
KINDS = (*MAKERS, "adversarial")


def options_of(method: str, circuit: Circuit, generator: np.random.Generator) -> dict[str, Any]:
    """Return any options: every choice of the prover must be sound."""
    if method == "interval":
        return {"boxes": int(generator.choice([1, 1, 2, circuit.p]))}
    if method not in ("linear", "adaptive"):
        return {}
    budget = Budget(
        retained=int(generator.integers(1, 5)),
        retained_by_group=int(generator.integers(1, 4)),
        harmonics=int(generator.integers(0, 9)),
        head=int(generator.integers(0, 5)),
        cells=int(generator.choice([2, 11, 40, 236])),
        # none, few, or all gates that a curve leaves open are evaluated; the others are bounded
        candidates=int(generator.choice([0, 0, 1, 32])),
    )
    if method == "adaptive":
        return {"budget": budget}
    return {"budget": budget, "pairs": int(generator.choice([0, 1, 3, 48]))}


def violations(found: Certificate, exact: Certificate) -> list[str]:
    """Return what ``found`` claims and ``exact`` denies."""
    if found.refusal is not None:
        return []
    out = []
    for claim, truth in zip(found.classes, exact.classes, strict=True):
        # both are float64 and the exact margin is rounded down, so this compares the claim with the real margin
        if claim.margin_lower_bound > truth.margin_lower_bound:
            out.append(f"class {claim.difference}: {claim.margin_lower_bound!r} > {truth.margin_lower_bound!r}")
        if claim.certified > truth.certified:
            out.append(f"class {claim.difference}: {claim.certified} certified, {truth.certified} right")
    if found.certified and not exact.certified:
        out.append("certified, but an input is wrong")
    if found.misclassified is not None and not set(found.misclassified) <= set(exact.misclassified or ()):
        out.append("an input that is right is called wrong")
    if found.method == "adaptive":
        if found.misclassified != exact.misclassified:
            out.append("adaptive does not find the misclassified inputs")
        at_most = found.prover.get("stages", {}).get("smallest_margin_at_most", np.inf)
        if exact.margin_lower_bound is not None and at_most < exact.margin_lower_bound:
            out.append(f"the smallest margin is {exact.margin_lower_bound!r}, not at most {at_most!r}")
    return out


def examine(circuit: Circuit, generator: np.random.Generator, *, checked: bool) -> dict[str, Any]:
    """Decide one circuit by every method and return what there is to count."""
    truths = [certify(network, "exact") for network in networks_within(circuit, generator)]
    right = all(exact.certified for exact in truths)
    result: dict[str, Any] = {"right": right, "certified": {}, "refused": {}, "violations": [], "checked": 0}
    result["gap"] = np.inf
    for method in METHODS:
        try:
            found = certify(circuit, method, **options_of(method, circuit, generator))
        except CertificateError:  # tables known within a radius only may leave an input open, and adaptive says so
            result["certified"][method], result["refused"][method] = False, True
            continue
        result["certified"][method] = found.certified
        result["refused"][method] = found.refusal is not None
        problems = [problem for exact in truths for problem in violations(found, exact)]
        if checked and found.refusal is None:
            verdict = check(found, circuit)
            result["checked"] += 1
            problems += [f"the checker refuses: {reason}" for reason in verdict.reasons]
        result["violations"] += [f"{method}: {problem}" for problem in problems]
        if method == "linear":
            result["gap"] = _gap(found, truths[0])
    return result


def _gap(found: Certificate, exact: Certificate) -> float:
    """Return by how much the bound of the tightest class falls short of the truth."""
    if found.refusal is not None:
        return np.inf
    pairs = zip(found.classes, exact.classes, strict=True)
    return min(truth.margin_lower_bound - claim.margin_lower_bound for claim, truth in pairs)


def campaign(task: tuple[str, int, int]) -> dict[str, Any]:
    """Run ``count`` circuits of one kind with a seed of their own; module level, so that processes can run it."""
    kind, seed, count = task
    generator = np.random.default_rng([seed, KINDS.index(kind)])
    counts: Counter[str] = Counter()
    problems: list[str] = []
    circuit, best = trained_circuit(generator), np.inf
    for number in range(count):
        if kind == "adversarial":
            candidate = _mutated(circuit, generator) if number % 40 else trained_circuit(generator)
            best = best if number % 40 else np.inf
        else:
            candidate = MAKERS[kind](generator)
            if candidate.weights is None and generator.random() < MODULUS:
                candidate = replace(candidate, activation="abs")
        result = examine(candidate, generator, checked=number % CHECKED_EVERY == 0)
        if kind == "adversarial" and result["gap"] <= best:
            circuit, best = candidate, result["gap"]
        counts["circuits"] += 1
        counts["circuits right on every input"] += result["right"]
        counts["checked"] += result["checked"]
        for method in METHODS:
            counts[f"certified by {method}"] += result["certified"][method]
            counts[f"refused by {method}"] += result["refused"][method]
        problems += [f"{kind}, seed {seed}, circuit {number}: {problem}" for problem in result["violations"]]
    return {"kind": kind, "counts": dict(counts), "violations": problems}


def _mutated(circuit: Circuit, generator: np.random.Generator) -> Circuit:
    """A step of the climb: noise on one table, on one of its rows, or on one number."""
    name = str(generator.choice(["A", "B", "U", "S_a", "S_b"]))
    table = np.array(getattr(circuit, name))
    size = float(10.0 ** generator.uniform(-6, -0.5))
    which = int(generator.integers(3))
    if which == 0:
        table += size * generator.standard_normal(table.shape)
    elif which == 1:
        table[int(generator.integers(table.shape[0]))] += size * generator.standard_normal(table.shape[1])
    else:
        table[tuple(int(generator.integers(x)) for x in table.shape)] += size * generator.standard_normal()
    changed: dict[str, Any] = {name: table}
    return replace(circuit, **changed)


def _mlp(circuits: int, seed: int) -> int:
    """Hold the bounds of ``certify --method mlp``, of every plan, against all logits."""
    from benchmarks.mlp_bound import any_budget, bounds_of, false_claims

    counts: Counter[str] = Counter()
    makers = [make for kind, make in MAKERS.items() if kind != "adversarial"]
    for number in range(circuits):
        generator = np.random.default_rng([seed, number])
        circuit = makers[number % len(makers)](generator)
        if circuit.weights is None and generator.random() < MODULUS:
            circuit = replace(circuit, activation="abs")
        bounds = bounds_of(circuit, any_budget(generator) if number % 2 else None)
        problems = [problem for bound in bounds for problem in false_claims(circuit, bound)]
        counts["circuits"] += 1
        counts["bounded"] += bool(bounds)
        counts["with gates bounded"] += any(bound.terms["gates"] > 0 for bound in bounds)
        counts["violations"] += len(problems)
        for problem in problems[:1]:
            print(f"circuit {number}: {problem}", flush=True)
    print(dict(counts))
    return 1 if counts["violations"] else 0


def main() -> int:
    """Run the campaign; exit status 1 if there is a violation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circuits", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--mlp", action="store_true", help="the proved distance of the MLP from its integrals instead")
    options = parser.parse_args()
    if options.mlp:
        return _mlp(options.circuits, options.seed)
    start, chunk = time.perf_counter(), 50
    each = -(-options.circuits // (chunk * len(KINDS)))
    tasks = [(kind, options.seed * 100_003 + part, chunk) for part in range(each) for kind in KINDS]
    by_kind: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    problems: list[str] = []
    with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
        for number, result in enumerate(pool.imap_unordered(campaign, tasks), 1):
            by_kind[result["kind"]].update(result["counts"])
            problems += result["violations"]
            done = sum(counts["circuits"] for counts in by_kind.values())
            if number % 10 == 0:
                print(f"{done} circuits, {len(problems)} violations, {time.perf_counter() - start:.0f} s", flush=True)
            if options.output is not None:
                summary = {
                    "circuits": done,
                    "violations": problems,
                    "kinds": {kind: dict(counts) for kind, counts in by_kind.items()},
                    "seconds": time.perf_counter() - start,
                }
                options.output.write_text(json.dumps(summary, indent=1))
    for kind, counts in by_kind.items():
        print(kind, dict(counts))
    for problem in problems[:20]:
        print(problem)
    print(f"{len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
