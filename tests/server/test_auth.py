from __future__ import annotations

from datetime import UTC, datetime

import pytest

from debate_tui.domain.errors import UsageError
from debate_tui.server.auth import (
    LINK_TTL_S,
    LOGIN_COOKIE,
    LOGIN_TTL_S,
    MAX_LINKS,
    VOTER_COOKIE,
    AccessControl,
    came_through_proxy,
    check_tokens,
    is_loopback,
)


class ManualAuthClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


def test_tokens_say_who_somebody_is() -> None:
    access = AccessControl("host-token", "viewer-token")
    assert access.role_of_request({"authorization": "Bearer host-token"}, {}) == "host"
    assert access.role_of_request({"authorization": "bearer viewer-token"}, {}) == "viewer"
    assert access.role_of_request({"authorization": "Bearer wrong"}, {}) is None
    assert access.role_of_request({"authorization": "Basic host-token"}, {}) is None
    assert access.role_of_request({}, {}) is None


def test_on_this_machine_everybody_may_watch_and_nobody_may_steer() -> None:
    access = AccessControl()
    assert access.role_of_request({}, {}) == "viewer"
    assert access.role_of_request({"authorization": "Bearer "}, {}) is None
    assert len(access.host_token) >= 20


def test_the_viewers_token_stays_as_long_as_the_hosts() -> None:
    one, same, other = AccessControl("a"), AccessControl("a"), AccessControl("b")
    assert one.viewer_token == same.viewer_token != other.viewer_token
    assert one.role_of_token(same.viewer_token) == "viewer"


def test_a_cookie_survives_a_restart_and_ends() -> None:
    clock = ManualAuthClock()
    cookie = AccessControl("a", viewers_need_token=True, clock=clock).create_login_cookie("host")
    again = AccessControl("a", viewers_need_token=True, clock=clock)
    assert again.role_of_request({}, {LOGIN_COOKIE: cookie}) == "host"
    assert cookie != "a"
    clock.now += LOGIN_TTL_S + 1
    assert again.role_of_request({}, {LOGIN_COOKIE: cookie}) is None


@pytest.mark.parametrize("change", [lambda c: c.replace("viewer", "host"), lambda c: c[:-1], lambda c: ""])
def test_a_cookie_cannot_be_made(change: object) -> None:
    access = AccessControl("a", viewers_need_token=True)
    cookie = change(access.create_login_cookie("viewer"))  # type: ignore[operator]
    assert access.role_of_request({}, {LOGIN_COOKIE: cookie}) is None
    assert (
        access.role_of_request({}, {LOGIN_COOKIE: AccessControl("b").create_login_cookie("viewer")}) is None
    )


def test_a_link_is_good_once_and_not_for_long() -> None:
    clock = ManualAuthClock()
    access = AccessControl("a", clock=clock)
    code, late = access.create_link("viewer"), access.create_link("host")
    assert access.redeem_link(code) == "viewer"
    assert access.redeem_link(code) is None
    clock.now += LINK_TTL_S
    assert access.redeem_link(late) is None


def test_links_have_a_bound() -> None:
    access = AccessControl("a")
    first, second = access.create_link("viewer"), access.create_link("viewer")
    for _ in range(MAX_LINKS - 1):
        access.create_link("viewer")
    assert access.redeem_link(first) is None
    assert access.redeem_link(second) == "viewer"


def test_voters_are_known_again() -> None:
    access = AccessControl("a")
    name, cookie = access.create_voter()
    assert access.voter_of_cookie(cookie) == name
    assert access.voter_of_cookie(f"{name}.0000000000000000") is None
    assert access.voter_of_cookie("") is None


@pytest.mark.parametrize(
    ("headers", "version", "proxied"),
    [({}, "1.1", False), ({"host": "127.0.0.1:8484"}, "1.1", False), ({"host": "[::1]"}, "2", False),
     ({"host": "localhost", "x-forwarded-for": "8.8.8.8"}, "1.1", True),
     ({"host": "localhost", "x-forwarded-proto": "https"}, "1.1", True),
     ({"host": "localhost", "forwarded": "for=8.8.8.8"}, "1.1", True),
     ({"host": "localhost", "via": "1.1 caddy"}, "1.1", True), ({"host": "localhost"}, "1.0", True),
     ({"host": "debates.example"}, "1.1", True), ({"host": ""}, "1.1", True)],
)  # fmt: skip
def test_requests_that_a_proxy_passes_on(headers: dict[str, str], version: str, proxied: bool) -> None:
    assert came_through_proxy(headers, version) is proxied
    role = AccessControl().role_of_request(headers, {}, proxied=proxied)
    assert role == (None if proxied else "viewer")
    assert AccessControl(public=True).role_of_request(headers, {}, proxied=proxied) == "viewer"


@pytest.mark.parametrize(
    ("host", "viewer"),
    [
        ("fifteen-letters", ""),
        ("", "short"),
        (" " * 20, ""),
        ("the-same-for-both", "the-same-for-both"),
        ("the-same-for-both", " the-same-for-both"),
    ],
)
def test_tokens_that_are_refused(host: str, viewer: str) -> None:
    with pytest.raises(UsageError):
        check_tokens(host, viewer)
    check_tokens("sixteen-letters!", "sixteen-letters?")
    check_tokens("", "")
    assert AccessControl(" sixteen-letters!").role_of_token("sixteen-letters!") == "host"


def test_tokens_and_cookies_come_from_the_secret() -> None:
    one, other = AccessControl("a", secret=b"1"), AccessControl("a", secret=b"2")
    assert one.viewer_token != other.viewer_token
    cookie = one.create_login_cookie("viewer")
    assert AccessControl("a", secret=b"1").role_of_request({}, {LOGIN_COOKIE: cookie}) == "viewer"
    asked = AccessControl("a", secret=b"2", viewers_need_token=True)
    assert asked.role_of_request({}, {LOGIN_COOKIE: cookie}) is None


def test_a_new_token_ends_its_cookies() -> None:
    cookie = AccessControl("a", "viewers-1").create_login_cookie("viewer")
    for tokens in (("a", "viewers-2"), ("b", "viewers-1")):
        assert AccessControl(*tokens).role_of_request({}, {LOGIN_COOKIE: cookie}) is None


def test_a_ticket_for_each_token_and_cookie() -> None:
    access = AccessControl("a", "viewers")
    bearer = {"authorization": "Bearer viewers"}
    logins = [{LOGIN_COOKIE: access.create_login_cookie("viewer")} for _ in range(2)]
    voter = {VOTER_COOKIE: access.create_voter()[1]}
    tickets = [access.ticket_of_request({}, cookies) for cookies in (*logins, voter)]
    assert len({*tickets, access.ticket_of_request(bearer, {})}) == 4
    assert access.ticket_of_request(bearer, logins[0]) == access.ticket_of_request(bearer, {})
    assert access.ticket_of_request({}, logins[0] | voter) == tickets[0]
    assert access.ticket_of_request({}, {}) is None


@pytest.mark.parametrize(
    ("origin", "same"),
    [(None, True), ("http://127.0.0.1:8484", True), ("https://127.0.0.1:8484", True), ("null", False),
     ("http://127.0.0.1:9", False), ("https://evil.example", False), ("https://friend.example", True),
     ("https://friend.example.evil", False)],
)  # fmt: skip
def test_pages_that_may_change_something(origin: str | None, same: bool) -> None:
    access = AccessControl(origins=["https://friend.example"])
    assert access.is_allowed_origin(origin, "127.0.0.1:8484") is same


def test_this_machine() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")
