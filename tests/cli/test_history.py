"""Debates on record: listed, exported and deleted from the command line."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from debate_tui.config import record_file
from debate_tui.domain.events import DebateStarted, event_from_json
from debate_tui.domain.transcript import Transcript
from debate_tui.record.stores import SqliteStore
from tests.cli.process import run_program, start_program
from tests.cli.speech_server import record_debate, source_options
from tests.fakes.sse_server import SseServer, reply
from tests.stored_debate import wait_until_durable

if TYPE_CHECKING:
    from pathlib import Path


async def test_debates_are_listed_newest_first_and_found_by_their_words() -> None:
    await record_debate("Should cats vote?")
    await record_debate("Should dogs drive?")
    listed = (await run_program("history")).out.splitlines()
    assert ["dogs" in listed[0], "cats" in listed[1], len(listed)] == [True, True, 2]
    found = (await run_program("history", "vote", "ada")).out.splitlines()
    assert found == [listed[1]]
    nothing = await run_program("history", "unicorns")
    assert (nothing.code, nothing.out) == (0, "")
    assert "unicorns" in nothing.err


async def test_a_debate_with_an_impossible_time_is_listed() -> None:
    async with aclosing(SqliteStore(record_file())) as store:
        log = await store.create("d1", clock=lambda: 1e300)
        log.append(DebateStarted(debate="d1", topic="Should cats vote?", format="f", debaters=()))
        await log.aclose()
    listed = await run_program("history")
    assert (listed.code, listed.err) == (0, "")
    assert "Should cats vote?" in listed.out


@pytest.mark.parametrize("form", ["md", "html", "json", "txt"])
async def test_the_newest_debate_is_exported_unless_another_is_named(form: str, tmp_path: Path) -> None:
    await record_debate("Should cats vote?")
    await record_debate("Should dogs drive?")
    assert "dogs" in (await run_program("export", "--to", form)).out
    older = (await run_program("history", "cats")).out.split()[0]
    file = tmp_path / f"cats.{form}"
    done = await run_program("export", older, "-o", str(file))
    assert (done.code, done.out) == (0, "")
    assert "Should cats vote?" in file.read_text()
    assert "<b>way" not in file.read_text() or form in ("json", "txt")


async def test_an_export_into_a_folder_names_itself(tmp_path: Path) -> None:
    await record_debate("Should cats vote?")
    await run_program("export", "--to", "html", "-o", str(tmp_path))
    (file,) = tmp_path.glob("*.html")
    assert "should-cats-vote" in file.name


async def test_deleting_needs_confirmation_and_is_permanent() -> None:
    await record_debate("Should cats vote?")
    debate = (await run_program("history")).out.split()[0]
    refused = await run_program("history", "--delete", debate)
    assert refused.code == 2
    assert (await run_program("history", "--delete", debate, "--yes")).code == 0
    assert (await run_program("history")).out == ""


@pytest.mark.parametrize("arguments", [["export"], ["export", "zzz"], ["history", "--delete", "zzz"]])
async def test_an_unknown_debate_is_reported(arguments: list[str]) -> None:
    done = await run_program(*arguments)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 2


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    await record_debate("Should cats vote?")
    done = await run_program("export", "-o", str(tmp_path / "no" / "such" / "file.md"))
    assert done.code == 1
    assert "Cannot write" in done.err


async def test_a_killed_debate_is_listed_and_continued_where_it_stopped() -> None:
    half = b'data: {"delta": "The first half, "}\n\n'
    whole = half + b'data: {"delta": "and the second."}\n\nevent: done\ndata: {}\n\n'
    async with SseServer(reply(half, asyncio.Event()), reply(half, asyncio.Event()), reply(whole)) as server:
        process = await start_program("Q?", "--json", *source_options(server, "/ada", "/ben"))
        assert process.stdout is not None
        seen = b""
        while seen.count(b"first half") < 2:
            seen += await process.stdout.readline()
        await asyncio.wait_for(wait_until_durable(2), timeout=30)
        process.kill()
        await process.wait()
        listed = await run_program("history")
        assert "interrupted" in listed.out
        done = await run_program("--continue", "--json")
    assert done.code == 0, done.err
    transcript = Transcript(done.events)
    assert [turn.text for turn in transcript.turns.values()] == ["The first half, and the second."] * 2
    assert done.events[: len(seen.splitlines())] == [event_from_json(line) for line in seen.splitlines()]
    again = await run_program("--continue", "--json")
    assert again.code == 2
    assert "complete" in again.err


async def test_hint_names_the_debate_that_can_be_resumed() -> None:
    half = b'data: {"delta": "The first half, "}\n\n'
    whole = half + b"event: done\ndata: {}\n\n"
    async with SseServer(reply(half, asyncio.Event()), reply(half, asyncio.Event()), reply(whole)) as server:
        process = await start_program("First?", "--json", *source_options(server, "/ada", "/ben"))
        await asyncio.wait_for(wait_until_durable(2), timeout=30)
        process.kill()
        await process.communicate()
        first = (await run_program("history")).out.split()[0]
        assert (await run_program("Second?", "--json", *source_options(server, "/ada", "/ben"))).code == 0
    refused = await run_program("--continue", "--json")
    assert refused.code == 2
    assert "is complete: “Second?”." in refused.err
    assert f"Resume “First?”: debate-tui --continue {first}" in refused.err


async def test_a_running_debate_is_live_and_locked_until_it_ends() -> None:
    half = b'data: {"delta": "The first half, "}\n\n'
    async with SseServer(reply(half, asyncio.Event())) as server:
        process = await start_program("Q?", "--json", *source_options(server, "/ada", "/ben"))
        await asyncio.wait_for(wait_until_durable(2), timeout=30)
        listed = (await run_program("history")).out
        assert "  live  " in listed
        assert "interrupted" not in listed
        asked = len(server.requests)
        debate = listed.split()[0]
        for refused in [
            await run_program("--continue", "--json"),
            await run_program("--continue", debate, "--plain"),
            await run_program("history", "--delete", debate, "--yes"),
        ]:
            assert (refused.code, refused.out) == (2, "")
            assert len(refused.err.splitlines()) == 2
            assert f"The debate {debate} is running in another program" in refused.err
        assert len(server.requests) == asked == 2
        process.terminate()
        await process.communicate()
        assert "  stopped  " in (await run_program("history")).out


async def test_a_debate_whose_address_held_a_secret_cannot_be_continued() -> None:
    async with SseServer(reply(b'data: {"delta": "x"}\n\n', asyncio.Event())) as server:
        options = [part for name in "ab" for part in ("-d", f"{server.origin}/{name}?api_key=hunter2")]
        process = await start_program("Q?", "--json", *options)
        assert process.stdout is not None
        seen = b""
        while b"turn.delta" not in seen:
            seen += await process.stdout.readline()
        process.terminate()
        rest, err = await process.communicate()
        done = await run_program("--continue", "--json")
    assert b"hunter2" not in seen + rest + err
    assert done.code == 2
    assert "hunter2" not in done.err
