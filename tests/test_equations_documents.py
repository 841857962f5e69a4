"""The documents hold every statement once, numbered, with verdict, source and script, and need nothing from
elsewhere.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from sympy import Add, Integral, Sum, Symbol, cos, pi, sin

from quadlens.cli.equations import command
from quadlens.identities import equations
from quadlens.identities.catalogue import FAMILIES, all_statements, statements_of
from quadlens.identities.equations import as_html, as_markdown, as_tex, write_equations
from quadlens.identities.functions import Modulus, ReLU
from quadlens.identities.latex import broken, formula_latex, statement_lines
from quadlens.identities.latex_width import LINE, width
from quadlens.identities.proof import Derivation, Result
from quadlens.identities.scripts import TimedDerivation
from quadlens.identities.statement import Statement
from quadlens.identities.symbols import M, n, s, x, y

# What is stored, as if it were proved: these tests are about the documents.
FINISHED = [
    TimedDerivation(
        derivation=Derivation(
            name=family,
            title=family.replace("_", " "),
            results=tuple(Result(statement=one, steps=(), verdict="proved") for one in statements_of(family)),
        ),
        seconds=1.0,
    )
    for family in FAMILIES
]
DERIVATIONS = [timed.derivation for timed in FINISHED]


class Page(HTMLParser):
    """Collect ids, links and what would be loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.formulas = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.formulas += tag == "math"
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if tag == "a" and found.get("href") else []
        self.loaded += [found[key] for key in ("src", "srcset") if found.get(key)]
        self.loaded += ["script"] if tag in ("script", "link", "iframe", "object") else []


def page() -> Page:
    parser = Page()
    parser.feed(as_html(DERIVATIONS))
    return parser


def test_the_page_needs_nothing_from_elsewhere() -> None:
    assert page().loaded == []
    text = as_html(DERIVATIONS)
    assert "url(" not in text
    assert "@import" not in text


def test_every_statement_is_there_once_and_links_lead_somewhere() -> None:
    found = page()
    assert len(set(found.ids)) == len(found.ids)
    for statement in all_statements():
        assert statement.name.replace(".", "-").replace("_", "-") in found.ids
    inside = [link.removeprefix("#") for link in found.links if link.startswith("#")]
    assert set(inside) <= set(found.ids)
    assert found.formulas >= len(all_statements())


def test_no_formula_holds_a_command_that_was_not_understood() -> None:
    formulas = re.findall(r"<math .*?</math>", as_html(DERIVATIONS), flags=re.DOTALL)
    for formula in formulas:
        body = re.sub(r'aria-label="[^"]*"', "", formula)
        assert "\\" not in body, body[:300]


def test_latex_has_one_label_per_statement_and_balanced_braces() -> None:
    text = as_tex(DERIVATIONS)
    assert text.count(r"\begin{equation}") == text.count(r"\end{equation}") == len(all_statements())
    assert len(set(re.findall(r"\\label\{(.*?)\}", text))) == len(all_statements())
    bare = text.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")


def test_markdown_numbers_every_statement() -> None:
    numbers = [
        int(number) for number in re.findall(r"^\*\*\((\d+)\)\*\*", as_markdown(DERIVATIONS), flags=re.MULTILINE)
    ]
    assert numbers == list(range(1, len(all_statements()) + 1))


def test_a_title_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = Derivation(name="x", title="<script>alert(1)</script> & 5 % of {a_b}", results=())
    assert "<script>" not in as_html([hostile])
    assert r"5 \% of \{a\_b\}" in as_tex([hostile])


def test_the_command_writes_all_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quadlens.identities.scripts.run_derivations", lambda **_: FINISHED[:2])
    done = CliRunner().invoke(command, ["-o", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    written = [Path(path) for path in json.loads(done.stdout)["files"]]
    assert [path.name for path in written] == ["equations.tex", "equations.md", "equations.html"]
    assert all(path.stat().st_size > 1000 for path in written)


def test_a_failed_derivation_makes_the_command_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = TimedDerivation(derivation=DERIVATIONS[0], seconds=1.0, failure="step 3 does not hold")
    monkeypatch.setattr("quadlens.identities.scripts.run_derivations", lambda **_: [failed])
    done = CliRunner().invoke(command, ["-o", str(tmp_path)])
    assert done.exit_code == 1
    assert "step 3 does not hold" in done.output


def test_progress_runs_to_the_end(tmp_path: Path) -> None:
    fractions: list[float] = []
    write_equations(FINISHED[:1], tmp_path, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert equations.TEX_HEAD in (tmp_path / "equations.tex").read_text()


def test_links_to_the_scripts_lead_to_them(tmp_path: Path) -> None:
    write_equations(FINISHED[:2], tmp_path)
    parser = Page()
    parser.feed((tmp_path / "equations.html").read_text())
    linked = re.findall(r"\]\(([^#)]+)\)", (tmp_path / "equations.md").read_text())
    linked += [link for link in parser.links if not link.startswith("#")]
    assert len(linked) == 2 * sum(len(timed.derivation.results) for timed in FINISHED[:2])
    for link in linked:
        assert "def derive(" in (tmp_path / link).read_text(), link


# The widest formulas that are one term without a sum to break at; a page of equations.tex is wide enough for them.
WIDEST = 80


def test_no_line_is_wider_than_a_page() -> None:
    widths = {statement.name: max(map(width, statement_lines(statement))) for statement in all_statements()}
    assert max(widths.values()) < WIDEST, widths
    assert sum(found > LINE for found in widths.values()) <= 6


def test_only_what_amsmath_has_is_used() -> None:
    text = as_tex(DERIVATIONS)
    assert re.findall(r"usepackage\{(.*?)\}", text) == ["amsmath"]
    assert r"\mathbb" not in text


def test_a_statement_says_for_which_variables_it_holds() -> None:
    for statement in all_statements():
        ranges = "".join(statement_lines(statement)).partition(r"\text{for } ")[2]
        assert bool(ranges) == bool(statement.variables), statement.name
    (harmonic,) = (one for one in all_statements() if one.name == "rectified_cosine.even")
    assert statement_lines(harmonic)[-1] == r"\text{for } \text{integer } j"
    (sums,) = (one for one in all_statements() if one.name == "rectangle_bound.identity_half")
    assert r"\text{positive integer } n" in statement_lines(sums)[-1]
    assert r"\text{non-negative real } w_j" in statement_lines(sums)[-1]
    alone = Statement(name="s", title="t", left=pi, right=pi, variables=(), source="here")
    assert statement_lines(alone) == [r"\pi = \pi"]


LONG = Add(*(cos(number * x) * sin(number * y) for number in range(1, 12)))
J = Symbol("j", integer=True)


@pytest.mark.parametrize(
    "expression",
    [
        LONG,
        -LONG / pi,
        Modulus(LONG),
        LONG**2,
        Integral(LONG, (x, 0, s)),
        Sum(LONG, (J, 1, n)),
        Integral(LONG * (1 + LONG), (x, 0, s), (y, 0, pi)) / (2 * pi),
        cos(M) + LONG * ReLU(s),
    ],
    ids=lambda expression: type(expression).__name__,
)
def test_a_broken_formula_is_the_formula(expression: object) -> None:
    lines = broken(expression)
    assert len(lines) > 1
    assert max(map(width, lines)) <= LINE

    def atoms(text: str) -> list[str]:
        bare = re.sub(r"\\(left|right|Bigl|Bigr|qquad|frac|times|,)", "", text)
        return sorted(re.findall(r"\d|[a-zA-Z]+|[-+]", bare))

    assert [one for one in atoms("".join(lines)) if one != "1"] == [
        one for one in atoms(formula_latex(expression)) if one != "1"
    ]
    assert "".join(lines).count(r"\Bigl") == "".join(lines).count(r"\Bigr")


def test_a_fraction_is_as_wide_as_its_wider_half() -> None:
    assert width(r"\frac{a + b}{2}") == width("a + b") > width("ab")
    assert width(r"x^{a b}") < width("x a b")
