"""What works here, in a pipe."""

from __future__ import annotations

from tests.cli.running import run
from tests.sources.test_discovery import SILENT


async def test_where_nothing_is_at_hand_it_says_what_there_is_and_what_to_do() -> None:
    done = await run("doctor", **SILENT)
    assert (done.code, done.err) == (0, "")
    assert "none: set OPENAI_API_KEY" in done.out
    assert "prices" in done.out
    assert "genai-prices 0." in done.out
    assert "runs its scripted demo" in done.out


async def test_a_source_is_tried() -> None:
    done = await run("doctor", "-d", "demo", **SILENT)
    assert done.code == 0
    assert "✓ demo" in done.out
