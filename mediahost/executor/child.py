"""A child: the host's end of one worker."""

import os
import secrets
import shutil
import socket
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import ClassVar

from mediahost.executor.answers import Answer, answer_of
from mediahost.executor.attempt import Attempt
from mediahost.executor.frames import BadFrame, FrameReader, pack
from mediahost.executor.joblog import JobLog
from mediahost.executor.orphans import end_orphans
from mediahost.executor.process import pidfd_of, start_worker
from mediahost.executor.reaper import end_group
from mediahost.executor.resident import Resident
from mediahost.executor.temporary import temporary_folder

RECEIVE_BYTES = 1 << 18
# What was written before an answer was sent is in the pipe by then, and a pipe holds no more.
PIPE_BYTES = 1 << 20
# An attempt that was thought to be quick and takes so long no longer has others wait behind it.
PATIENCE_S = 0.1
# An idle worker larger than this share of the limit starts the next job with too little room.
LARGE = 0.75


class Child:
    """One worker process, in a group of its own.

    Args:
        name: What plugins know it by, such as worker-1.
        python: The interpreter.
        plugins: Plugins to load that aren't installed.
        variables: What of the host's environment it gets besides the usual: names or patterns.

    Attributes:
        ready: It has loaded its plugins.
        silent: It has closed its socket.
        gone: It was buried.
        line: The attempt that it runs, and those that it was given ahead.
        recalling: It was asked to give back those that it has not begun.
        spent: It is of no more use; it ends when it has nothing left to do.
        warm: Names of the resources that it keeps loaded.
        kinds: Kinds of attempt that it ran while it kept them.
        log: Where its output goes.
        kill_at, abandon_at: Deadlines, by the monotonic clock.

    Raises:
        OSError: The process can't be started.
    """

    how: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, name: str, python: str, plugins: Sequence[str], variables: Collection[str] = ()
    ) -> None:
        self.name = name
        self.ready = False
        self.gone = False
        self.line: deque[Attempt] = deque()
        self.recalling = False
        self.spent = False
        self.warm: frozenset[str] = frozenset()
        self.kinds: set[str] = set()
        self.log = JobLog()
        self.silent = False
        self.kill_at: float | None = None
        self.abandon_at: float | None = None
        self._given = 0
        self._workdir = ""
        self._mark = secrets.token_hex(16)
        self._unsent = bytearray()
        self._reader = FrameReader()
        self.jobs, far_jobs = socket.socketpair()
        self.control, far_control = socket.socketpair()
        self.output, far_output = os.pipe()
        try:
            self.process = start_worker(
                python,
                far_jobs.fileno(),
                far_control.fileno(),
                far_output,
                *self.how,
                variables=variables,
                mark=self._mark,
            )
        except BaseException:
            self._close_ours()
            raise
        finally:
            far_jobs.close()
            far_control.close()
            os.close(far_output)
        for descriptor in (self.jobs, self.control):
            descriptor.settimeout(0)
        os.set_blocking(self.output, False)
        self.pidfd = pidfd_of(self.process.pid)
        self.resident = Resident(self.process.pid)
        self._send(pack({"name": name, "plugins": list(plugins)}))

    @property
    def attempt(self) -> Attempt | None:
        """What it runs."""
        return self.line[0] if self.line else None

    def give(self, attempts: Sequence[Attempt]) -> None:
        """Let it run these, one after the other, after those that it has."""
        for attempt in attempts:
            self._given += 1
            attempt.number = self._given
            self._workdir = attempt.spec.workdir
        self.line.extend(attempts)
        self._send(b"".join(attempt.frame for attempt in attempts))

    def begin(self, now: float) -> Attempt | None:
        """Turn to the first in line, if there is one."""
        attempt = self.attempt
        if attempt is not None:
            self.log = JobLog(attempt.spec.log_path)
            attempt.began = now
            limit_s = attempt.spec.timeout_s
            if attempt.doom:
                limit_s = min(attempt.grace_s, limit_s or attempt.grace_s)
            attempt.ends_at = None if limit_s is None else now + limit_s
        return attempt

    def finish(self) -> bool:
        """The first in line is done; whether it has written anything."""
        self.log.close()
        self.line.popleft()
        return self.log.is_used

    def keeps(self, warm: Sequence[str], attempt: Attempt) -> None:
        """After this attempt it has these resources loaded."""
        if not warm and not self.warm:
            return
        now = frozenset(warm)
        if now - self.warm and self.warm - now:
            # Something was let go of to make room; whose it was is not known.
            self.kinds.clear()
        self.warm = now
        if warm:
            self.kinds.add(attempt.kind)
        else:
            self.kinds.clear()

    def began_number(self, number: int) -> bool:
        """Whether this is the number of the attempt that it runs, not of an earlier one.

        Raises:
            BadFrame: It was never given an attempt with this number.
        """
        if number > self._given:
            raise BadFrame("it tells of an attempt that it was not given")
        return self.attempt is not None and number == self.attempt.number

    def is_ready(self) -> None:
        """It has loaded its plugins.

        Raises:
            BadFrame: It has said so before.
        """
        if self.ready:
            raise BadFrame("it is ready twice")
        self.ready = True
        self.kill_at = None

    def ask_to_stop(self, attempt: Attempt) -> None:
        """Raise the flag that the attempt's checkpoints look at."""
        self._order({"cancel": attempt.number})

    def recall(self) -> None:
        """Ask for the attempts back that it has not begun."""
        self.recalling = True
        self._order({"recall": self._given})

    def returned(self, after: int, upto: int) -> list[Attempt]:
        """What it gives back, out of line now: it will not run the attempts numbered so.

        Raises:
            BadFrame: It was not asked for them, or has told the end of one of them.
        """
        running = self.attempt
        ended = running.number - 1 if running else self._given
        if not self.recalling or upto > self._given or after < min(ended, upto):
            raise BadFrame("it gives back attempts that it was not asked for")
        self.recalling = False
        back = [attempt for attempt in self.line if after < attempt.number <= upto]
        for attempt in back:
            self.line.remove(attempt)
        return back

    def ask_to_end(self) -> None:
        """Let the worker end in order once it is idle."""
        with suppress(OSError):
            self.jobs.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """End it and all that it runs, at once. Only before the worker has been waited for."""
        end_group(self.process.pid)

    def is_dead(self) -> bool:
        """Whether it has ended, without waiting for it: its number stays its own."""
        how = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.process.pid, how) is not None
        except ChildProcessError:
            return True

    def is_full(self) -> bool:
        """Whether the socket was full."""
        return bool(self._unsent)

    def send_more(self) -> None:
        """Send what the socket had no room for."""
        self._send(b"")

    def receive(self) -> list[Answer]:
        """The answers that are there; `silent` says that no more will come.

        Raises:
            BadFrame: The worker doesn't keep to the protocol.
        """
        messages: list[Answer] = []
        received = RECEIVE_BYTES
        # A short read has emptied the socket; asking again would be for nothing.
        while received == RECEIVE_BYTES:
            try:
                data = self.jobs.recv(RECEIVE_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            received = len(data)
            self.silent = not data
            messages += map(answer_of, self._reader.feed(data))
        return messages

    def next_deadline(self) -> float | None:
        """When something must be done about it, by the monotonic clock."""
        running = self.attempt
        deadlines = (
            running.ends_at if running else None,
            running.began + PATIENCE_S if running and self._may_recall() else None,
            self.kill_at,
            self.abandon_at,
        )
        return min((at for at in deadlines if at is not None), default=None)

    def holds_up_others(self, now: float) -> bool:
        """Whether an attempt that was thought to be quick keeps others from running elsewhere."""
        running = self.attempt
        return bool(running and self._may_recall() and now >= running.began + PATIENCE_S)

    def _may_recall(self) -> bool:
        return len(self.line) > 1 and not self.recalling

    def is_large(self, limit: int | None) -> bool:
        """Whether it would start its next attempt with too little room.

        Args:
            limit: Resident bytes that it may hold; None: any.
        """
        return limit is not None and self.resident.read() > limit * LARGE

    def read_output(self) -> bool:
        """Move output to the log; False once nobody can write any more."""
        moved = 0
        with suppress(BlockingIOError):
            while moved < PIPE_BYTES:
                data = os.read(self.output, RECEIVE_BYTES)
                if not data:
                    return False
                self.log.write(data)
                moved += len(data)
        return True

    def bury(self) -> int | None:
        """End what is left of its group and let go of everything.

        Returns:
            The exit code as `subprocess` gives it; None where even the kernel can't end it.
        """
        self.gone = True
        # The group goes by the number of its leader, which is free for others once it was
        # waited for: kill first.
        self.kill()
        if self.is_dead():
            end_orphans(self._mark, os.fstat(self.output).st_ino, self.process.pid)
        self.read_output()
        self.log.close()
        self.resident.close()
        if self._workdir:
            temporary = temporary_folder(self._workdir, self.process.pid)
            shutil.rmtree(temporary, ignore_errors=True)
        self._close_ours()
        if self.pidfd is not None:
            os.close(self.pidfd)
        return self.process.poll()

    def _order(self, order: dict[str, int]) -> None:
        # A control socket that is full holds a thousand of these: nobody reads them there.
        with suppress(OSError):
            self.control.send(pack(order))

    def _send(self, frame: bytes) -> None:
        self._unsent += frame
        with suppress(OSError):  # full: later; broken: its death is seen elsewhere
            sent = self.jobs.send(self._unsent)
            del self._unsent[:sent]

    def _close_ours(self) -> None:
        self.jobs.close()
        self.control.close()
        os.close(self.output)
