r"""The ledger: what each class's bound is made of; and, for classes that fail, which term and group is to blame."""

from dataclasses import dataclass

import numpy as np

from quadlens.activations import activation_named
from quadlens.arrays import BoolArray, FloatArray, IntArray
from quadlens.certificates.inequality.branch_and_bound import Refined
from quadlens.certificates.inequality.evaluate import Inequality
from quadlens.certificates.inequality.group_shares import Questions, group_shares
from quadlens.circuits.circuit import Circuit

TERMS = (
    ("spread", "how far the retained sums of a class spread about their mean"),
    ("head", "rest of U, its first harmonics"),
    ("tail", "rest of U, harmonics beyond those"),
    ("residual", "rest of U, what the curves leave out"),
    ("gates", "gates that are bounded, not evaluated"),
    ("skip", "rest of the skip path"),
    ("rounding", "what float64 can do to the bound"),
    ("tables", "how far the network can be from its stored tables"),
)
"""What lowers the ideal margin, in the order of the ledger, with what each is."""

MOST_SENTENCES = 12

SPREAD_OVER = 16
"""So many inputs of a class, evenly spread, stand for its mean where a group is to be blamed for the spread."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accounts:
    """``terms``: name -> what it adds to each class's bound at its worst wrong answer, (p,); ``delta (p,)`` is that
    answer. ``blamed``: for terms that groups of neurons share, the frequency of the group with the largest share, (p,);
    of those that are not sums over groups, in the classes that ``failed`` only, -1 in others.
    """

    terms: dict[str, FloatArray]
    delta: IntArray
    blamed: dict[str, IntArray]
    failed: IntArray

    def of_class(self, d: int) -> tuple[tuple[str, float], ...]:
        """Return the ledger of one class."""
        return tuple((name, float(values[d])) for name, values in self.terms.items())


def accounts(circuit: Circuit, found: Inequality, refined: Refined) -> Accounts:
    """Return what each class's bound is made of, and for failed classes whose neurons are to blame."""
    bound = refined.bound
    p, classes, plan = bound.shape[0], found.classes, found.plan
    d = np.arange(p)
    delta = bound.argmin(axis=1) + 1
    at = (d, delta - 1)
    head = -classes.D[at]
    terms = {"ideal margin": classes.ideal[at], "spread": -classes.spread[at], "head": head, "tail": -classes.tail}
    terms |= {"residual": -classes.res, "gates": -classes.R, "skip": -classes.skip}
    terms = {name: values.copy() for name, values in terms.items()}
    of = np.flatnonzero(bound[at] > classes.bound[at])
    if of.size:
        pair = found.pairs.of_pairs(of, delta[of])
        b = pair.bound.argmin(axis=1)
        # ideal margin and spread together are the retained part of the worst input
        terms["spread"][of] = pair.ideal[np.arange(of.size), b] - terms["ideal margin"][of]
        for name in ("head", "skip", "tail", "residual", "gates"):
            values = getattr(pair, name)
            terms[name][of] = np.broadcast_to(values, pair.ideal.shape)[np.arange(of.size), b]
    ones = np.ones(p)
    terms |= {"rounding": -found.rounding.evaluation * ones, "tables": -found.rounding.tables * ones}
    shares = [
        (np.abs(found.pairs.at.numpy(P_hat)) * found.pairs.at.numpy(widest)[:, delta].T).sum(axis=1)
        for P_hat, widest in zip(found.rest.P_hat, found.rest.widest, strict=True)
    ]
    failed = np.flatnonzero(~(found.rounding.lowered(bound[at]) > 0))
    of_groups = {"head": np.stack(shares), "tail": found.pairs.at.numpy(found.rest.tail)}
    if activation_named(circuit.activation).slope_below is not None:
        of_groups |= _at_one_input(circuit, found, failed, delta[failed], np.isin(failed, of))
    frequencies = np.array([group.frequency for group in plan.groups])
    blamed = {name: np.full(p, -1) for name in of_groups}
    for name, of_group in of_groups.items():
        classes_here = failed if of_group.shape[1] < p else d
        blamed[name][classes_here] = frequencies[np.argmax(of_group, axis=0)]
    return Accounts(terms=terms, delta=delta, blamed=blamed, failed=failed)


def _at_one_input(
    circuit: Circuit, found: Inequality, d: IntArray, delta: IntArray, refined: BoolArray
) -> dict[str, FloatArray]:
    """Return each group's share of residual, gates and spread at the input that decides, shape (groups, classes).

    Where (G′) decides, that is its worst input; by (L), the one with the largest ``R + res + skip``, and for the spread
    the one with the smallest retained part. The mean that it is compared with is that of ``SPREAD_OVER`` inputs.
    """
    if not d.size:
        return {}
    pair, inputs = found.pairs.of_pairs(d, delta), found.pairs.inputs
    worst = pair.bound.argmin(axis=1)
    cost = found.pairs.at.numpy(inputs.R + inputs.res + inputs.skip)[d].argmax(axis=1)
    some = np.unique(np.arange(SPREAD_OVER) * circuit.p // SPREAD_OVER)
    here = group_shares(circuit, found, Questions(d=d, b=np.where(refined, worst, cost), delta=delta))
    lowest = np.where(refined, worst, pair.ideal.argmin(axis=1))
    every = Questions(d=np.repeat(d, some.size), b=np.tile(some, d.size), delta=np.repeat(delta, some.size))
    of_all = group_shares(circuit, found, every).retained
    mean = of_all.reshape(-1, d.size, some.size).mean(axis=2)
    spread = mean - group_shares(circuit, found, Questions(d=d, b=lowest, delta=delta)).retained
    return {"residual": here.residual, "gates": here.gates, "spread": spread}


def blame(found: Accounts) -> tuple[str, ...]:
    """Return sentences that name, for the failed classes, the costliest term and the group of neurons behind it."""
    causes: dict[str, list[int]] = {}
    for d in found.failed.tolist():
        causes.setdefault(_cause(found, d), []).append(d)
    ordered = sorted(causes.items(), key=lambda item: -len(item[1]))
    sentences = [f"{cause}: {_classes(members)}" for cause, members in ordered[:MOST_SENTENCES]]
    left = sum(len(members) for _, members in ordered[MOST_SENTENCES:])
    return (*sentences, *([f"other causes: {left} classes"] if left else []))


def _cause(found: Accounts, d: int) -> str:
    costs = {name: -float(found.terms[name][d]) for name, _ in TERMS}
    if float(found.terms["ideal margin"][d]) <= 0:
        return "the ideal margin itself is not positive"
    name = max(costs, key=lambda term: costs[term])
    text = f"{name} ({dict(TERMS)[name]}) costs most"
    if name in found.blamed:
        return f"{text}; the neurons of frequency {int(found.blamed[name][d])} have the largest share of it"
    return text


def _classes(members: list[int]) -> str:
    shown = ", ".join(str(d) for d in members[:10])
    more = f" and {len(members) - 10} more" if len(members) > 10 else ""
    return f"class{'es' if len(members) > 1 else ''} {shown}{more}"
