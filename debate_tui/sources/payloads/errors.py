"""What an error a server reports amounts to: words, codes and statuses → `Fault`.

The words are those of OpenAI, Anthropic, Google, OpenRouter, Groq and our own log, taken from their error
references; where a word and a status disagree the word is more precise (OpenAI reports a spent quota as 429).
"""

from __future__ import annotations

import math
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
        bad_request invalid_request invalid_request_error invalid_argument invalid_prompt validation_error
        context_length_exceeded string_above_max_length request_too_large model_not_found not_found
        not_found_error unsupported_value unprocessable_entity_error failed_precondition tool_use_failed""",
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


class ErrorEnvelope(Struct, frozen=True):
    """An error response: ``{"error": {…}}``, ``{"error": "…"}``, or the error's own fields at the top."""

    error: ErrorBody | str | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | int | None = None
    kind: str | None = None
    retry_after: float | None = None


_envelope_decoder = msgspec.json.Decoder(ErrorEnvelope)


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
        kind = _KIND_BY_WORD.get(word.strip().lower().replace("-", "_")) if isinstance(word, str) else None
        if kind is not None and kind not in _VAGUE_KINDS:
            return kind
        vague = vague or kind
    for number in (*words, status):
        if isinstance(number, str) and number.isdecimal() and len(number) == 3:
            number = int(number)
        if isinstance(number, int) and number >= 400:
            return kind_from_status(number)
    return vague or FaultKind.UNKNOWN


def fault_from_error(
    error: ErrorBody, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """The fault an error object amounts to.

    `status` is the HTTP status of the response that carried it, `retry_after` what its headers asked for.
    """
    own = next(
        (n for n in (error.status_code, error.code, error.status) if isinstance(n, int) and n >= 400), None
    )
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
        envelope = _envelope_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return fault_from_error(
            ErrorBody(message=_text_message(body)), status=status, retry_after=retry_after
        )
    if isinstance(envelope.error, ErrorBody):
        return fault_from_error(envelope.error, status=status, retry_after=retry_after)
    flat = ErrorBody(
        message=envelope.error or envelope.message,
        type=envelope.type,
        code=envelope.code,
        status=envelope.status,
        kind=envelope.kind,
        retry_after=envelope.retry_after,
    )
    return fault_from_error(flat, status=status, retry_after=retry_after)


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
