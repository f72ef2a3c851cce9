"""What servers report, in their own words and numbers, amounts to one of our kinds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from debate_tui.domain.stream import FaultKind
from debate_tui.sources.payloads import errors
from debate_tui.sources.payloads.errors import ErrorBody


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ErrorBody(type="insufficient_quota", code="insufficient_quota"), 429, FaultKind.QUOTA),
        (ErrorBody(type="requests", code="rate_limit_exceeded"), 429, FaultKind.RATE_LIMIT),
        (ErrorBody(type="invalid_request_error", code="invalid_api_key"), 401, FaultKind.AUTH),
        (ErrorBody(type="invalid_request_error"), 429, FaultKind.RATE_LIMIT),
        (ErrorBody(type="api_error"), 529, FaultKind.OVERLOADED),
        (ErrorBody(type="overloaded_error"), 200, FaultKind.OVERLOADED),
        (
            ErrorBody(type="invalid_request_error", code="context_length_exceeded"),
            None,
            FaultKind.BAD_REQUEST,
        ),
        (ErrorBody(code=429), None, FaultKind.RATE_LIMIT),
        (ErrorBody(code="503"), None, FaultKind.OVERLOADED),
        (ErrorBody(code=400, message="Token limit reached"), 200, FaultKind.BAD_REQUEST),
        (ErrorBody(status="RESOURCE_EXHAUSTED", code=429), None, FaultKind.RATE_LIMIT),
        (ErrorBody(type="server_error"), None, FaultKind.SERVER),
        (ErrorBody(type="content_filter"), 400, FaultKind.REFUSED),
        (ErrorBody(type="billing_error"), 403, FaultKind.QUOTA),
        (ErrorBody(type="never-heard-of"), None, FaultKind.UNKNOWN),
        (ErrorBody(type="never-heard-of"), 418, FaultKind.BAD_REQUEST),
    ],
)
def test_the_most_precise_word_or_number_decides(
    error: ErrorBody, status: int | None, kind: FaultKind
) -> None:
    assert errors.fault_from_error(error, status=status).kind is kind


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b'{"error": {"message": "m", "type": "rate_limit_error"}}', FaultKind.RATE_LIMIT, "m"),
        (
            b'{"type": "error", "error": {"type": "overloaded_error", "message": "m"}}',
            FaultKind.OVERLOADED,
            "m",
        ),
        (b'{"error": "m"}', FaultKind.SERVER, "m"),
        (b'{"message": "m", "code": "insufficient_quota"}', FaultKind.QUOTA, "m"),
        (b"<html><body>Bad gateway</body></html>", FaultKind.SERVER, "The server answered 502 Bad Gateway."),
        (b"", FaultKind.SERVER, "The server answered 502 Bad Gateway."),
        (b"upstream\n  gone\xff", FaultKind.SERVER, "upstream gone\ufffd"),
        (b'["odd"]', FaultKind.SERVER, "odd"),
    ],
)
def test_any_body_amounts_to_a_fault(body: bytes, kind: FaultKind, message: str) -> None:
    fault = errors.fault_from_body(body, status=502)
    assert (fault.kind, fault.message, fault.status) == (kind, message, 502)


def test_a_long_message_is_cut() -> None:
    assert len(errors.fault_from_body("x" * 10_000).message) <= 300


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after-ms": "9" * 5000}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert errors.parse_retry_after(headers) == seconds


def test_retry_after_as_a_date() -> None:
    when = datetime.now(UTC) + timedelta(hours=1)
    wait = errors.parse_retry_after({"retry-after": format_datetime(when, usegmt=True)})
    assert wait is not None
    assert 3500 < wait <= 3600


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({"error": {"message": "Too long.", "code": 400}}, FaultKind.BAD_REQUEST, "Too long."),
        ({"error": "Out of memory"}, FaultKind.UNKNOWN, "Out of memory"),
        ({"error": ["Overloaded.", "Try later."], "code": 503}, FaultKind.OVERLOADED, "Overloaded."),
        ({"error": {"error": {"message": "Deep."}}, "status": 500}, FaultKind.SERVER, "Deep."),
        ({"object": "error", "message": "No.", "type": "BadRequestError"}, FaultKind.BAD_REQUEST, "No."),
        ({"object": "error", "message": "No.", "code": "429"}, FaultKind.RATE_LIMIT, "No."),
        ({"type": "error", "message": "No.", "status": 529}, FaultKind.OVERLOADED, "No."),
        ({"detail": "Not authenticated", "status_code": 401}, FaultKind.AUTH, "Not authenticated"),
        ({"detail": [{"loc": ["body"], "msg": "Field required"}]}, FaultKind.UNKNOWN, "Field required"),
        ({"error_message": "Broken.", "code": 500}, FaultKind.SERVER, "Broken."),
        ({"code": 429, "msg": "Slow down."}, FaultKind.RATE_LIMIT, "Slow down."),
        ({"success": False, "errors": [{"code": 7003, "message": "No route."}]}, None, "No route."),
        ([{"error": {"status": "UNAVAILABLE", "message": "Later."}}], FaultKind.OVERLOADED, "Later."),
    ],
)
def test_every_shape_of_an_error_is_one(value: object, kind: FaultKind | None, message: str) -> None:
    assert errors.is_error(value)
    fault = errors.fault_from_body(json.dumps(value))
    assert fault.message == message
    assert kind is None or fault.kind is kind


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, "error", [], {}, {"error": None}, {"error": ""}, {"error": {}}, {"error": []}),
        *({"error": False}, {"error": {"code": 0, "message": ""}}, {"errors": []}, {"message": "ping"}),
        *({"code": 200, "msg": "ok"}, {"status": "ok"}, {"detail": ""}, {"type": "ping", "code": 400}),
    ],
)
def test_what_only_looks_like_an_error_is_none(value: object) -> None:
    assert not errors.is_error(value)
