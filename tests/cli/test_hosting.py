"""Where ``--share`` hosts a debate."""

from __future__ import annotations

import pytest

from debate_tui.cli.hosting import parse_share_address
from debate_tui.domain.errors import UsageError


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        (":80", "127.0.0.1", 80),
        ("box", "box", 8484),
        ("[::1]:80", "::1", 80),
        ("[::1]", "::1", 8484),
        ("::1", "::1", 8484),
        ("fe80::8484", "fe80::8484", 8484),
    ],
)
def test_an_address_is_a_host_a_port_or_both(address: str, host: str, port: int) -> None:
    found = parse_share_address(address)
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize("address", ["box:http", "box:65536", "box:²"])
def test_what_is_no_port_is_named(address: str) -> None:
    with pytest.raises(UsageError, match="is no port"):
        parse_share_address(address)
