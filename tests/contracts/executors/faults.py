"""A plugin that commits every fault that an executor must survive."""

import ctypes
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from pathlib import Path
from typing import Any

from mediahost import (
    Action,
    Analyzer,
    Artifact,
    Context,
    InvalidMedia,
    MediaAnalysisResult,
    MediaFile,
    MediaProcessingResult,
    Processor,
    TimeRange,
    TransientError,
    hookimpl,
)


class Fine(Analyzer, name="faults.fine"):
    """Nothing is wrong with this one."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        context.progress(0.5, "half way")
        size = media.path.stat().st_size
        return MediaAnalysisResult(
            ranges=(TimeRange(start=0, end=1),), metadata={"size": size, "pid": os.getpid()}
        )


class Copy(Processor, name="faults.copy"):
    """Make one artifact."""

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        (context.workdir / "copy.wav").write_bytes(media.path.read_bytes())
        return MediaProcessingResult(artifacts=(Artifact(path="copy.wav", asset_type="audio"),))


class Outside(Processor, name="faults.outside"):
    """Claim a file that isn't its own."""

    def process(self, media: MediaFile, context: Context) -> MediaProcessingResult:
        return MediaProcessingResult(artifacts=(Artifact(path=media.path, asset_type="audio"),))


class Follows(Analyzer, name="faults.follows"):
    """Look at what a step before it found."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        before = context.inputs["before"]
        assert isinstance(before, MediaAnalysisResult)
        return MediaAnalysisResult(metadata={"ranges": len(before.ranges)})


class Loads(Analyzer, name="faults.loads"):
    """Keep a resource, and say which loading of it this is."""

    what: str = "model"

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"loaded": context.resource(_load, self.what)})


_loaded: list[str] = []


def _load(what: str) -> int:
    _loaded.append(what)
    return len(_loaded)


class UnspeakableError(Exception):
    """Can't be pickled (its constructor wants more), can't even be printed."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one, other)

    def __str__(self) -> str:
        raise RuntimeError("unspeakable")

    def __reduce__(self) -> Any:
        raise RuntimeError("unpicklable")


def _raise_unspeakable(_context: Context) -> None:
    raise UnspeakableError("a", "b")


def _raise_invalid(_context: Context) -> None:
    raise InvalidMedia("It is damaged", "Record it again.")


def _raise_transient(_context: Context) -> None:
    raise TransientError("The network is down")


def _raise_very_long(_context: Context) -> None:
    raise ValueError("x" * 10_000_000)


def _out_of_memory(_context: Context) -> None:
    raise MemoryError


def _segfault(_context: Context) -> None:
    ctypes.string_at(0)


def _exit_at_once(_context: Context) -> None:
    os._exit(7)


def _grow(_context: Context) -> None:
    held = []
    while True:
        held.append(b"\1" * 10_000_000)
        time.sleep(0.001)


def _garbage(_context: Context) -> None:
    noise = bytes(range(256)) * 40
    os.write(1, noise)
    os.write(2, noise)
    print("printed by Python", "\udcff", end="")  # noqa: T201 - that is the fault
    ctypes.CDLL(None).puts(b"put by C \xff\xfe")


def _loop(context: Context) -> None:
    context.progress(0.1, "looping")
    while True:
        time.sleep(0.01)


def _deaf_loop(context: Context) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _loop(context)


def _polite_loop(context: Context) -> None:
    while True:
        context.progress(0.1, "looping")
        time.sleep(0.01)


def _hold_the_lock(context: Context) -> None:
    context.progress(0.1, "holding")
    # Exponential in the number of letters, in one call into C that lets nobody else run.
    re.match(r"(a|a)*$", "a" * 60 + "b")


def _spawn(context: Context) -> None:
    """A program that nobody waits for, and which holds on to all it can get."""
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", program], close_fds=False)
    _note(context, str(child.pid))


def _note(context: Context, pid: str) -> None:
    (context.workdir / "worker").write_text(str(os.getpid()))
    (context.workdir / "pid").write_text(pid)


def _leave_a_program(context: Context) -> None:
    _spawn(context)


def _leave_a_daemon(context: Context) -> None:
    """A program of a session and a parent of its own."""
    script = "sleep 600 >/dev/null & echo $!"
    pid = subprocess.run(["setsid", "sh", "-c", script], stdout=subprocess.PIPE, check=True).stdout
    _note(context, pid.decode().strip())


def _daemon_and_crash(context: Context) -> None:
    _leave_a_daemon(context)
    os.abort()


def _bare_daemon_and_crash(context: Context) -> None:
    """It has given up its environment, but not the pipe."""
    script = "env -i setsid sleep 600 & echo $! >&3; sleep 0.3"
    near, far = os.pipe()
    with subprocess.Popen(["sh", "-c", f"exec 3>&{far}; {script}"], pass_fds=[far]):
        os.close(far)
        _note(context, os.read(near, 100).decode().strip())
    os.abort()


def _daemon_and_hold_the_lock(context: Context) -> None:
    _leave_a_daemon(context)
    _hold_the_lock(context)


def _daemon_and_hang(context: Context) -> None:
    _leave_a_daemon(context)
    _loop(context)


def _spawn_and_hang(context: Context) -> None:
    _spawn(context)
    _loop(context)


def _spawn_and_hold_the_lock(context: Context) -> None:
    _spawn(context)
    _hold_the_lock(context)


def _spawn_and_crash(context: Context) -> None:
    _spawn(context)
    os.abort()


def _run_a_program(context: Context) -> None:
    context.progress(0.1, "running")
    context.run([sys.executable, "-c", "import time; time.sleep(600)"])


def _note_the_run(context: Context) -> None:
    with (context.workdir / "runs").open("a") as runs:
        runs.write("x")


def _note_inherited_sockets(context: Context) -> None:
    """What a program and a fork of this attempt get from the worker."""
    note = context.workdir / "sockets"
    list_them = f"ls -l /proc/self/fd | grep socket: >> {note}"
    subprocess.run(["sh", "-c", list_them], close_fds=False, check=False)
    if os.fork() == 0:
        with note.open("a") as file:
            for descriptor in Path("/proc/self/fd").iterdir():
                if descriptor.is_socket():
                    file.write(f"{descriptor}\n")
        os._exit(0)
    os.wait()


def _close_everything(_context: Context) -> None:
    os.closerange(0, 1000)
    time.sleep(600)


def _close_output(_context: Context) -> None:
    sys.stdout.close()
    sys.stderr.close()
    os.close(1)
    os.close(2)


def _speak_for_the_worker(_context: Context) -> None:
    for descriptor in range(3, 50):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(600)


_FAULTS: Mapping[str, Callable[[Context], Any]] = {
    "abort": lambda _context: os.abort(),
    "close_everything": _close_everything,
    "close_output": _close_output,
    "bare_daemon_and_crash": _bare_daemon_and_crash,
    "daemon_and_crash": _daemon_and_crash,
    "daemon_and_hang": _daemon_and_hang,
    "daemon_and_hold_the_lock": _daemon_and_hold_the_lock,
    "deaf_loop": _deaf_loop,
    "exit": lambda _context: sys.exit(3),
    "exit_at_once": _exit_at_once,
    "garbage": _garbage,
    "grow": _grow,
    "hold_the_lock": _hold_the_lock,
    "invalid": _raise_invalid,
    "leave_a_daemon": _leave_a_daemon,
    "leave_a_program": _leave_a_program,
    "loop": _loop,
    "inherit": _note_inherited_sockets,
    "note": _note_the_run,
    "none": lambda _context: None,
    "out_of_memory": _out_of_memory,
    "polite_loop": _polite_loop,
    "run_a_program": _run_a_program,
    "segfault": _segfault,
    "spawn_and_crash": _spawn_and_crash,
    "spawn_and_hang": _spawn_and_hang,
    "spawn_and_hold_the_lock": _spawn_and_hold_the_lock,
    "speak_for_the_worker": _speak_for_the_worker,
    "transient": _raise_transient,
    "unspeakable": _raise_unspeakable,
    "very_long": _raise_very_long,
}

_NO_JSON: Any = object()

_NONSENSE: Mapping[str, Any] = {
    "nothing": None,
    "text": "a result",
    "class": MediaAnalysisResult,
    "unserialisable": MediaAnalysisResult.model_construct(metadata={"at": _NO_JSON}),
    "infinite": MediaAnalysisResult.model_construct(metadata={"at": float("nan")}),
}


class Fault(Analyzer, name="faults.fault"):
    """Commit one fault; if that is survived, all is fine."""

    fault: str

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        _FAULTS[self.fault](context)
        return MediaAnalysisResult(metadata={"pid": os.getpid()})


class Nonsense(Analyzer, name="faults.nonsense"):
    """Return something that is no result."""

    what: str

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return _NONSENSE[self.what]  # type: ignore[no-any-return]


class TooLarge(Analyzer, name="faults.too_large"):
    """Return more than crosses to the host."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"text": "x" * (70 << 20)})


class Meet(Analyzer, name="faults.meet", pool="network", max_inflight=10):
    """Say something in every way there is, and wait at a server until all others have come."""

    port: int
    word: str

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        print(f"{self.word} printed", flush=True)  # noqa: T201 - it belongs in the log
        context.log.info("%s logged", self.word)
        logging.getLogger("some.library").warning("%s warned", self.word)
        say = f"{self.word} said on a thread"
        thread = threading.Thread(target=copy_context().run, args=(print, say))
        thread.start()
        thread.join()
        say = f"import sys; sys.stderr.write('{self.word} ran a program')"
        context.run([sys.executable, "-S", "-c", say])
        (context.workdir / "note").write_text(self.word)
        held = context.resource(_hold, "model")
        context.progress(0.5, self.word)
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(b"here")
            assert server.recv(1) == b"!", "the others never came"
        notes = [path.name for path in context.workdir.iterdir()]
        return MediaAnalysisResult(metadata={"pid": os.getpid(), "held": held, "notes": notes})


def _hold(_what: str) -> int:
    time.sleep(0.2)  # all the others ask for it meanwhile
    return _load(_what)


class Modules(Analyzer, name="faults.modules"):
    """Tell which modules the process has loaded."""

    def analyze(self, media: MediaFile, context: Context) -> MediaAnalysisResult:
        return MediaAnalysisResult(metadata={"modules": sorted(sys.modules)})


@hookimpl
def mediahost_register_actions() -> list[type[Action]]:
    """All of them."""
    return [Fine, Copy, Outside, Follows, Loads, Fault, Nonsense, TooLarge, Meet, Modules]


@hookimpl
def mediahost_worker_started() -> None:
    """A plugin that fails here must not matter."""
    raise RuntimeError("not today")
