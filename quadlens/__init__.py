"""quadlens: see a trained network's MLP as a quadrature rule, and prove what follows.

The names below are imported when first used, so that ``import quadlens`` costs nothing and works before torch is
imported.
"""

import sys

TYPE_CHECKING = False  # typing's own takes as long to import as Python to start, and Ctrl-C is not heard meanwhile
if TYPE_CHECKING:
    from quadlens.certificates.certify import certify as certify
    from quadlens.certificates.ladder.decompose import decompose as decompose
    from quadlens.certificates.record.certificate import Certificate as Certificate
    from quadlens.checker.check import check as check
    from quadlens.circuits.bundled import bundled as bundled
    from quadlens.circuits.bundled import bundled_names as bundled_names
    from quadlens.circuits.circuit import Circuit as Circuit
    from quadlens.circuits.construct import construct as construct
    from quadlens.circuits.forward import evaluate as evaluate
    from quadlens.circuits.from_module import from_module as from_module
    from quadlens.circuits.from_tensors import from_tensors as from_tensors
    from quadlens.circuits.in_memory import from_state_dict as from_state_dict
    from quadlens.circuits.load import load as load
    from quadlens.circuits.native import save as save
    from quadlens.circuits.trained_network import trained_circuit as train
    from quadlens.circuits.weights import Product as Product
    from quadlens.circuits.weights import Weights as Weights
    from quadlens.circuits.weights import circuit_from_weights as circuit_from_weights
    from quadlens.decomposition.ladder import ErrorDecomposition as ErrorDecomposition
    from quadlens.errors import QuadlensError as QuadlensError
    from quadlens.form.amplitude_phase import AmplitudePhaseForm as AmplitudePhaseForm
    from quadlens.form.amplitude_phase import fit as fit
    from quadlens.identities import identities as identities
    from quadlens.identities.equation import Equation as Equation
    from quadlens.identities.equation import equation as equation
    from quadlens.report.comparison import Comparison as Comparison
    from quadlens.report.comparison import compare as compare
    from quadlens.report.pictures import rectangles as rectangles
    from quadlens.report.write import write_report as write_report

if sys.platform == "win32":
    raise ImportError("quadlens runs on Linux and macOS: it locks and renames files as POSIX does; on Windows use WSL")

__version__ = "0.2.0.dev0"

_HOMES = {
    "AmplitudePhaseForm": "quadlens.form.amplitude_phase",
    "Certificate": "quadlens.certificates.record.certificate",
    "Circuit": "quadlens.circuits.circuit",
    "Comparison": "quadlens.report.comparison",
    "Equation": "quadlens.identities.equation",
    "ErrorDecomposition": "quadlens.decomposition.ladder",
    "Product": "quadlens.circuits.weights",
    "QuadlensError": "quadlens.errors",
    "Weights": "quadlens.circuits.weights",
    "bundled": "quadlens.circuits.bundled",
    "bundled_names": "quadlens.circuits.bundled",
    "certify": "quadlens.certificates.certify",
    "check": "quadlens.checker.check",
    "circuit_from_weights": "quadlens.circuits.weights",
    "compare": "quadlens.report.comparison",
    "construct": "quadlens.circuits.construct",
    "decompose": "quadlens.certificates.ladder.decompose",
    "equation": "quadlens.identities.equation",
    "evaluate": "quadlens.circuits.forward",
    "fit": "quadlens.form.amplitude_phase",
    "from_module": "quadlens.circuits.from_module",
    "from_state_dict": "quadlens.circuits.in_memory",
    "from_tensors": "quadlens.circuits.from_tensors",
    "identities": "quadlens.identities",
    "load": "quadlens.circuits.load",
    "rectangles": "quadlens.report.pictures",
    "save": "quadlens.circuits.native",
    "train": "quadlens.circuits.trained_network:trained_circuit",
    "write_report": "quadlens.report.write",
}
"""Where each public name lives: a module, and after a colon its name there where it is another."""

__all__ = [
    "AmplitudePhaseForm",
    "Certificate",
    "Circuit",
    "Comparison",
    "Equation",
    "ErrorDecomposition",
    "Product",
    "QuadlensError",
    "Weights",
    "__version__",
    "bundled",
    "bundled_names",
    "certify",
    "check",
    "circuit_from_weights",
    "compare",
    "construct",
    "decompose",
    "equation",
    "evaluate",
    "fit",
    "from_module",
    "from_state_dict",
    "from_tensors",
    "identities",
    "load",
    "rectangles",
    "save",
    "train",
    "write_report",
]


if not TYPE_CHECKING:  # a type checker that saw this would take every name for one of ours

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module 'quadlens' has no attribute {name!r}")
        from importlib import import_module

        module, _, other = _HOMES[name].partition(":")
        return getattr(import_module(module), other or name)


def __dir__() -> list[str]:
    return sorted(__all__)
