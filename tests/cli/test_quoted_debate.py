"""A whole debate with true and false quotes, end to end: what is checked, who is told, what is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from debate_tui.config import record_file
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import list_debates
from tests.cli.process import ProcessResult, run_program, start_program
from tests.fakes.judged_debate_server import (
    ADA,
    BEN,
    FIRST_JUDGE,
    JudgedDebateServer,
    label_of,
    verdict_reply,
)

if TYPE_CHECKING:
    from pathlib import Path

    from debate_tui.domain import events as ev
    from tests.fakes.judged_debate_server import ModelRequest

REPORT = "In 2019 the council banned all cars – except buses –\nfrom the “old town”. Trade grew.\n"
OPENINGS = {
    ADA: "The report says “the council banned all cars — except buses — from the 'old town'” [1]. "
    "It adds “nobody was ever unhappy about it” [1].",
    BEN: "Streets lead somewhere, and they always will.",
}
REBUTTALS = {
    ADA: "Ben claims “Streets lead somewhere, and they always will.” He calls it “the natural law of roads”.",
    BEN: "Ada reports that “the council banned most cars” [1].",
}


def answer(asked: ModelRequest) -> str:
    if asked.asks_for_stance:
        return "50"
    if asked.model == FIRST_JUDGE:
        ada = label_of(asked.prompt, "The report says")
        why = f"Speaker {ada} quoted “the council banned all cars”. Nobody said “we should all ride horses”."
        return verdict_reply(asked.prompt, ada, 60).replace(f"Speaker {ada} had reasons.", why)
    if asked.phase == "Opening":
        return OPENINGS[asked.model]
    return REBUTTALS[asked.model] if asked.phase.startswith("Rebuttal, round 1") else "That is all."


def quoting_server() -> JudgedDebateServer:
    return JudgedDebateServer(dict.fromkeys((ADA, BEN, FIRST_JUDGE), answer))


def arguments(tmp_path: Path, *options: str) -> tuple[str, ...]:
    (tmp_path / "report.txt").write_text(REPORT)
    sources = ("-d", f"Ada=openai:{ADA}", "-d", f"Ben=anthropic:{BEN}", "--judge", f"openai:{FIRST_JUDGE}")
    return ("Ban cars?", *sources, "--context", str(tmp_path / "report.txt"), *options)


async def hold(tmp_path: Path, *options: str) -> tuple[ProcessResult, JudgedDebateServer]:
    async with quoting_server() as server:
        done = await run_program(*arguments(tmp_path, *options), **server.environment)
    return done, server


EXPECTED = {
    OPENINGS[ADA]: [("the", True, 1), ("nobody", False, 1)],
    REBUTTALS[ADA]: [("Streets", True, 0), ("the", False, 0)],
    REBUTTALS[BEN]: [("the", False, 1)],
}


def checked(told: Transcript) -> dict[str, list[tuple[str, bool, int]]]:
    """The quotes of every speech that has some."""
    return {turn.text: found_quotes(turn.end) for turn in told.turns.values() if turn.end and turn.quotes}


def found_quotes(event: ev.TurnFinished | ev.Verdict) -> list[tuple[str, bool, int]]:
    return [(quote.text.split()[0], quote.found, quote.number) for quote in event.quotes]


async def test_quotes_are_checked_when_a_turn_ends_and_in_the_verdict(tmp_path: Path) -> None:
    done, _ = await hold(tmp_path, "--json")
    assert done.code == 0, done.err
    told = Transcript(done.events)
    assert checked(told) == EXPECTED
    for turn in told.turns.values():
        for quote in turn.quotes:
            assert turn.text[quote.offset : quote.end] == f"“{quote.text}”"
    [verdict] = told.verdicts
    assert verdict.why.startswith("Ada quoted")
    assert found_quotes(verdict) == [("the", True, 0), ("we", False, 0)]
    again = await run_program("replay", "--json")
    assert again.out == done.out


@pytest.mark.parametrize("openings", [0, 1, 2])
async def test_killed_and_continued_it_comes_to_the_same(openings: int, tmp_path: Path) -> None:
    async with quoting_server() as server:
        process = await start_program(*arguments(tmp_path, "--json"), **server.environment)
        assert process.stdout is not None
        ended = 0
        while ended < openings or not list_debates(record_file()):
            ended += b'"type":"turn.finished"' in await process.stdout.readline()
        process.kill()
        await process.wait()
        (tmp_path / "report.txt").write_text("The file says something else by now.")
        done = await run_program("--continue", "--json", **server.environment)
    assert done.code == 0, done.err
    told = Transcript(done.events)
    assert checked(told) == EXPECTED
    assert found_quotes(told.verdicts[0]) == [("the", True, 0), ("we", False, 0)]


async def test_debaters_are_told_to_quote_and_judges_what_came_of_it(tmp_path: Path) -> None:
    _, server = await hold(tmp_path, "--json")
    for model in (ADA, BEN):
        assert all("word for word, as “…” [1]" in asked.prompt for asked in server.requests_for(model))
        assert not any("Checked:" in asked.prompt for asked in server.requests_for(model))
    _, *readings = server.requests_for(FIRST_JUDGE)
    assert len(readings) == 2
    for asked in readings:
        told = re.findall(
            r"^Checked: (\d) of (\d) quotes in this speech are genuine\. [^\n]*:\n"
            r"<speech (\w+)>\n(.*?)\n</speech \3>",
            asked.prompt,
            re.MULTILINE | re.DOTALL,
        )
        assert sorted((genuine, count, missing) for genuine, count, _, missing in told) == [
            ("0", "1", "“the council banned most cars”"),
            ("1", "2", "“nobody was ever unhappy about it”"),
            ("1", "2", "“the natural law of roads”"),
        ]


async def test_plain_output_and_exports_say_it_too(tmp_path: Path) -> None:
    done, _ = await hold(tmp_path)
    assert "'old town'” [found] [1]. It adds “nobody was ever unhappy about it” [not found] [1]." in done.out
    assert "Ada quoted “the council banned all cars” [found]." in done.out
    for form in ("md", "txt"):
        exported = (await run_program("export", "--to", form)).out
        assert "“nobody was ever unhappy about it”✗" in exported
        assert "quotes found: 1 of 2" in exported
    page = (await run_program("export", "--to", "html")).out
    assert page.count('class="quote missing"') == 3
    assert page.count('class="quote found"') == 2
