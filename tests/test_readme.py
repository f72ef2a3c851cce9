"""The README and the manual show commands that exist, and link to what is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from debate_tui.cli.manual import FOLDER
from debate_tui.cli.options import COMMAND_NAMES, debate
from debate_tui.cli.subcommands import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted(FOLDER.glob("*.md")))
MAX_README_LINES = 170
MAX_PICTURE_BYTES = 1_500_000
NARROW_COLUMNS = 76
"""What an 80-column terminal has for code."""

_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(debate-tui [^`]+)`")
_HEADING = re.compile(r"^#.*$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)]+)\)")


def shown_commands(text: str) -> list[str]:
    """What follows `debate-tui` in every command of a page."""
    lines = [line for block in _SHELL.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += _INLINE.findall(_HEADING.sub("", text))
    commands = []
    for line in (line for line in lines if "debate-tui" in line):
        words = shlex.split(line, comments=True)
        for place, word in enumerate(words):
            if word.rpartition("/")[2] == "debate-tui" and words[place - 1 : place] != ["keyring"]:
                end = next((n for n, each in enumerate(words) if n > place and each in "|&&;>"), len(words))
                commands.append(shlex.join(words[place + 1 : end]))
    return commands


COMMANDS_SHOWN = sorted(
    {command for page in PAGES for command in shown_commands(page.read_text("utf-8"))} - {"--help"}
)


@pytest.mark.parametrize("shown", COMMANDS_SHOWN)
def test_commands_that_are_shown_can_be_typed(shown: str) -> None:
    arguments = shlex.split(shown)
    command: click.Command = debate
    if arguments and arguments[0] in COMMANDS:
        command = COMMANDS[arguments.pop(0)]
    assert command.make_context("debate-tui", arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = _LINK.findall(page.read_text("utf-8"))
    for target in (target for target in targets if "://" not in target):
        name, _, heading = target.partition("#")
        linked = (page.parent / name).resolve()
        assert linked.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_is_short_and_its_pictures_light() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_README_LINES
    pictures = {ROOT / target for target in _LINK.findall(text) if "pictures/" in target}
    assert pictures == set((ROOT / ".github" / "pictures").iterdir())
    assert all(picture.stat().st_size <= MAX_PICTURE_BYTES for picture in pictures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_packages_and_no_index(page: Path) -> None:
    assert "pypi" not in page.read_text("utf-8").lower()


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_commands_fit_on_a_narrow_terminal(page: Path) -> None:
    lines = [line for block in _SHELL.findall(page.read_text("utf-8")) for line in block.splitlines()]
    assert [line for line in lines if len(line) > NARROW_COLUMNS] == []


def test_every_command_is_told_from_a_topic() -> None:
    assert sorted(COMMANDS) == list(COMMAND_NAMES)
    help_ = click.Context(debate).get_help()
    assert all(f"debate-tui {name}" in help_ for name in COMMAND_NAMES)
