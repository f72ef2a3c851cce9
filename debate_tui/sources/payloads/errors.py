"""What an error a server reports amounts to: bodies and error objects of every shape → `Fault`.

The shapes are those of the providers' error references and of public reports: ``{"error": {…}}``, lists of
these, ``{"detail": […]}``, ``{"code", "msg"}``, text, and any of them quoted in the message of another.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, structs

from debate_tui.domain.stream import Fault, FaultKind
from debate_tui.sources.payloads.error_kinds import classify_error, error_status

if TYPE_CHECKING:
    from collections.abc import Mapping


class ErrorBody(Struct, frozen=True):
    """The error object all providers' shapes have in common; any of its fields may be missing."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | int | None = None
    status_code: int | None = None
    kind: str | None = None
    retry_after: float | None = None


def fault_from_error(
    error: ErrorBody, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """The fault an error object amounts to.

    `status` is the HTTP status of the response that carried it, `retry_after` what its headers asked for.
    """
    fields = {name: value for name, value in structs.asdict(error).items() if value is not None}
    return parse_error(fields).to_fault(status, retry_after)


def fault_from_body(
    body: bytes | str, *, status: int | None = None, retry_after: float | None = None
) -> Fault:
    """The fault an error response's body amounts to, whatever it holds: JSON, events, text, HTML, nothing."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    return _report_from_text(text.lstrip("\ufeff")).to_fault(status, retry_after)


class ReportedFault(Fault):
    """A fault that a server reported.

    `parameters` are the places in the request it named, dotted (``param``, ``detail[].loc``); `report` is all
    it said, at any length, for comparing and not for showing: it may hold a key.
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
        """The fault it amounts to; the longer of the waits in the headers and in the body is the floor."""
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
    "error",
    "errors",
    "detail",
    "details",
    "message",
    "msg",
    "base_resp",
    "metadata",
    "innererror",
    "cause",
    "raw",
)
"""Where error objects are inside one another, such as ``{"error": {"message": {"detail": […]}}}``."""
_MESSAGE_FIELDS = (
    "message",
    "msg",
    "Message",
    "detail",
    "error_message",
    "errorMessage",
    "error_msg",
    "errorText",
    "error_description",
    "status_msg",
    "details",
    "error",
    "errors",
    "cause",
    "raw",
    "data",
    "title",
)
_ERROR_FIELDS = ("error_message", "errorMessage", "error_msg", "errorText")
"""Those that only errors have."""
_WORD_FIELDS = (
    "kind",
    "code",
    "type",
    "status",
    "status_code",
    "statusCode",
    "error_code",
    "error",
    "reason",
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
"""A message in what is not quite JSON: a body that was cut, or a Python dict."""


def _report_from_text(text: str) -> ErrorReport:
    """What a body says that may be JSON, an event stream, text or a page."""
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
    """What a JSON value says of an error, nothing if it is none; never raises."""
    report = ErrorReport()
    _collect(report, value, 0)
    return report


def is_error(value: object, *, is_named: bool = False) -> bool:
    """Whether a JSON value that holds no text of an answer reports an error.

    What looks like one but says nothing (``{"error": ""}``, ``{"errors": []}``) is none. An event that
    `is_named` by its vendor has to say more clearly that it is an error.
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
        return False  # a vendor's event, whose details and status are those of something else
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
    """Add what a JSON value says, the innermost objects first: they are the most precise."""
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
    """Add what the fields of one error object say."""
    place = _dotted_place(error.get("loc")) or _dotted_place(error.get("param"))
    if place:
        report.parameters.append(place)
    for name in _MESSAGE_FIELDS:
        if isinstance(text := error.get(name), str) and text.strip():
            # `loc` belongs to its message; `param` is in the message anyway.
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
    """Add a message, and what JSON in it says: a proxy quotes the answer it got."""
    text = text.strip()
    for start in islice(_JSON_START.finditer(text), 4):
        try:
            quoted, _ = _decode_first(text[start.start() :])
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


def _decode_first(text: str) -> tuple[object, int]:
    import json  # reads a value that text follows, which msgspec does not

    return json.JSONDecoder().raw_decode(text)


def _dotted_place(place: object) -> str:
    """``["body", "messages", 0, "role"]`` or ``"messages[0].role"`` as ``messages.0.role``."""
    if isinstance(place, str):
        return re.sub(r"\[(\d+)\]", r".\1", place)
    if isinstance(place, list):
        return ".".join(str(part) for part in place if part != "body")
    return ""


def _seconds(value: object, unit: float) -> float | None:
    """A wait as numbers, text (``34.07s``) or protobuf's object say it; `None` for anything else."""
    if isinstance(value, dict):
        value = value.get("seconds")
    if isinstance(value, str) and (match := _WAIT_WORDING.fullmatch(value.strip())):
        value = float(match["seconds"])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value * unit if value >= 0 and math.isfinite(value) else None


def describe_url(url: str, problem: str = "") -> str:
    """A sentence that names the URL of a request, without userinfo and query: both may hold secrets.

    `problem` is what is odd about it, if anything.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"The requested URL was '{parts.scheme}://{host}{parts.path}'{problem and f': {problem}'}."


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


def _one_line(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# JSON as servers really write it; shared by the decoders.


_StructT = TypeVar("_StructT", bound=Struct)
_MISFIT_PATH = re.compile(r"at `\$(?P<path>\S+)`$")
_PATH_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]")
_MAX_MISFITS = 64


def load_json(data: str) -> object:
    """A JSON value as Python reads it, NaN and raw line ends included; `UNREADABLE` if it is none."""
    import json  # for what msgspec refuses

    try:
        return json.loads(data, strict=False)
    except ValueError:
        return UNREADABLE


UNREADABLE = object()


def fit_struct(value: dict[str, object], kind: type[_StructT]) -> _StructT:
    """`value` as a `kind`: numbers may be text, and what has another type is left out (of `value`, too)."""
    for _ in range(_MAX_MISFITS):
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as misfit:
            if not (found := _MISFIT_PATH.search(str(misfit))):
                break
            *outer, last = [
                int(step["index"]) if step["index"] else step["key"]
                for step in _PATH_STEP.finditer(found["path"])
            ]
            holder: Any = value
            for step in outer:
                holder = holder[step]
            del holder[last]
    return kind()


def fit_json(data: str, kind: type[_StructT]) -> _StructT:
    """A JSON object as a `kind`, see `fit_struct`; anything else is an empty one."""
    value = load_json(data)
    return fit_struct(value, kind) if isinstance(value, dict) else kind()


def is_json_object(data: str) -> bool:
    """Whether the text is a complete JSON object."""
    return isinstance(load_json(data), dict)


Count = int | float | None
"""A number of tokens as servers write it."""


def to_count(number: Count) -> int | None:
    """A number of tokens as a whole number; `None` if it is none."""
    return int(number) if number is not None and math.isfinite(number) else None
