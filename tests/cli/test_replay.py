"""Debates played back in a pipe: at once, and as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import run_program
from tests.cli.speech_server import record_debate, source_options, speech_server
from tests.fakes.sse_server import SseServer, reply

if TYPE_CHECKING:
    from tests.cli.process import ProcessResult


async def record_unusual_debate(topic: str, *options: str) -> ProcessResult:
    async with speech_server(
        {"/ada": "Yes **indeed** \u202e👋🏽.", "/ben": "No \x1b[31m<b>way</b>."}
    ) as server:
        return await run_program(topic, *options, *source_options(server, "/ada", "/ben"))


async def test_json_is_what_it_was_byte_for_byte() -> None:
    original = await record_unusual_debate("Should cats vote?", "--json")
    replayed = await run_program("replay", "--json")
    assert (replayed.code, replayed.err) == (0, "")
    assert replayed.out == original.out


async def test_json_of_a_debate_with_a_failure_is_what_it_was() -> None:
    cut = reply(b'data: {"delta": "I begin and"}\n\n', b": the connection ends here\n\n")
    async with SseServer(cut, reply(status=400)) as server:
        original = await run_program("Q?", "--json", *source_options(server, "/ada", "/ben"))
    assert original.code in (1, 3)
    assert (await run_program("replay", "--json")).out == original.out


async def test_plain_text_is_what_it_was_and_nobody_waits_for_it() -> None:
    original = await record_unusual_debate("Should cats vote?", "--plain", "-f", "oxford")
    replayed = await run_program("replay")
    assert (replayed.code, replayed.out) == (0, original.out)


async def test_a_debate_is_named_by_its_id() -> None:
    await record_debate("Should cats vote?")
    await record_debate("Should dogs drive?")
    older = (await run_program("history", "cats")).out.split()[0]
    assert "Should cats vote?" in (await run_program("replay", older)).out
    assert "Should dogs drive?" in (await run_program("replay")).out


async def test_it_can_begin_with_a_later_round() -> None:
    await record_unusual_debate("Should cats vote?", "--json", "-f", "oxford")
    whole, rest = await asyncio.gather(
        run_program("replay", "--json"), run_program("replay", "--json", "--from", "4")
    )
    assert rest.events[0] == whole.events[0]
    assert rest.events[1:] == whole.events[-len(rest.events) + 1 :]
    assert [event.phase for event in rest.events if type(event).__name__ == "PhaseStarted"] == ["closing"]
    assert "Opening" not in (await run_program("replay", "--from", "4")).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["zzz"], "zzz"),
        (["--from", "5"], "no round 5"),
        (["--from", "0"], "no round 0"),
        (["--speed", "0"], "--speed"),
        (["--plain", "--json"], "cannot be used together"),
    ],
)
async def test_an_unplayable_debate_is_reported(arguments: list[str], said: str) -> None:
    await record_debate("Should cats vote?")
    done = await run_program("replay", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 2


async def test_with_nothing_on_record_it_says_so() -> None:
    done = await run_program("replay")
    assert (done.code, done.out) == (2, "")
    assert "No debates are recorded." in done.err
