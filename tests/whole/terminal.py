"""A program at a terminal, as a person has it."""

import fcntl
import os
import re
import struct
import subprocess
import termios
import threading
from functools import partial

from tests.whole.folder import Folder

ROWS, COLUMNS = 50, 220
SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program at a terminal of its own, and what it has written there."""

    def __init__(self, argv: list[str], folder: Folder) -> None:
        self._leader, follower = os.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(argv, cwd=folder.path, env=folder.environ, preexec_fn=partial(os.login_tty, follower))
        os.close(follower)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """What was written lately, without colours and movements."""
        return SEQUENCES.sub("", bytes(self._written[-40_000:]).decode(errors="replace"))

    def type(self, text: str) -> None:
        """What the keyboard would send."""
        os.write(self._leader, text.encode())

    def press_ctrl_c(self) -> None:
        self.type("\x03")

    def _read(self) -> None:
        while True:
            try:
                received = os.read(self._leader, 65_536)
            except OSError:  # the program has ended
                return
            self._written += received
