"""Translation of reported errors into faults: bodies and error objects of every shape.

The shapes are those of the providers' error references and of public reports: ``{"error": {…}}``, lists of
these, ``{"detail": […]}``, ``{"code", "msg"}``, text, and any of them quoted in the message of another.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.payloads.error_kinds import classify_error, error_status

if TYPE_CHECKING:
    from collections.abc import Mapping


def fault_from_error(
    error: object, *, status: int | None = None, retry_after: float | None = None
) -> ReportedFault:
    """Return the fault for the value of an ``error`` field.

    `status` is the HTTP status of its response, `retry_after` the wait its headers ask for, in seconds.
    """
    return parse_error({"error": error}).to_fault(status, retry_after)


def fault_from_body(
    body: bytes | str, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """Return the fault for an error response's body: JSON, events, text, HTML or nothing."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return _report_from_text(text.lstrip("\ufeff")).to_fault(status, retry_after)


class ReportedFault(Fault):
    """A fault reported by a server.

    `parameters` are the request fields it names, with dots (``param``, ``detail[].loc``); `report` is the
    full error text, for matching only and never for display: it may contain a key.
    """

    parameters: tuple[str, ...] = ()
    report: str = ""


@dataclass(slots=True)
class ErrorReport:
    """What was found in an error body, the most precise first."""

    words: list[str | int] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    retry_after: float | None = None

    def to_fault(self, status: int | None, retry_after: float | None) -> ReportedFault:
        """Return the fault; its `retry_after` is the longer of the waits in headers and body."""
        own = next((n for n in map(error_status, self.words) if n is not None), None)
        status = own or error_status(status)
        report = "\n".join((*self.messages, *self.details))[:_MAX_REPORT]
        all_said = "\n".join((report, *map(str, self.words[:_MAX_ITEMS])))
        waits = [wait for wait in (retry_after, self.retry_after) if wait is not None]
        named = next((word for word in self.words if isinstance(word, str) and _WORD.search(word)), "")
        fault = ReportedFault(
            classify_error(self.words, all_said, status),
            _one_line(next(iter(self.messages), "") or named) or _status_message(status),
            status=status,
            retry_after=max(waits, default=None),
        )
        fault.parameters, fault.report = tuple(self.parameters), report
        return fault


_CONTAINERS = (
    *("error", "errors", "detail", "details", "message", "msg"),
    *("base_resp", "metadata", "innererror", "cause", "raw"),
)
"""Fields with nested error objects, such as ``{"error": {"message": {"detail": […]}}}``."""
_ERROR_FIELDS = ("error_message", "errorMessage", "error_msg", "errorText")
"""Message fields that only errors have."""
_MESSAGE_FIELDS = (
    *("message", "msg", "Message", "detail", *_ERROR_FIELDS, "error_description", "status_msg"),
    *("details", "error", "errors", "cause", "raw", "data", "title"),
)
_WORD_FIELDS = (
    *("kind", "code", "type", "status", "status_code", "statusCode", "error_code", "error", "reason"),
)
_WAIT_FIELDS = {"retry_after": 1.0, "retryAfter": 1.0, "retryDelay": 1.0, "retry_after_ms": 0.001}
_MAX_DEPTH = 8
_MAX_ITEMS = 32
_MAX_REPORT = 1 << 16
_WORD = re.compile(r"(?!error$)[A-Za-z]")
_WAIT_WORDING = re.compile(r"(?P<seconds>\d{1,9}(?:\.\d{1,9})?)s?")
_JSON_START = re.compile(r"[{\[]")
_TAG = re.compile(r"<[^>]{0,1000}>")
_EVENT_DATA = re.compile(r"^data:[^\S\n]?(.*)", re.MULTILINE)
_QUOTED_MESSAGE = re.compile(
    r"""['"](?:message|msg|detail|error)['"]\s*:\s*(['"])(?P<text>(?:[^\\]|\\.){1,2000}?)\1"""
)
"""A message in malformed JSON: a body that was cut, or a Python dict."""


def _report_from_text(text: str) -> ErrorReport:
    """Return the report for a body that may be JSON, an event stream, text or a page."""
    if text.startswith(("event:", "data:", ":")):
        text = "\n".join(_EVENT_DATA.findall(text))
    try:
        return parse_error(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        report = ErrorReport()
    if text.lstrip().startswith("<"):
        report.details.append(_TAG.sub(" ", text[:_MAX_REPORT]))
    else:
        _add_message(report, text, 0)
    return report


def parse_error(value: object) -> ErrorReport:
    """Return the report for a JSON value, empty if it is not an error; never raises."""
    report = ErrorReport()
    _collect(report, value, 0)
    return report


def is_error(value: object, *, is_named: bool = False) -> bool:
    """Return whether a JSON value without any answer text reports an error.

    An empty error (``{"error": ""}``, ``{"errors": []}``) does not count. With `is_named`, the event has a
    vendor's own name, and must indicate an error more clearly.
    """
    if isinstance(value, list):
        return any(is_error(item) for item in value)
    if not isinstance(value, dict):
        return False
    kind, code, base = value.get("type"), value.get("code"), value.get("base_resp")
    if "error" in (value.get("object"), kind, value.get("status")) or value.get("error") is True:
        return True
    if isinstance(base, dict) and base.get("status_code"):
        return True
    if any(_says_something(value.get(name)) for name in ("error", "errors")):
        return True
    if any(isinstance(value.get(name), str) and value[name].strip() for name in _ERROR_FIELDS):
        return True
    if (
        is_named
        or "event" in value
        or (isinstance(kind, str) and kind and not kind.lower().endswith(("error", "exception")))
    ):
        return False  # a vendor's event: its details and status may belong to something else
    numbers = (value.get(name) for name in ("code", "status", "status_code", "statusCode"))
    failed = any(map(error_status, numbers)) or value.get("success") is False or bool(kind)
    failed = failed or (isinstance(code, str) and classify_error([code], "", None) is not FaultKind.UNKNOWN)
    return _says_something(value.get("detail")) or (failed and bool(parse_error(value).messages))


def _says_something(error: object) -> bool:
    match error:
        case str():
            return bool(error.strip())
        case list():
            return any(_says_something(item) for item in error)
        case dict():
            return any(item not in (None, "", 0, False, [], {}) for item in error.values())
    return False


def _collect(report: ErrorReport, value: object, depth: int) -> None:
    """Add the contents of a JSON value, innermost objects first: they are the most precise."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        _add_message(report, value, depth)
    elif isinstance(value, list):
        for item in value[:_MAX_ITEMS]:
            _collect(report, item, depth + 1)
    elif isinstance(value, dict):
        for name in _CONTAINERS:
            if isinstance(inner := value.get(name), dict | list):
                _collect(report, inner, depth + 1)
        _collect_fields(report, value, depth)


def _collect_fields(report: ErrorReport, error: dict[str, object], depth: int) -> None:
    """Add the fields of one error object."""
    place = _dotted_place(error.get("loc")) or _dotted_place(error.get("param"))
    if place:
        report.parameters.append(place)
    for name in _MESSAGE_FIELDS:
        if isinstance(text := error.get(name), str) and text.strip():
            # `loc` belongs to its message; the message already contains `param`.
            _add_message(report, f"{place}: {text}" if "loc" in error and place else text, depth)
    for name in _WORD_FIELDS:
        if isinstance(word := error.get(name), str | int) and not isinstance(word, bool) and word != "":
            report.words.append(word)
    for name in ("quotaId", "quotaMetric", "flagged_input", "reasons"):
        if error.get(name):
            report.details.append(f"{name}: {error[name]}")
    violations = error.get("violations")
    if isinstance(violations, list):
        _collect(report, violations, depth + 1)
    for name, unit in _WAIT_FIELDS.items():
        if (wait := _seconds(error.get(name), unit)) is not None:
            report.retry_after = max(wait, report.retry_after or 0.0)


def _add_message(report: ErrorReport, text: str, depth: int) -> None:
    """Add a message, and the contents of JSON in it: a proxy quotes the response it received."""
    text = text.strip()
    for start in islice(_JSON_START.finditer(text), 4):
        try:
            # Unlike msgspec, this accepts text after the value.
            quoted, _ = json.JSONDecoder().raw_decode(text[start.start() :])
        except (ValueError, RecursionError):
            continue
        inner = parse_error(quoted) if depth < _MAX_DEPTH else ErrorReport()
        if isinstance(quoted, dict | list) and inner.messages:
            prefix = text[: start.start()].rstrip(" \t\n-:,")
            _merge(report, inner, prefix)
            return
    if match := _QUOTED_MESSAGE.search(text) if "{" in text else None:
        prefix = text[: text.index("{")].rstrip(" \t\n-:,([")
        report.details.append(text)
        text = f"{prefix}: {match['text']}" if prefix else match["text"]
    elif text.startswith(("{", "[")):
        report.details.append(text)
        return
    if text and len(report.messages) < _MAX_ITEMS and text not in report.messages:
        report.messages.append(text)


def _merge(report: ErrorReport, inner: ErrorReport, prefix: str) -> None:
    first, *others = inner.messages
    report.messages += [f"{prefix}: {first}" if prefix else first, *others]
    report.words += inner.words
    report.parameters += inner.parameters
    report.details += inner.details
    if inner.retry_after is not None:
        report.retry_after = max(inner.retry_after, report.retry_after or 0.0)


def _dotted_place(place: object) -> str:
    """Return ``["body", "messages", 0, "role"]`` or ``"messages[0].role"`` as ``messages.0.role``."""
    if isinstance(place, str):
        return re.sub(r"\[(\d+)\]", r".\1", place)
    if isinstance(place, list):
        return ".".join(str(part) for part in place if part != "body")
    return ""


def _seconds(value: object, unit: float) -> float | None:
    """Return a wait given as a number, text (``34.07s``) or protobuf object; `None` for anything else."""
    if isinstance(value, dict):
        value = value.get("seconds")
    if isinstance(value, str) and (match := _WAIT_WORDING.fullmatch(value.strip())):
        value = float(match["seconds"])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value * unit if value >= 0 and math.isfinite(value) else None


def describe_url(url: str, problem: str = "") -> str:
    """Return a sentence with a request's URL, without user information and query: both may be secret.

    `problem` says what looks wrong with it, if anything.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"The requested URL was '{parts.scheme}://{host}{parts.path}'{problem and f': {problem}'}."


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait a response asks for, in seconds, from `Retry-After` or `Retry-After-Ms`."""
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
        return f"The server returned {status} {HTTPStatus(status).phrase}."
    except ValueError:
        return f"The server returned {status}."


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
