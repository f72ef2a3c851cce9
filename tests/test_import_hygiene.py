"""What is imported when: no screen without one, no provider's SDK before it is asked for anything."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.terminal.pty_terminal import run_in_terminal

if TYPE_CHECKING:
    from pathlib import Path

HTTP = {"httpx", "httpx2", "httpcore", "httpx_sse", "httpx_ws", "h2"}
SDKS = {"openai", "anthropic", "pydantic"}
SCREEN = {"textual", "rich"}
LATER = {"keyring", "pygments", "markdown_it", "debate_tui.server", "debate_tui.display.markdown.document"}
READY = {
    "sqlite3",
    "debate_tui.session.session",
    "debate_tui.resilience.recovery",
    "debate_tui.sources.endpoint_factory",
}
"""What a debate is held with is made ready behind the first frame."""

LOADED = """
import sys
loaded = sorted(name for name in sys.modules if name in {watched!r})
"""
TO_STDOUT = LOADED + "print(*loaded)"
UP_TO_THE_FIRST_FRAME = """
from debate_tui.tui.screens.debate import DebateScreen
from debate_tui.__main__ import main
make = DebateScreen.__init__

def made(self, *arguments, **options):
    def ready():
        {loaded}
        open({report!r}, "w").write(" ".join(loaded))
        self.app.exit()

    make(self, *arguments, **(options | {{"on_ready": ready}}))

DebateScreen.__init__ = made
main()
"""


def loaded(code: str, watched: set[str], *arguments: str) -> set[str]:
    """Which of the watched modules a program has loaded at its end."""
    run = subprocess.run(
        [sys.executable, "-c", code + TO_STDOUT.format(watched=watched), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.splitlines()[-1].split()) if run.stdout.strip() else set()


def test_a_session_needs_no_screen_and_no_client() -> None:
    assert loaded("import debate_tui.session.session", SCREEN | HTTP | SDKS) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["history", "--help"]])
def test_a_word_about_itself_costs_neither_screen_nor_client(arguments: list[str]) -> None:
    code = """
from debate_tui.__main__ import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
print()
"""
    watched = SCREEN | HTTP | SDKS | LATER | {"asyncio", "sqlite3"}
    assert loaded(code, watched, *arguments) == set()


@pytest.mark.parametrize("source", ["demo", "http://127.0.0.1:9/", "openai:gpt-x", "anthropic:claude-x"])
async def test_the_first_frame_waits_for_no_client(source: str, tmp_path: Path) -> None:
    report = tmp_path / "loaded"
    watching = LOADED.format(watched=HTTP | SDKS | LATER | READY | {"textual"}).strip().replace("\n", "; ")
    code = UP_TO_THE_FIRST_FRAME.format(loaded=watching, report=str(report))
    async with run_in_terminal(
        *("Quick?", "-d", source, "-d", source),
        program=("-c", code),
        OPENAI_API_KEY="sk-none",
        ANTHROPIC_API_KEY="sk-none",
    ) as terminal:
        assert await terminal.wait_for_exit() == 0, terminal.display.text
    assert report.read_text() == "textual"


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("openai:gpt-x", {"openai", "pydantic"}),
        ("anthropic:claude-x", {"anthropic", "pydantic"}),
        ("acp:goose", {"pydantic"}),
        ("demo", set()),
        ("https://example.org/x", set()),
    ],
)
def test_only_the_sdk_of_who_was_chosen_is_loaded_beforehand(source: str, needed: set[str]) -> None:
    code = f"from debate_tui.sources import registry; registry.preload_sdk(registry.parse_source({source!r}))"
    assert loaded(code, SDKS) == needed
