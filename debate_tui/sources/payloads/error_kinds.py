"""Classification of reported errors by words, codes, statuses and messages.

The words are those of OpenAI, Anthropic, Google, OpenRouter, Groq and debate-tui's own log, from their error
references. If a word and a status disagree, the word is more precise (OpenAI reports a spent quota as 429).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from debate_tui.domain.stream import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.stream import FinishReason

_KIND_WORDS: dict[FaultKind, str] = {
    FaultKind.RATE_LIMIT: """
        rate_limited rate_limit rate_limit_error rate_limit_exceeded too_many_requests tokens requests
        resource_exhausted throttling_exception""",
    FaultKind.OVERLOADED: """
        overloaded overloaded_error engine_overloaded service_unavailable service_unavailable_error
        unavailable slow_down capacity_exceeded over_capacity server_busy""",
    FaultKind.SERVER: """
        server server_error api_error internal internal_error internal_server_error bad_gateway
        provider_error aborted""",
    FaultKind.TIMEOUT: "timeout timeout_error gateway_timeout request_timeout deadline_exceeded",
    FaultKind.NETWORK: "network network_error connection_error truncated",
    FaultKind.AUTH: """
        auth authentication_error invalid_api_key invalid_authentication permission_error
        permission_denied unauthorized unauthenticated forbidden account_deactivated access_terminated
        api_key_invalid""",
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
        image_content_policy_violation cyber_policy safety moderation
        data_inspection_failed responsible_aipolicy_violation""",
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


_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def kind_from_status(status: int) -> FaultKind:
    """Return the kind for an HTTP status when nothing more precise is known."""
    known = _KIND_BY_STATUS.get(status)
    if known is not None:
        return known
    if 400 <= status < 500:
        return FaultKind.BAD_REQUEST
    return FaultKind.SERVER if status >= 500 else FaultKind.UNKNOWN


def classify_error(words: Sequence[str | int], report: str = "", status: int | None = None) -> FaultKind:
    """Return the kind for a server's words and numbers (most precise first), refined by `report`.

    Servers use ``invalid_request_error`` and ``api_error`` for anything, so a status is more precise than
    these. Numbers that are not error statuses are the server's own codes and are ignored. `report` is the
    full error text, `status` the status of the response.
    """
    kind = _kind_from_words(words, status)
    if kind is FaultKind.BAD_REQUEST and status is not None:
        # Compatible servers call nearly everything an invalid request; then the status is more precise.
        kind = kind_from_status(status)
    return _refine_kind(kind, report, status)


def _kind_from_words(words: Sequence[str | int], status: int | None) -> FaultKind:
    vague: FaultKind | None = None
    for word in words:
        kind = _kind_from_word(word) if isinstance(word, str) else None
        if kind is not None and kind not in _VAGUE_KINDS:
            return kind
        vague = vague or kind
    for number in (*words, status):
        if (known := error_status(number)) is not None:
            return kind_from_status(known)
    return vague or FaultKind.UNKNOWN


def _kind_from_word(word: str) -> FaultKind | None:
    """Return the kind for a word in any spelling: ``rate_limit_exceeded``, ``RateLimitError``."""
    word = _CAMEL_CASE.sub("_", word.strip()).replace("-", "_").replace(" ", "_").lower()
    return _KIND_BY_WORD.get(word) or _KIND_BY_WORD.get(
        word.removesuffix("_error").removesuffix("_exception")
    )


def error_status(number: object) -> int | None:
    """Return an HTTP error status, given as a number or as text, or `None`."""
    if isinstance(number, str) and len(number) == 3 and number.isascii() and number.isdecimal():
        number = int(number)
    return number if isinstance(number, int) and 400 <= number < 600 else None


# Only the message distinguishes these: spent credit comes as 400, 403 or 429, a wrong key as 400 (Google,
# xAI), flagged input as 400 or 403, and an unsupported region as 400 or 403.
_QUOTA_WORDING = re.compile(
    r"credit balance|insufficient (?:credit|balance|funds|quota)|spend(?:ing)? limit|API usage limits"
    r"|have any credits|out of credits|key limit exceeded|billing hard limit|余额不足|欠费",
    re.IGNORECASE,
)
_DAILY_QUOTA_WORDING = re.compile(
    r"per[ _-]?day|daily (?:limit|quota|request|token)|\b[TR]PD\b|limit: 0(?![\d.])", re.IGNORECASE
)
_ACCOUNT_WORDING = re.compile(
    r"\b(?:account|user|organi[sz]ation|project|key)\b[^.\n]{0,60}"
    r"\b(?:flagged|suspended|deactivated|disabled|banned|blocked|terminated)",
    re.IGNORECASE,
)
_PLACE = r"(?:countr(?:y|ies)|regions?|territor(?:y|ies)|location|geograph\w*)"
_DENIED = r"(?:\bnot\b|n't|\bun(?:supported|available)|restrict|block|denied|forbidden|banned)"
_REGION_WORDING = re.compile(
    rf"unsupported_country|region_?error|error code: 1009"
    rf"|{_DENIED}[^.\n]{{0,80}}\b{_PLACE}\b|\b{_PLACE}\b[^.\n]{{0,80}}{_DENIED}",
    re.IGNORECASE,
)
_FLAGGED_WORDING = re.compile(
    r"\bflagged|moderation|content[ _-](?:policy|filter|management|exists risk)|usage (?:policy|guidelines)"
    r"|violat\w+[^.\n]{0,60}(?:polic|guideline|terms)|safety (?:system|check|filter)|considered high risk"
    r"|data[ _]?inspection|inappropriate content|responsible ?ai|flagged_input"
    r"|敏感|违规",
    re.IGNORECASE,
)
_KEY_WORDING = re.compile(
    r"api[ _-]?key\b[^.\n]{0,30}\b(?:not|invalid|expired|missing|required|disabled|incorrect|wrong)"
    r"|\b(?:invalid|incorrect|wrong|missing|expired|malformed|bad|no|valid)\b[^.\n]{0,20}"
    r"\b(?:x-)?api[ _-]?key"
    r"|api_key_invalid|invalid (?:access |auth\w* |bearer )?token\b|authentication (?:error|failed)",
    re.IGNORECASE,
)
_RATE_WORDING = re.compile(r"rate[ _-]?limit|too many requests", re.IGNORECASE)
_LOAD_WORDING = re.compile(
    r"overload|(?:over|at|exceed\w*)[ _-]capacity|server (?:is )?(?:too )?busy|temporarily unavailable",
    re.IGNORECASE,
)
_UNCERTAIN_KINDS = (FaultKind.BAD_REQUEST, FaultKind.AUTH, FaultKind.UNKNOWN)


def _refine_kind(kind: FaultKind, report: str, status: int | None) -> FaultKind:
    """Return the kind named by the message if that is more precise than words and status."""
    if kind in (*_UNCERTAIN_KINDS, FaultKind.RATE_LIMIT) and _QUOTA_WORDING.search(report):
        return FaultKind.QUOTA
    if kind is FaultKind.RATE_LIMIT and _DAILY_QUOTA_WORDING.search(report):
        return FaultKind.QUOTA
    if kind not in _UNCERTAIN_KINDS or status == HTTPStatus.UNAUTHORIZED or _ACCOUNT_WORDING.search(report):
        return kind
    if _REGION_WORDING.search(report):
        return FaultKind.BAD_REQUEST
    if _FLAGGED_WORDING.search(report):
        return FaultKind.REFUSED
    if kind is not FaultKind.AUTH and _KEY_WORDING.search(report):
        return FaultKind.AUTH
    if kind is FaultKind.UNKNOWN and _RATE_WORDING.search(report):
        return FaultKind.RATE_LIMIT
    if kind is FaultKind.UNKNOWN and _LOAD_WORDING.search(report):
        return FaultKind.OVERLOADED
    return kind


# How an answer ended, by the server's finish or stop reason.


def to_finish_reason(word: str) -> FinishReason | None:
    """Return the meaning of a finish or stop reason; `None` if it is empty or the word ``null``.

    Raise `Fault` for a word that means the answer failed. An unknown word means that the model was done.
    """
    word = word.strip().lower().replace("-", "_").removeprefix("finish_reason_")
    if word in ("", "null", "none", "unspecified"):
        return None
    if word in _FAILURE_WORDS:
        raise Fault(_FAILURE_WORDS[word], f"The server ended the answer early: '{word}'.")
    if word in _LENGTH_WORDS:
        return "length"
    return "refused" if any(part in word for part in _REFUSAL_PARTS) else "complete"


_LENGTH_WORDS = frozenset(
    (
        *("length", "limit", "max_length", "max_tokens", "max_new_tokens", "max_output_tokens"),
        *("model_length", "model_context_window_exceeded", "context_length_exceeded"),
    )
)
_REFUSAL_PARTS = (
    *("refus", "filter", "content_policy", "policy_violation", "safety", "unsafe", "sensitive", "toxic"),
    *("prohibited", "recitation", "blocklist", "blocked", "spii", "moderation", "guardrail"),
)
"""Parts of words for a filtered answer: OpenAI's, Anthropic's, Google's, Bedrock's, Zhipu's."""
_FAILURE_WORDS = {
    "abort": FaultKind.SERVER,
    "aborted": FaultKind.SERVER,
    "canceled": FaultKind.SERVER,
    "cancelled": FaultKind.SERVER,
    "error": FaultKind.SERVER,
    "failed": FaultKind.SERVER,
    "failure": FaultKind.SERVER,
    "network_error": FaultKind.SERVER,
    "timeout": FaultKind.SERVER,
    "insufficient_system_resource": FaultKind.OVERLOADED,
    "overloaded": FaultKind.OVERLOADED,
}
