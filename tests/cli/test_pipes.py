"""Debates without a screen, end to end: a real process, real sockets, and what comes out of its pipes."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import unicodedata
from typing import TYPE_CHECKING

import pytest

from debate_tui.domain import events
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.transcript import Transcript
from tests.cli.process import ProcessResult, run_program, start_program
from tests.cli.speech_server import source_options, speech_server
from tests.fakes.provider_server import ProviderServer
from tests.fakes.sse_server import Reply, SseServer, reply
from tests.stored_debate import stored_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sse_server import ReceivedRequest

SPEECHES = {
    "/plain": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.\n\n- eins\n- zwei\n",
    "/cjk": "都市は車を禁止すべきか。\t我认为应该。车祸、噪音与污染都是理由。",
    "/emoji": "family 👨‍👩‍👧‍👦, flag 🇧🇷, skin 👍🏽, heart ❤️, keycap 1️⃣",
    "/marks": "e\u0301 a\u0308\u0323 — zalgo h\u0335\u0321\u0322e\u0340\u0341 · \u200bzero\u200dwidth",
}
HOSTILE = (
    "before\x1b[31mred\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b1m\x00\x07\x7f\u202eevil\u2066 [bold]after[/bold]"
)


def transcript_of(done: ProcessResult) -> Transcript:
    return Transcript(done.events)


def has_no_controls(text: str) -> bool:
    return not any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in text)


async def test_four_endpoints_arrive_character_for_character_in_json_and_record() -> None:
    async with speech_server(SPEECHES) as server:
        done = await run_program("Which text?", "--json", *source_options(server, *SPEECHES))
    assert (done.code, done.err) == (0, "")
    transcript = transcript_of(done)
    assert transcript.format == "listen"
    said = {transcript.debaters[turn.debater].name: turn.text for turn in transcript.turns.values()}
    assert said == {path[1:]: text for path, text in SPEECHES.items()}
    assert [event.seq for event in done.events] == list(range(1, len(done.events) + 1))

    assert stored_events() == done.events


async def test_plain_text_is_whole_sanitised_and_without_escape_codes() -> None:
    texts = {"/a": SPEECHES["/emoji"], "/b": HOSTILE}
    async with speech_server(texts) as server:
        done = await run_program("Which?", "--plain", *source_options(server, "/a", "/b"))
    assert done.code == 0
    assert SPEECHES["/emoji"] in done.out
    assert sanitise(HOSTILE) in done.out
    assert "[bold]after[/bold]" in done.out
    assert has_no_controls(done.out)
    assert has_no_controls(done.err)


async def test_json_lines_hold_hostile_text_harmlessly_and_exactly() -> None:
    async with speech_server({"/a": HOSTILE, "/b": "fine"}) as server:
        done = await run_program("Which?", "--json", *source_options(server, "/a", "/b"))
    assert has_no_controls(done.out)
    assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in done.out)
    assert transcript_of(done).turns[1].text == HOSTILE


async def test_a_pipe_brings_the_topic() -> None:
    async with speech_server({"/a": "x", "/b": "y"}) as server:
        done = await run_program(
            "--json", *source_options(server, "/a", "/b"), stdin="Sind Züge\nbesser?\n".encode()
        )
    assert transcript_of(done).topic == "Sind Züge besser?"


@pytest.mark.parametrize("topic", ["formats", "--odd"])
async def test_a_topic_that_looks_like_something_else_goes_behind_dashes(topic: str) -> None:
    async with speech_server({"/a": "x", "/b": "y"}) as server:
        done = await run_program("--json", *source_options(server, "/a", "/b"), "--", topic)
    assert transcript_of(done).topic == topic


async def test_providers_speak_through_their_base_urls() -> None:
    from tests.fakes import provider_server as fake

    async with ProviderServer() as server:
        chat = b"".join(fake.chat_events(["Chat ", "völlig ", "😀"]))
        messages = b"".join(fake.messages_events(["Nachricht ", "世界"]))
        server.script(fake.CHAT, fake.ProviderReply(chat, piece=1))
        server.script(fake.MESSAGES, fake.ProviderReply(messages, piece=1))
        done = await run_program(
            *("Who?", "--json", "-f", "listen", "-d", "openai:gpt-x", "-d", "anthropic:claude-x"),
            OPENAI_API_KEY="sk-test-openai-000000",
            OPENAI_BASE_URL=server.base,
            ANTHROPIC_API_KEY="sk-ant-test-000000",
            ANTHROPIC_BASE_URL=server.url,
        )
    assert done.code == 0, done.err
    assert [turn.text for turn in transcript_of(done).turns.values()] == ["Chat völlig 😀", "Nachricht 世界"]
    assert "sk-" not in done.out + done.err


async def test_the_demo_needs_nothing_and_says_that_it_is_scripted() -> None:
    process = await start_program("Should cities ban cars?", "--plain")
    assert process.stdout is not None
    opening = await process.stdout.readuntil(b"Scripted demo")
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert "Should cities ban cars?" in opening.decode()
    assert process.returncode == 143


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_the_debate_with_its_record_complete(number: signal.Signals, code: int) -> None:
    never = asyncio.Event()
    half = b'data: {"delta": "so far"}\n\n'
    async with SseServer(reply(half, never)) as server:
        process = await start_program("Q?", "--json", *source_options(server, "/a", "/b"))
        assert process.stdout is not None
        seen = b""
        while seen.count(b"so far") < 2:
            seen += await process.stdout.readline()
        process.send_signal(number)
        rest, err = await process.communicate()
    assert (process.returncode, err) == (code, b"")
    transcript = Transcript(events.event_from_json(line) for line in (seen + rest).splitlines())
    assert [turn.reason for turn in transcript.turns.values()] == ["stopped", "stopped"]
    assert transcript.finish_reason == "stopped"
    assert isinstance(stored_events()[-1], events.DebateFinished)


async def test_a_reader_that_leaves_ends_the_debate_quietly() -> None:
    def endless(request: ReceivedRequest) -> Reply:
        return Reply(itertools.repeat(b'data: {"delta": "on and on "}\n\n'))

    async with SseServer(script=endless) as server:
        process = await start_program("Q?", "--json", *source_options(server, "/a", "/b"))
        assert process.stdout is not None
        await process.stdout.readline()
        pipe = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        pipe.close()
        assert process.stderr is not None
        err = await process.stderr.read()
        assert (await process.wait(), err) == (0, b"")


async def test_what_is_said_beside_json_lines_cannot_act_on_a_terminal() -> None:
    refusal = json.dumps({"error": {"message": f"Go away. {HOSTILE}"}}).encode()
    refused = reply(refusal, status=400, content_type="application/json")
    async with SseServer(refused) as server:
        done = await run_program("Q?", "--json", *(["-d", server.url] * 2))
    assert done.code == 1
    assert "Go away." in done.err
    assert has_no_controls(done.err)


async def test_nothing_is_recorded_when_nothing_may_be(own_folders: Path) -> None:
    async with speech_server({"/a": "x", "/b": "y"}) as server:
        done = await run_program("Q?", "--json", "--no-record", *source_options(server, "/a", "/b"))
    assert done.code == 0
    assert not (own_folders / "data").exists()


async def test_one_endpoint_that_cannot_be_reached_costs_only_itself(tmp_path: Path) -> None:
    once = tmp_path / "once.toml"
    once.write_text("[recovery]\nmax_retries = 0\n")
    async with speech_server({"/a": "x", "/b": "y"}) as server, SseServer() as closed:
        await closed.refuse()
        options = [*source_options(server, "/a", "/b"), "-d", f"gone={closed.url}", "--config", str(once)]
        done = await run_program("Q?", "--json", *options)
        plain = await run_program("Q?", "--plain", *options)
        alone = await run_program("Q?", "--plain", *(["-d", closed.url] * 2), "--config", str(once))
    assert (done.code, plain.code, alone.code) == (3, 3, 1)
    reasons = {turn.debater: turn.reason for turn in transcript_of(done).turns.values()}
    assert reasons == {"d1": "complete", "d2": "complete", "d3": "failed"}
    assert "gone" in done.err
    assert "refused" in done.err
    assert "refused" in alone.err


@pytest.mark.parametrize("command", [["Q?", "--plain"], ["Q?", "--json"], ["serve", "Q?"]])
@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "HF_TOKEN", "ANTHROPIC_AUTH_TOKEN"])
async def test_nothing_is_pretended_where_a_key_is_set(command: list[str], variable: str) -> None:
    done = await run_program(*command, **{variable: "k"})
    assert (done.code, done.out) == (2, "")
    assert f"No debaters are named, and {variable} is set." in done.err
    assert "Name the debaters with -d" in done.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
async def test_a_piped_topic_and_settings_may_begin_with_a_mark(encoding: str, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    file = tmp_path / "debate.toml"
    async with speech_server({"/a": "One.", "/b": "Two."}) as server:
        debaters = "".join(f'[[debater]]\r\nsource = "{server.origin}/{name}"\r\n' for name in "ab")
        file.write_bytes(f'{mark}mode = "hybrid"\r\n{debaters}'.encode(encoding))
        done = await run_program(
            "--json", "--config", str(file), stdin=f"{mark}Gehört das?\r\n".encode(encoding)
        )
    assert (done.code, done.err) == (0, "")
    assert transcript_of(done).topic == "Gehört das?"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks4://127.0.0.1:9"),
        ("HTTP_PROXY", "http://me:hunter2-secret@127.0.0.1:99999"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:99999/v1"),
        ("OPENAI_BASE_URL", "http://[::1/v1"),
    ],
)
async def test_the_environment_is_the_fault_of_one_debater_at_most(variable: str, value: str) -> None:
    async with speech_server({"/b": "I am B."}) as server:
        environ = {"OPENAI_BASE_URL": "http://model.test/v1", "OPENAI_API_KEY": "sk-test", variable: value}
        arguments = ["Q?", "-f", "compare", "-d", "A=openai:m", "-d", f"B={server.origin}/b"]
        done = await run_program("--json", "--no-record", *arguments, **environ)
    assert "Traceback" not in done.err
    assert "hunter2" not in done.err + done.out
    assert [turn.text for turn in transcript_of(done).turns.values()] == ["", "I am B."]
    assert done.code == 3
    assert f"{variable} cannot be used: " in done.err
