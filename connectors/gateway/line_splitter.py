"""From a stream of bytes to lines, with memory for one line and no more."""

from collections.abc import Iterator
from typing import NamedTuple


class Lines(NamedTuple):
    """Whole lines without their newlines. `overlong` maps the index of a line that was too long to its true length."""

    texts: list[bytes]
    overlong: dict[int, int]

    def sized(self) -> Iterator[tuple[bytes, int]]:
        """Each line with its true length."""
        for index, text in enumerate(self.texts):
            yield text, self.overlong.get(index, len(text))

    def append(self, text: bytes, size: int) -> None:
        """One line more."""
        if size > len(text):
            self.overlong[len(self.texts)] = size
        self.texts.append(text)


class LineSplitter:
    """Cuts bytes into lines wherever they were split on their way. Of a line above `max_line` bytes the head is kept."""

    def __init__(self, max_line: int) -> None:
        self._max_line = max_line
        self._rest = b""
        self._dropped = 0

    @property
    def unfinished(self) -> int:
        """Bytes of a line that has begun and not ended yet."""
        return len(self._rest) + self._dropped

    def split(self, data: bytes) -> Lines:
        """The lines that `data` ends."""
        texts = data.split(b"\n")
        if len(texts) == 1:
            self._keep(data)
            return Lines([], {})
        if self._dropped or max(map(len, texts)) + len(self._rest) > self._max_line:
            return self._split_with_care(texts)
        texts[0] = self._rest + texts[0]
        self._rest = texts.pop()
        return Lines(texts, {})

    def finish(self) -> Lines:
        """What is left at the end of the stream, as a line; none when it ended with a newline."""
        if not self.unfinished:
            return Lines([], {})
        lines = Lines([], {})
        lines.append(*self._end())
        return lines

    def _split_with_care(self, parts: list[bytes]) -> Lines:
        lines = Lines([], {})
        for part in parts[:-1]:
            self._keep(part)
            lines.append(*self._end())
        self._keep(parts[-1])
        return lines

    def _keep(self, part: bytes) -> None:
        room = self._max_line - len(self._rest)
        self._rest += part[:room]
        self._dropped += max(0, len(part) - room)

    def _end(self) -> tuple[bytes, int]:
        text, size = self._rest, self.unfinished
        self._rest, self._dropped = b"", 0
        return text, size
