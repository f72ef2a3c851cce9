from __future__ import annotations

from datetime import UTC, datetime

import pytest

from debate_tui.server.access import COOKIE, LINK_S, MAX_LINKS, PASS_S, Access, is_loopback


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


def test_tokens_say_who_somebody_is() -> None:
    access = Access("host-token", "viewer-token")
    assert access.role({"authorization": "Bearer host-token"}, {}) == "host"
    assert access.role({"authorization": "bearer viewer-token"}, {}) == "viewer"
    assert access.role({"authorization": "Bearer wrong"}, {}) is None
    assert access.role({"authorization": "Basic host-token"}, {}) is None
    assert access.role({}, {}) is None


def test_on_this_machine_everybody_may_watch_and_nobody_may_steer() -> None:
    access = Access()
    assert access.role({}, {}) == "viewer"
    assert access.role({"authorization": "Bearer "}, {}) is None
    assert len(access.host_token) >= 20


def test_the_viewers_token_stays_as_long_as_the_hosts() -> None:
    one, same, other = Access("a"), Access("a"), Access("b")
    assert one.viewer_token == same.viewer_token != other.viewer_token
    assert one.role_of(same.viewer_token) == "viewer"


def test_a_cookie_survives_a_restart_and_ends() -> None:
    clock = Clock()
    cookie = Access("a", viewers_need_token=True, clock=clock).cookie("host")
    again = Access("a", viewers_need_token=True, clock=clock)
    assert again.role({}, {COOKIE: cookie}) == "host"
    assert cookie != "a"
    clock.now += PASS_S + 1
    assert again.role({}, {COOKIE: cookie}) is None


@pytest.mark.parametrize("change", [lambda c: c.replace("viewer", "host"), lambda c: c[:-1], lambda c: ""])
def test_a_cookie_cannot_be_made(change: object) -> None:
    access = Access("a", viewers_need_token=True)
    cookie = change(access.cookie("viewer"))  # type: ignore[operator]
    assert access.role({}, {COOKIE: cookie}) is None
    assert access.role({}, {COOKIE: Access("b").cookie("viewer")}) is None


def test_a_link_is_good_once_and_not_for_long() -> None:
    clock = Clock()
    access = Access("a", clock=clock)
    code, late = access.link("viewer"), access.link("host")
    assert access.redeem(code) == "viewer"
    assert access.redeem(code) is None
    clock.now += LINK_S
    assert access.redeem(late) is None


def test_links_have_a_bound() -> None:
    access = Access("a")
    first, second = access.link("viewer"), access.link("viewer")
    for _ in range(MAX_LINKS - 1):
        access.link("viewer")
    assert access.redeem(first) is None
    assert access.redeem(second) == "viewer"


def test_voters_are_known_again() -> None:
    access = Access("a")
    name, cookie = access.new_voter()
    assert access.voter(cookie) == name
    assert access.voter(f"{name}.0000000000000000") is None
    assert access.voter("") is None


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.0.0.1:8484", True), ("localhost", True), ("[::1]:80", True), ("debate.localhost", True),
     ("evil.example", False), ("127.0.0.1.evil.example", False), ("", False), ("10.0.0.1", False),
     ("debates.example:443", True), ("[", False)],
)  # fmt: skip
def test_names_it_is_reached_by(host: str, ours: bool) -> None:
    assert Access(origins=["https://debates.example"]).reachable_as(host) is ours
    assert Access(viewers_need_token=True).reachable_as(host)


@pytest.mark.parametrize(
    ("origin", "same"),
    [(None, True), ("http://127.0.0.1:8484", True), ("https://127.0.0.1:8484", True), ("null", False),
     ("http://127.0.0.1:9", False), ("https://evil.example", False), ("https://friend.example", True),
     ("https://friend.example.evil", False)],
)  # fmt: skip
def test_pages_that_may_change_something(origin: str | None, same: bool) -> None:
    access = Access(origins=["https://friend.example"])
    assert access.same_origin(origin, "127.0.0.1:8484") is same


def test_this_machine() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")
