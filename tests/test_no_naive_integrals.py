"""SymPy integrates functions with kinks over a period wrongly, so nothing here asks it to; its wrong answers are on
record.
"""

import ast
from pathlib import Path

import pytest
from sympy import Abs, Max, Symbol, cos, integrate, pi, sign

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("quadlens", "derivations", "benchmarks", "docs")
KINKED = {"Max", "Min", "Abs", "sign", "Heaviside", "Piecewise", "ReLU", "Modulus", "Gate"}
x, t = Symbol("x", real=True), Symbol("t", real=True)


def naive_integrals(source: str) -> list[int]:
    """Return the lines that call SymPy's ``integrate`` or evaluate an ``Integral`` while a function with kinks is in
    use.

    A module that names none of those functions may integrate; scipy's ``integrate.quad`` is another matter.
    """
    tree = ast.parse(source)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    if not names & KINKED:
        return []
    sympy_names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sympy"
        for alias in node.names
        if alias.name in ("integrate", "manualintegrate")
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        by_name = isinstance(called, ast.Name) and called.id in sympy_names
        if by_name or (isinstance(called, ast.Attribute) and called.attr in ("integrate", "manualintegrate")):
            found.append(node.lineno)
    return found


def test_nothing_in_the_repository_integrates_functions_with_kinks() -> None:
    wrong = {
        str(path.relative_to(ROOT)): lines
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if (lines := naive_integrals(path.read_text()))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "source",
    [
        "from sympy import Max, cos, integrate\nintegrate(Max(0, cos(x)), (x, 0, 1))",
        "import sympy as sp\nsp.integrate(sp.Abs(sp.cos(x)), x)",
        "from sympy import integrate as area, Piecewise\narea(Piecewise((x, x > 0), (0, True)), x)",
        "from sympy import Heaviside, cos\n(Heaviside(x) * cos(x)).integrate(x)",
    ],
)
def test_a_naive_integral_would_be_seen(source: str) -> None:
    assert naive_integrals(source) == [2]


def test_other_integrals_are_not_seen() -> None:
    assert naive_integrals("from sympy import cos, integrate\nintegrate(cos(x), x)") == []
    assert naive_integrals("from scipy import integrate\nfrom sympy import Abs\nintegrate.quad(f, 0, 1)") == []


@pytest.mark.xfail(strict=True, reason="sympy issues 25052, 29072, 23223: wrong values for periodic conditions")
@pytest.mark.parametrize(
    ("integrand", "limits", "value"),
    [
        (Abs(cos(3 * x)), (x, 0, 2 * pi), 4),
        (Abs(cos(2 * x)), (x, 0, 2 * pi), 4),
        (Abs(cos(x)), (x, -pi, pi), 4),
        (Max(0, cos(x)) * cos(2 * x + t), (x, -pi, pi), 2 * cos(t) / 3),
        (sign(cos(x)) * cos(x) * cos(2 * x), (x, -pi, pi), 4 / 3),
    ],
    ids=["abs-3", "abs-2", "abs-1", "relu", "sign"],
)
def test_sympy_integrates_functions_with_kinks(integrand: object, limits: object, value: object) -> None:
    assert abs((integrate(integrand, limits) - value).subs(t, 1).evalf()) < 1e-9
