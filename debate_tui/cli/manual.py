"""``debate-tui help``: the manual, on the full screen or as plain text."""

from __future__ import annotations

import asyncio
import difflib
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from debate_tui.cli import terminal
from debate_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from debate_tui.display.markdown import Line

FOLDER = Path(__file__).resolve().parents[1] / "manual"

CONTENTS = "contents"

PAGE_NAMES = (
    "keys",
    "providers",
    "formats",
    "material",
    "configuration",
    "recovery",
    "hosting",
    "scripting",
    "markdown",
    "benchmarks",
)
"""The pages in reading order; each is a Markdown file in `FOLDER`."""

MAX_PLAIN_WIDTH = 100
"""Maximum columns of plain text; lines longer than this are hard to read."""

CODE_INDENT = "    "
"""What sets code apart in plain text."""

_MARKERS = re.compile(r"^<!--.*?-->\n", re.MULTILINE)
_PAGE_LINK = re.compile(r"\[([^\]]+)\]\(([a-z]+)\.md(?:#[\w-]*)?\)")


def show_manual(page: str, *, plain: bool) -> int:
    """Show a page of the manual, or its contents if `page` is empty; return the exit code.

    Uses the full screen on a terminal, unless `plain` is set. Raise `UsageError` for an unknown page.
    """
    pages = load_pages()
    page = page or CONTENTS
    if page not in pages:
        raise _unknown_page(page)
    if plain or not terminal.supports_full_screen():
        _print_page(pages[page])
        return 0
    return asyncio.run(_browse(pages, page))


def load_pages() -> dict[str, str]:
    """Return the Markdown text of all pages by name, the contents first."""
    texts = {name: (FOLDER / f"{name}.md").read_text("utf-8") for name in PAGE_NAMES}
    # Without the markers of generated tables, and with commands for links.
    pages = {
        name: _PAGE_LINK.sub(r"\1 (`debate-tui help \2`)", _MARKERS.sub("", text))
        for name, text in texts.items()
    }
    return {CONTENTS: _contents(pages), **pages}


def page_title(text: str) -> str:
    """Return the first heading of a page."""
    return text.partition("\n")[0].removeprefix("# ")


def _contents(pages: Mapping[str, str]) -> str:
    items = [
        f"{number}. `{name}`: {page_title(text)}" for number, (name, text) in enumerate(pages.items(), 1)
    ]
    return "\n".join(
        (
            "# The debate-tui manual",
            "",
            *items,
            "",
            "`debate-tui help PAGE` shows a page, and `debate-tui help COMMAND` the options of a command,",
            "such as `debate-tui help replay`. In a pipe, and with `--plain`, pages are plain text.",
            "",
        )
    )


def _unknown_page(page: str) -> UsageError:
    close = difflib.get_close_matches(page, PAGE_NAMES, n=1)
    return UsageError(
        f"No manual page is named '{page}'.",
        f"Did you mean '{close[0]}'?" if close else f"The pages are: {', '.join(PAGE_NAMES)}.",
    )


def _print_page(text: str) -> None:
    """Print a page as plain text, as wide as the terminal, or as 80 columns in a pipe."""
    from debate_tui.display.markdown import Page

    page = Page(min(shutil.get_terminal_size((80, 24)).columns, MAX_PLAIN_WIDTH) - len(CODE_INDENT))
    page.append_text(text)
    page.flush()
    encoding = sys.stdout.encoding
    for row in page.rows(0, page.line_count):
        lines = "".join(f"{line}\n" for line in _plain_lines(row.line))
        sys.stdout.write(lines.encode(encoding, "replace").decode(encoding))


def _plain_lines(line: Line) -> Iterator[str]:
    """Yield a line without styles: headings are underlined, code is indented."""
    text = line.text.rstrip()
    yield CODE_INDENT + text if line.fill and text else text
    if any(style.startswith("heading") for _, style in line.runs):
        yield "-" * len(text)


async def _browse(pages: Mapping[str, str], page: str) -> int:
    from debate_tui.cli.tui_runner import make_screen_options
    from debate_tui.config import load_settings
    from debate_tui.tui.screens.manual import ManualScreen
    from debate_tui.tui.single_screen import SingleScreenApp

    terminal.reopen_keyboard()
    options = make_screen_options(load_settings({}))
    app = SingleScreenApp[None](ManualScreen(pages, page, options.glyphs), options)
    with terminal.catch_signals(app.exit, terminal_fd=0) as signal:
        await app.run_async()
    return signal.exit_code or app.return_code or 0
