"""The project's own pages, taken apart as far as the tests need it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SHELLS = ("sh", "bash", "console")


class Command(NamedTuple):
    """One `tickloom` call in a block of shell."""

    page: str
    line: str
    arguments: tuple[str, ...]
    """What follows `tickloom`."""


def pages() -> list[Path]:
    """README and its like, and everything under docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    """Where links outside code blocks lead."""
    return _LINK.findall(_FENCE.sub("", page.read_text()))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def toml_blocks(page: Path) -> list[str]:
    """The page's blocks of TOML."""
    return [block for language, block in _FENCE.findall(page.read_text()) if language == "toml"]


def shell_blocks(page: Path) -> list[str]:
    """The page's blocks of shell, as they stand there."""
    return [block for language, block in _FENCE.findall(page.read_text()) if language in SHELLS]


def shell_lines(page: Path) -> Iterator[str]:
    """Lines of the page's shell blocks, continued ones joined, without prompts."""
    for block in shell_blocks(page):
        yield from (line.removeprefix("$ ").strip() for line in block.replace("\\\n", " ").splitlines() if line.strip())


def commands(page: Path) -> Iterator[Command]:
    """The `tickloom` calls of the page's shell blocks, one for each part of a chain."""
    for line in shell_lines(page):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word in ("&&", "||", "|", ";", "&", ">", "2>", "<"):
                if (program := words[:1]) and Path(program[0]).name == "tickloom":
                    yield Command(name_of(page), line, tuple(words[1:]))
                words = []
            else:
                words.append(word)
