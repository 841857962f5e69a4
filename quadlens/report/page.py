"""The page: one HTML document that needs nothing but itself, in the order of the argument."""

import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

from quadlens import __version__
from quadlens.certificates.record import words as claims_in_words
from quadlens.digits import at_most, number
from quadlens.report.analysis import Analysis
from quadlens.report.colours import stylesheet
from quadlens.report.equations import circuit_equation, form_equations, limit_equations, waveform_equation
from quadlens.report.explorer import explorer_data
from quadlens.report.gallery import Drawn
from quadlens.report.ladder_table import ladder_table
from quadlens.report.tables import (
    design_table,
    form_table,
    harmonic_table,
    locking_table,
    proof_table,
    rectangle_table,
)
from quadlens.report.verdict import (
    frequencies_in_words,
    key_numbers,
    listed,
    opening,
    source_name,
    unexplained,
    verdict,
)
from quadlens.untrusted_text import one_line

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""The page may load nothing, from anywhere."""

SECTIONS = ("circuit", "form", "integral", "quadrature", "decomposition", "certificate")


def page(analysis: Analysis, figures: tuple[Drawn, ...], *, made: Mapping[str, Any] | None = None) -> str:
    """Return the whole document; ``made`` says when, on a line of its own: no other differs from one time to the next.
    """
    name = escape(one_line(analysis.name))
    bodies = {
        "circuit": _circuit(analysis),
        "form": _form(analysis),
        "integral": _integral(analysis),
        "quadrature": _quadrature(analysis),
        "decomposition": _decomposition(analysis),
        "certificate": _certificate(analysis),
    }
    sections = "".join(
        f'<section id="{key}" aria-labelledby="{key}-title">\n'
        f'<h2 id="{key}-title"><span class="step">{index}</span> {key.capitalize()}</h2>\n'
        f"{bodies[key]}{''.join(_figure(drawn) for drawn in figures if drawn.section == key)}"
        f"{_explorer(analysis) if key == 'quadrature' else ''}</section>\n"
        for index, key in enumerate(SECTIONS, 1)
    )
    links = "".join(f'<li><a href="#{key}">{key.capitalize()}</a></li>' for key in SECTIONS)
    links += '<li id="x-link" hidden><a href="#explorer">Look around</a></li>'
    folder = files("quadlens.report")
    style = stylesheet() + (folder / "page.css").read_text(encoding="utf-8")
    script = (folder / "page.js").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="generator" content="quadlens {__version__}">
<title>{name}: quadlens report</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<p class="kind">quadlens report <button type="button" id="theme" hidden>Dark</button></p>
<h1>{name}</h1>
<p class="verdict">{escape(f"{opening(analysis)} {verdict(analysis)}".strip())}</p>
{_key_numbers(analysis)}
<nav aria-label="Sections"><ol>{links}</ol></nav>
</header>
<main id="main">
{_unexplained(analysis)}{sections}</main>
<footer>
{_made(made)}<p>Made by quadlens {__version__}. <em>Proved</em>: a bound from a theorem, rounded to its safe side.
<em>Measured</em>: computed in float64 over all stated cases, true of those cases to rounding.
Angles are radians; logits are natural. The quadrature reading of these networks is due to
arXiv 2412.03773; every number here is this program's own measurement.</p>
</footer>
<script>
{script}</script>
</body>
</html>
"""


def _made(made: Mapping[str, Any] | None) -> str:
    if made is None:
        return ""
    times = ", ".join(f"{escape(method)} {seconds:.2f} s" for method, seconds in made["seconds"].items())
    proofs = f" Proofs on this machine: {times}." if times else ""
    return f'<p id="made">Made at {escape(made["at"])}.{proofs}</p>\n'


def _key_numbers(analysis: Analysis) -> str:
    items = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>" for value, what in key_numbers(analysis)
    )
    return f'<dl class="numbers">{items}</dl>'


def _unexplained(analysis: Analysis) -> str:
    sentences = unexplained(analysis)
    if not sentences:
        return ""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return (
        '<section id="open" aria-labelledby="open-title"><h2 id="open-title">What is not explained</h2>\n'
        f"<ul>{items}</ul></section>\n"
    )


def _figure(drawn: Drawn) -> str:
    return (
        f'<figure id="figure-{drawn.name}"><div class="plot" tabindex="0" role="group" '
        f'aria-label="Figure {drawn.name}">\n{drawn.svg}</div>\n'
        f"<figcaption>{escape(drawn.caption)}</figcaption></figure>\n"
    )


def _paragraph(text: str) -> str:
    return f"<p>{text}</p>\n"


def _circuit(analysis: Analysis) -> str:
    circuit = analysis.circuit
    facts = [
        ("source", source_name(circuit.source)),
        ("family", one_line(circuit.family)),
        ("p, neurons, activation", f"{circuit.p}, {circuit.neurons}, {circuit.activation}"),
        ("parameters of the tables", f"{circuit.parameters:,} (3pn + 2p²)"),
    ]
    facts += claims_in_words.origin(circuit)
    if analysis.evaluation is not None:
        e = analysis.evaluation
        facts.append(("standard deviation of the logits (measured)", number(e.logit_std, 4)))
        margins = f"{number(e.min_margin, 6)} and {number(e.mean_margin, 4)} logits"
        facts.append(("smallest and mean margin (measured)", margins))
    rows = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in facts)
    return (
        _paragraph(
            "With constant attention the network is five tables: what each neuron receives from a and from b, what it "
            "adds to each logit, and the skip path around the neurons."
        )
        + circuit_equation()
        + f'<dl class="facts">{rows}</dl>\n'
    )


def _form(analysis: Analysis) -> str:
    return (
        _paragraph(
            "Each neuron receives a wave of its key frequency <i>k</i>, with amplitude <i>r</i> and phase φ, and sends "
            "one out with amplitude <i>u</i> and phase ψ. With ω = 2π/<i>p</i> and θ<sub>a</sub> = ω<i>ka</i> + φ "
            "(<i>B</i> is alike, with its own <i>e</i><sub>B</sub>, <i>s</i><sub>B</sub> and a bias <i>r</i>κ):"
        )
        + form_equations()
        + form_table(analysis)
        + locking_table(analysis)
    )


def _integral(analysis: Analysis) -> str:
    return (
        _paragraph(
            "The neurons of a frequency see much the same waveform, shifted by their own phase; how much, the step "
            "<i>waveform spread</i> below measures. With <i>d</i> = <i>a</i> − <i>b</i> and θ = ω<i>kb</i> + φ their "
            "mean is"
        )
        + waveform_equation()
        + _paragraph(
            "If ψ = 2φ and the phases are even, the sum over the neurons becomes an integral, whose second harmonic "
            "turns at exactly <i>a</i> + <i>b</i> (written for ReLU; other activations keep each neuron's amplitude):"
        )
        + limit_equations()
        + design_table(analysis)
    )


def _quadrature(analysis: Analysis) -> str:
    text = _paragraph(
        "The network does not integrate; it sums. Each neuron acts as one rectangle under the integrand's curve. How "
        "far a sum of pure waves is from the integral follows from how evenly the phases lie."
    )
    if analysis.rectangles:
        return text + rectangle_table(analysis) + _rule_of_harmonics(analysis)
    return text + _paragraph(
        "The rectangle bound is a theorem about ReLU; this network's activation is "
        f"{escape(analysis.form.activation)}, so no bound is stated here."
        if analysis.form.activation != "relu"
        else "No neuron has weight, so there is no rule to bound."
    )


def _rule_of_harmonics(analysis: Analysis) -> str:
    return (
        _paragraph(
            "The rectangles bound a fitted rule's error whatever the integrand's details. Knowing the waveform, the "
            "same rule's error is a sum of exponential sums over the phases, term by term: the harmonic form, against "
            "the refined limit, at its worst <i>a</i> − <i>b</i>. Both are about pure waves of one shape in place of "
            "the neurons; what the neurons add to that is in the decomposition."
        )
        + harmonic_table(analysis)
        if analysis.harmonics
        else ""
    )


def _decomposition(analysis: Analysis) -> str:
    if analysis.decomposition is None:
        return _paragraph(
            "Not measured: it runs all p² inputs for every rung, and this network is too large for that here."
        )
    return (
        _paragraph(
            "Every bit of the difference between the MLP and the integral has a name. The terms sum to the whole, "
            f"within {at_most(analysis.decomposition.telescoping_error, 1)} of the largest logit (measured)."
        )
        + ladder_table(analysis)
    )


def _certificate(analysis: Analysis) -> str:
    proofs = analysis.proofs
    main = [group.frequency for group in analysis.main_groups]
    bounds = [bound.total for frequency, bound in analysis.rectangles.items() if frequency in main]
    parts = []
    if bounds:
        worst = max(bounds)
        word = (
            "non-vacuous: below 1, the error of predicting nothing"
            if worst < 1
            else "vacuous: predicting nothing has 1"
        )
        parts.append(
            "About the fitted rules, not about the MLP: with the phases and weights above, pure waves in place of the "
            f"neurons, no sum at {frequencies_in_words(analysis)} differs from the pure pizza's integral by more than "
            f"{at_most(worst)} of the target's amplitude ({word}), for every input at once. That is by "
            f"rectangles; by exact arcs, it is by no more than {at_most(max(analysis.main_arcs))}."
        )
    best, whole = proofs.best, proofs.cheapest_whole
    if best is not None:
        parts.append(f"The whole network, skip path included, by {best.method}: {escape(best.verdict)}.")
    if whole is not None and whole.operations < whole.brute_force_operations:
        parts.append(
            f"The cheapest full proof ({whole.method}) takes {whole.operations:,} operations where running all inputs "
            f"takes {whole.brute_force_operations:,}."
        )
    known = [certificate for certificate in proofs.certificates if certificate.float32_error is not None]
    if known:
        strongest = max(known, key=lambda certificate: certificate.margin_lower_bound or 0.0).float32
        parts.append(f"{escape(strongest[0].upper() + strongest[1:])}.")
    text = "".join(_paragraph(part) for part in parts) or _paragraph("Nothing is proved about this network.")
    if proofs.certificates:
        text += proof_table(analysis)
        ways: dict[str, list[str]] = {}
        for certificate in proofs.certificates:
            ways.setdefault(certificate.arithmetic, []).append(certificate.method)
        items = "".join(f"<li>{escape(listed(methods))}: {escape(way)}</li>" for way, methods in ways.items())
        text += f"<details><summary>How rounding was handled</summary><ul>{items}</ul></details>\n"
    blamed = [(c.method, sentence) for c in proofs.certificates for sentence in c.blame]
    items = "".join(f"<li>{escape(method)}: {escape(text)}</li>" for method, text in [*blamed, *proofs.refusals])
    if items:
        text += f"<details><summary>What was not proved, and why</summary><ul>{items}</ul></details>\n"
    return text


def _explorer(analysis: Analysis) -> str:
    data = explorer_data(analysis)
    if not data["groups"]:
        return ""
    # inside a script element only "</" and "<!--" could end or bend it; JSON may write < as an escape
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    options = "".join(
        f'<option value="{i}">k = {group["k"]} ({len(group["order"])} neurons)</option>'
        for i, group in enumerate(data["groups"])
    )
    heaviest = max(range(len(data["groups"])), key=lambda i: data["groups"][i]["scale"])
    options = options.replace(f'value="{heaviest}"', f'value="{heaviest}" selected')
    p = analysis.circuit.p
    return f"""<div id="explorer" hidden>
<h3>Look around</h3>
<p>Choose a frequency and slide <i>a</i> − <i>b</i>: the waveform, its zeros, the active neurons and the rectangles
follow. Slide <i>b</i>: the neurons walk under the same curve. Point at a neuron, or step through them, to see its
waves.</p>
<form class="controls">
<label>frequency <select id="x-group">{options}</select></label>
<label><i>a</i> − <i>b</i> = <output id="x-d-out">0</output>
<input type="range" id="x-d" min="0" max="{p - 1}" value="0"></label>
<label><i>b</i> = <output id="x-b-out">0</output>
<input type="range" id="x-b" min="0" max="{p - 1}" value="0"></label>
<label>neuron <output id="x-n-out">0</output>
<input type="range" id="x-n" min="0" max="0" value="0"></label>
</form>
<p id="x-words" role="status" aria-live="polite"></p>
<div class="views">
<div><h4>Rectangles under g(θ)</h4>
<svg id="x-rectangles" role="img" aria-labelledby="x-words"></svg></div>
<div><h4>Neurons on the circle, filled where active</h4>
<svg id="x-circle" role="img" aria-labelledby="x-words"></svg></div>
<div><h4>Waveform H<sub>d</sub>(θ) and its zeros</h4>
<svg id="x-waveform" role="img" aria-labelledby="x-words"></svg></div>
<div><h4 id="x-neuron-title">One neuron's waves</h4>
<svg id="x-neuron" role="img" aria-labelledby="x-neuron-words"></svg>
<p id="x-neuron-words"></p></div>
</div>
<script type="application/json" id="x-data">{text}</script>
</div>
<noscript><p>With JavaScript this page adds a view to explore every frequency and input; nothing else is missing.</p>
</noscript>
"""
