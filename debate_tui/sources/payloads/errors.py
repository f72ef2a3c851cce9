"""What an error a server reports amounts to: words, codes and statuses → `Fault`.

The words are those of OpenAI, Anthropic, Google, OpenRouter, Groq and our own log, taken from their error
references; where a word and a status disagree the word is more precise (OpenAI reports a spent quota as 429).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.stream import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_KIND_WORDS: dict[FaultKind, str] = {
    FaultKind.RATE_LIMIT: """
        rate_limited rate_limit rate_limit_error rate_limit_exceeded too_many_requests tokens requests
        resource_exhausted throttling_exception""",
    FaultKind.OVERLOADED: """
        overloaded overloaded_error engine_overloaded service_unavailable service_unavailable_error
        unavailable slow_down capacity_exceeded""",
    FaultKind.SERVER: """
        server server_error api_error internal internal_error internal_server_error bad_gateway
        provider_error aborted""",
    FaultKind.TIMEOUT: "timeout timeout_error gateway_timeout request_timeout deadline_exceeded",
    FaultKind.NETWORK: "network network_error connection_error truncated",
    FaultKind.AUTH: """
        auth authentication_error invalid_api_key invalid_authentication permission_error
        permission_denied unauthorized unauthenticated forbidden account_deactivated access_terminated""",
    FaultKind.QUOTA: """
        quota insufficient_quota quota_exceeded insufficient_credits insufficient_balance billing_error
        billing_hard_limit_reached billing_not_active credit_balance_too_low payment_required
        spend_limit_exceeded spending_limit_reached""",
    FaultKind.BAD_REQUEST: """
        bad_request bad_request_error invalid_request invalid_request_error invalid_argument
        invalid_prompt validation_error context_length_exceeded exceed_context_size_error
        string_above_max_length request_too_large model_not_found not_found not_found_error
        unsupported_value unprocessable_entity_error failed_precondition tool_use_failed""",
    FaultKind.REFUSED: """
        refused refusal content_filter content_policy content_policy_violation
        image_content_policy_violation cyber_policy safety moderation""",
}
_KIND_BY_WORD = {word: kind for kind, words in _KIND_WORDS.items() for word in words.split()}
_VAGUE_KINDS = (FaultKind.BAD_REQUEST, FaultKind.SERVER)
_KIND_BY_STATUS = {
    401: FaultKind.AUTH,
    402: FaultKind.QUOTA,
    403: FaultKind.AUTH,
    408: FaultKind.SERVER,
    409: FaultKind.SERVER,
    429: FaultKind.RATE_LIMIT,
    503: FaultKind.OVERLOADED,
    529: FaultKind.OVERLOADED,
}


class ErrorBody(Struct, frozen=True):
    """The error object all providers' shapes have in common; any of its fields may be missing."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | int | None = None
    status_code: int | None = None
    kind: str | None = None
    retry_after: float | None = None


def kind_from_status(status: int) -> FaultKind:
    """The kind an HTTP status stands for where nothing more precise is known."""
    known = _KIND_BY_STATUS.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return FaultKind.BAD_REQUEST
    return FaultKind.SERVER if status >= 500 else FaultKind.UNKNOWN


def classify_error(*words: str | int | None, status: int | None = None) -> FaultKind:
    """The kind a server's words and numbers name, the most precise of them first.

    Servers put ``invalid_request_error`` and ``api_error`` on anything, so a status tells more than these.
    """
    vague: FaultKind | None = None
    for word in words:
        kind = _KIND_BY_WORD.get(_normalise_word(word)) if isinstance(word, str) else None
        if kind is not None and kind not in _VAGUE_KINDS:
            return kind
        vague = vague or kind
    for number in (*words, status):
        if isinstance(number, str) and number.isdecimal() and len(number) == 3:
            number = int(number)
        if isinstance(number, int) and number >= 400:
            return kind_from_status(number)
    return vague or FaultKind.UNKNOWN


def _normalise_word(word: str) -> str:
    """``RateLimitError`` and ``rate-limit-error`` as ``rate_limit_error``."""
    return _CAMEL_HUMP.sub("_", word.strip()).lower().replace("-", "_")


_CAMEL_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fault_from_error(
    error: ErrorBody, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """The fault an error object amounts to.

    `status` is the HTTP status of the response that carried it, `retry_after` what its headers asked for.
    """
    numbers = map(_status_number, (error.status_code, error.code, error.status))
    own = next((number for number in numbers if number), None)
    status = own or (status if status is not None and status >= 400 else None)
    return Fault(
        classify_error(error.kind, error.code, error.type, error.status, error.status_code, status=status),
        _one_line(error.message or error.type or str(error.code or error.kind or ""))
        or _status_message(status),
        status=status,
        retry_after=error.retry_after if error.retry_after is not None else retry_after,
    )


def fault_from_body(
    body: bytes | str, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """The fault an error response's body amounts to, whatever it holds: JSON, text, HTML, nothing."""
    try:
        error = parse_error(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        error = ErrorBody(message=_text_message(body))
    return fault_from_error(error, status=status, retry_after=retry_after)


# The shapes errors come in, read as JSON values: {"error": {…}}, {"error": "…"}, lists of these,
# {"errors": […]}, {"detail": …}, {"error_message": …}, {"code", "msg"}, or the fields at the top.

_MESSAGE_FIELDS = ("message", "msg", "error_message", "errorMessage", "error_msg", "errorText", "detail")
_NESTED_FIELDS = ("error", "errors", "detail")


def parse_error(value: object) -> ErrorBody:
    """The error in a JSON value, without a message if there is none; never raises."""
    match value:
        case str():
            return ErrorBody(message=value.strip() or None)
        case [first, *_]:
            return parse_error(first)
        case dict():
            outer = _error_fields(value)
            inner = next((value[name] for name in _NESTED_FIELDS if value.get(name)), None)
            return outer if inner is None else _merge_errors(parse_error(inner), outer)
    return ErrorBody()


def is_error(value: object) -> bool:
    """Whether a JSON value that holds no text of an answer reports an error.

    What looks like one but says nothing (``{"error": ""}``, ``{"errors": []}``) is none.
    """
    if isinstance(value, list):
        return any(is_error(item) for item in value)
    if not isinstance(value, dict):
        return False
    if "error" in (value.get("object"), value.get("type"), value.get("status")):
        return True
    if any(_says_something(value.get(name)) for name in ("error", "errors", "detail")):
        return True
    if any(isinstance(value.get(name), str) and value[name].strip() for name in _MESSAGE_FIELDS[2:6]):
        return True
    failed = any(_status_number(value.get(name)) for name in ("code", "status", "status_code", "statusCode"))
    return (failed or value.get("success") is False) and parse_error(value).message is not None


def _says_something(error: object) -> bool:
    match error:
        case str():
            return bool(error.strip())
        case list():
            return any(_says_something(item) for item in error)
        case dict():
            return any(item not in (None, "", 0, False, [], {}) for item in error.values())
    return False


def _error_fields(value: dict[str, object]) -> ErrorBody:
    def text(name: str) -> str | None:
        found = value.get(name)
        return found if isinstance(found, str) and found.strip() else None

    def word(name: str) -> str | int | None:
        found = value.get(name)
        return text(name) or (found if isinstance(found, int) and not isinstance(found, bool) else None)

    wait = value.get("retry_after")
    status = value.get("status_code", value.get("statusCode"))
    return ErrorBody(
        message=next((found for name in _MESSAGE_FIELDS if (found := text(name))), None),
        type=text("type") if text("type") != "error" else None,
        code=word("code"),
        status=word("status") if word("status") != "error" else None,
        status_code=_status_number(status),
        kind=text("kind"),
        retry_after=float(wait) if isinstance(wait, (int, float)) and not isinstance(wait, bool) else None,
    )


def _merge_errors(inner: ErrorBody, outer: ErrorBody) -> ErrorBody:
    """What the inner object says, and where it says nothing, what stands around it."""
    fields = {name: getattr(outer, name) for name in ErrorBody.__struct_fields__}
    own = {name: getattr(inner, name) for name in ErrorBody.__struct_fields__}
    return ErrorBody(**fields | {name: value for name, value in own.items() if value is not None})


def _status_number(value: object) -> int | None:
    """An HTTP error status, as a number or as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait a response asks for, in seconds: `Retry-After` as seconds or HTTP date, or in ms."""
    milliseconds = headers.get("retry-after-ms", "").strip()
    value = headers.get("retry-after", "").strip()
    try:
        if milliseconds.isdecimal():
            seconds = float(milliseconds) / 1000
        elif value.replace(".", "", 1).isdecimal():
            seconds = float(value)
        else:
            return _seconds_until(value) if value else None
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    from email.utils import parsedate_to_datetime  # a large package for a rare header

    when = parsedate_to_datetime(date)
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _status_message(status: int | None) -> str:
    if status is None:
        return "The server reported an error."
    try:
        return f"The server answered {status} {HTTPStatus(status).phrase}."
    except ValueError:
        return f"The server answered {status}."


def _text_message(body: bytes | str) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return "" if text.lstrip().startswith("<") else text


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
