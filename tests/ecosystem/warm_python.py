"""Python processes that start at once: forked from one that has imported chuksqlite and done nothing else."""

from __future__ import annotations

import atexit
import functools
import os
import pickle
import signal
import socket
import subprocess
import sys
import textwrap
import warnings
from typing import Any, TextIO


class WarmProcess:
    """A process that runs a piece of code, as ``python -W error -c`` does; ``subprocess.Popen`` for text pipes."""

    def __init__(self, code: str, *arguments: str) -> None:
        stdin, our_stdin = os.pipe()
        our_stdout, stdout = os.pipe()
        our_stderr, stderr = os.pipe()
        theirs = [stdin, stdout, stderr]
        try:
            self.pid = int(_ask("start", textwrap.dedent(code), arguments, fds=theirs))
        finally:
            for fd in theirs:
                os.close(fd)
        self.stdin: TextIO = os.fdopen(our_stdin, "w")
        self.stdout: TextIO = os.fdopen(our_stdout)
        self.stderr: TextIO = os.fdopen(our_stderr)
        self.returncode: int | None = None

    def communicate(self, said: str = "") -> tuple[str, str]:
        """Say the last to it, and hear all that it says until it ends."""
        try:
            self.stdin.write(said)
            self.stdin.close()
        except BrokenPipeError:
            pass
        out, err = self.stdout.read(), self.stderr.read()
        self.wait()
        return out, err

    def wait(self) -> int:
        """Its exit status, once it has ended; minus the number of the signal that ended it."""
        if self.returncode is None:
            self.returncode = int(_ask("wait", self.pid))
            for pipe in (self.stdout, self.stderr):
                pipe.close()
        return self.returncode

    def kill(self) -> None:
        """End it as the power does."""
        os.kill(self.pid, signal.SIGKILL)


def run(code: str, *arguments: str) -> str:
    """What a process prints that runs a piece of code and must succeed, without a warning."""
    process = WarmProcess(code, *arguments)
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    assert err == ""
    return out


@functools.cache
def _control(_of_process: int) -> socket.socket:
    """The way to the one that forks. It ends when nobody holds this any more."""
    ours, theirs = socket.socketpair()
    subprocess.Popen(
        [sys.executable, "-m", "tests.ecosystem.warm_python", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ).returncode = 0  # nobody waits for it
    theirs.close()
    atexit.register(ours.close)
    return ours


def _ask(*request: Any, fds: list[int] | None = None) -> Any:
    control = _control(os.getpid())
    message = pickle.dumps(request)
    socket.send_fds(control, [len(message).to_bytes(4, "big")], fds or [])
    control.sendall(message)
    return pickle.loads(control.recv(1000))


def _fork_on_request(control: socket.socket) -> tuple[str, list[str]] | None:
    """In each process that was forked, what it shall run; None in the one that forks, in the end."""
    while True:
        length, fds, _, _ = socket.recv_fds(control, 4, 3)
        if not length:
            return None
        what, *details = pickle.loads(control.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL))
        if what == "wait":
            answer = os.waitstatus_to_exitcode(os.waitpid(details[0], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                control.close()
                for number, fd in enumerate(fds):
                    os.dup2(fd, number)
                    os.close(fd)
                code, arguments = details
                return code, list(arguments)
            for fd in fds:
                os.close(fd)
        control.sendall(pickle.dumps(answer))


if __name__ == "__main__":
    import chuk_fsspec.backends.sqlite  # noqa: F401 - so that those who are forked have it

    wanted = _fork_on_request(socket.socket(fileno=int(sys.argv[1])))
    if wanted is not None:
        code, arguments = wanted
        sys.argv = ["-c", *arguments]
        warnings.simplefilter("error")
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
