r"""The ledger: which term costs how much margin; and, for classes that fail, which one is to blame."""

import numpy as np

from quadlens.certificates.certificate import Ledger
from quadlens.certificates.inequality import ClassInequality, Inequality

TERMS = (
    ("E", "spread of the retained sums within a class (quadrature)"),
    ("R", "neurons whose gate the waveform does not settle"),
    ("D", "rest of U, by harmonics"),
    ("tail", "rest of U, harmonics beyond those"),
    ("res", "rest of U, what the waveforms leave out"),
    ("skip", "rest of the skip path"),
)
"""The terms that lower the ideal margin, in the order of the ledger, with what each is."""

MOST_SENTENCES = 12


def class_ledger(found: ClassInequality, d: int) -> Ledger:
    """Return the terms of class d's bound at its worst wrong answer: ideal margin, and each cost with a minus sign."""
    costs = tuple((name, -float(getattr(found.classes, name)[d])) for name, _ in TERMS)
    rounding = (("rounding", -found.rounding.evaluation), ("tables", -found.rounding.tables))
    return (("ideal margin", float(found.classes.ideal[d])), *costs, *rounding)


def input_ledger(found: Inequality, d: int, b: int, delta: int, bound: float) -> Ledger:
    """Return the terms of the bound of one input and wrong answer; what its class's bound adds is in ``E``."""
    inputs, p = found.inputs, found.plan.p
    turn = 1 - np.exp(2j * np.pi / p * (np.array(found.plan.retained) * delta % p))
    ideal = float((inputs.X[d].mean(axis=0) * turn).real.sum())
    costs = {
        "R": float(inputs.own(d)[b] @ np.abs(turn) + inputs.crossed(d)[b]),
        "D": float(found.rest.D(d)[delta]),
        "tail": float(found.rest.tail[:, d].sum()),
        "res": float(inputs.res[d, b]),
        "skip": float(inputs.skip[d, b]),
    }
    rounding = {"rounding": found.rounding.evaluation, "tables": found.rounding.tables}
    E = ideal - sum(costs.values()) - sum(rounding.values()) - bound
    return (("ideal margin", ideal), ("E", -E), *((name, -cost) for name, cost in (costs | rounding).items()))


def blame(found: ClassInequality, failed: list[int]) -> tuple[str, ...]:
    """Return sentences that name, for the failed classes, the costliest term and its frequency."""
    causes: dict[str, list[int]] = {}
    for d in failed:
        causes.setdefault(_cause(found, d), []).append(d)
    ordered = sorted(causes.items(), key=lambda item: -len(item[1]))
    sentences = [f"{cause}: {_classes(members)}" for cause, members in ordered[:MOST_SENTENCES]]
    left = sum(len(members) for _, members in ordered[MOST_SENTENCES:])
    return (*sentences, *([f"other causes: {left} classes"] if left else []))


def _cause(found: ClassInequality, d: int) -> str:
    terms, plan = found.classes, found.plan
    costs = {name: float(getattr(terms, name)[d]) for name, _ in TERMS}
    if max(costs.values()) <= 0 or float(terms.ideal[d]) <= 0:
        return "the ideal margin itself is not positive"
    name = max(costs, key=lambda term: costs[term])
    text = f"{name} ({dict(TERMS)[name]}) costs most"
    if name in ("E", "R") and plan.retained:
        by = terms.E_by_retained if name == "E" else terms.R_by_retained
        return f"{text}, most of it at frequency {plan.retained[int(np.argmax(by[d]))]}"
    if name == "D":
        group = plan.groups[int(np.argmax(terms.D_by_group[d]))]
        return f"{text}, most of it from the neurons of frequency {group.frequency}"
    return text


def _classes(members: list[int]) -> str:
    shown = ", ".join(str(d) for d in members[:10])
    more = f" and {len(members) - 10} more" if len(members) > 10 else ""
    return f"class{'es' if len(members) > 1 else ''} {shown}{more}"
