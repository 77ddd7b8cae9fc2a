"""On which line of a TOML text each key is set, for error messages; tomllib itself does not say."""

import re
from collections.abc import Iterator

_TABLE = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_MULTILINE_QUOTES = ('"""', "'''")


def key_lines(text: str) -> dict[str, int]:
    """The 1-based line of every `section` and every `section.name` of `text`, which is a valid TOML document."""
    lines: dict[str, int] = {}
    section: list[str] = []
    for number, line in _outside_strings(text):
        if table := _TABLE.fullmatch(line):
            section = _parts(table[1])
            lines.setdefault(".".join(section), number)
        elif key := _KEY.match(line):
            path = [*section, *_parts(key[1])]
            for depth in range(1, len(path) + 1):
                lines.setdefault(".".join(path[:depth]), number)
    return lines


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """The lines that do not begin inside a multi-line string."""
    open_quotes = None
    for number, line in enumerate(text.splitlines(), start=1):
        if open_quotes is None:
            yield number, line
        for quotes in _MULTILINE_QUOTES:
            if open_quotes in (None, quotes) and line.count(quotes) % 2:
                open_quotes = None if open_quotes else quotes


def _parts(path: str) -> list[str]:
    return [part.strip().strip("\"'") for part in path.split(".")]
