"""What the pages name exists: commands, options, targets of make, and where links lead."""

import re
from pathlib import Path

import click
import pytest

from jobs.cli.context import Invocation
from jobs.cli.main import COMMANDS, tickloom
from jobs.config import Config
from jobs.config_load import load_config
from jobs.doctor.machine import addresses
from tests.docs.markdown import ROOT, Command, anchors, commands, links, name_of, pages, shell_lines, toml_blocks

README = (ROOT / "README.md").read_text()
ALL_COMMANDS = [command for page in pages() for command in commands(page)]
ADDRESSED = [(name_of(page), block) for page in pages() for block in toml_blocks(page) if re.search("(listen|flink_rest) = ", block)]
"""Blocks of configuration that say where something listens, with their pages."""
FILES = (".gz", ".csv", ".ndjson")
"""Files that the reader has and the test has not."""
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def command_table() -> set[str]:
    """The first column of the README's table of commands."""
    section = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    return {name for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`tickloom ([a-z]+)", cell)}


def test_the_readme_lists_every_command_and_no_other() -> None:
    assert command_table() == set(COMMANDS)


def test_the_readme_does_not_name_a_sub_command_that_is_not_there() -> None:
    for group, child in re.findall(r"`tickloom (\w+) (\w+)", README):
        command = tickloom.get_command(click.Context(tickloom), group)
        assert isinstance(command, click.Group)
        assert child in command.commands


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=lambda command: f"{command.page}: {command.line}")
def test_a_command_on_a_page_is_understood(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Command, "invoke", lambda command, ctx: None)  # groups go on to their sub-commands; nothing runs
    arguments = [str(ROOT / "README.md") if word.endswith(FILES) else word for word in command.arguments]
    tickloom.main(arguments, prog_name="tickloom", standalone_mode=False, obj=Invocation({}, ROOT))


def listening(config: Config) -> dict[str, str]:
    """Where the parts of a stack listen, of those that it has."""
    left_out = () if config.runs_gateway else ("gateway.listen", "gateway.admin")
    return {key: address for key, address in addresses(config).items() if key not in left_out}


def set_options(command: Command) -> dict[str, object]:
    """What the command's `--set` say."""
    words = command.arguments
    return dict(words[at + 1].partition("=")[::2] for at, word in enumerate(words[:-1]) if word == "--set")


@pytest.mark.parametrize(("page", "block"), ADDRESSED, ids=lambda each: each if "\n" not in each else "")
def test_a_configuration_on_a_page_takes_nobodys_port(page: str, block: str, tmp_path: Path) -> None:
    default = load_config(None, {}, tmp_path, {})
    (tmp_path / "tickloom.toml").write_text(block)
    config = load_config(None, {}, tmp_path, {})
    own = listening(config)
    assert len(set(own.values())) == len(own)
    if config.stack.data_dir != default.stack.data_dir:  # another stack, or at least a job, beside the one with the defaults
        begun = own if "delivery.listen" in config.origins else {key: own[key] for key in own if key in config.origins}
        assert begun
        assert set(begun.values()) & set(listening(default).values()) == set()


@pytest.mark.parametrize("command", [each for each in ALL_COMMANDS if ".listen=" in each.line], ids=lambda command: command.line)
def test_a_command_on_a_page_that_starts_one_more_takes_nobodys_port(command: Command, tmp_path: Path) -> None:
    config, default = load_config(None, {}, tmp_path, set_options(command)), load_config(None, {}, tmp_path, {})
    begun = [address for key, address in listening(config).items() if key in config.origins]
    assert begun
    assert set(begun) & set(listening(default).values()) == set()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if "://" in link:
            continue
        if not target.exists() or not target.is_relative_to(ROOT) or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_under_docs_is_reached_from_the_readme() -> None:
    reached, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            open_pages += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link]
    assert [name_of(page) for page in pages() if page not in reached] == []


def test_every_target_of_make_on_a_page_exists() -> None:
    named = {line.split()[1] for page in pages() for line in shell_lines(page) if line.startswith("make ")}
    assert named
    assert named <= MAKE_TARGETS
