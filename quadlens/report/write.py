"""The report's files: report.html, report.json and the figures, each written whole or not at all."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quadlens import __version__
from quadlens.certificates.record.file import as_data
from quadlens.circuits.circuit import Circuit, require_circuit
from quadlens.circuits.forward import evaluate
from quadlens.files import folder_alone, make_folder, write_atomically
from quadlens.report.analysis import Analysis, analyse
from quadlens.report.gallery import Drawn, draw_all
from quadlens.report.mlp_distance import distance_data
from quadlens.report.page import page
from quadlens.report.verdict import opening, source_name, unexplained, verdict


def report_json(analysis: Analysis, figures: tuple[Drawn, ...] = ()) -> dict[str, Any]:
    """Return the report's numbers as JSON values: what ``fit``, ``decompose`` and ``certify`` print, in one place."""
    circuit, evaluation = analysis.circuit, analysis.evaluation
    model = {
        "model": analysis.name,
        "family": circuit.family,
        "p": circuit.p,
        "neurons": circuit.neurons,
        "activation": circuit.activation,
        "accuracy": None if evaluation is None else evaluation.accuracy,
        "min_margin": None if evaluation is None else evaluation.min_margin,
    }
    return {
        "quadlens": __version__,
        "provenance": circuit.provenance.to_dict(),
        **model,
        "source": source_name(circuit.source),
        "parameters": circuit.parameters,
        "opening": opening(analysis),
        "verdict": verdict(analysis),
        "not_explained": unexplained(analysis),
        "fit": model | analysis.form.to_dict() | {"phase_locking": analysis.locking.to_dict()},
        "decompose": None if analysis.decomposition is None else model | analysis.decomposition.to_dict(),
        "extended_ideal": _extended(analysis),
        "mlp": None if analysis.distance is None else distance_data(analysis.distance),
        "rectangle": [rule.to_dict() for rule in analysis.rules if rule.rectangles is not None],
        "harmonics": [
            {
                "frequency": frequency,
                "bound": [float(value) for value in found.bound],
                "target": [float(value) for value in found.target],
                "blame": [int(m) for m in found.blame],
            }
            for frequency, found in analysis.harmonics.items()
        ],
        "rates": {
            str(frequency): {
                "width": point.width,
                "effective_width": point.effective_width,
                "error": point.error,
                "bound": point.bound,
                "even_width": point.even_width,
                "random_width": point.random_width,
            }
            for frequency, point in analysis.trained.items()
        },
        "certifying_widths": None if analysis.widths is None else analysis.widths.to_dict(),
        "certify": {one.method: _without_seconds(as_data(one)) for one in analysis.proofs.certificates},
        "not_certified": dict(analysis.proofs.refusals),
        "figures": [{"name": drawn.name, "file": _figure_file(drawn), "caption": drawn.caption} for drawn in figures],
    }


def _without_seconds(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != "seconds"}


def _extended(analysis: Analysis) -> dict[str, Any] | None:
    if analysis.extended is None:
        return None
    bounds = {} if analysis.extended_distance is None else analysis.extended_distance.to_dict()
    return analysis.extended.to_dict() | bounds


def write_report(
    analysis: Analysis | Circuit,
    folder: str | os.PathLike[str],
    *,
    progress: Callable[[float], None] | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Draw and write the report into ``folder`` (made if missing); return the page's path and the JSON values.

    The page is written last: where it is there, the rest is. Of two processes that write to one folder, one comes
    after the other: what the page and report.json name is of one report. A circuit is analysed first, with its accuracy
    measured over all p² inputs; `analyse` makes other choices.

    Raises
    ------
    OutputError
        If the folder cannot be made or a file in it cannot be written.
    """
    done = progress or (lambda fraction: None)
    target = make_folder(folder)
    make_folder(target / "figures")
    if not isinstance(analysis, Analysis):
        circuit = require_circuit(analysis, "write_report")
        analysis = analyse(circuit.provenance.file or circuit.source, circuit, evaluate(circuit))
    done(0.05)
    figures = draw_all(analysis)
    done(0.8)
    values = report_json(analysis, figures)
    numbers = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
    made = made_here(analysis)
    # on one line of its own: without it, two reports of one network are the same bytes
    numbers = f'{numbers[:-2]},\n "made": {json.dumps(made, allow_nan=False)}\n}}\n'
    written = page(analysis, figures, made=made)
    values |= {"made": made}
    html = target / "report.html"
    with folder_alone(target):
        for drawn in figures:
            write_atomically(target / _figure_file(drawn), f'<?xml version="1.0" encoding="utf-8"?>\n{drawn.svg}')
        write_atomically(target / "report.json", numbers)
        write_atomically(html, written)
    done(1.0)
    return html, values


def made_here(analysis: Analysis) -> dict[str, Any]:
    """Return what differs between two reports of one network: when it was made, and how long each proof took."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"at": now, "seconds": {one.method: round(one.seconds, 3) for one in analysis.proofs.certificates}}


def _figure_file(drawn: Drawn) -> str:
    return f"figures/{drawn.name}.svg"
