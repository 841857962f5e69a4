"""Every block of the documentation is run: Python in one namespace per page, commands in one folder per page.

``python`` blocks are executed, ``console`` blocks are commands (``$ quadlens …``) that must exit with 0, followed by
lines that their output must contain in this order (… stands for anything). ``shell`` blocks are for what a test must
not do (installing, a cluster); they are only compared with the short list of such things.
"""

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from quadlens.activations import ACTIVATIONS
from quadlens.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)
PAGES += [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.exists()]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.py"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = ("python -m pip ", "python -m pytest", "pytest", "python -m sphinx ", "git clone ", "dask ", "eval ")
NOT_RUN += ("ruff check", "mypy")


@pytest.fixture(autouse=True)
def activations_as_they_were() -> Iterator[None]:
    """A page may register an activation of its own."""
    before = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(before)


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text())


def run_command(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    program, *arguments = shlex.split(line)
    assert program == "quadlens"
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert not stopped.value.code, f"{line}: {captured.err}"
    return captured.out


def assert_shown(expected: list[str], output: str, line: str) -> None:
    """Every expected line occurs in the output, in this order."""
    rest = iter(output.splitlines())
    for wanted in expected:
        pattern = ".*".join(re.escape(part) for part in wanted.rstrip().split("…"))
        assert any(re.fullmatch(pattern, got.rstrip()) for got in rest), f"{line} does not print {wanted!r}:\n{output}"


def run_console(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, *expected = piece.rstrip("\n").split("\n")
        assert_shown(expected, run_command(line, capsys), line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    for language, text in blocks(page):
        if language == "python":
            exec(compile(text, str(page), "exec"), namespace)
        elif language == "console":
            run_console(text, capsys)
        elif language in ("shell", "sh", "bash"):
            for line in text.splitlines():
                assert line.startswith((*NOT_RUN, "quadlens ")), f"put {line!r} in a console block, which is run"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_runs(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(notebook), run_name="__main__")
    import matplotlib.pyplot as plt

    plt.close("all")


def test_the_pages_mention_every_command() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    assert [name for name in COMMANDS if not re.search(rf"quadlens {name}|command-help.* {name}", text)] == []


def test_a_broken_block_would_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match="does not print"):
        run_console("$ quadlens models\nno such line\n", capsys)
    with pytest.raises(AssertionError, match="no command"):
        run_console("$ quadlens modells\n", capsys)
