"""Every command with options that nobody would type: ``python -m benchmarks.options --examples 2000``.

Hypothesis draws a command, some of its options and values for them: numbers of thousands of digits, huge ranges, NaN,
nothing, other alphabets, escapes, devices, pipes, links to nothing, folders; and streams that are closed, full or gone.
Each runs in a process of its own, which must end with 0, 1, 2, 130 or 141 and at most one line on stderr, or be at work
(training, certifying) when its time is over.
"""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ALLOWED = (0, 1, 2, 130, 141)
SECONDS = 20
MEMORY = 6 * 2**30

NUMBERS = (
    *("0", "1", "2", "3", "5", "7", "13", "-1", "-0", "1.5", "1e300", "-1e300", "1e-320", "nan", "inf", "-inf"),
    *("9" * 5000, "9" * 4000, "9" * 19, "0." + "3" * 5000, str(2**31), str(2**53), str(2**63)),
    *("1_000", "0x10", "٣", "ⅷ", "½"),
)
RANGES = ("0-99999999999999999999", "1,2", "5-3", "1-", "-", ",", "1,,2", "0-0", "1-2-3", "0-100001", " 1 , 2 ")
TEXTS = (
    *("", " ", "relu", "gelu", "square", "linear", "exact", "native", "pizza", "ψ"),
    *("\x1b[31mred", "\u202e", "\udc80", "a" * 300),
)
FILES = (
    *("model.safetensors", "net.pth", "certificate.json", "config.json", "nonsense"),
    *("pipe", "link", "loop", "folder"),
)
PLACES = (
    *("out", "out/of/nowhere", "/dev/null", "/dev/full", "/proc/x", "red\x1b[31m", "-x", "--", ".", "..", "a" * 250),
    *("p59-seed0", "\u202eexe", "model.safetensors/x", "tcp://127.0.0.1:1"),
)
STREAMS = ("kept", "kept", "kept", "stdout closed", "stdout full", "stdout gone", "stderr closed", "stdin closed")


class Ended(NamedTuple):
    """How one command ended; ``status`` None: it was still at work."""

    status: int | None
    error: str
    seconds: float
    peak: int


def prepare(folder: Path) -> None:
    """Make the files that are named, once."""
    import torch

    from quadlens.certificates.certify import certify
    from quadlens.certificates.record.file import write_certificate
    from quadlens.circuits import native
    from quadlens.circuits.construct import construct

    circuit = construct(p=5, frequencies=(1, 2), neurons=12)
    native.write(circuit, folder / "model.safetensors")
    write_certificate(certify(circuit, method="linear"), folder / "certificate.json")
    torch.save({"model": {"mlp.W_in": torch.randn(6, 5), "mlp.W_out": torch.randn(5, 6)}}, folder / "net.pth")
    (folder / "config.json").write_text('{"act_fn": "ReLU"}')
    (folder / "nonsense").write_bytes(b"\x80nonsense")


def lay_out(made: Path, folder: Path) -> None:
    """Put fresh copies of them into the folder, and what is no file beside them."""
    shutil.copytree(made, folder)
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("nothing")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()


def _streams(which: str) -> int | None:
    """Do it to the streams; return the number of one that is closed."""
    numbers = {"stdin closed": 0, "stdout closed": 1, "stderr closed": 2}
    if which in numbers:
        os.close(numbers[which])
        return numbers[which]
    if which == "stdout full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    elif which == "stdout gone":
        read, write = os.pipe()
        os.close(read)
        os.dup2(write, 1)
    return None


def run(arguments: list[str], streams: str, folder: Path, seconds: int = SECONDS) -> Ended:
    """Run the command line in a child that has imported everything already."""
    said = folder.parent / "said"
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setsid()
            os.chdir(folder)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            os.dup2(os.open(said, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            closed = _streams(streams)
            for number, name in ((1, "stdout"), (2, "stderr")):
                opened = None if number == closed else open(number, "w", closefd=False)  # noqa: SIM115
                setattr(sys, name, opened)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            from quadlens.start import main

            sys.argv = ["quadlens", *arguments]
            try:
                main()
            except SystemExit as stop:
                status = stop.code if isinstance(stop.code, int) else 70
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    if stream is not None:
                        stream.flush()
        finally:
            os._exit(status)
    while True:
        ended, code, usage = os.wait4(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - started > seconds:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            _, code, usage = os.wait4(child, 0)
            return Ended(None, said.read_text(errors="replace"), seconds, usage.ru_maxrss * 1024)
        time.sleep(0.005)
    text = said.read_text(errors="replace") if said.exists() else ""
    spent = usage.ru_utime + usage.ru_stime
    return Ended(os.waitstatus_to_exitcode(code), text, spent, usage.ru_maxrss * 1024)


def lines(ended: Ended) -> list[str]:
    """Return what it wrote to stderr without a sweep's own progress."""
    return [line for line in ended.error.splitlines() if " min left" not in line]


def is_good(ended: Ended, arguments: list[str]) -> bool:
    """Say whether it ended as documented, or is doing long work that it was asked for."""
    few = lines(ended)
    if len(few) > 1 or not all(line.isprintable() for line in few):
        return False
    if ended.status is None:
        return arguments[0] in ("train", "sweep", "derive", "equations", "report", "decompose")
    return ended.status in ALLOWED


def command_lines() -> Any:
    """Return the strategy: (arguments, streams)."""
    from hypothesis import strategies as st

    from quadlens.cli import COMMANDS, quadlens

    pools = {"number": NUMBERS, "range": RANGES, "text": TEXTS, "file": FILES, "place": PLACES}
    anything = st.one_of(*(st.sampled_from(pool) for pool in pools.values()), st.text(max_size=8))

    def value(parameter: Any) -> Any:
        kind = type(parameter.type).__name__
        if kind in ("IntRange", "FloatParamType", "IntParamType"):
            return st.one_of(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS), anything)
        if parameter.name in ("output", "folder"):
            return st.one_of(st.sampled_from(PLACES), st.sampled_from(FILES), anything)
        if parameter.name in ("model", "config", "certificate"):
            return st.one_of(st.sampled_from(FILES), st.sampled_from(FILES), st.sampled_from(PLACES), anything)
        if parameter.name in ("p", "seeds", "frequencies", "neurons"):
            return st.one_of(st.sampled_from(RANGES), st.sampled_from(NUMBERS), anything)
        return anything

    @st.composite
    def draw_line(draw: Any) -> tuple[list[str], str]:
        name = draw(st.sampled_from(list(COMMANDS)))
        context = quadlens.make_context("quadlens", [name], resilient_parsing=True)
        command = quadlens.get_command(context, name)
        words = [name]
        for parameter in command.params:  # type: ignore[union-attr]
            # what must be given is nearly always given
            if draw(st.integers(0, 9)) >= (9 if parameter.required else 3):
                continue
            if parameter.param_type_name == "argument":
                words.append(draw(value(parameter)))
            elif getattr(parameter, "is_flag", False):
                words.append(parameter.opts[-1])
            else:
                words += [parameter.opts[-1], draw(value(parameter))]
        small = {"train": ["--epochs", "3"], "sweep": ["--epochs", "3", "--seeds", "0", "--p", "5", "--neurons", "4"]}
        # what has no option of its own given is made small
        for index in range(0, len(small.get(name, ())), 2):
            if small[name][index] not in words:
                words += small[name][index : index + 2]
        words = [word.replace("\0", "") for word in words]
        return words, draw(st.sampled_from(STREAMS))

    return draw_line()


def campaign(examples: int, seconds: int, report: Callable[[list[str], str, Ended], None], draw: int = 1) -> None:
    """Draw and run ``examples`` command lines; ``draw`` is the seed."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    with tempfile.TemporaryDirectory() as temporary:
        made, folder = Path(temporary) / "made", Path(temporary) / "folder"
        made.mkdir()
        prepare(made)

        @seed(draw)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(command_lines())
        def one(drawn: tuple[list[str], str]) -> None:
            shutil.rmtree(folder, ignore_errors=True)
            lay_out(made, folder)
            arguments, streams = drawn
            report(arguments, streams, run(arguments, streams, folder, seconds))

        one()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    given = parser.parse_args()
    found: Counter[str] = Counter()
    worst = [0.0, 0.0]

    def report(arguments: list[str], streams: str, ended: Ended) -> None:
        found["at work" if ended.status is None else str(ended.status)] += 1
        worst[:] = max(worst[0], ended.seconds), max(worst[1], ended.peak / 2**20)
        if not is_good(ended, arguments):
            found["bad"] += 1
            shown = [word if len(word) < 60 else f"{word[:20]}…({len(word)})" for word in arguments]
            print(f"! {ended.status} {streams}: {shown!r}\n  {ended.error[-1500:]!r}", flush=True)

    started = time.monotonic()
    campaign(given.examples, given.seconds, report)
    print(f"{sum(found.values()) - found['bad']} commands in {time.monotonic() - started:.0f} s: {dict(found)};")
    print(f"at most {worst[0]:.1f} s of processor time and {worst[1]:.0f} MiB")
    sys.exit(found["bad"] > 0)


if __name__ == "__main__":
    main()
