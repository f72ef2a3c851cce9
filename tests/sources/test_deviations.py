"""What servers send that no specification knows, served over real sockets, and what comes of it.

Every case stands for a kind, and has the API it was tried for; `what` is how the manual may name it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pytest
from msgspec.structs import replace

from debate_tui.domain.stream import Fault, FaultKind, Finished, Usage
from debate_tui.sources.anthropic import AnthropicSource
from debate_tui.sources.http import HttpClients
from debate_tui.sources.openai import OpenAISource
from debate_tui.sources.providers import find_provider
from debate_tui.sources.sdk import SdkClients
from debate_tui.sources.sse import SseSource
from debate_tui.sources.websocket import WebSocketSource
from tests.fakes import websocket
from tests.fakes.provider_server import (
    CHAT,
    MESSAGES,
    RESPONSES,
    ProviderReply,
    ProviderServer,
    event,
    messages_events,
    responses_events,
)
from tests.fakes.sse_server import SseServer
from tests.sources.source_reader import SourceOutput, read_source

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason, Source

Api = Literal["chat", "responses", "messages", "endpoint"]
PATHS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "endpoint": "/debater"}
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that servers send, the end of it, and what has to come out."""

    what: str
    api: Api
    body: tuple[bytes, ...]
    text: str = "Hello."
    reason: FinishReason | None = "complete"
    kind: FaultKind | None = None
    says: str = ""
    finished: dict[str, Any] = field(default_factory=dict)


def chunk(text: object = None, finish: object = None, **fields: Any) -> bytes:
    """A chat completion chunk; `fields` are its own."""
    delta = {} if text is None else {"content": text}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **fields})


def delta(**fields: Any) -> bytes:
    """A chat completion chunk with these fields in its delta."""
    return event({"choices": [{"index": 0, "delta": fields}]})


def choice(index: object, text: str = "", finish: object = None) -> dict[str, Any]:
    return {"index": index, "delta": {"content": text}, "finish_reason": finish}


def named(name: str, data: object) -> bytes:
    return event(data, name)


HELLO = chunk("Hello.")
STOP = chunk("", "stop")
SPLIT = (chunk("Hel"), chunk("lo."))
START = messages_events(["Hello."])[:-2]
ENDING = messages_events(["Hello."])[-2:]
CREATED = responses_events([])[:1]
SAID = event({"type": "response.output_text.delta", "delta": "Hello."})
COMPLETED = event({"type": "response.completed", "response": {"id": "r", "status": "completed"}})
FAILED = {"text": "", "reason": None}


def chat_answer(what: str, *body: bytes, **expect: Any) -> Deviation:
    return Deviation(what, "chat", body, **expect)


def endpoint_answer(what: str, *body: bytes, **expect: Any) -> Deviation:
    return Deviation(what, "endpoint", body, **expect)


DEVIATIONS = [
    # Ends
    chat_answer("`finish_reason` is empty until the end", chunk("Hel", ""), chunk("lo.", ""), STOP, DONE),
    chat_answer(
        "`finish_reason` is empty at the end", HELLO, chunk("", ""), reason=None, kind=FaultKind.NETWORK
    ),
    chat_answer(
        "`finish_reason` is the word null", chunk("Hello.", "null"), reason=None, kind=FaultKind.NETWORK
    ),
    chat_answer("no `[DONE]`", HELLO, STOP),
    chat_answer("`[DONE]` with blanks", HELLO, STOP, b"data:  [DONE] \n\n"),
    chat_answer("`[DONE]` without its blank line", HELLO, b"data: [DONE]"),
    chat_answer("`[DONE]` with half of its blank line", HELLO, b"data: [DONE]\n"),
    chat_answer("a finish reason without its blank line", HELLO, STOP[:-2]),
    chat_answer(
        "the last text and the finish reason without a blank line", chunk("Hel"), chunk("lo.", "stop")[:-1]
    ),
    chat_answer(
        "text without its blank line and without a finish reason",
        chunk("Hel"),
        chunk("lo.")[:-2],
        text="Hel",
        reason=None,
        kind=FaultKind.NETWORK,
    ),
    chat_answer("no blank lines between events", HELLO[:-1] + STOP[:-1] + DONE),
    chat_answer(
        "an error after the finish reason", HELLO, STOP, event({"error": {"message": "x", "code": 500}})
    ),
    chat_answer("what cannot be read after the finish reason", HELLO, STOP, b"data: {\n\n", DONE),
    chat_answer("a page after the finish reason", HELLO, STOP, b"data: <html>\n\n"),
    Deviation("no `message_stop`", "messages", (*START, ENDING[0])),
    Deviation("`[DONE]` instead of `message_stop`", "messages", (*START, ENDING[0], DONE)),
    Deviation("`[DONE]` instead of `message_delta` and `message_stop`", "messages", (*START, DONE)),
    Deviation("`message_stop` without its blank line", "messages", (*START, ENDING[0], ENDING[1][:-2])),
    Deviation(
        "an error after the stop reason",
        "messages",
        (*START, ENDING[0], named("error", {"type": "error", "error": {"type": "api_error"}})),
    ),
    Deviation("no stop reason", "messages", tuple(START), reason=None, kind=FaultKind.NETWORK),
    Deviation(
        "an empty `stop_reason`",
        "messages",
        (*START, event({"type": "message_delta", "delta": {"stop_reason": ""}})),
        reason=None,
        kind=FaultKind.NETWORK,
    ),
    Deviation("`response.completed` without its blank line", "responses", (*CREATED, SAID, COMPLETED[:-1])),
    Deviation(
        "`response.completed` without a response",
        "responses",
        (*CREATED, SAID, event({"type": "response.completed"})),
    ),
    Deviation("`[DONE]` instead of `response.completed`", "responses", (*CREATED, SAID, DONE)),
    Deviation("text only in `response.completed`", "responses", (*CREATED, responses_events(["Hello."])[-1])),
    endpoint_answer(
        "`event: done` without its blank line", event({"delta": "Hello."}), b"event: done\ndata:"
    ),
    endpoint_answer("`[DONE]` with blanks", event({"delta": "Hello."}), b"data: [DONE] \n\n"),
    endpoint_answer("`[DONE]` keeps refusals", delta(refusal="Hello."), DONE, reason="refused"),
    endpoint_answer(
        "`[DONE]` keeps usage",
        HELLO,
        event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
        DONE,
        finished={"usage": Usage(3, 2)},
    ),
    # Filters
    *(
        chat_answer(f"`finish_reason` {word}", HELLO, chunk("", word), DONE, reason="refused")
        for word in (
            "PROHIBITED_CONTENT",
            "RECITATION",
            "BLOCKLIST",
            "SPII",
            "SAFETY",
            "content_filter",
            "content-filter",
            "sensitive",
            "IMAGE_SAFETY",
            "guardrail_intervened",
        )
    ),
    Deviation(
        "`stop_reason` content_filtered",
        "messages",
        (*START, event({"type": "message_delta", "delta": {"stop_reason": "content_filtered"}}), ENDING[1]),
        reason="refused",
    ),
    # Errors in any shape
    chat_answer(
        "an error as an object",
        event({"object": "error", "message": "Too long: 4096.", "type": "BadRequestError", "code": 400}),
        DONE,
        says="4096",
        kind=FaultKind.BAD_REQUEST,
        **FAILED,
    ),
    chat_answer("an error as text", event({"error": "The model is overloaded"}), says="overloaded", **FAILED),
    chat_answer(
        "an error as a list",
        event([{"error": {"code": 429, "message": "Slow down."}}]),
        says="Slow down.",
        kind=FaultKind.RATE_LIMIT,
        **FAILED,
    ),
    chat_answer(
        "a list of errors",
        event({"errors": [{"message": "No GPU left.", "code": 503}]}),
        says="No GPU",
        kind=FaultKind.OVERLOADED,
        **FAILED,
    ),
    chat_answer(
        "FastAPI's `detail`", event({"detail": "Backend is gone."}), says="Backend is gone.", **FAILED
    ),
    chat_answer(
        "`error_message`",
        event({"error_message": "Quota is used up.", "code": 402}),
        says="Quota",
        kind=FaultKind.QUOTA,
        **FAILED,
    ),
    chat_answer(
        "`code` and `msg`",
        event({"code": 500, "msg": "Broken inside."}),
        says="Broken inside.",
        kind=FaultKind.SERVER,
        **FAILED,
    ),
    chat_answer(
        "an error beside a finish reason",
        event({"choices": [choice(0, "", "error")], "error": {"message": "Upstream died.", "code": 502}}),
        says="Upstream died.",
        kind=FaultKind.SERVER,
        **FAILED,
    ),
    chat_answer(
        "an error in `x_groq`",
        event({"choices": [choice(0)], "x_groq": {"error": "over_capacity"}}),
        says="over_capacity",
        **FAILED,
    ),
    chat_answer(
        "an unframed JSON body",
        b'{"error":{"code":400,"message":"exceeds the context size","type":"exceed_context_size_error"}}',
        says="exceeds the context",
        kind=FaultKind.BAD_REQUEST,
        **FAILED,
    ),
    chat_answer(
        "an unframed JSON body after a comment",
        b': hello\n\n{\n "error": {\n  "code": 503,\n  "message": "Loading model"\n }\n}\n',
        says="Loading model",
        kind=FaultKind.OVERLOADED,
        **FAILED,
    ),
    chat_answer(
        "`error:` as a field",
        b'error: {"code":500,"message":"Failed to parse","type":"server_error"}\n\n',
        says="Failed to parse",
        kind=FaultKind.SERVER,
        **FAILED,
    ),
    chat_answer(
        "`error:` as a field after text",
        HELLO,
        b'error: {"code":503,"message":"Out of slots"}\n\n',
        says="Out of slots",
        reason=None,
        kind=FaultKind.OVERLOADED,
    ),
    chat_answer(
        "words instead of an event",
        HELLO,
        b"data: upstream connect error\n\n",
        says="upstream connect error",
        reason=None,
        kind=FaultKind.NETWORK,
    ),
    Deviation(
        "an error as an object",
        "messages",
        (*START, event({"detail": "Broken."})),
        reason=None,
        says="Broken.",
    ),
    Deviation(
        "an error as an object",
        "responses",
        (*CREATED, SAID, event({"object": "error", "message": "Broken.", "code": 500})),
        reason=None,
        says="Broken.",
        kind=FaultKind.SERVER,
    ),
    endpoint_answer(
        "an error in the middle of plain text",
        b"data: Hello.\n\n",
        event({"error": "Broken."}),
        reason=None,
        says="Broken.",
    ),
    endpoint_answer(
        "an unframed JSON body",
        b'{"detail":"Not authenticated","status":401}\n',
        says="Not authenticated",
        kind=FaultKind.AUTH,
        **FAILED,
    ),
    endpoint_answer("a list of errors first", event([{"error": {"message": "Bad."}}]), says="Bad.", **FAILED),
    chat_answer("`error` is true", event({"error": True, "message": "No luck."}), says="No luck.", **FAILED),
    chat_answer(
        "a type that names an error",
        event({"message": "Slow down.", "type": "rate_limit_error"}),
        says="Slow down.",
        kind=FaultKind.RATE_LIMIT,
        **FAILED,
    ),
    chat_answer(
        "a code that names an error",
        event({"message": "Slow down.", "code": "rate_limit_exceeded"}),
        says="Slow down.",
        kind=FaultKind.RATE_LIMIT,
        **FAILED,
    ),
    chat_answer(
        "MiniMax's `base_resp`",
        event({"choices": None, "base_resp": {"status_code": 1002, "status_msg": "Too fast."}}),
        says="Too fast.",
        **FAILED,
    ),
    chat_answer(
        "an event named after an error",
        named("stream_error", {"message": "Broken."}),
        says="Broken.",
        **FAILED,
    ),
    Deviation(
        "`response.error`",
        "responses",
        (*CREATED, event({"type": "response.error", "error": {"message": "Broken."}})),
        says="Broken.",
        **FAILED,
    ),
    # Choices
    chat_answer(
        "several choices in turn",
        event({"choices": [choice(0, "Hel")]}),
        event({"choices": [choice(1, "Bon")]}),
        event({"choices": [choice(1, "jour", "stop")]}),
        event({"choices": [choice(0, "lo.")]}),
        event({"choices": [choice(0, "", "stop")]}),
        DONE,
    ),
    chat_answer(
        "several choices in one chunk",
        event({"choices": [choice(1, "Bon"), choice(0, "Hel")]}),
        event({"choices": [choice(1, "jour", "content_filter"), choice(0, "lo.", "stop")]}),
        DONE,
    ),
    chat_answer(
        "no choice 0",
        event({"choices": [choice(2, "Bon"), choice(1, "Hel")]}),
        event({"choices": [choice(1, "lo.", "stop")]}),
        DONE,
    ),
    chat_answer(
        "an index as text",
        event({"choices": [choice("0", "Hel")]}),
        event({"choices": [choice(0, "lo.", "stop")]}),
        DONE,
    ),
    chat_answer("an index that is null", event({"choices": [choice(None, "Hello.", "stop")]}), DONE),
    # What carries no text
    chat_answer(
        "counts as floats and text",
        HELLO,
        event({"choices": [], "usage": {"prompt_tokens": 10.0, "completion_tokens": "4"}}),
        STOP,
        DONE,
        finished={"usage": Usage(10, 4)},
    ),
    chat_answer(
        "counts that are not whole",
        HELLO,
        event({"choices": [], "usage": {"prompt_tokens": 10.6, "completion_tokens": 3.5}}),
        STOP,
        DONE,
        finished={"usage": Usage(10, 3)},
    ),
    chat_answer("`usage` is text", chunk("Hello.", usage=""), chunk("", "stop", usage=""), DONE),
    chat_answer("`usage` is a list", chunk("Hello.", usage=[]), chunk("", "stop", usage=[1]), DONE),
    chat_answer(
        "`usage` is full of nulls",
        chunk("Hello.", usage={"prompt_tokens": None, "completion_tokens_details": ""}),
        STOP,
        DONE,
    ),
    chat_answer("`error` is empty", chunk("Hello.", error=""), chunk("", "stop", error={}), DONE),
    chat_answer(
        "a `logprobs` of NaN",
        b'data: {"choices":[{"delta":{"content":"Hello."},"logprobs":NaN,"finish_reason":"stop"}]}\n\n',
        DONE,
    ),
    chat_answer("`content` is an object with text", chunk({"type": "text", "text": "Hello."}, "stop"), DONE),
    chat_answer("`content` is a list of text", chunk(["Hel", {"text": "lo."}], "stop"), DONE),
    chat_answer("`content` is an object without text", chunk({"a": 1}), HELLO, STOP, DONE),
    chat_answer(
        "empty and null data", SPLIT[0], b"data: \n\n", b"data: null\n\n", b"data\n\n", SPLIT[1], STOP, DONE
    ),
    chat_answer(
        "pings of all sorts",
        b"event: ping\ndata: {}\n\n",
        SPLIT[0],
        named("heartbeat", "beat"),
        event({"type": "ping"}),
        b"data: ping\n\n",
        b": ping\n\n",
        SPLIT[1],
        STOP,
        DONE,
    ),
    chat_answer(
        "events of a vendor",
        SPLIT[0],
        named("trace", {"status": 500, "message": "x"}),
        event({"type": "status", "detail": "Searching"}),
        SPLIT[1],
        STOP,
        DONE,
    ),
    chat_answer(
        "an emoji in two halves",
        b'data: {"choices":[{"index":0,"delta":{"content":"Rocket \\ud83d"}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ude80."}}]}\n\n',
        STOP,
        DONE,
        text="Rocket 🚀.",
    ),
    chat_answer(
        "an emoji in two halves, with a ping between",
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n',
        event({"type": "ping"}),
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ude80"}}]}\n\n',
        STOP,
        DONE,
        text="🚀",
    ),
    chat_answer(
        "half an emoji",
        b'data: {"choices":[{"index":0,"delta":{"content":"Hello.\\ude80"}}]}\n\n',
        STOP,
        DONE,
        text="Hello.\ufffd",
    ),
    chat_answer(
        "a line end inside a string",
        b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"Hello."}}]}\n\n',
        STOP,
        DONE,
    ),
    chat_answer(
        "the answer as one event",
        event(
            {
                "object": "chat.completion",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "Hello."},
                        "finish_reason": "stop",
                    }
                ],
            }
        ),
        DONE,
    ),
    Deviation(
        "an emoji in two halves",
        "messages",
        (
            *START[:2],
            b'data: {"type":"content_block_delta","delta":{"text":"\\ud83d"}}\n\n',
            b'data: {"type":"content_block_delta","delta":{"text":"\\ude80"}}\n\n',
            *ENDING,
        ),
        text="🚀",
    ),
    Deviation(
        "an emoji in two halves",
        "responses",
        (
            *CREATED,
            b'data: {"type":"response.output_text.delta","delta":"\\ud83d"}\n\n',
            b'data: {"type":"response.output_text.delta","delta":"\\ude80"}\n\n',
            COMPLETED,
        ),
        text="🚀",
    ),
    Deviation(
        "a delta that is an object",
        "responses",
        (
            *CREATED,
            event({"type": "response.shell_call_output_content.delta", "delta": {"stdout": "x"}}),
            SAID,
            COMPLETED,
        ),
    ),
    Deviation(
        "`usage` is text",
        "responses",
        (
            *CREATED,
            SAID,
            event({"type": "response.completed", "response": {"status": "completed", "usage": ""}}),
        ),
    ),
    Deviation(
        "`sequence_number` is text",
        "responses",
        (event({"type": "response.output_text.delta", "delta": "Hello.", "sequence_number": "4"}), COMPLETED),
    ),
    Deviation(
        "`usage` is text",
        "messages",
        (
            *START,
            event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": ""}),
            ENDING[1],
        ),
    ),
    Deviation(
        "counts as floats",
        "messages",
        (
            *START,
            event(
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn"},
                    "usage": {"output_tokens": 7.5},
                }
            ),
            ENDING[1],
        ),
        finished={"usage": Usage(10, 7)},
    ),
    Deviation(
        "empty data and pings",
        "messages",
        (*START, b"data:\n\n", b"data: null\n\n", named("ping", "x"), b"data: OK\n\n", *ENDING),
    ),
    endpoint_answer(
        "an object for a delta",
        event({"delta": "Hel"}),
        event({"delta": {"of": "a kind"}}),
        event({"delta": "lo."}),
    ),
    endpoint_answer(
        "`reasoning` is text", event({"delta": "Hello.", "reasoning": "no", "usage": ""}), named("done", {})
    ),
    # Payloads of endpoints
    endpoint_answer("bare `content`", event({"content": "Hel"}), event({"content": "lo."})),
    endpoint_answer("bare `text`", event({"text": "Hel"}), event({"text": "lo."}), DONE),
    endpoint_answer("JSON strings", b'data: "Hel"\n\n', b'data: "lo.\\n"\n\n', text="Hello.\n"),
    endpoint_answer(
        "plain text that begins with a quotation mark", b'data: "Hel" \n\n', b'data: "lo.\n\n', text='Hel"lo.'
    ),
    endpoint_answer(
        "Ollama's chat",
        event(
            {"model": "q", "message": {"role": "assistant", "content": "", "thinking": "Hm."}, "done": False}
        ),
        event({"message": {"content": "Hello."}, "done": False}),
        event(
            {
                "message": {"content": ""},
                "done": True,
                "done_reason": "length",
                "prompt_eval_count": 3,
                "eval_count": 2,
            }
        ),
        reason="length",
        finished={"usage": Usage(3, 2), "model": "q"},
    ),
    endpoint_answer(
        "Ollama's generate",
        event({"response": "Hel", "done": False}),
        event({"response": "lo.", "done": True, "done_reason": "stop"}),
    ),
    endpoint_answer(
        "Ollama's chat without its end",
        event({"message": {"content": "Hello."}, "done": False}),
        reason=None,
        kind=FaultKind.NETWORK,
    ),
    endpoint_answer(
        "llama.cpp's completion",
        event({"content": "Hello.", "stop": False}),
        event(
            {"content": "", "stop": True, "stop_type": "eos", "tokens_predicted": 2, "tokens_evaluated": 5}
        ),
        finished={"usage": Usage(5, 2)},
    ),
    endpoint_answer(
        "TGI's tokens",
        event({"token": {"text": "Hel", "special": False}, "generated_text": None, "details": None}),
        event({"token": {"text": "lo.", "special": False}, "generated_text": None}),
        event(
            {
                "token": {"text": "</s>", "special": True},
                "generated_text": "Hello.",
                "details": {"finish_reason": "eos_token", "generated_tokens": 3},
            }
        ),
        finished={"usage": Usage(None, 3)},
    ),
    endpoint_answer(
        "legacy completions",
        event(
            {"object": "text_completion", "choices": [{"index": 0, "text": "Hello.", "finish_reason": None}]}
        ),
        event({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
        DONE,
    ),
    endpoint_answer(
        "a vendor's status beside text",
        event({"text": "Hel"}),
        event({"type": "status", "text": "Searching"}),
        event({"event": "trace", "content": "x"}),
        event({"text": "lo."}),
    ),
    endpoint_answer(
        "the whole text again at the end",
        event({"delta": "Hel"}),
        event({"delta": "lo."}),
        event({"text": "Hello.", "content": "Hello."}),
        DONE,
    ),
    endpoint_answer(
        "typed `content`",
        event({"type": "content", "content": "Hel"}),
        event({"type": "content", "content": "lo."}),
        DONE,
    ),
    endpoint_answer(
        "an emoji in two halves",
        b'data: {"delta":"\\ud83d"}\n\n',
        b'data: {"delta":"\\ude80"}\n\n',
        text="🚀",
    ),
    endpoint_answer(
        "an emoji in two halves, bare",
        b'data: {"content":"\\ud83d"}\n\n',
        b'data: {"content":"\\ude80"}\n\n',
        text="🚀",
    ),
    endpoint_answer(
        "a ping first",
        b"data: ping\n\n",
        b"data: null\n\n",
        event({"type": "ping"}),
        event({"delta": "Hello."}),
    ),
    # Events nobody understands
    *(
        endpoint_answer(name, *body, says=says, kind=FaultKind.BAD_REQUEST, **FAILED)
        for name, says, body in (
            ("events of no known API", "foo", (event({"foo": 1}),)),
            ("a list of unknown objects", "foo", (event([{"foo": 1}]),)),
            (
                "Cohere's v2 API",
                "Cohere",
                (
                    event({"type": "message-start", "id": "c"}),
                    event({"type": "content-delta", "delta": {"message": {"content": {"text": "Hello."}}}}),
                ),
            ),
            (
                "Gemini's native API",
                "Gemini",
                (event({"candidates": [{"content": {"parts": [{"text": "Hello."}]}}]}),),
            ),
            (
                "Bedrock's ConverseStream",
                "Bedrock",
                (
                    event({"messageStart": {"role": "assistant"}}),
                    event({"contentBlockDelta": {"delta": {"text": "Hello."}}}),
                ),
            ),
            ("Bedrock's invoke", "Bedrock", (event({"bytes": "eyJhIjoxfQ=="}),)),
            (
                "OpenAI's Assistants API",
                "Assistants",
                (
                    named(
                        "thread.message.delta",
                        {"id": "m", "object": "thread.message.delta", "delta": {"content": []}},
                    ),
                ),
            ),
            ("Dify's API", "Dify", (event({"event": "message", "task_id": "t", "answer": "Hello."}),)),
            ("events of no known API and `[DONE]`", "foo", (event({"foo": 1}), DONE)),
            ("objects with fields of other types", "choices", (event({"choices": "x", "type": 5}),)),
        )
    ),
    chat_answer(
        "events of no known API", event({"foo": 1}), says="foo", kind=FaultKind.BAD_REQUEST, **FAILED
    ),
    Deviation(
        "events of no known API",
        "messages",
        (event({"foo": 1}),),
        says="foo",
        kind=FaultKind.BAD_REQUEST,
        **FAILED,
    ),
    Deviation(
        "events of no known API",
        "responses",
        (event({"foo": 1}),),
        says="foo",
        kind=FaultKind.BAD_REQUEST,
        **FAILED,
    ),
    # What comes instead of text, and what the server says of the answer
    chat_answer(
        "only tool calls",
        delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": "{}"}}]),
        chunk(None, "tool_calls"),
        DONE,
        text="",
        finished={"instead": "a tool call"},
    ),
    chat_answer(
        "a tool call before text",
        delta(tool_calls=[{"index": 0}]),
        HELLO,
        STOP,
        DONE,
        finished={"instead": "a tool call"},
    ),
    chat_answer(
        "only reasoning",
        delta(reasoning_content="Hm."),
        STOP,
        DONE,
        text="",
        finished={"instead": "only reasoning"},
    ),
    chat_answer("nothing", chunk(None, "stop"), DONE, text="", finished={"instead": ""}),
    Deviation(
        "only tool calls",
        "messages",
        (
            START[0],
            event({"type": "content_block_start", "content_block": {"type": "tool_use", "name": "f"}}),
            event({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}),
            ENDING[1],
        ),
        text="",
        finished={"instead": "a tool call"},
    ),
    Deviation(
        "only tool calls",
        "responses",
        (
            *CREATED,
            event({"type": "response.output_item.added", "item": {"type": "function_call"}}),
            COMPLETED,
        ),
        text="",
        finished={"instead": "a tool call"},
    ),
    chat_answer(
        "model, id, cost and cached tokens",
        chunk("Hello.", "stop", id="c1", model="m-2"),
        event(
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 9,
                    "completion_tokens": 2,
                    "cost": 0.25,
                    "prompt_tokens_details": {"cached_tokens": 4},
                },
            }
        ),
        DONE,
        finished={"model": "m-2", "response": "c1", "cost": 0.25, "usage": Usage(9, 2, None, 4)},
    ),
    chat_answer(
        "DeepSeek's cached tokens",
        chunk(
            "Hello.", "stop", usage={"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 8}
        ),
        DONE,
        finished={"usage": Usage(9, 2, None, 8)},
    ),
    chat_answer(
        "Perplexity's cost",
        chunk("Hello.", "stop", usage={"prompt_tokens": 9, "cost": {"total_cost": 0.006}}),
        DONE,
        finished={"cost": 0.006},
    ),
    Deviation(
        "model, id and cached tokens",
        "messages",
        (
            event(
                {
                    "type": "message_start",
                    "message": {
                        "id": "m1",
                        "model": "c-2",
                        "usage": {
                            "input_tokens": 5,
                            "output_tokens": 1,
                            "cache_read_input_tokens": 90,
                            "cache_creation_input_tokens": 5,
                        },
                    },
                }
            ),
            *START[1:],
            *ENDING,
        ),
        finished={"model": "c-2", "response": "m1", "usage": Usage(100, 20, None, 90)},
    ),
    Deviation(
        "model, id and cached tokens",
        "responses",
        (
            *CREATED,
            SAID,
            event(
                {
                    "type": "response.completed",
                    "response": {
                        "id": "r1",
                        "model": "g-2",
                        "status": "completed",
                        "usage": {
                            "input_tokens": 9,
                            "output_tokens": 2,
                            "input_tokens_details": {"cached_tokens": 4},
                        },
                    },
                }
            ),
        ),
        finished={"model": "g-2", "response": "r1", "usage": Usage(9, 2, None, 4)},
    ),
]


def make_source(api: Api, server: ProviderServer, sdk: SdkClients, clients: HttpClients) -> Source:
    if api == "endpoint":
        return SseSource(server.url + PATHS[api], clients=clients)
    if api == "messages":
        return AnthropicSource(
            "m", sdk_clients=sdk, provider=replace(find_provider("anthropic", {}), base_url=server.url)
        )
    return OpenAISource(
        "m", provider=replace(find_provider("openai", {}), base_url=server.base, api=api), sdk_clients=sdk
    )


async def hear(api: Api, reply: ProviderReply) -> SourceOutput:
    return (await hear_all(api, [reply]))[0]


async def hear_all(api: Api, replies: list[ProviderReply]) -> list[SourceOutput]:
    """What comes of each of these answers, from one source."""
    sdk = SdkClients(environ={"OPENAI_API_KEY": "key-for-tests", "ANTHROPIC_API_KEY": "key-for-tests"})
    clients = HttpClients()
    async with ProviderServer() as server:
        server.script(PATHS[api], *replies)
        source = make_source(api, server, sdk, clients)
        try:
            return [await read_source(source) for _ in replies]
        finally:
            await clients.aclose()
            await sdk.aclose()


def check(case: Deviation, heard: SourceOutput) -> None:
    assert heard.text == case.text
    if case.reason is not None:
        assert heard.fault is None
        assert heard.finished is not None
        assert heard.finished.reason == case.reason
        for name, value in case.finished.items():
            assert getattr(heard.finished, name) == value, name
        return
    assert heard.finished is None
    assert isinstance(heard.fault, Fault)
    assert case.kind is None or heard.fault.kind is case.kind
    assert case.says in heard.fault.message
    assert '{"error"' not in heard.fault.message


@pytest.mark.parametrize("case", DEVIATIONS, ids=lambda case: f"{case.api}: {case.what}")
async def test_what_servers_send_comes_out_right(case: Deviation) -> None:
    check(case, await hear(case.api, ProviderReply(case.body)))


@pytest.mark.parametrize("case", DEVIATIONS[::7], ids=lambda case: f"{case.api}: {case.what}")
async def test_however_the_network_cuts_it(case: Deviation) -> None:
    check(case, await hear(case.api, ProviderReply(b"".join(case.body), piece=1)))


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
@pytest.mark.parametrize("ending", ["cut", "reset"])
@pytest.mark.parametrize("after", [b"", b"data: {", event({"error": {"message": "Broken.", "code": 500}})])
async def test_a_cut_after_the_finish_reason_costs_nothing(api: Api, ending: Any, after: bytes) -> None:
    body = (*START, ENDING[0]) if api == "messages" else (HELLO, STOP)
    heard = await hear(api, ProviderReply((*body, after), ending=ending))
    assert heard.text == "Hello."
    assert heard.fault is None
    assert heard.finished is not None
    assert heard.finished.reason == "complete"


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
@pytest.mark.parametrize("ending", ["cut", "reset"])
async def test_a_cut_before_the_finish_reason_stays_a_cut(api: Api, ending: Any) -> None:
    body = START if api == "messages" else (HELLO, chunk("", ""))
    heard = await hear(api, ProviderReply(tuple(body), ending=ending))
    assert heard.finished is None
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize("after", [(), (event({"error": {"message": "Broken.", "code": 500}}),)])
async def test_a_filter_counts_whatever_comes_after_it(after: tuple[bytes, ...]) -> None:
    heard = await hear("chat", ProviderReply((chunk("", "content_filter"), *after), ending="cut"))
    assert heard.finished is not None
    assert heard.finished.reason == "refused"


async def test_a_websocket_that_breaks_after_the_finish_reason_costs_nothing() -> None:
    clients = HttpClients()
    frames = [websocket.text(part[6:-2].decode()) for part in (HELLO, STOP)]
    async with SseServer(script=lambda request: websocket.upgraded(request, *frames)) as server:
        try:
            source = WebSocketSource(server.url.replace("http:", "ws:"), clients=clients)
            heard = await read_source(source)
        finally:
            await clients.aclose()
    assert heard.text == "Hello."
    assert heard.finished is not None


@pytest.mark.parametrize("api", ["chat", "messages", "endpoint"])
async def test_a_server_that_does_not_close_after_the_finish_reason_is_left(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("debate_tui.sources.payloads.AFTER_FINISH_TIMEOUT", 0.05)
    body = (*START, ENDING[0]) if api == "messages" else (HELLO, STOP)
    heard = await hear(api, ProviderReply(body, ending="stall"))
    assert heard.text == "Hello."
    assert isinstance(heard.finished, Finished)
    assert heard.finished.reason == "complete"


async def test_a_finish_reason_in_every_chunk_ends_nothing() -> None:
    body = (chunk("Hel", "stop"), chunk("lo", "stop"), chunk(".", "stop"), DONE)
    assert (await hear("chat", ProviderReply(body))).text == "Hello."
    broken = event({"error": {"message": "Broken.", "code": 500}})
    heard = await hear("chat", ProviderReply((*body[:2], broken)))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.SERVER
    heard = await hear("chat", ProviderReply(body[:2], ending="cut"))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.NETWORK


@pytest.mark.parametrize("ending", ["end", "cut"])
@pytest.mark.parametrize("api", ["chat", "messages", "responses", "endpoint"])
async def test_the_end_counts_from_the_byte_that_completes_it(api: Api, ending: Any) -> None:
    """Cut at every byte of the end: an orderly end needs the whole marker, a cut its blank line, too."""
    body: tuple[bytes, ...] = {
        "chat": (HELLO, STOP),
        "endpoint": (event({"delta": "Hello."}), named("done", {"reason": "length"})),
        "messages": (*START, ENDING[0]),
        "responses": (*CREATED, SAID, COMPLETED),
    }[api]
    whole = b"".join(body)
    begin = len(whole) - len(body[-1])
    replies = [ProviderReply(whole[:place], ending=ending) for place in range(begin, len(whole) - 1)]
    for place, heard in zip(range(begin, len(whole) - 1), await hear_all(api, replies), strict=True):
        is_whole = place >= len(whole) - 2 and ending == "end"
        assert heard.text == "Hello."
        if api == "endpoint" and ending == "end":
            assert heard.finished is not None  # bare deltas may end without a marker
        else:
            assert (heard.finished is not None) is is_whole, whole[begin:place]


async def test_unknown_events_without_end_are_given_up() -> None:
    heard = await hear("endpoint", ProviderReply([event({"foo": n}) for n in range(30)], ending="stall"))
    assert heard.fault is not None
    assert heard.fault.kind is FaultKind.BAD_REQUEST
    assert '{"foo": 0}' in heard.fault.message


def test_every_case_has_its_own_name() -> None:
    names = [(case.api, case.what) for case in DEVIATIONS]
    assert len(set(names)) == len(names)


WEBSOCKET_CASES = [
    case
    for case in DEVIATIONS
    if case.api == "endpoint"
    and all(part.startswith(b"data: ") and part.endswith(b"\n\n") for part in case.body)
]


@pytest.mark.parametrize("case", WEBSOCKET_CASES, ids=lambda case: case.what)
async def test_a_websocket_is_read_the_same_way(case: Deviation) -> None:
    frames = [websocket.text(part[6:-2].decode()) for part in case.body]
    script = [*frames, websocket.close()]
    clients = HttpClients()
    async with SseServer(script=lambda request: websocket.upgraded(request, *script)) as server:
        try:
            source = WebSocketSource(server.url.replace("http:", "ws:"), clients=clients)
            check(case, await read_source(source))
        finally:
            await clients.aclose()
