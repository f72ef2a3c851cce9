"""``export --to prompts``: what the servers of a whole debate received, word for word and in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.cli.process import run_program
from tests.fakes.judged_debate_server import (
    ADA,
    AGREEING_JUDGES,
    BEN,
    FIRST_JUDGE,
    SECOND_JUDGE,
    JudgedDebateServer,
)
from tests.fakes.provider_server import ProviderReply, error

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.provider_server import ProviderRequest

TOPIC = "Should cities ban cars?"
CUT_PHASE = "Rebuttal, round 1 of 2"


class CuttingServer(JudgedDebateServer):
    """Cuts Ada's first rebuttal in the middle, and refuses her temperature."""

    def __init__(self) -> None:
        super().__init__(AGREEING_JUDGES)
        self.second_may_speak.set()

    def _chat(self, received: ProviderRequest) -> ProviderReply:
        body: dict[str, Any] = received.json
        reply = super()._chat(received)
        asked = self.requests[-1]
        if "temperature" in body:
            message = error("invalid_request_error", "Unsupported parameter: 'temperature'.")
            return ProviderReply(message, 400, "application/json")
        if asked.model == ADA and asked.phase == CUT_PHASE and not asked.partial_answer:
            return ProviderReply([*reply.body][:-6], ending="cut")
        return reply


def sections(document: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """The heading of each request in an export, and its messages."""
    found = []
    for part in re.split(r"^## \d+\. ", document, flags=re.MULTILINE)[1:]:
        messages = re.findall(r"^(\w+):\n\n(`{3,})text\n(.*?)\n\2$", part, re.MULTILINE | re.DOTALL)
        found.append((part.partition("\n")[0], tuple((role, text) for role, _, text in messages)))
    return found


async def run_debate(server: JudgedDebateServer, tmp_path: Path) -> None:
    file = tmp_path / "debate.toml"
    file.write_text(
        f"""
        [recovery]
        initial = 0
        [[debater]]
        name = "Ada"
        source = "openai:{ADA}"
        temperature = 0.5
        effort = "low"
        system = "Speak in rhymes."
        headers = {{ X-Secret-Key = "header-secret-1" }}
        extra_body = {{ top_k = 3, api_key = "body-secret-2" }}
        [[debater]]
        name = "Ben"
        source = "anthropic:{BEN}"
        persona = "An old sailor"
        """
    )
    judges = server.options[4:]
    done = await run_program(TOPIC, "--json", "--config", str(file), *judges, **server.environment)
    assert done.code == 0, done.err


async def export(tmp_path: Path) -> str:
    file = tmp_path / "out.prompts.md"
    done = await run_program("export", "-o", str(file))
    assert done.code == 0, done.err
    return file.read_text()


async def test_the_export_has_what_the_servers_received(tmp_path: Path) -> None:
    async with CuttingServer() as server:
        await run_debate(server, tmp_path)
        document = await export(tmp_path)
    found = sections(document)
    assert sorted(messages for _, messages in found) == sorted(asked.messages for asked in server.requests)
    for model in (ADA, BEN):
        received = [asked.messages for asked in server.requests_for(model)]
        assert [messages for _, messages in found if messages in received] == received
    headings = [heading for heading, _ in found]
    assert headings[:3] == [
        f"Before the debate: openai:{FIRST_JUDGE}, judge",
        f"Before the debate: anthropic:{SECOND_JUDGE}, judge",
        "Opening: Ada (For), turn 1",
    ]
    assert headings.count("Opening: Ada (For), turn 1") == 2
    assert headings.count("Rebuttal, round 1 of 2: Ada (For), turn 3, attempt 2") == 1
    assert headings[-1] == f"Verdict: anthropic:{SECOND_JUDGE}, judge, reading 2 of 2"
    assert "The answer was interrupted after" in document
    assert "Sent again. The server refused 'temperature': no longer sent." in document


async def test_parameters_are_in_the_export_and_secrets_are_not(tmp_path: Path) -> None:
    async with CuttingServer() as server:
        await run_debate(server, tmp_path)
        document = await export(tmp_path)
    assert "temperature 0.5" in document
    assert "effort low" in document
    assert "extra\\_body.top\\_k 3" in document
    assert "headers X-Secret-Key" in document
    assert "secret-" not in document
    assert "sk-" not in document


async def test_material_is_in_the_prompts_and_hidden_material_is_not(tmp_path: Path) -> None:
    common, hidden = tmp_path / "cars.md", tmp_path / "secret.md"
    common.write_text("Cars take up most of the street.")
    hidden.write_text("Only Ada knows of the tram.")
    async with JudgedDebateServer(AGREEING_JUDGES) as server:
        server.second_may_speak.set()
        options = ("--context", str(common), "--context-for", f"Ada={hidden}", *server.options)
        done = await run_program(TOPIC, "--json", *options, **server.environment)
        assert done.code == 0, done.err
        document = await export(tmp_path)
    found = [messages for _, messages in sections(document)]
    for model in (BEN, FIRST_JUDGE, SECOND_JUDGE):
        for asked in server.requests_for(model):
            assert asked.messages in found
            assert asked.asks_for_stance or "Cars take up most" in asked.prompt
    sent = server.requests_for(ADA)[0].messages[0][1]
    (without,) = {dict(messages)["system"] for messages in found if "You are Ada" in messages[0][1]}
    assert "Only Ada knows of the tram." in sent
    assert "[hidden material for Ada left out]" in without
    assert sent.partition("[2]")[0] == without.partition("[2]")[0]
    assert "the tram" not in document
    assert "secret.md" not in document
    assert "Hidden material is left out." in document
