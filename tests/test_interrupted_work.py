"""Work that is interrupted: killed at any moment, out of room, its reader gone. Outputs are whole or absent, always."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from quadlens.certificates.record.file import read_certificate
from quadlens.circuits import native
from quadlens.circuits.construct import construct
from quadlens.errors import OutputError
from quadlens.files import atomic_path, folder_alone, write_atomically

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}

WRITER = """
import os, random, signal, sys, time
from quadlens.circuits import native
from quadlens.circuits.construct import construct
from quadlens.files import write_atomically
circuits = [construct(p=61, frequencies=(1, 2, 3), neurons=2000, noise=0.1, seed=seed) for seed in (0, 1)]
contents = [native.encode(circuit) for circuit in circuits]
started = time.perf_counter()
for content in contents:
    write_atomically("out.safetensors", content)
# on a slow disk as on a fast one, some are killed while they write and some after they wrote a file whole
longest = time.perf_counter() - started
os.unlink("out.safetensors")
chance, whole, leftover = random.Random(0), 0, 0
for _ in range(30):
    child = os.fork()
    if child == 0:
        while True:
            for content in contents:
                write_atomically("out.safetensors", content)
    time.sleep(0.001 + 2 * longest * chance.random())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    leftover = max(leftover, sum(name.endswith(".part") for name in os.listdir()))
    if os.path.exists("out.safetensors"):
        read = native.read("out.safetensors")
        assert any((read.A == circuit.A).all() and (read.U == circuit.U).all() for circuit in circuits)
        whole += 1
native.write(circuits[0], "out.safetensors")
print(whole, leftover, *os.listdir())
"""


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


MAIN = "import sys; from quadlens.cli import main; main(sys.argv[1:])"


def test_a_writer_killed_at_any_moment_leaves_a_whole_file_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    done = run(WRITER, tmp_path)
    assert done.returncode == 0, done.stderr
    whole, leftover, *names = done.stdout.split()
    assert int(whole) > 0
    # some were killed while they wrote, and at no time did more than the last one's temporary file lie about
    assert int(leftover) == 1
    assert names == ["out.safetensors"]


def test_what_another_process_is_writing_is_not_tidied_away(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "out") as outer:
        outer.write_bytes(b"outer")
        write_atomically(tmp_path / "out", b"inner")
        assert outer.exists()
        write_atomically(tmp_path / "other", b"other")
    assert (tmp_path / "out").read_bytes() == b"outer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out"]


def test_a_leftover_is_tidied_away_and_a_like_name_is_not(tmp_path: Path) -> None:
    (tmp_path / ".out.abcd_012.quadlens.part").write_bytes(b"half")
    for name in (".output.abcd_012.quadlens", ".[o]ut.abcd_012.quadlens", ".out.mine", ".out.a.b.quadlens"):
        (tmp_path / f"{name}.part").write_bytes(b"a stranger's")
    for random in ("mine", "ABCD_012", "abcd_0123"):
        (tmp_path / f".out.{random}.quadlens.part").write_bytes(b"a stranger's")
    before = set(os.listdir(tmp_path)) - {".out.abcd_012.quadlens.part"}
    write_atomically(tmp_path / "out", b"whole")
    assert set(os.listdir(tmp_path)) == before | {"out"}


def test_a_pipe_or_a_folder_called_like_a_leftover_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".out.abcd_012.quadlens.part")
    (tmp_path / ".out.abcd_013.quadlens.part").mkdir()
    (tmp_path / ".out.abcd_014.quadlens.part").symlink_to("elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"another's")
    signal.alarm(60)
    write_atomically(tmp_path / "out", b"whole")
    signal.alarm(0)
    assert len(os.listdir(tmp_path)) == 5


def test_what_is_written_again_keeps_its_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "out", b"first")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o666 & ~mask
    for mode in (0o600, 0o640, 0o444, 0o755):
        (tmp_path / "out").chmod(mode)
        write_atomically(tmp_path / "out", b"again")
        assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "out").chmod(0o600)
    write_atomically(tmp_path / "link", b"through a link")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


def test_two_processes_may_write_one_output(tmp_path: Path) -> None:
    code = "from quadlens.files import write_atomically\nimport sys\n" + (
        "for i in range(200): write_atomically('out', sys.argv[1].encode() * 10000)"
    )
    commands = [[sys.executable, "-c", code, letter] for letter in "ab"]
    running = [subprocess.Popen(c, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) for c in commands]
    for process in running:
        _, error = process.communicate()
        assert process.returncode == 0, error
    assert (tmp_path / "out").read_bytes() in (b"a" * 10000, b"b" * 10000)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_processes_may_write_their_sets_of_files_to_one_folder(tmp_path: Path) -> None:
    """The set that stays is one process's, whole: without the lock it is a mixture of both."""
    code = (
        "from quadlens.files import folder_alone, write_atomically\nimport sys\nfor i in range(60):\n"
        " with folder_alone('.'):\n  for k in range(10): write_atomically(f'out{k}', sys.argv[1])\n"
        "  texts = {open(f'out{k}').read() for k in range(10)}; assert texts == {sys.argv[1]}, texts"
    )
    commands = [[sys.executable, "-c", code, letter] for letter in "ab"]
    running = [subprocess.Popen(c, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE) for c in commands]
    for process in running:
        _, error = process.communicate()
        assert process.returncode == 0, error
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 1


def test_a_full_disk_is_one_line_and_the_old_output_stays(tmp_path: Path) -> None:
    native.write(construct(p=31, frequencies=(1, 2), neurons=200), tmp_path / "in.safetensors")
    (tmp_path / "out.safetensors").write_bytes(b"before")
    # a limit on the size of a file stands in for a disk without room
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n" + MAIN
    done = run(limited, tmp_path, "convert", "in.safetensors", "out.safetensors")
    assert done.returncode == 2
    assert done.stderr.startswith("quadlens: cannot write out.safetensors: File too large")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "out.safetensors").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.safetensors", "out.safetensors"]


def test_a_read_only_folder_is_one_line(tmp_path: Path) -> None:
    native.write(construct(p=7, frequencies=(1, 2), neurons=8), tmp_path / "in.safetensors")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    # permissions do not bind the superuser, the kernel's own folder does
    out = "/proc/out.safetensors" if os.geteuid() == 0 else str(folder / "out.safetensors")
    done = run(MAIN, tmp_path, "convert", "in.safetensors", out)
    assert done.returncode == 2
    assert done.stderr.startswith(f"quadlens: cannot write {out}: ")
    assert "choose a folder that exists and can be written" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_device_or_a_pipe_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    """A rename would: a superuser who throws an output away into /dev/null would be left without it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OutputError, match=f"cannot write .*{name}: it is a device or a pipe; name a file"):
            write_atomically(tmp_path / name, b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "real").write_bytes(b"before")
    (tmp_path / "link").symlink_to("folder/real")
    write_atomically(tmp_path / "link", b"whole")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "real").read_bytes() == b"whole"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["real"]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match=r"cannot write .*loop: "):
        write_atomically(tmp_path / "loop", b"whole")


def test_a_file_system_without_locks_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with folder_alone(tmp_path):
        pass
    (tmp_path / ".out.abcd_012.quadlens.part").write_bytes(b"perhaps being written")
    write_atomically(tmp_path / "out", b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.abcd_012.quadlens.part", "out"]


def test_an_exception_while_writing_leaves_the_old_output(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"before")

    def write_half(error: type[BaseException]) -> None:
        with atomic_path(tmp_path / "out") as part:
            part.write_bytes(b"half")
            raise error

    for error in (KeyboardInterrupt, MemoryError, OSError):
        with pytest.raises(OutputError if error is OSError else error):
            write_half(error)
    assert (tmp_path / "out").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_converter_whose_reader_went_away_has_written_its_file(tmp_path: Path) -> None:
    circuit = construct(p=7, frequencies=(1, 2), neurons=8)
    native.write(circuit, tmp_path / "in.safetensors")
    command = [sys.executable, "-c", MAIN, "convert", "in.safetensors", "out.safetensors", "--json"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, "")
    np.testing.assert_array_equal(native.read(tmp_path / "out.safetensors").A, circuit.A)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="sees in /proc when training has begun")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_training_that_is_stopped_leaves_nothing_and_runs_again(tmp_path: Path, how: signal.Signals) -> None:
    options = ["train", "--p", "7", "--neurons", "16", "--d-model", "8", "-o", "net.safetensors", "--epochs"]
    command = [sys.executable, "-c", MAIN, *options, "10000000"]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        # stop it once its many epochs have begun: torch is loaded then
        while "torch" not in Path(f"/proc/{process.pid}/maps").read_text() and process.poll() is None:
            time.sleep(0.05)
        time.sleep(2.0)
        process.send_signal(how)
        _, error = process.communicate(timeout=60)
    if how == signal.SIGINT:
        assert (process.returncode, error) == (130, "quadlens: interrupted; nothing half-written is left behind\n")
    else:
        assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
    if how == signal.SIGINT:
        return
    done = run(MAIN, tmp_path, *options, "5")
    assert done.returncode == 0, done.stderr
    assert native.read(tmp_path / "net.safetensors").p == 7


def killed_and_run_again(arguments: list[str], folder: Path, fractions: tuple[float, ...]) -> None:
    """Run a command whole to learn how long it takes, kill later runs of it on the way, then run it whole again."""
    command = [sys.executable, "-c", MAIN, *arguments]
    started = time.monotonic()
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    seconds = time.monotonic() - started
    for fraction in fractions:
        child = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(fraction * seconds)
        child.kill()
        child.wait()
        assert_every_output_is_whole(folder)
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    assert_every_output_is_whole(folder)
    assert not list(folder.rglob("*.part"))


def assert_every_output_is_whole(folder: Path) -> None:
    """Each file under its final name is complete; temporary files of a killed run may lie beside it."""
    for path in folder.rglob("*"):
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix in (".html", ".svg"):
            assert path.read_text().rstrip().endswith(f"</{path.suffix[1:]}>"), path


def small_network(folder: Path) -> None:
    native.write(construct(p=7, frequencies=(1, 2), neurons=32), folder / "net.safetensors")


def test_certify_killed_on_the_way_leaves_no_half_certificate(tmp_path: Path) -> None:
    small_network(tmp_path)
    arguments = ["certify", "net.safetensors", "--method", "linear", "-o", "certificate.json"]
    killed_and_run_again(arguments, tmp_path, (0.6, 0.8, 0.9, 0.95))
    assert read_certificate(tmp_path / "certificate.json").method == "linear"


def test_report_killed_on_the_way_leaves_no_half_page(tmp_path: Path) -> None:
    small_network(tmp_path)
    killed_and_run_again(["report", "net.safetensors", "-o", "out"], tmp_path, (0.5, 0.8, 0.95))
    assert (tmp_path / "out" / "report.html").exists()
    assert len(list((tmp_path / "out").rglob("*.svg"))) >= 6


def test_a_half_written_page_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("<html><body>")
    with pytest.raises(AssertionError, match=r"report\.html"):
        assert_every_output_is_whole(tmp_path)
