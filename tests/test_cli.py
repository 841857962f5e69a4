"""The command line as a whole: help, one-line errors, exit statuses, quiet, colour, completion, closed pipes."""

import io
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import quadlens as ql
from quadlens.circuits.native import write
from quadlens.cli import COMMANDS, main, quadlens
from quadlens.cli.progress import progress_bar
from quadlens.cli.show import print_table

pty = pytest.importorskip("pty", reason="terminals as files exist on Unix only")
PYTHON = [sys.executable, "-m", "quadlens"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    write(ql.construct(p=13, frequencies=(2, 5), neurons=48), path)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def refused(result: tuple[int, str, str], *words: str) -> None:
    """Bad input: exit 2, nothing on stdout, one line on stderr that names the cause."""
    status, out, err = result
    assert (status, out) == (2, ""), err
    assert err.startswith("quadlens: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_help_lists_every_command(run) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        status, out, err = run(*arguments)
        assert (status, err) == (0, "")
        for name, purpose in COMMANDS.items():
            assert f"  {name} " in out
            assert purpose in out


@pytest.mark.parametrize("name", [name for name in COMMANDS if find_spec(f"quadlens.cli.{name}")])
def test_every_command_has_the_common_options_and_an_example(run, name: str) -> None:
    command = quadlens.get_command(click.Context(quadlens), name)
    assert command is not None
    assert {"as_json", "quiet"} <= {parameter.name for parameter in command.params}
    assert (command.epilog or "").startswith(f"Example: quadlens {name}")
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_a_mistyped_command_gets_a_suggestion(run) -> None:
    refused(run("dcompose"), "no command 'dcompose'", "did you mean 'decompose'?")
    refused(run("zzz"), "choose one of report, fit")


def test_a_mistyped_option_gets_a_suggestion(run) -> None:
    refused(run("fit", "--jso"), "--jso", "--json", "quadlens fit --help")
    refused(run("construct", "--p", "eleven"), "'eleven' is not a valid integer")
    refused(run("construct"), "Missing option")


def test_a_mistyped_model_gets_a_suggestion(run, model: Path) -> None:
    refused(run("fit", "p59-sed0"), "no file and no bundled network", "did you mean 'p59-seed0'?")
    refused(run("fit", str(model.with_name("smal.safetensors"))), f"did you mean '{model}'?")
    refused(run("fit", "zzz"), "bundled: p59-seed0")


@pytest.mark.parametrize("command", ["fit", "decompose"])
@pytest.mark.parametrize("kind", ["directory", "empty.pt", "text.pt", "text.safetensors", "text.unknown"])
def test_what_is_no_checkpoint_is_refused_in_one_line(run, tmp_path: Path, command: str, kind: str) -> None:
    path = tmp_path / kind
    if kind == "directory":
        path.mkdir()
    else:
        path.write_text("" if kind.startswith("empty") else "not a checkpoint\n" * 9)
    refused(run(command, path), kind)


def test_an_unknown_family_or_configuration_is_refused(run, model: Path, tmp_path: Path) -> None:
    refused(run("fit", model, "--family", "nonesuch"), "nonesuch")
    refused(run("fit", model, "--config", tmp_path / "absent.json"), "absent.json")


def test_an_option_that_would_change_nothing_is_refused(run, model: Path, tmp_path: Path) -> None:
    """What was asked for is done or refused, for a bundled network as for a file."""
    (tmp_path / "config.json").write_text('{"attn_coeff": 1}')
    for name in (str(model), "p59-seed0"):
        refused(run("fit", name, "--config", tmp_path / "config.json"), "a native file", "leave out the config")
        refused(run("fit", name, "--family", "gbmi"), "is a safetensors file", "gbmi")
        refused(run("fit", name, "--family", "nonesuch"), "family must be one of gbmi", "nonesuch")
    assert run("fit", model, "--family", "native", "-q") == (0, "", "")


def test_an_output_that_cannot_be_written_is_refused(run, tmp_path: Path) -> None:
    arguments = ("construct", "--p", "7", "--frequencies", "2", "--neurons", "8", "-o")
    refused(run(*arguments, tmp_path / "absent" / "c.safetensors"), "cannot write", "No such file or directory")
    refused(run(*arguments, tmp_path), "cannot write", "directory")


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the report first: imported below the other, it would keep that one's certify for good
    monkeypatch.setattr("quadlens.report.analysis.analyse", lambda *_, **__: pytest.fail("worked in vain"))
    monkeypatch.setattr("quadlens.certificates.certify.certify", lambda *_, **__: pytest.fail("worked in vain"))
    refused(run("certify", model, "-o", tmp_path / "absent" / "c.json"), "cannot write", "No such file or directory")
    refused(run("report", model, "-o", model), "cannot make the folder", "File exists")
    refused(run("report", model, "-o", ""), "an output folder needs a name")


def test_a_message_cannot_drive_the_terminal(run) -> None:
    refused(run("fit", "\x1b[2J\nred.pt"), "\\x1b[2J")


def test_quiet_leaves_json_and_errors(run, model: Path) -> None:
    assert run("fit", model, "--quiet") == (0, "", "")
    status, out, err = run("fit", model, "-q", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["p"] == 13
    refused(run("fit", "zzz", "--quiet"), "zzz")


def test_quiet_silences_whatever_is_printed(run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ql.fit

    def talkative(circuit: ql.Circuit):
        click.echo("something")
        return real(circuit)

    monkeypatch.setattr("quadlens.form.amplitude_phase.fit", talkative)
    assert run("fit", model, "--quiet") == (0, "", "")
    assert "something" in run("fit", model)[1]


def test_the_next_step_can_be_copied(run, tmp_path: Path) -> None:
    path = tmp_path / "with space.safetensors"
    write(ql.construct(p=7, frequencies=(2,), neurons=8), path)
    _, out, _ = run("fit", path)
    assert out.endswith(f"  quadlens decompose '{path}'\n")


def test_a_bug_is_shown_as_one(run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quadlens.form.amplitude_phase.fit", lambda circuit: 1 / 0)
    status, out, err = run("fit", model, "--json")
    assert (status, out) == (70, "")
    assert "ZeroDivisionError" in err
    assert err.splitlines()[-1].startswith("quadlens: this is a bug")


def test_too_little_memory_is_one_line(run, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(circuit: object) -> None:
        raise MemoryError

    monkeypatch.setattr("quadlens.form.amplitude_phase.fit", fit)
    refused(run("fit", model, "--json"), "not enough memory")


def test_control_c_ends_with_130(model: Path) -> None:
    script = (
        "import os, signal, quadlens.form.amplitude_phase as module; from quadlens.cli import main;"
        "module.fit = lambda circuit: os.kill(os.getpid(), signal.SIGINT);"
        f"main(['fit', {str(model)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.strip() == "quadlens: interrupted; nothing half-written is left behind"


def test_control_c_ends_with_130_wherever_it_strikes(model: Path, tmp_path: Path) -> None:
    """In text that is being executed (libraries do that while they are imported) a module would end with the signal."""
    strike = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print(1)"
    (tmp_path / "struck.py").write_text(
        "import quadlens.form.amplitude_phase as module; from quadlens.cli import main\n"
        f"module.fit = lambda circuit: exec({strike!r})\n"
        f"main(['fit', {str(model)!r}])\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "struck"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 130
    assert done.stderr.strip() == "quadlens: interrupted; nothing half-written is left behind"


@pytest.mark.parametrize("arguments", [["fit"], ["fit", "--json"], ["fit", "--help"], ["--help"]])
def test_a_closed_pipe_ends_with_141_and_in_silence(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*PYTHON, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_is_one_line(model: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PYTHON, "fit", model], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "quadlens: cannot use the output: No space left on device\n")


def test_a_terminal_without_greek_gets_escapes_and_valid_json(model: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    for options in ([], ["--json"]):
        done = subprocess.run([*PYTHON, "fit", model, *options], capture_output=True, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        text = done.stdout.decode("latin-1")
        assert json.loads(text) if options else "\\u03ba" in text


def on_a_terminal(arguments: list[str], **environment: str) -> bytes:
    """Run quadlens with stdout on a terminal and return what it wrote there."""
    ours, theirs = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    done = subprocess.Popen([*PYTHON, *arguments], stdout=theirs, env={**inherited, "TERM": "xterm", **environment})
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    assert done.wait() == 0
    return written


def test_escape_codes_only_on_a_terminal_that_wants_them(model: Path) -> None:
    arguments = ["fit", str(model)]
    assert b"\x1b[1m" in on_a_terminal(arguments)
    assert b"\x1b" not in on_a_terminal(arguments, NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal(arguments, TERM="dumb")
    assert b"\x1b" not in subprocess.run([*PYTHON, *arguments], capture_output=True, check=True).stdout


def completions(monkeypatch: pytest.MonkeyPatch, run, words: str, position: int) -> list[str]:
    monkeypatch.setenv("_QUADLENS_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(position))
    _, out, _ = run()
    return out.splitlines()


def test_a_shell_completes_commands_options_and_models(run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completions(monkeypatch, run, "quadlens de", 1) == ["plain,decompose", "plain,derive"]
    assert "plain,--quiet" in completions(monkeypatch, run, "quadlens fit --", 2)
    models = completions(monkeypatch, run, "quadlens fit p59", 2)
    assert "plain,p59-seed0" in models
    assert models[-1] == "file,p59"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_printed(run, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    if shell == "bash":
        monkeypatch.setattr("click.shell_completion.BashComplete._check_version", staticmethod(lambda: None))
    monkeypatch.setenv("_QUADLENS_COMPLETE", f"{shell}_source")
    status, out, _ = run()
    assert status == 0
    assert "_QUADLENS_COMPLETE=" in out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, patience: float, fractions: tuple[float, ...]) -> str:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("quadlens.cli.progress.PATIENCE_SECONDS", patience)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("working") as report:
        deadline = time.monotonic() + 20
        while patience < 1 and "working" not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        for fraction in fractions:
            report(fraction)
    return terminal.getvalue()


def test_a_bar_is_drawn_after_its_patience_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(monkeypatch, 0.0, (0.25, 2.0))
    assert "working" in text
    assert "time left" in text
    assert "100%" in text


def test_short_work_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, 60.0, (0.5, 1.0)) == ""


def test_no_bar_where_stderr_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("quadlens.cli.progress.PATIENCE_SECONDS", 0.0)
    with progress_bar("working") as report:
        report(0.5)
    assert capsys.readouterr().err == ""


def test_a_table_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("Title", ["k", "value"], [["3", "1.5"], ["15", "10.25"]], note="A note.")
    assert capsys.readouterr().out == "\nTitle\nk   value\n──  ─────\n3     1.5\n15  10.25\nA note.\n"
