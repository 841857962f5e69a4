"""The README's code runs, and what it points to exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_three_lines_and_the_ten_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    three, ten = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(three.splitlines()) == 3  # one of them empty
    assert "assert" in ten.splitlines()[-1]
    for code in (three, ten):
        exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / "rectangles.png").read_bytes().startswith(b"\x89PNG")


def test_every_link_points_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_exactly_two_setup_commands() -> None:
    commands = re.findall(r"^python -m pip install .*$", README, re.MULTILINE)
    assert commands == [
        "python -m pip install . && quadlens report",
        "python -m pip install '.[test]' && pytest",
    ]


def test_the_command_table_names_every_command() -> None:
    from quadlens.cli import COMMANDS

    table = README.split("## What you get")[1].split("## Ten lines")[0]
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", table)] == []
