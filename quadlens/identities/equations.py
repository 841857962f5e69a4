"""Every statement as a document: LaTeX, Markdown and a self-contained page, numbered, with verdict, source and
script. The scripts lie beside the documents, so that the links lead to them wherever the folder goes.
"""

import html
from collections.abc import Callable, Sequence
from pathlib import Path

from quadlens.errors import DependencyError
from quadlens.files import make_folder, write_atomically
from quadlens.identities.latex import statement_lines
from quadlens.identities.proof import Derivation, Result
from quadlens.identities.scripts import TimedDerivation, script_folder
from quadlens.identities.statement import Statement

TEX_HEAD = r"""\documentclass{article}
\usepackage{amsmath}
\allowdisplaybreaks
\addtolength{\textwidth}{3cm}
\addtolength{\oddsidemargin}{-1.5cm}
\begin{document}
\section*{Identities of quadlens}
"""
SCRIPTS = "equations-scripts"
"""The folder beside the documents that the links to the scripts lead to."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  color: light-dark(#1c1c28, #e6e6ee); background: light-dark(#fff, #14141b); }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid light-dark(#ccc, #444); }
article { border: 1px solid light-dark(#dde, #3a3a48); border-radius: 6px; padding: .6rem 1rem; margin: 1rem 0; }
article > p { margin: .3rem 0; } .number { float: right; color: light-dark(#556, #aab); }
.formula { overflow-x: auto; padding: .5rem 0; } math { font-size: 1.15rem; margin: .4rem 0; text-align: left; }
.verdict { font-weight: 600; color: light-dark(#14632b, #6fd08c); } .numeric { color: light-dark(#8a5300, #f0b35a); }
.failed { color: light-dark(#a11, #ff8a80); }
.meta { color: light-dark(#556, #aab); font-size: .9rem; overflow-wrap: anywhere; }
nav ol { columns: 3 15rem; } code { font-size: .95em; overflow-wrap: anywhere; }
"""


def write_equations(
    finished: Sequence[TimedDerivation], folder: str | Path, *, progress: Callable[[float], None] | None = None
) -> tuple[Path, ...]:
    """Write ``equations.tex``, ``equations.md`` and ``equations.html`` and return their paths.

    The scripts that the documents link to are copied into a folder beside them.

    Raises
    ------
    OutputError
        If a file cannot be written.
    DependencyError
        If the package that draws formulas is not installed.
    """
    target = make_folder(folder)
    derivations = [timed.derivation for timed in finished]
    written = []
    for name, content in (
        ("equations.tex", as_tex(derivations)),
        ("equations.md", as_markdown(derivations)),
        ("equations.html", as_html(derivations, progress=progress)),
    ):
        write_atomically(target / name, content)
        written.append(target / name)
    scripts = make_folder(target / SCRIPTS)
    for derivation in derivations:
        name = f"{derivation.name}.py"
        write_atomically(scripts / name, (script_folder() / name).read_text(encoding="utf-8"))
    return tuple(written)


def _anchor(name: str) -> str:
    return name.replace(".", "-").replace("_", "-")


def _verdict(result: Result) -> str:
    return result.in_words


def as_tex(derivations: Sequence[Derivation]) -> str:
    """Return a LaTeX document that compiles with amsmath alone; every equation has a number and a label."""
    parts = [TEX_HEAD]
    for derivation in derivations:
        parts.append(rf"\subsection*{{{_tex(derivation.title)}}}")
        for result in derivation.results:
            statement = result.statement
            lines = statement_lines(statement)
            body = " \\\\\n".join(rf"& {line}" for line in lines)
            parts.append(f"{_tex(statement.title)}\n\\begin{{equation}}\\label{{{_anchor(statement.name)}}}")
            parts.append(f"\\begin{{split}}\n{body}\n\\end{{split}}\n\\end{{equation}}")
            note = f"{_verdict(result)}; {statement.source}; {statement.derivation}"
            parts.append(rf"{{\footnotesize\raggedright {_tex(note)}\par}}\medskip")
    parts.append("\\end{document}\n")
    return "\n".join(parts)


def _tex(text: str) -> str:
    """Return plain text with what LaTeX would obey made visible."""
    replacements = {
        "\\": r"\textbackslash{}",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "&": r"\&",
        "%": r"\%",
        "#": r"\#",
    }
    replacements |= {"{": r"\{", "}": r"\}", "$": r"\$", "~": r"\textasciitilde{}", "|": r"\textbar{}"}
    replacements |= {"<": r"\textless{}", ">": r"\textgreater{}"}
    return "".join(replacements.get(character, character) for character in text)


def as_markdown(derivations: Sequence[Derivation]) -> str:
    """Return Markdown with the formulas as ``math`` blocks, numbered across the document."""
    parts = ["# Identities of quadlens", ""]
    number = 0
    for derivation in derivations:
        parts += [f"## {derivation.title}", ""]
        for result in derivation.results:
            number += 1
            statement = result.statement
            parts += [
                f'<a id="{_anchor(statement.name)}"></a>',
                f"**({number})** `{statement.name}` — {statement.title}",
                "",
            ]
            parts += ["```math", *(f"{line} \\\\" for line in statement_lines(statement)[:-1])]
            parts += [statement_lines(statement)[-1], "```", ""]
            parts += [
                f"{_verdict(result)}; {statement.source}; [{statement.derivation}]({SCRIPTS}/{statement.family}.py)",
                "",
            ]
    return "\n".join(parts)


def as_html(derivations: Sequence[Derivation], *, progress: Callable[[float], None] | None = None) -> str:
    """Return one page that needs no network and no fonts: every formula is MathML, which browsers draw."""
    convert = _converter()
    total = sum(len(derivation.results) for derivation in derivations)
    number = 0
    contents, body = [], []
    for derivation in derivations:
        contents.append(f'<li><a href="#{_anchor(derivation.name)}-family">{html.escape(derivation.title)}</a></li>')
        body.append(f'<h2 id="{_anchor(derivation.name)}-family">{html.escape(derivation.title)}</h2>')
        for result in derivation.results:
            number += 1
            body.append(_article(number, result, convert))
            if progress is not None:
                progress(number / total)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Identities of quadlens</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>Identities of quadlens</h1><p>{total} statements, each with its verdict and the script that proves it. "
        f"Run <code>quadlens derive NAME</code> to read the steps.</p><nav><ol>{''.join(contents)}</ol></nav>"
        f"{''.join(body)}</body></html>\n"
    )


def _converter() -> Callable[..., str]:
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise DependencyError("formulas in HTML need latex2mathml; install it: pip install latex2mathml") from error
    return convert


def drawn_lines(statement: Statement) -> str:
    """Return a statement's formula as MathML, line by line.

    Raises
    ------
    DependencyError
        If the package that draws formulas is not installed.
    """
    convert = _converter()
    return "".join(_picture(line, convert) for line in statement_lines(statement))


def _article(number: int, result: Result, draw: Callable[..., str]) -> str:
    statement = result.statement
    kind = {"proved": "", "checked numerically": " numeric", "failed": " failed"}[result.verdict]
    pictures = "".join(_picture(line, draw) for line in statement_lines(statement))
    escaped = {
        key: html.escape(value)
        for key, value in (
            ("name", statement.name),
            ("title", statement.title),
            ("verdict", _verdict(result)),
            ("source", statement.source),
        )
    }
    return (
        f'<article id="{_anchor(statement.name)}"><p><a class="number" href="#{_anchor(statement.name)}">({number})</a>'
        f'<code>{escaped["name"]}</code></p><p>{escaped["title"]}</p><div class="formula">{pictures}</div>'
        f'<p class="meta"><span class="verdict{kind}">{escaped["verdict"]}</span> · {escaped["source"]} · '
        f'<a href="{SCRIPTS}/{statement.family}.py"><code>{statement.derivation}</code></a></p></article>'
    )


def _picture(line: str, draw: Callable[..., str]) -> str:
    return draw(line, display="block").replace("<math ", f'<math aria-label="{html.escape(line, quote=True)}" ', 1)
