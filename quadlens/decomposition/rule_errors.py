"""How far the fitted rule of each frequency is from the integral: rectangles, exact arcs, what is measured, the cost.

The rule is what the amplitude–phase form makes of a group (phases φ, output phases ψ, weights ``r u``): its neurons as
pure waves, against the pure pizza's integral. It is not the MLP, whose other terms the ladder measures.
"""

import math
from dataclasses import asdict, dataclass

from quadlens.activations import activation_named
from quadlens.errors import OptionError
from quadlens.form.amplitude_phase import AmplitudePhaseForm, FrequencyGroup
from quadlens.quadrature.arcs import ArcsBound, arcs_bound
from quadlens.quadrature.rectangles import RectangleBounds, rectangle_bounds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleError:
    """The error of one frequency's rule, relative to the target's amplitude (predicting 0: 1).

    ``share``: of the weight. ``rectangles``: the paper's bounds, which are about ReLU, None for another activation;
    ``arcs``: the bound by exact arcs. Both are proved.
    """

    frequency: int
    neurons: int
    share: float
    rectangles: RectangleBounds | None
    arcs: ArcsBound

    @property
    def actual(self) -> float:
        """The largest error found, measured."""
        return self.arcs.relative_measured if self.rectangles is None else self.rectangles.actual

    @property
    def rectangle_operations(self) -> int:
        """Four sorts of at most 2n numbers, and about forty operations on each neuron."""
        return self.neurons * (40 + 8 * math.ceil(math.log2(2 * self.neurons)))

    def beside(self) -> dict[str, float | int | None]:
        """Return both bounds beside the actual error, and what they cost, as JSON values."""
        found = self.rectangles
        return {
            "arcs_bound": self.arcs.relative,
            "arcs_operations": self.arcs.operations,
            "rectangle_bound": None if found is None else found.total,
            "rectangle_operations": None if found is None else self.rectangle_operations,
            "actual": self.actual,
        }

    def to_dict(self) -> dict[str, float | int]:
        """Return what the certificate ``rectangle`` records of a rule that rectangles bound."""
        if self.rectangles is None:
            raise OptionError("the rectangle bound is about ReLU; this rule has another activation")
        return {
            "frequency": self.frequency,
            "share": self.share,
            **asdict(self.rectangles),
            "arcs_bound": self.arcs.relative,
            "arcs_operations": self.arcs.operations,
            "rectangle_operations": self.rectangle_operations,
        }


def rule_error(form: AmplitudePhaseForm, group: FrequencyGroup) -> RuleError | None:
    """Return the error of a group's rule; None where it has no weight or the activation has no kink. O(n log n)."""
    if not group.weight > 0 or activation_named(form.activation).slope_below is None:
        return None
    rule = (form.phi[group.members], form.psi[group.members], form.weights[group.members])
    return RuleError(
        frequency=group.frequency,
        neurons=int(group.members.size),
        share=float(group.weight / sum(one.weight for one in form.groups if one.weight > 0)),
        rectangles=rectangle_bounds(*rule) if form.activation == "relu" else None,
        arcs=arcs_bound([0.0, 1.0], *rule, activation=form.activation),
    )


def rule_errors(form: AmplitudePhaseForm) -> tuple[RuleError, ...]:
    """Return the errors of all rules, in the order of the form's groups."""
    return tuple(found for group in form.groups if (found := rule_error(form, group)) is not None)
