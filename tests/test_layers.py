"""A module imports only what lies before it, and importing the package is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import quadlens

PACKAGE = Path(quadlens.__file__).parent

LAYERS = (
    ("errors", "untrusted_text", "text_table", "digits"),
    ("arrays",),
    ("claims", "rounding", "files", "memory", "activations", "data_frame"),
    ("identities",),
    ("quadrature",),
    ("circuits",),
    ("form", "decomposition"),
    ("certificates", "checker"),
    ("sweep",),
    ("report",),
    ("cli",),
    ("start", "__main__"),
)
ORDER = {name: level for level, names in enumerate(LAYERS) for name in names}
HEAVY = {"torch", "sympy", "matplotlib", "scipy", "flint", "mpmath", "pandas", "rich"}


def modules() -> list[Path]:
    top = PACKAGE / "__init__.py"
    return [path for path in PACKAGE.rglob("*.py") if path != top and "derivations" not in path.parts]


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


def violations(layer: str, names: set[str]) -> set[str]:
    ours = {name.split(".")[1] for name in names if name.startswith("quadlens.")}
    return {name for name in ours if ORDER[name] > ORDER[layer]}


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in modules()} <= set(ORDER)


def test_imports_only_go_down() -> None:
    wrong = {
        str(path.relative_to(PACKAGE)): found
        for path in modules()
        if (found := violations(layer_of(path), imported(ast.parse(path.read_text()))))
    }
    assert wrong == {}


def test_an_upward_import_would_be_seen() -> None:
    tree = ast.parse("def f():\n    from quadlens.certificates.certify import certify\n")
    assert violations("form", imported(tree)) == {"certificates"}


def reached(tree: ast.AST, known: set[str]) -> set[str]:
    """The package's modules that a file imports, lazily or not; what only a type checker reads is left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & known


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        found = next((way for other in sorted(graph[name]) if (way := visit(other, [*path, name]))), [])
        done.add(name)
        return found

    return next((way for name in sorted(graph) if (way := visit(name, []))), [])


@pytest.mark.parametrize("room", ["certificates", "checker", "form", "quadrature", "report", "cli", "sweep"])
def test_no_file_imports_in_a_circle(room: str) -> None:
    paths = {".".join(("quadlens", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in modules()}
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {name: reached(ast.parse(path.read_text()), set(paths)) - {name} for name, path in paths.items()}
    here = {name: others for name, others in graph.items() if name.startswith(f"quadlens.{room}")}
    assert here
    assert circle({name: others & set(here) for name, others in here.items()}) == []


def test_a_circle_would_be_seen() -> None:
    lazy = reached(ast.parse("def f():\n    from quadlens.b import g\n"), {"quadlens.a", "quadlens.b"})
    assert circle({"quadlens.a": lazy, "quadlens.b": {"quadlens.a"}}) == ["quadlens.a", "quadlens.b"]


def test_relative_imports_are_not_used() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def loaded_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_quadlens_imports_nothing_heavy() -> None:
    assert not (HEAVY | {"numpy"}) & loaded_after("import quadlens")


def test_the_command_line_starts_without_anything_heavy() -> None:
    assert not (HEAVY | {"numpy"}) & loaded_after("import quadlens.cli")


def test_the_numeric_path_does_not_import_torch_or_sympy() -> None:
    code = "import quadlens as ql; ql.decompose(ql.construct(p=7, frequencies=(1, 2), neurons=16))"
    assert not {"torch", "sympy", "matplotlib"} & loaded_after(code)


def test_the_form_is_shown_without_anything_that_draws() -> None:
    code = "import click.testing as c; from quadlens.cli.fit import command; c.CliRunner().invoke(command, ['--json'])"
    loaded = loaded_after(code)
    assert "quadlens.report.mlp_distance" in loaded
    assert not {"torch", "sympy", "matplotlib"} & loaded
