"""``debate-tui help``: every page in a pipe and on a terminal, and what is said for other words."""

from __future__ import annotations

import pytest

from debate_tui.cli.manual import CONTENTS, FOLDER, PAGE_NAMES, load_pages, page_title
from tests.cli.process import run_program
from tests.terminal.pty_terminal import run_in_terminal


async def test_the_contents_name_every_page() -> None:
    run = await run_program("help")
    assert (run.code, run.err) == (0, "")
    assert all(f"{name}: {page_title(load_pages()[name])}" in run.out for name in PAGE_NAMES)


def test_every_file_is_a_page() -> None:
    assert sorted(file.stem for file in FOLDER.glob("*.md")) == sorted(PAGE_NAMES)
    assert next(iter(load_pages())) == CONTENTS


@pytest.mark.parametrize("page", PAGE_NAMES)
async def test_in_a_pipe_a_page_is_plain_text(page: str) -> None:
    run = await run_program("help", page)
    assert (run.code, run.err) == (0, "")
    title, underline, *_ = run.out.splitlines()
    assert title == page_title(load_pages()[page]).replace("`", "")
    assert underline == "-" * len(title)
    assert "\x1b" not in run.out
    assert "<!--" not in run.out


async def test_links_to_pages_become_commands() -> None:
    text = (await run_program("help", "providers")).out
    assert "Faults and recovery (debate-tui help recovery)" in " ".join(text.split())


async def test_the_name_of_a_command_shows_its_options() -> None:
    run = await run_program("help", "replay")
    assert run.out == (await run_program("replay", "--help")).out


async def test_a_name_that_is_no_page_gets_the_nearest_one() -> None:
    run = await run_program("help", "provders")
    assert run.code == 2
    assert run.err == ("debate-tui: No manual page is named 'provders'.\n  Did you mean 'providers'?\n")
    assert "The pages are: keys, providers" in (await run_program("help", "zzz")).err


async def test_without_its_characters_a_terminal_gets_others() -> None:
    run = await run_program("help", "recovery", PYTHONIOENCODING="ascii")
    assert run.code == 0
    assert run.out.isascii()


async def test_on_a_terminal_pages_are_turned() -> None:
    async with run_in_terminal("help", "providers", columns=80, rows=24) as terminal:
        await terminal.wait_for_text("Models and providers", "] next page", "q quit")
        terminal.press("]")
        await terminal.wait_for_text(page_title(load_pages()["formats"]))
        terminal.press("0")
        await terminal.wait_for_text("The debate-tui manual")
        terminal.press("q")
        assert await terminal.wait_for_exit() == 0
        assert terminal.is_restored()


async def test_plain_on_a_terminal_is_as_wide_as_it() -> None:
    async with run_in_terminal("help", "hosting", "--plain", columns=60, rows=400) as terminal:
        assert await terminal.wait_for_exit() == 0
        widths = [len(line) for line in terminal.display.text.splitlines() if not line.startswith("    ")]
        assert 50 < max(widths) <= 60
        assert b"\x1b[?1049h" not in terminal.display.raw
