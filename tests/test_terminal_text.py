"""Names from outside are shown in one harmless form, commands can be copied, and no option ends in a traceback."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quadlens.circuits import native
from quadlens.circuits.construct import construct
from quadlens.cli import main
from quadlens.cli.show import print_json, print_table, say
from quadlens.untrusted_text import is_plain, printable, shell_command

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
NASTY = "red\x1b[31m\x9b2J\u202e'\"\\ $(x)`.safetensors"


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), min_size=1, max_size=3))
@example(["a'b\\c", "\x1bf0", "\udc80x", "", "~", "!", "$x", "é\x01é"])
def test_a_shown_command_names_the_same_files_in_a_shell(words: list[str]) -> None:
    no_bytes = {*map(chr, range(0xD800, 0xDC80)), *map(chr, range(0xDD00, 0xE000))}
    words = ["".join(c for c in word if c not in no_bytes) for word in words]
    # bytes that are text together are that text when the shell gives them back
    words = [os.fsdecode(os.fsencode(word)) for word in words]
    shown = shell_command(words)
    assert is_plain(shown)
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash, whose quoting this is")
    script = f"for word in {shown}; do printf '%s\\0' \"$word\"; done"
    done = subprocess.run([bash, "-c", os.fsencode(script)], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in words]


def test_whatever_is_said_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    say(f"wrote {NASTY}\nand more")
    print_table(f"Table {NASTY}", ["name"], [[NASTY]], note=NASTY)
    out = capsys.readouterr().out
    assert is_plain(out.replace("\n", ""))
    assert out.count(r"red\x1b[31m\x9b2J\u202e") == 4
    assert printable("a\nb") == "a\nb"


def test_json_says_the_same_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": NASTY, "more": ["ψ\U000e0001\ud800", 1.5]}
    print_json(value)
    out = capsys.readouterr().out
    assert is_plain(out.replace("\n", ""))
    assert json.loads(out) == value


@pytest.mark.parametrize(
    "words",
    [
        ["fit", NASTY],
        ["fit", NASTY, "--json"],
        ["certify", NASTY, "--method", "linear", "-o", f"c{NASTY}"],
        ["convert", NASTY, f"n{NASTY}"],
        ["construct", "--p", "5", "--frequencies", "1", "-o", NASTY],
        ["train", "--p", "5", "--neurons", "4", "--d-model", "4", "--epochs", "2", "-o", NASTY],
        ["report", NASTY, "-o", f"folder{NASTY}"],
        ["decompose", NASTY],
        ["fit", f"nothing{NASTY}"],
        ["fit", "--config", NASTY + "x", NASTY],
        ["certify", NASTY, "-o", f"no/{NASTY}"],
        ["check", NASTY, NASTY],
        ["report", NASTY, "-o", NASTY],
    ],
)
def test_no_name_reaches_the_terminal_as_it_is(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    native.write(construct(p=5, frequencies=(1, 2), neurons=12), NASTY)
    with pytest.raises(SystemExit):
        main(words)
    out, err = capsys.readouterr()
    assert out + err
    assert is_plain((out + err).replace("\n", ""))
    assert err.count("\n") <= 1
    _, found, command = out.partition("\n  quadlens ")
    if found and "$'" in command:
        # the first file that the command names is there
        done = subprocess.run(
            ["bash", "-c", f'words=(quadlens {command.splitlines()[0]}); printf %s "${{words[2]}}"'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(done.stdout).exists()


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quadlens", *words]
    given: dict[str, Any] = {"env": ENVIRONMENT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.run(command, check=False, timeout=120, **(given | options))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep", "--seeds", "0-99999999999999999999", "-o", "s"], "seeds must be whole numbers of at most 15 digits"),
        (["sweep", "--seeds", "9" * 5000, "-o", "s"], "seeds must be whole numbers of at most 15 digits"),
        (["sweep", "--seeds", "1-", "-o", "s"], "seeds must be whole numbers"),
        (["sweep", "--seeds", "٣", "-o", "s"], "seeds must be whole numbers"),
        (["sweep", "--seeds", "0-100000", "-o", "s"], "seeds must be at most 100,000 numbers"),
        (["sweep", "--snapshots", "100000000", "--epochs", "10", "-o", "s"], "at most 1000 a decade, got 100000000"),
        (["sweep", "--p", "999999999999999", "-o", "s"], "GiB of memory"),
        (["construct", "--p", "9" * 4000, "--frequencies", "1", "-o", "c"], "is not in the range"),
        (["construct", "--p", "5", "--frequencies", "1", "--sigma", "1e300", "-o", "c"], "more than 1e+150"),
        (["construct", "--p", "5", "--frequencies", "1", "--noise", "1e308", "-o", "c"], "NaN or infinite values"),
        (["construct", "--p", str(2**53), "--frequencies", "1", "-o", "c"], "GiB of memory"),
        (["fit", "--max-megabytes", "9" * 4000], "is not in the range"),
        (["fit", "loop"], "is a link that leads to no file"),
        (["fit", "dangling"], "is a link that leads to no file"),
    ],
)
def test_numbers_beyond_comfort_are_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", "loop")
    os.symlink("nothing", "dangling")
    with pytest.raises(SystemExit) as stop:
        main(words)
    error = capsys.readouterr().err
    assert (stop.value.code, error.count("\n")) == (2, 1)
    assert message in error


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("torch", "raise OSError('libtorch_cpu.so: cannot open shared object file')", "OSError: libtorch_cpu.so"),
        ("torch", "raise ImportError('no torch here')", "ImportError: no torch here"),
        ("torch", "raise AttributeError('half of torch')", "AttributeError: half of torch"),
    ],
)
def test_a_missing_or_broken_torch_is_said_as_that(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / f"{name}.py").write_text(content)
    environment = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))}
    done = run("train", "--p", "5", "-o", "out", cwd=tmp_path, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"quadlens: a package that this needs cannot be imported ({said}")
    assert done.stderr.endswith("; install it again\n")
    assert done.stderr.count("\n") == 1


def test_closed_and_full_streams(tmp_path: Path) -> None:
    command = f"'{sys.executable}' -m quadlens models --json"
    for ending, status, said in (
        (">&-", 2, "quadlens: standard output is closed; send it to /dev/null to do without it\n"),
        (">/dev/full", 2, "quadlens: cannot use the output: No space left on device\n"),
        (">/dev/null 2>&-", 0, ""),
        ("<&- >/dev/null", 0, ""),
        ("--nonsense >/dev/null 2>&-", 2, ""),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{command} {ending}"], env=ENVIRONMENT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (status, said), ending


def test_an_interrupt_while_everything_is_imported_is_one_line() -> None:
    """It comes from inside the import: a module that takes long stands in for all that the command line imports."""
    code = (
        "import sys, types, os, signal\n"
        "class Slow:\n"
        " def find_spec(self, name, *_):\n"
        "  if name == 'quadlens.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "from quadlens.start import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "quadlens: interrupted; nothing half-written is left behind\n")


def test_an_interrupt_at_any_early_moment_is_no_traceback_of_ours() -> None:
    for moment in (0.03, 0.06, 0.09, 0.12, 0.15, 0.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "quadlens", "derive", "--all"],
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(moment)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=120)
        assert process.returncode in (130, -signal.SIGINT, 1)
        assert "quadlens/cli" not in error


def test_torch_s_advice_to_load_without_the_checks_is_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    torch.save({"model": {"mlp.W_in": torch.ones(6, 5), "mlp.W_out": torch.ones(5, 6)}}, tmp_path / "net.pth")

    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError("Weights only load failed. Re-running with `weights_only` set to `False` will work")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(SystemExit):
        main(["fit", str(tmp_path / "net.pth")])
    error = capsys.readouterr().err
    assert error.endswith("is not a readable checkpoint: RuntimeError\n")
    assert "False" not in error


def test_options_that_nobody_would_type_end_as_documented() -> None:
    from benchmarks import options

    seen, bad = [], []

    def report(arguments: list[str], streams: str, ended: options.Ended) -> None:
        seen.append(ended.status)
        if not options.is_good(ended, arguments):
            bad.append((arguments, streams, ended))

    options.campaign(25, 3, report, draw=5)
    assert bad == []
    assert len(seen) == 25
    assert {2} < set(seen)


@pytest.mark.parametrize(
    ("status", "error"),
    [(70, ""), (1, "Traceback\nmore\n"), (2, "a\nb\n"), (0, "red \x1b[31m\n"), (None, "a\nb\n"), (-11, "")],
)
def test_a_command_that_ends_badly_would_be_seen(status: int | None, error: str) -> None:
    from benchmarks import options

    assert not options.is_good(options.Ended(status, error, 0.0, 0), ["train"])
    assert options.is_good(options.Ended(2, "quadlens: no\n", 0.0, 0), ["train"])
