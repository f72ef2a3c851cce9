"""Models for the pictures: a server on this machine that answers in the demo's voices, token by token."""

from __future__ import annotations

import asyncio
import json
import random
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from debate_tui.domain.prompts import parse_prompt
from debate_tui.domain.stream import Message
from debate_tui.sources.demo import READABLE_SPEED, Pace, add_delays, split_tokens
from debate_tui.sources.demo.script import compose_judgement, compose_turn
from debate_tui.sources.demo.vocabulary import load_voice
from tests.fakes.provider_server import CHAT, JSON, MODELS, ProviderReply, ProviderServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.fakes.provider_server import ProviderRequest

VOICES = {"qwen3:32b": "empiricist", "llama3.3:70b": "sceptic", "mistral-small:24b": "historian"}
FIRST, SECOND, JUDGE = (f"ollama:{model}" for model in VOICES)
REASONS = "Both answered what the other had said; the winner gave reasons that can be checked."


class ScriptedModels:
    """The server's answers; with `breaks`, the second model's first answer is cut, and once it is busy."""

    def __init__(self, *, breaks: bool) -> None:
        self._speed = READABLE_SPEED if breaks else 1.0
        self._troubles = ["cut", "busy"] if breaks else []

    def answer(self, request: ProviderRequest) -> ProviderReply:
        """Return the answer to a request for chat completions."""
        asked = json.loads(request.body)
        messages = tuple(Message(each["role"], each["content"]) for each in asked["messages"])
        partial = "".join(each.content for each in messages if each.role == "assistant")
        messages = messages[:-2] if partial else messages
        voice = VOICES[asked["model"]]
        prompt = parse_prompt(messages)
        if not prompt.name:
            verdict = json.loads(compose_judgement(voice, messages).text)
            if isinstance(verdict, dict):
                verdict["why"] = REASONS
            return ProviderReply(self._stream(asked["model"], json.dumps(verdict, ensure_ascii=False), 1e4))
        found = re.search(r"^Now: (.*)\.$", messages[-1].content, re.MULTILINE)
        text = compose_turn(voice, prompt, found[1] if found else "", seed=3).text
        rate = self._speed * load_voice(voice).tokens_per_second
        rest = text[len(partial) :]
        trouble = self._troubles.pop(0) if self._troubles and f"ollama:{asked['model']}" == SECOND else ""
        if trouble == "busy":
            body = json.dumps({"error": {"message": "The server is busy.", "type": "overloaded_error"}})
            return ProviderReply(body.encode(), 503, JSON)
        if trouble == "cut":
            half = rest[: len(rest) // 2]
            return ProviderReply(self._stream(asked["model"], half, rate, is_whole=False), ending="cut")
        return ProviderReply(self._stream(asked["model"], rest, rate))

    def _stream(
        self, model: str, text: str, tokens_per_second: float, *, is_whole: bool = True
    ) -> Iterator[bytes | asyncio.Event]:
        """Yield the events of an answer, and what has to be waited for between them."""
        tokens = split_tokens(text)
        for wait, token in add_delays(tokens, Pace(tokens_per_second), random.Random(text)):
            due = asyncio.Event()
            asyncio.get_running_loop().call_later(wait, due.set)
            yield due
            yield _event(model, {"index": 0, "delta": {"content": token}})
        if is_whole:
            usage = {"prompt_tokens": 900, "completion_tokens": len(tokens)}
            yield _event(model, {"index": 0, "delta": {}, "finish_reason": "stop"}, usage=usage)
            yield b"data: [DONE]\n\n"


def _event(model: str, choice: dict[str, object], **fields: object) -> bytes:
    return f"data: {json.dumps({'model': model, 'choices': [choice], **fields})}\n\n".encode()


@asynccontextmanager
async def serve_models(*, breaks: bool = False) -> AsyncIterator[dict[str, str]]:
    """Serve the models while the context is open; yield the environment in which they are found."""
    async with ProviderServer() as server:
        listing = json.dumps({"data": [{"id": model} for model in VOICES]})
        server.script(MODELS, ProviderReply(listing.encode(), content_type=JSON))
        server.respond(CHAT, ScriptedModels(breaks=breaks).answer)
        yield {"OLLAMA_BASE_URL": server.base}
