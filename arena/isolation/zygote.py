"""The process from which seats are forked: it has imported what every player needs, and no stranger's code.

Importing takes half a second; a fork, milliseconds. What it knows are its packages: no secret of the runner's, none of
its files, nothing of another seat. Every order comes as three files: a line to the runner with the order on it, a pipe
whose other end closes when the runner ends, and a pipe for the report.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import traceback

NUM_FILES = 3


def main() -> None:
    """Forks a seat for every order on the socket whose descriptor is the first argument, until it is closed."""
    control = socket.socket(fileno=int(sys.argv[1]))
    from arena.isolation import seat  # noqa: F401  (every fork has it)

    control.send(b".")
    while True:
        content, files, *_ = socket.recv_fds(control, 1, NUM_FILES)
        if not content:
            return
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        pid = os.fork()
        if pid == 0:
            control.close()
            try:
                _serve(*files)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        for descriptor in files:
            os.close(descriptor)
        control.send(pid.to_bytes(4, "little"))


def _serve(line: int, lifeline: int, report: int) -> None:
    from arena.isolation import seat, warden
    from arena.isolation.wire import Closed, Line

    end = Line(socket.socket(fileno=line))
    try:
        order = end.receive()
    except Closed:  # the runner has ended
        return
    watch = warden.Watch(lifeline, report, **order.message["watch"])
    warden.serve(watch, lambda: seat.play(end, order), line)


if __name__ == "__main__":
    main()
