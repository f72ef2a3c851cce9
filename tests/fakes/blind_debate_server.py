"""A blind debate behind one loopback server: two models that name themselves, and a judge."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from debate_tui.domain.judging.prompt import CRITERIA
from tests.fakes.provider_server import (
    CHAT,
    MESSAGES,
    ProviderReply,
    ProviderServer,
    chat_events,
    messages_events,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.provider_server import ProviderRequest

GPT, CLAUDE, JUDGE = "gpt-9-turbo", "claude-opus-9", "judge-model"
REAL = ("gpt", "claude", "openai", "anthropic", "ada", "ben", "chatgpt", "opus")
"""What may not be read before the vote, in lower case."""
NAMED = re.compile(rf"(?<![a-z])(?:{'|'.join(REAL)})(?![a-z])", re.IGNORECASE)


class BlindDebateServer:
    """Two models that name themselves wherever they can, and a judge, behind one loopback server."""

    def __init__(self) -> None:
        self.prompts: dict[str, list[str]] = {GPT: [], CLAUDE: [], JUDGE: []}
        self.server = ProviderServer()
        self.may_finish = asyncio.Event()
        self.may_finish.set()

    async def __aenter__(self) -> BlindDebateServer:
        await self.server.__aenter__()
        self.server.respond(CHAT, self._chat)
        self.server.respond(MESSAGES, self._messages)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.server.__aexit__(*error)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OPENAI_API_KEY": "sk-test-openai-000000",
            "OPENAI_BASE_URL": self.server.base,
            "ANTHROPIC_API_KEY": "sk-ant-test-000000",
            "ANTHROPIC_BASE_URL": self.server.url,
        }

    def _chat(self, received: ProviderRequest) -> ProviderReply:
        body: dict[str, Any] = received.json
        prompt = "\n\n".join(each["content"] for each in body["messages"])
        model = body["model"]
        self.prompts[model].append(prompt)
        if model == JUDGE:
            return ProviderReply(self._paced(chat_events([self._judge(prompt)])))
        text = "I am GPT-9 Turbo, ChatGPT to you; OpenAI made me. As gpt-9-turbo I say yes."
        thought = ["Who am I? ", "GP", "T-9, by Open", "AI."]
        return ProviderReply(self._paced(chat_events(_cut(text), reasoning=thought)))

    def _messages(self, received: ProviderRequest) -> ProviderReply:
        body: dict[str, Any] = received.json
        prompt = json.dumps(body, ensure_ascii=False)
        self.prompts[CLAUDE].append(prompt)
        text = "Claude here, claude-opus-9 by Anthropic; Claude's answer is no. So says Claude Opus 9"
        return ProviderReply(self._paced(messages_events(_cut(text), reasoning=["I, Cl", "aude, think."])))

    def _paced(self, events: list[bytes]) -> Iterator[bytes | asyncio.Event]:
        first, *rest = events
        yield first
        yield self.may_finish
        yield from rest

    @staticmethod
    def _judge(prompt: str) -> str:
        if "Before you hear anything" in prompt:
            return "50"
        labels = sorted(set(re.findall(r"Speaker ([A-H])", prompt)))
        scores = [{"speaker": label, "quote": "", "score": 7} for label in labels]
        criteria = [{"criterion": criterion, "scores": scores} for criterion in CRITERIA]
        winner = labels[0]
        return json.dumps(
            {"criteria": criteria, "why": f"Speaker {winner} was clear.", "winner": winner, "stance": 60}
        )


def _cut(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


DEBATERS = ("-d", f"Ada=openai:{GPT}", "-d", f"Ben=anthropic:{CLAUDE}?effort=high", "--blind")
JUDGED = (*DEBATERS, "--judge", f"openai:{JUDGE}", "-r", "1")


def assert_nameless(text: str) -> None:
    # The judge is no debater, so it is named.
    assert (found := NAMED.search(text.replace(f"openai:{JUDGE}", ""))) is None, text[found.start() - 40 :]
