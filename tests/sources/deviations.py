"""What servers send that no specification knows, and what has to come of it.

Every case stands for a kind. `tests.quirk_table` makes the manual's table of them, `test_deviations` serves
them over real sockets.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from debate_tui.domain.stream import FaultKind, Usage
from tests.fakes.provider_server import (
    CHAT,
    JSON,
    MESSAGES,
    RESPONSES,
    event,
    messages_events,
    responses_events,
)

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason
    from tests.fakes.provider_server import Ending

Api = Literal["chat", "responses", "messages", "endpoint"]
PATHS = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES, "endpoint": "/debater"}
DONE = b"data: [DONE]\n\n"
SSE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that servers send, and what has to come out; `what` and `api` together are its name."""

    what: str
    api: Api
    body: tuple[bytes, ...]
    status: int = 200
    content_type: str = SSE
    ending: Ending = "end"
    text: str = "Hello."
    reasoning: str | None = None
    """What the source's reasoning tags enclose; `None` where the tags are not looked for."""
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
CUT_BEFORE: dict[Api, tuple[bytes, ...]] = {
    "chat": (HELLO,),
    "messages": tuple(START),
    "responses": (*CREATED, SAID),
    "endpoint": (HELLO,),
}
FINISH: dict[Api, bytes] = {"chat": STOP, "messages": ENDING[0], "responses": COMPLETED, "endpoint": STOP}
FAILED: dict[str, Any] = {"text": "", "reason": None}
COMPLETION = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
}
MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
}
RESPONSE = {
    "object": "response",
    "id": "r",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello."}]}],
}


def chat_answer(what: str, *body: bytes, **expect: Any) -> Deviation:
    return Deviation(what, "chat", body, **expect)


def error_answer(what: str, status: int, body: object, kind: FaultKind, says: str) -> Deviation:
    """A chat completion that is refused with a status and a JSON body."""
    return chat_answer(
        what,
        json.dumps(body).encode(),
        status=status,
        content_type=JSON,
        kind=kind,
        says=says,
        **FAILED,
    )


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
    *(
        Deviation(
            "a cut before the finish reason", api, body, ending="cut", reason=None, kind=FaultKind.NETWORK
        )
        for api, body in CUT_BEFORE.items()
    ),
    *(
        Deviation("a cut after the finish reason", api, (*CUT_BEFORE[api], reason), ending="cut")
        for api, reason in FINISH.items()
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
    # What a body is
    chat_answer("an event stream labelled as text", HELLO, STOP, DONE, content_type="text/plain"),
    chat_answer("an event stream labelled as JSON", HELLO, STOP, DONE, content_type=JSON),
    chat_answer("an event stream without a label", HELLO, STOP, DONE, content_type=""),
    chat_answer("a whole JSON answer", json.dumps(COMPLETION).encode(), content_type=JSON),
    chat_answer("a whole JSON answer labelled as an event stream", json.dumps(COMPLETION).encode()),
    Deviation("a whole JSON answer", "messages", (json.dumps(MESSAGE).encode(),), content_type=JSON),
    Deviation("a whole JSON answer", "responses", (json.dumps(RESPONSE).encode(),), content_type=JSON),
    chat_answer("JSON lines", HELLO[6:-1], STOP[6:-1], b"[DONE]\n", content_type="application/x-ndjson"),
    endpoint_answer(
        "JSON lines",
        b'{"response": "Hel", "done": false}\n',
        b'{"response": "lo.", "done": true}\n',
        content_type="application/x-ndjson",
    ),
    chat_answer(
        "a web page",
        b"<!doctype html><title>Sign in</title>",
        content_type="text/html",
        kind=FaultKind.BAD_REQUEST,
        says="a web page",
        **FAILED,
    ),
    endpoint_answer(
        "a web page",
        b"<!doctype html><title>Sign in</title>",
        content_type="text/html",
        kind=FaultKind.BAD_REQUEST,
        says="text/html",
        **FAILED,
    ),
    chat_answer(
        "an empty body",
        content_type=JSON,
        kind=FaultKind.BAD_REQUEST,
        says="an empty body",
        **FAILED,
    ),
    chat_answer("an empty event stream", kind=FaultKind.NETWORK, says="an empty body", **FAILED),
    # Error answers
    error_answer(
        "an error body as a list",
        503,
        [{"error": {"code": 503, "message": "Later."}}],
        FaultKind.OVERLOADED,
        "Later.",
    ),
    error_answer("an error body as text", 400, "No such model.", FaultKind.BAD_REQUEST, "No such model."),
    error_answer(
        "an error body with `code` and `msg`",
        400,
        {"code": 1211, "msg": "No such model."},
        FaultKind.BAD_REQUEST,
        "No such model.",
    ),
    error_answer(
        "an error body of Cloudflare's",
        400,
        {"success": False, "errors": [{"code": 7003, "message": "No such model."}]},
        FaultKind.BAD_REQUEST,
        "No such model.",
    ),
    error_answer(
        "400 for a wrong key",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "API key not valid. Please pass a valid API key.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        FaultKind.AUTH,
        "API key not valid",
    ),
    error_answer(
        "429 for a daily quota",
        429,
        [
            {
                "error": {
                    "code": 429,
                    "message": "You exceeded your current quota.",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [{"violations": [{"quotaId": "RequestsPerDay-FreeTier"}]}],
                }
            }
        ],
        FaultKind.QUOTA,
        "quota",
    ),
    error_answer(
        "403 for flagged input",
        403,
        {"error": {"code": 403, "message": "Input was flagged.", "metadata": {"flagged_input": "x"}}},
        FaultKind.REFUSED,
        "flagged",
    ),
    error_answer(
        "403 for a region",
        403,
        {
            "error": {
                "code": "unsupported_country_region_territory",
                "message": "Country, region, or territory not supported",
            }
        },
        FaultKind.BAD_REQUEST,
        "region",
    ),
    error_answer("404", 404, {}, FaultKind.BAD_REQUEST, "/v1/chat/completions"),
    # Thoughts
    chat_answer(
        "thoughts in `<think>`",
        chunk("<thi"),
        chunk("nk>Hm.</th"),
        chunk("ink>Hello."),
        STOP,
        reasoning="Hm.",
    ),
    chat_answer("thoughts in `[THINK]`", chunk("[THINK]Hm.[/THINK]Hello."), STOP, reasoning="Hm."),
    Deviation(
        "thoughts in `<thinking>`",
        "messages",
        tuple(messages_events(["<thinking>H", "m.</thinking>Hello."])),
        reasoning="Hm.",
    ),
    Deviation(
        "thoughts in `<reasoning>`",
        "responses",
        tuple(responses_events(["<reasoning>H", "m.</reasoning>Hello."])),
        reasoning="Hm.",
    ),
    endpoint_answer(
        "thoughts in `<thought>`",
        event({"delta": "<thought>H"}),
        event({"delta": "m.</thought>Hello."}),
        named("done", {}),
        reasoning="Hm.",
    ),
    chat_answer(
        "thoughts in harmony's channels",
        chunk("<|channel|>analysis<|mess"),
        chunk("age|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello."),
        STOP,
        reasoning="Hm.",
    ),
    chat_answer(
        "thoughts that only a closing tag ends",
        chunk("Hm.\n"),
        chunk("</think>\n\nHello."),
        STOP,
        reasoning="Hm.\n",
    ),
    chat_answer(
        "a closing tag in code", chunk("Say `</think>`."), STOP, text="Say `</think>`.", reasoning=""
    ),
    chat_answer("thoughts without end", chunk("<think>Hm."), STOP, text="", reasoning="Hm."),
    chat_answer(
        "an opening tag after text", chunk("A <think> tag."), STOP, text="A <think> tag.", reasoning=""
    ),
]
