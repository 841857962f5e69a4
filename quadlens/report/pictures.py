"""The paper's picture from Python: the rectangles of one frequency's neurons under the curve that they integrate."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.form.amplitude_phase import AmplitudePhaseForm, fit
from quadlens.report.comparison import whole_mod
from quadlens.report.figures.rectangles import rectangles as draw
from quadlens.report.integrand import integrand


def rectangles(
    circuit: Circuit,
    frequency: int | None = None,
    a: int = 0,
    b: int = 0,
    c: int | None = None,
    *,
    ax: Axes | None = None,
) -> Figure:
    """Draw the curve that a frequency group integrates at input (a, b) and logit c, and each neuron's rectangle.

    Parameters
    ----------
    frequency : a key frequency of the network; by default the one with the most weight
    a, b, c : taken mod p; c is the right answer ``a + b`` where it is not given
    ax : the axes to draw in; by default a new figure, which is returned: ``figure.savefig("rectangles.png")``

    Raises
    ------
    CircuitError
        If the first argument is not a circuit.
    OptionError
        If the network has no such frequency, or a, b or c is not a whole number.
    NodeError
        If the group's neurons are silent.
    """
    circuit = require_circuit(circuit, "rectangles")
    form: AmplitudePhaseForm = fit(circuit)
    group = max(form.groups, key=lambda one: one.weight) if frequency is None else form[frequency]
    a, b = (whole_mod(value, circuit.p, name) for value, name in ((a, "a"), (b, "b")))
    c = None if c is None else whole_mod(c, circuit.p, "c")
    return draw(integrand(circuit, form, group, a, b, c), ax)
