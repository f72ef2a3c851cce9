"""The manual's tables of what servers really send, made of the cases that are tested.

`python -m tests.manual_tables` writes them into the page on recovery.
"""

from __future__ import annotations

from dataclasses import dataclass

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.resilience.backoff import FaultAction, fault_action
from tests.sources.deviations import DEVIATIONS, Deviation

APIS = {"chat": "Chat Completions", "responses": "Responses", "messages": "Messages", "endpoint": "endpoints"}


@dataclass(frozen=True, slots=True)
class Row:
    """What a server does, the cases that show it, and the result where it is an answer."""

    server: str
    cases: tuple[str, ...]
    result: str = "the answer is complete"


def row(server: str, *cases: str, result: str = "the answer is complete") -> Row:
    """A row of cases by name; without any, `server` is the case's name."""
    return Row(server, cases or (server,), result)


READ = "the text is read"
SHOWN = "the error is shown"
IGNORED = "ignored; the answer is complete"
TABLES = {
    "Thoughts in the text": [
        row(
            "`<think>`, `<thinking>`, `<thought>`, `<reasoning>` or `[THINK]` at the start of an answer, cut "
            "anywhere",
            "thoughts in `<think>`",
            "thoughts in `[THINK]`",
            "thoughts in `<thinking>`",
            "thoughts in `<reasoning>`",
            "thoughts in `<thought>`",
            result="reasoning: folded, not counted, not given to opponents or judges",
        ),
        row("the channels of gpt-oss (harmony)", "thoughts in harmony's channels", result="reasoning"),
        row(
            "a closing tag without an opening one",
            "thoughts that only a closing tag ends",
            result="what came before it becomes reasoning",
        ),
        row("an opening tag that is never closed", "thoughts without end"),
        row(
            "an opening tag after text, a closing tag in code",
            "an opening tag after text",
            "a closing tag in code",
            result="stays text",
        ),
    ],
    "The end of an answer": [
        row("an empty `finish_reason` in every chunk but the last", "`finish_reason` is empty until the end"),
        row(
            "`finish_reason` or `stop_reason` is empty, or the word `null`, to the end",
            "`finish_reason` is empty at the end",
            "`finish_reason` is the word null",
            "an empty `stop_reason`",
        ),
        row(
            "no finish reason or stop reason at all",
            "text without its blank line and without a finish reason",
            "no stop reason",
            "Ollama's chat without its end",
        ),
        row("the connection is cut before the reason", "a cut before the finish reason"),
        row("the connection is cut after the reason", "a cut after the finish reason"),
        row("no `[DONE]` or `message_stop` after the reason", "no `[DONE]`", "no `message_stop`"),
        row(
            "an error, a web page or broken data after the reason",
            "an error after the finish reason",
            "an error after the stop reason",
            "what cannot be read after the finish reason",
            "a page after the finish reason",
        ),
        row(
            "`[DONE]` instead of the API's own end",
            "`[DONE]` instead of `message_stop`",
            "`[DONE]` instead of `message_delta` and `message_stop`",
            "`[DONE]` instead of `response.completed`",
        ),
        row("blanks around `[DONE]`", "`[DONE]` with blanks"),
        row(
            "a last event without its blank line",
            "`[DONE]` without its blank line",
            "`[DONE]` with half of its blank line",
            "a finish reason without its blank line",
            "the last text and the finish reason without a blank line",
            "`message_stop` without its blank line",
            "`response.completed` without its blank line",
            "`event: done` without its blank line",
        ),
        row("no blank lines between events"),
        row("`response.completed` without the response in it", "`response.completed` without a response"),
        row("text only in `response.completed`", result=READ),
        row("usage, then `[DONE]` without a finish reason", "`[DONE]` keeps usage"),
        row("`refusal`, then `[DONE]`", "`[DONE]` keeps refusals"),
    ],
    "Filters": [
        row(
            "a filter as `finish_reason`: `content_filter`, `content-filter`, `SAFETY`, `IMAGE_SAFETY`, "
            "`PROHIBITED_CONTENT`, `RECITATION`, `BLOCKLIST`, `SPII`, `sensitive`, `guardrail_intervened`",
            *(
                f"`finish_reason` {word}"
                for word in (
                    *("content_filter", "content-filter", "SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT"),
                    *("RECITATION", "BLOCKLIST", "SPII", "sensitive", "guardrail_intervened"),
                )
            ),
        ),
        row("`content_filtered` as `stop_reason`", "`stop_reason` content_filtered"),
        row("status 403 for flagged input", "403 for flagged input"),
    ],
    "Errors in a stream": [
        row(
            """an object with `"object": "error"` or `detail`""",
            "an error as an object",
            "FastAPI's `detail`",
        ),
        row("an error that is only text, or `true` with a message", "an error as text", "`error` is true"),
        row(
            "a list of errors, or an error in a list",
            "an error as a list",
            "a list of errors",
            "a list of errors first",
        ),
        row(
            "`error_message`, `code` with `msg`, `base_resp` (MiniMax), `x_groq.error`",
            "`error_message`",
            "`code` and `msg`",
            "MiniMax's `base_resp`",
            "an error in `x_groq`",
        ),
        row(
            "an error known only by the name, type or code of its event",
            "a type that names an error",
            "a code that names an error",
            "an event named after an error",
            "`response.error`",
        ),
        row(
            "an error in a chunk of the answer, or between lines of plain text",
            "an error beside a finish reason",
            "an error in the middle of plain text",
        ),
        row(
            "a JSON body where an event should be, or a field named `error`",
            "an unframed JSON body",
            "an unframed JSON body after a comment",
            "`error:` as a field",
            "`error:` as a field after text",
        ),
        row("words instead of an event, such as a proxy's", "words instead of an event"),
    ],
    "Error answers": [
        row(
            "a body that is a list, a JSON string, `code` with `msg`, or Cloudflare's `errors`",
            "an error body as a list",
            "an error body as text",
            "an error body with `code` and `msg`",
            "an error body of Cloudflare's",
        ),
        row("status 400 for a wrong key (Gemini)", "400 for a wrong key"),
        row("status 429 for a spent daily quota (Gemini)", "429 for a daily quota"),
        row("status 403 for a region that is not served", "403 for a region"),
        row("status 404 (the message names the URL)", "404"),
    ],
    "Bodies": [
        row(
            "an event stream labelled as text or JSON, or not at all",
            "an event stream labelled as text",
            "an event stream labelled as JSON",
            "an event stream without a label",
        ),
        row(
            "the whole answer as JSON, also labelled or sent as an event",
            "a whole JSON answer",
            "a whole JSON answer labelled as an event stream",
            "the answer as one event",
        ),
        row("JSON lines"),
        row("a web page"),
        row("an empty body"),
        row("an empty event stream"),
    ],
    "Several choices": [
        row(
            "several choices, in turn or in one chunk",
            "several choices in turn",
            "several choices in one chunk",
            result="choice 0 is read",
        ),
        row("no choice 0", result="the lowest choice of the first chunk is read"),
        row(
            "`index` is text or null",
            "an index as text",
            "an index that is null",
            result="the choice is read",
        ),
    ],
    "What carries no text": [
        row(
            "token counts as fractions or text",
            "counts as floats and text",
            "counts that are not whole",
            "counts as floats",
        ),
        row(
            "`usage` is text, a list or full of nulls",
            "`usage` is text",
            "`usage` is a list",
            "`usage` is full of nulls",
            result=IGNORED,
        ),
        row("an empty `error`", "`error` is empty", result=IGNORED),
        row(
            "`logprobs`, `sequence_number` or `reasoning` of another type",
            "a `logprobs` of NaN",
            "`sequence_number` is text",
            "`reasoning` is text",
            result=IGNORED,
        ),
        row(
            "empty data, `null` and pings of all sorts",
            "empty and null data",
            "pings of all sorts",
            "empty data and pings",
            "a ping first",
            result=IGNORED,
        ),
        row(
            "events of a vendor's own",
            "events of a vendor",
            "a vendor's status beside text",
            result=IGNORED,
        ),
        row(
            "an object where text was expected",
            "`content` is an object without text",
            "a delta that is an object",
            "an object for a delta",
            result=IGNORED,
        ),
    ],
    "Text in other forms": [
        row(
            "`content` is an object or a list with text in it",
            "`content` is an object with text",
            "`content` is a list of text",
            result=READ,
        ),
        row(
            "one emoji in two events, half in each",
            "an emoji in two halves",
            "an emoji in two halves, with a ping between",
            "an emoji in two halves, bare",
            result="the halves are joined",
        ),
        row("half an emoji", result="shown as `�`"),
        row("an event's JSON over several lines", "a line end inside a string", result=READ),
        row(
            '`{"content"}` or `{"text"}`, also with a type',
            "bare `content`",
            "bare `text`",
            "typed `content`",
            result=READ,
        ),
        row("JSON strings", result=READ),
        row("plain text that begins with a quotation mark", result="read as it is"),
        row(
            "Ollama's own API, llama.cpp's `/completion`, TGI's tokens, legacy completions",
            "Ollama's chat",
            "Ollama's generate",
            "llama.cpp's completion",
            "TGI's tokens",
            "legacy completions",
            result=READ,
        ),
        row("the whole text again at the end", result="shown once"),
    ],
    "Other APIs": [
        row(
            "events of Cohere v2, native Gemini, Bedrock, the Assistants API or Dify",
            "Cohere's v2 API",
            "Gemini's native API",
            "Bedrock's ConverseStream",
            "Bedrock's invoke",
            "OpenAI's Assistants API",
            "Dify's API",
        ),
        row(
            "events of no known API",
            "events of no known API",
            "a list of unknown objects",
            "events of no known API and `[DONE]`",
            "objects with fields of other types",
        ),
    ],
    "Answers without text, and facts about them": [
        row("only tool calls"),
        row("only reasoning"),
        row("nothing but a finish reason", "nothing"),
        row("a tool call before text", result="ignored; the text is read"),
        row(
            "model, response id, cached tokens and cost in each server's own fields",
            "model, id, cost and cached tokens",
            "DeepSeek's cached tokens",
            "Perplexity's cost",
            "model, id and cached tokens",
            result="recorded",
        ),
    ],
}

ACTIONS = {
    FaultAction.RETRY: "retried",
    FaultAction.SKIP: "the debater is skipped",
    FaultAction.PAUSE_ALL: "the debate pauses and asks",
    FaultAction.REFUSED: "the turn ends as refused",
}


def outcome(case: Deviation, result: str) -> str:
    """What comes of a case; `result` says it where the case is an answer."""
    if case.reason is None:
        action = fault_action(Fault(case.kind or FaultKind.UNKNOWN, ""))
        if case.kind is FaultKind.NETWORK and not case.says:
            return "a cut: retried"
        if action is FaultAction.REFUSED:
            return ACTIONS[action]
        return f"{SHOWN}; {ACTIONS[action]}"
    if case.reason == "refused":
        return ACTIONS[FaultAction.REFUSED]
    return result if case.text else "no text: requested again once, then fails and says what came instead"


def quirk_tables() -> str:
    """The tables, one for each kind."""
    return "\n\n".join(f"### {title}\n\n{_table(rows)}" for title, rows in TABLES.items()) + "\n"


def _table(rows: list[Row]) -> str:
    lines = ["| the server sends | tried for | result |", "|---|---|---|"]
    for entry in rows:
        cases = [case for case in DEVIATIONS if case.what in entry.cases]
        apis = ", ".join(name for api, name in APIS.items() if any(case.api == api for case in cases))
        outcomes = {outcome(case, entry.result): None for case in cases}
        lines.append(f"| {entry.server} | {apis} | {_join(list(outcomes))} |")
    return "\n".join(lines)


def _join(outcomes: list[str]) -> str:
    """Several outcomes as one; errors of one shape differ in their codes."""
    if len(outcomes) > 1 and all(text.startswith(SHOWN) for text in outcomes):
        return f"{SHOWN}; its code decides what is done"
    return " or ".join(outcomes)
