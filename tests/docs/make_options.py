"""docs/reference/options.md, from the settings themselves: `python -m tests.docs.make_options` writes it."""

from collections.abc import Iterator
from pathlib import Path

from jobs.config import SECTIONS, SETTINGS
from jobs.config_setting import Change, Setting
from jobs.state_settings import COUNTING
from udfs.indicators import DEFAULT_LABELS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "options.md"
BAR = r"\|"
"""A bar inside a table's cell."""
CHANGES = {
    Change.RESTART: "restart what reads it",
    Change.SAVEPOINT_SAFE: "restart the job; it goes on from its savepoint",
    Change.FIXED: "a job restored with another value is refused, or finds no state: begin with an empty `stack.data_dir` or `--fresh`",
}
HEAD = """\
# Options

<!-- made by `python -m tests.docs.make_options`; a test compares -->

One TOML file configures everything, and everything has a default. The first that sets a key wins:

1. `tickloom --set section.key=value` (again for each key)
2. the environment: `TICKLOOM__SECTION__KEY`, for example `TICKLOOM__BARS__ALLOWED_LATENESS=30min`
3. one file: `--config FILE`, else the one `$TICKLOOM_CONFIG` names, else `./tickloom.toml`
4. the default

Durations and sizes are strings with a unit (`"15min"`, `"20GiB"`). Paths in a file are relative to the file. An unknown key is refused
with the nearest known one. `KEY_file` instead of `KEY` reads the value from a file and keeps it out of `config show`.
`tickloom config check` says whether all is well (exit 3 if not), `tickloom config show --origin` where each value comes from.

What changing a key of a stack that has run takes:

| | |
|---|---|
"""
COUNTED = f"""\
*savepoint-safe* holds for the job's state, not for what `tickloom verify` makes of the past. These keys decide which ticks count:
{", ".join(f"`{key}`" for key in COUNTING)}.
The job asks them of each tick once, as they are when it comes; `verify` asks the present ones of all ticks, and so may name older bars that
were right. The job's start and `job upgrade` say when that is so; `--fresh` computes all anew, and it is proved again. Across a change of
`ticks.deduplicate_window` that crosses a multiple of 126 s a tick sent again may count again.
"""
INDICATORS = """\
## [indicators]

`Label = "spec"`. A table in the file replaces the default ones; a single label from the environment or `--set` is laid over them.
What specs there are, and how to write one of your own: [indicators](indicators.md). Changing them is *savepoint-safe*: a new one is warmed
up from the bars kept (`bars.warm_bars`) and says in `since` where it begins.

```toml
[indicators]
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join([*_head(), *(line for section in SECTIONS for line in _section(section)), *_indicators()])


def _head() -> Iterator[str]:
    yield HEAD + "\n".join(f"| *{change}* | {what} |" for change, what in CHANGES.items())
    yield ""
    yield COUNTED


def _section(section: str) -> Iterator[str]:
    yield f"## [{section}]"
    yield ""
    yield _sentence(SECTIONS[section].__doc__ or "")
    yield ""
    yield "| key | default | takes | what it is | to change it |"
    yield "|---|---|---|---|---|"
    for setting in SETTINGS.values():
        if setting.key.startswith(f"{section}."):
            yield _row(setting)
    yield ""


def _row(setting: Setting) -> str:
    default = "none" if setting.default is None else f"`{_as_toml(setting.kind.show(setting.default))}`"
    cells = [f"`{setting.key.partition('.')[2]}`", default, setting.kind.expected, setting.doc, setting.change.value]
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _indicators() -> Iterator[str]:
    width = max(map(len, DEFAULT_LABELS))
    yield INDICATORS + "\n".join(f'{label:<{width}} = "{spec}"' for label, spec in DEFAULT_LABELS.items())
    yield "```"
    yield ""


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_as_toml, value))}]"
    if isinstance(value, dict):
        return "{}" if not value else str(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


def _sentence(docstring: str) -> str:
    return " ".join(docstring.split("\n\n")[0].split())


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
