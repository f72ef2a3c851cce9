"""What servers report, in their own words and numbers, amounts to one of our kinds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import FaultKind
from debate_tui.sources.payloads import errors


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, 429, FaultKind.QUOTA),
        ({"type": "requests", "code": "rate_limit_exceeded"}, 429, FaultKind.RATE_LIMIT),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, 401, FaultKind.AUTH),
        ({"type": "invalid_request_error"}, 429, FaultKind.RATE_LIMIT),
        ({"type": "api_error"}, 529, FaultKind.OVERLOADED),
        ({"type": "overloaded_error"}, 200, FaultKind.OVERLOADED),
        (
            {"type": "invalid_request_error", "code": "context_length_exceeded"},
            None,
            FaultKind.BAD_REQUEST,
        ),
        ({"code": 429}, None, FaultKind.RATE_LIMIT),
        ({"code": "503"}, None, FaultKind.OVERLOADED),
        ({"code": 400, "message": "Token limit reached"}, 200, FaultKind.BAD_REQUEST),
        ({"status": "RESOURCE_EXHAUSTED", "code": 429}, None, FaultKind.RATE_LIMIT),
        ({"type": "server_error"}, None, FaultKind.SERVER),
        ({"type": "content_filter"}, 400, FaultKind.REFUSED),
        ({"type": "billing_error"}, 403, FaultKind.QUOTA),
        ({"type": "never-heard-of"}, None, FaultKind.UNKNOWN),
        ({"type": "never-heard-of"}, 418, FaultKind.BAD_REQUEST),
    ],
)
def test_the_most_precise_word_or_number_decides(
    error: dict[str, object], status: int | None, kind: FaultKind
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
        (b"<html><body>Bad gateway</body></html>", FaultKind.SERVER, "The server returned 502 Bad Gateway."),
        (b"", FaultKind.SERVER, "The server returned 502 Bad Gateway."),
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
        ({"error": "The model is overloaded."}, FaultKind.OVERLOADED, "The model is overloaded."),
        ({"error": "Server busy."}, FaultKind.OVERLOADED, "Server busy."),
        ({"error": {"message": "No.", "code": "over_capacity"}}, FaultKind.OVERLOADED, "No."),
        ({"error": "Rate limit reached for m."}, FaultKind.RATE_LIMIT, "Rate limit reached for m."),
        ({"detail": "Too many requests"}, FaultKind.RATE_LIMIT, "Too many requests"),
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


GEMINI_DAY = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota, please check your plan and billing details.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
        ],
    }
}
GEMINI_MINUTE = json.loads(json.dumps(GEMINI_DAY).replace("PerDay", "PerMinute"))
GEMINI_KEY = {
    "error": {
        "code": 400,
        "message": "Please pass a valid one.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    }
}
OPENROUTER_REGION = {
    "error": {
        "message": "Provider returned error",
        "code": 403,
        "metadata": {
            "raw": {"data": json.dumps({"error": {"message": "Country, region, or territory not supported"}})}
        },
    }
}
OPENROUTER_RAW = {
    "error": {
        "message": "Provider returned error",
        "code": 400,
        "metadata": {
            "raw": json.dumps({"error": {"message": "Bad input.", "type": "invalid_request_error"}})
        },
    }
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        # A wrong key, also where the status is 400.
        (
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Pass one.",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ],
            FaultKind.AUTH,
            "API key not valid. Pass one.",
        ),
        (400, GEMINI_KEY, FaultKind.AUTH, "Please pass a valid one."),
        (
            400,
            {"code": "x", "error": "Incorrect API key provided: xx."},
            FaultKind.AUTH,
            "Incorrect API key provided: xx.",
        ),
        (400, {"error": {"message": "API key expired. Please renew the API key."}}, FaultKind.AUTH, None),
        (400, {"error": {"message": "The key 'a' is not in the schema."}}, FaultKind.BAD_REQUEST, None),
        # Cloudflare, {"code", "msg"}, and codes that are no statuses.
        (
            403,
            {
                "success": False,
                "errors": [{"code": 10000, "message": "Authentication error"}],
                "messages": [],
            },
            FaultKind.AUTH,
            "Authentication error",
        ),
        (400, {"code": 1001, "msg": "Invalid parameter"}, FaultKind.BAD_REQUEST, "Invalid parameter"),
        (
            400,
            {"error_code": 17, "error_msg": "Open api daily request limit reached"},
            FaultKind.BAD_REQUEST,
            None,
        ),
        (
            400,
            {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}},
            FaultKind.BAD_REQUEST,
            "invalid params",
        ),
        (
            400,
            {"statusCode": 400, "message": ["a must be set", "b"], "error": "Bad Request"},
            FaultKind.BAD_REQUEST,
            "a must be set",
        ),
        (
            400,
            {"title": "Bad Request", "status": 400, "detail": "No model."},
            FaultKind.BAD_REQUEST,
            "No model.",
        ),
        (
            401,
            {"error": "invalid_client", "error_description": "No such client."},
            FaultKind.AUTH,
            "No such client.",
        ),
        # Messages in messages.
        (400, OPENROUTER_RAW, FaultKind.BAD_REQUEST, "Bad input."),
        (
            422,
            {"object": "error", "message": {"detail": [{"loc": ["body", "n"], "msg": "Too many"}]}},
            FaultKind.BAD_REQUEST,
            "n: Too many",
        ),
        (
            500,
            {"error": {"message": 'upstream said: {"error": {"message": "Out of memory"}}'}},
            FaultKind.SERVER,
            "upstream said: Out of memory",
        ),
        (
            400,
            {"error": {"message": "Error code: 400 - {'error': {'message': 'Too long', 'code': 400}}"}},
            FaultKind.BAD_REQUEST,
            "Error code: 400: Too long",
        ),
        (400, {"message": json.dumps({"message": "Inside."})}, FaultKind.BAD_REQUEST, "Inside."),
        # Quotas and waits.
        (429, GEMINI_DAY, FaultKind.QUOTA, None),
        (429, GEMINI_MINUTE, FaultKind.RATE_LIMIT, None),
        (
            429,
            {"error": {"message": "Rate limit exceeded: free-models-per-day", "code": 429}},
            FaultKind.QUOTA,
            None,
        ),
        (429, {"error": {"message": "Limit reached on tokens per day (TPD)"}}, FaultKind.QUOTA, None),
        (429, {"error": {"message": "Limit reached on tokens per minute (TPM)"}}, FaultKind.RATE_LIMIT, None),
        (400, {"error": {"code": "1113", "message": "余额不足，请充值"}}, FaultKind.QUOTA, None),
        (400, {"error": {"code": "1301", "message": "内容可能包含敏感内容"}}, FaultKind.REFUSED, None),
        (403, OPENROUTER_REGION, FaultKind.BAD_REQUEST, "Country, region, or territory not supported"),
        (403, {"error": {"type": "RegionError", "message": "Opt in first."}}, FaultKind.BAD_REQUEST, None),
        # Refused input, and regions: neither is about the key.
        (
            403,
            {"error": {"code": 403, "message": "Input was flagged", "metadata": {"reasons": ["violence"]}}},
            FaultKind.REFUSED,
            "Input was flagged",
        ),
        (403, {"code": "x", "error": "Content violates usage guidelines."}, FaultKind.REFUSED, None),
        (
            400,
            {"code": "DataInspectionFailed", "message": "Input may be unsuitable."},
            FaultKind.REFUSED,
            None,
        ),
        (400, {"error": {"message": "Content Exists Risk"}}, FaultKind.REFUSED, None),
        (
            403,
            {
                "error": {
                    "code": "unsupported_country_region_territory",
                    "message": "Country, region, or territory not supported",
                }
            },
            FaultKind.BAD_REQUEST,
            None,
        ),
        (
            400,
            {
                "error": {
                    "message": "User location is not supported for the API use.",
                    "status": "FAILED_PRECONDITION",
                }
            },
            FaultKind.BAD_REQUEST,
            None,
        ),
        (
            403,
            {"error": {"message": "This model isn't available in your region."}},
            FaultKind.BAD_REQUEST,
            None,
        ),
        (403, {"error": {"message": "Your account was flagged and suspended."}}, FaultKind.AUTH, None),
        (401, {"error": {"message": "Flagged key."}}, FaultKind.AUTH, None),
        (403, {"error": {"message": "Request not allowed", "type": "forbidden"}}, FaultKind.AUTH, None),
    ],
)
def test_the_message_is_found_and_the_kind_with_it(
    status: int, body: object, kind: FaultKind, message: str | None
) -> None:
    fault = errors.fault_from_body(json.dumps(body), status=status)
    assert fault.kind is kind
    assert not set("{}[]") & set(fault.message)
    assert message is None or fault.message == message


def test_a_wait_in_the_body_is_a_floor() -> None:
    body = json.dumps(GEMINI_MINUTE)
    assert errors.fault_from_body(body, status=429).retry_after == 34.5
    assert errors.fault_from_body(body, status=429, retry_after=7.0).retry_after == 34.5
    assert errors.fault_from_body(body, status=429, retry_after=70.0).retry_after == 70.0


@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"message": "Too long.", "input": "' + "x" * 70_000,
        "data: " + json.dumps({"error": {"message": "Too long."}}) + "\n\n",
        "event: error\ndata: " + json.dumps({"error": {"message": "Too long."}}) + "\n\n",
        "\ufeff" + json.dumps({"error": {"message": "Too long."}}, indent=2),
        json.dumps(json.dumps({"error": {"message": "Too long."}})),
        "{'error': {'message': 'Too long.'}}",
    ],
)
def test_a_message_is_found_in_what_is_not_quite_json(body: str) -> None:
    assert errors.fault_from_body(body[: 1 << 16], status=400).message == "Too long."


@pytest.mark.parametrize("body", ['{"foo": [1, {"bar": 2}]}', '{"foo":', "[1, 2]", "[[", "{}", "null", "7"])
def test_json_without_a_message_is_never_shown(body: str) -> None:
    assert errors.fault_from_body(body, status=400).message == "The server returned 400 Bad Request."


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["error", "message", "detail", "code", "loc", "retryDelay", "errors"]), inner
            )
        ),
    )
)
def test_no_body_is_too_odd(body: object) -> None:
    fault = errors.fault_from_body(json.dumps(body), status=400)
    assert 0 < len(fault.message) <= 300


def test_a_page_is_not_shown_and_yet_read() -> None:
    page = "<html><title>Access denied</title><p>The owner has banned the <b>country</b> or region.</html>"
    fault = errors.fault_from_body(page, status=403)
    assert (fault.kind, fault.message) == (FaultKind.BAD_REQUEST, "The server returned 403 Forbidden.")
