"""The exact MLP and every rung of the ladder run on all inputs, block by block, and what is added up over them."""

from itertools import pairwise

import numpy as np

from quadlens.arrays import ComplexArray, FloatArray
from quadlens.circuits.circuit import Circuit
from quadlens.circuits.forward import margins
from quadlens.decomposition.rungs import (
    RUNGS,
    exact_hidden,
    finite_rungs,
    finite_sum,
    ideal_responses,
    ideal_sum,
    largest_entries,
    wave_logits,
)
from quadlens.form.amplitude_phase import AmplitudePhaseForm

REFINED = 1 + RUNGS.index("quadrature")
"""The place of the refined limit among the exact logits and those of every rung."""


class RungLogits:
    """The logits of the exact MLP and of every rung, and each frequency group's part of every term."""

    def __init__(self, circuit: Circuit, form: AmplitudePhaseForm) -> None:
        self.circuit, self.form = circuit, form
        self.finite = finite_rungs(circuit, form)
        self.responses = ideal_responses(form)
        self.frequencies = np.array([group.frequency for group in form.groups])
        main = {group.frequency for group in form.main_groups}
        self.counted = np.array([group.frequency in main for group in form.groups])
        centred = circuit.U - circuit.U.mean(axis=1, keepdims=True)
        wave = np.exp(2j * np.pi / circuit.p * (form.frequency[:, None] * np.arange(circuit.p) % circuit.p))
        self.output_rest = centred - (self.finite[0].v[:, None] * wave).real

    def block(self, rows: slice) -> tuple[list[FloatArray], FloatArray, FloatArray, FloatArray]:
        """Return the exact centred logits and those of every rung, (rows, p, p) each; those of the refined limit of the
        main groups alone; then the summed squares and the largest entry of each group's part of each term, shape
        (term, group).
        """
        p, hidden = self.circuit.p, exact_hidden(self.circuit, rows)
        exact = hidden @ self.circuit.U
        exact -= exact.mean(axis=-1, keepdims=True)
        sums = [finite_sum(rung, self.form, self.circuit.activation, rows) for rung in self.finite]
        sums += [ideal_sum(responses, self.form, rows) for responses in self.responses]
        logits = [exact, *(wave_logits(z, self.frequencies, p) for z in sums)]
        refined = logits[REFINED]
        if not self.counted.all():
            refined = wave_logits(sums[REFINED - 1][..., self.counted], self.frequencies[self.counted], p)
        return logits, refined, *self._parts(hidden, sums)

    def _parts(self, hidden: FloatArray, sums: list[ComplexArray]) -> tuple[FloatArray, FloatArray]:
        p, shape = self.circuit.p, (len(RUNGS), len(self.form.groups))
        squares, largest = np.zeros(shape), np.zeros(shape)
        for index, group in enumerate(self.form.groups):
            part = hidden[..., group.members] @ self.output_rest[group.members]
            squares[0, index], largest[0, index] = np.square(part).sum(), np.abs(part).max()
        for term, (before, after) in enumerate(pairwise(sums), 1):
            change = before - after
            # Parseval over c: Σ_c (Re z e^{iωkc})² = p/2 |z|², because 2k is no multiple of p
            squares[term] = p / 2 * (np.abs(change) ** 2).sum(axis=(0, 1))
            largest[term] = largest_entries(change, self.frequencies, p).max(axis=(0, 1))
        return squares, largest


class Totals:
    """Running sums over blocks."""

    def __init__(self, stages: int, groups: int) -> None:
        self.exact_squares = 0.0
        self.exact_largest = 0.0
        self.right = np.zeros(stages + 1)
        self.term_squares = np.zeros(stages)
        self.term_largest = np.zeros(stages)
        self.part_squares = np.zeros((stages, groups))
        self.part_largest = np.zeros((stages, groups))
        self.distance_squares = np.zeros(stages)
        self.ideal_squares = 0.0
        self.telescoping = 0.0

    def add(
        self, logits: list[FloatArray], refined: FloatArray, squares: FloatArray, largest: FloatArray, rows: slice
    ) -> None:
        """Add one block, as `RungLogits.block` returns it."""
        exact, total = logits[0], np.zeros_like(logits[0])
        self.exact_squares += float(np.square(exact).sum())
        self.exact_largest = max(self.exact_largest, float(np.abs(exact).max()))
        self.ideal_squares += float(np.square(exact - refined).sum())
        self.right += [float((margins(block, rows) > 0).sum()) for block in logits]
        self.part_squares += squares
        self.part_largest = np.maximum(self.part_largest, largest)
        for index, (before, after) in enumerate(pairwise(logits)):
            term = before - after
            total += term
            self.term_squares[index] += np.square(term).sum()
            self.term_largest[index] = max(self.term_largest[index], np.abs(term).max())
            self.distance_squares[index] += np.square(exact - after).sum()
        self.telescoping = max(self.telescoping, float(np.abs(total - (exact - logits[-1])).max()))
