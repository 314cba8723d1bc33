"""A program on a terminal of its own, and someone who types."""

import os
import pty
import select
import signal
import time


class Terminal:
    def __init__(self, command, environment):
        self.pid, self.master = pty.fork()  # the terminal is the program's own, so that Ctrl-C is a signal to it
        if self.pid == 0:
            os.execve(command[0], command, environment)
        self.seen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.master)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, text, timeout=60):
        """Reads until `text` is there; returns what came before and with it, and forgets that."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            if time.monotonic() > end or self._more(1) is False:
                raise AssertionError(f"{text!r} did not come, but {self.seen!r}")
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def ends(self, timeout=60):
        """The exit code of the program, which ends by itself."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self._more(0.2) is not False:
            pass
        done, status = os.waitpid(self.pid, 0)
        self.pid = 0
        assert done, "it does not end"
        return os.waitstatus_to_exitcode(status)

    def _more(self, timeout):
        """False at the end, None when nothing came."""
        if not select.select([self.master], [], [], max(timeout, 0))[0]:
            return None
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)
