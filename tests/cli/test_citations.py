"""A whole debate whose model cites: what it names ends up with the turn, whatever happens to the stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from debate_tui import config
from debate_tui.domain import events as ev
from debate_tui.domain.stream import Citation
from tests.cli.process import run_program
from tests.fakes.provider_server import CHAT, ProviderReply, ProviderServer, chat_events, event

if TYPE_CHECKING:
    from tests.fakes.provider_server import ProviderRequest

TEA, MILK = "https://tea.example/history", "https://milk.example/"
FORMAT = """
name = "short"
title = "Short"
description = "One turn each."
[[phase]]
name = "only"
title = "Only"
"""
TEXT = ["Tea is far older than coffee [1], ", "and it keeps better [2]."]


def sources(*urls: str) -> bytes:
    """A chunk as Perplexity and xAI send it."""
    results = [{"url": url, "title": f"On {url[8:12]}\x1b[31m", "date": "2025-06-10"} for url in urls]
    return event({"choices": [], "citations": list(urls), "search_results": results})


def answer(received: ProviderRequest) -> ProviderReply:
    """Ada is cut after her first source, and finds another one later; Ben cites nothing."""
    body: Any = received.json
    if body["model"] == "ben":
        return ProviderReply(chat_events(["Coffee ", "is quicker than all of that."]))
    if body["messages"][-2]["role"] == "assistant":
        return ProviderReply([sources(MILK, TEA), *chat_events(TEXT[1:])])
    odd = event({"choices": [], "citations": {"url": 7}, "search_results": "none"})
    return ProviderReply([odd, sources(TEA, "javascript:alert(1)"), *chat_events(TEXT)[:2]], ending="cut")


async def test_citations_of_both_halves_of_an_answer_are_recorded() -> None:
    folder = config.config_folder()
    (folder / "formats").mkdir(parents=True)
    (folder / "formats" / "short.toml").write_text(FORMAT)
    async with ProviderServer() as server:
        server.respond(CHAT, answer)
        settings = f'[recovery]\ninitial = 0\n[provider.mine]\nbase_url = "{server.base}"\n'
        (folder / "config.toml").write_text(settings)
        done = await run_program("Tea?", "-f", "short", "--json", "-d", "Ada=mine:ada", "-d", "Ben=mine:ben")
    assert done.code == 0, done.err
    ends = {end.debater: end for end in done.events if isinstance(end, ev.TurnFinished)}
    assert ends["d1"].citations == (Citation(TEA, "On tea."), Citation(MILK, "On milk"))
    assert ends["d2"].citations == ()
    assert "javascript" not in done.out
    assert (await run_program("replay", "--json")).out == done.out
    exported = json.loads((await run_program("export", "--to", "json")).out)
    (kept,) = [each["citations"] for each in exported["events"] if each.get("citations")]
    assert [each["url"] for each in kept] == [TEA, MILK]
