"""Where ``--share`` hosts a debate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import debate_tui
from debate_tui.cli.hosting import HostingOptions, check_options, parse_share_address
from debate_tui.cli.options import debate
from debate_tui.cli.serve import DEFAULT_MAX_COST, DEFAULT_MAX_TOKENS, STORE_PASSWORD_VARIABLE
from debate_tui.cli.subcommands import COMMANDS
from debate_tui.domain.errors import UsageError
from debate_tui.server import commands, limits
from debate_tui.server.auth import GUESS_BURST
from debate_tui.server.encoding import BATCH_STEPS_MS
from debate_tui.server.hosted_debate import MAX_STREAMS


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
    with pytest.raises(UsageError, match="is not a port"):
        parse_share_address(address)


MANUAL = (Path(debate_tui.__file__).parent / "manual" / "hosting.md").read_text("utf-8")


def test_the_manual_names_options_that_exist() -> None:
    hosting = (debate, COMMANDS["serve"], COMMANDS["watch"])
    known = {option for command in hosting for each in command.params for option in each.opts}
    assert set(re.findall(r"--[a-z][a-z-]+", MANUAL)) <= known
    variables = {each.envvar for command in hosting for each in command.params if each.envvar}
    assert set(re.findall(r"DEBATE_TUI_[A-Z_]+", MANUAL)) <= variables | {STORE_PASSWORD_VARIABLE}


@pytest.mark.parametrize(
    "bound",
    [
        f"{limits.MAX_HEAD_BYTES >> 10} KiB, {limits.MAX_HEADERS} headers, {limits.REQUEST_TIMEOUT_S:.0f} s",
        f"{limits.MAX_BODY_BYTES >> 10} KiB, {limits.REQUEST_TIMEOUT_S:.0f} s",
        f"{limits.MAX_PENDING:,}, {limits.MAX_PENDING_PER_ADDRESS} per address",
        f"{limits.MAX_PENDING_BYTES >> 20} MiB of incomplete requests",
        f"{limits.WEBSOCKET_BURST_BYTES >> 10} KiB, then {limits.WEBSOCKET_BYTES_PER_SECOND} bytes a second",
        f"{len(BATCH_STEPS_MS) + 1} values of `batch_ms`",
        f"above {MAX_STREAMS}, viewers share the nearest",
        f"{commands.VOTE_BURST} per address, then one every {commands.VOTE_INTERVAL_S:.0f} s",
        f"{commands.MAX_VOTES:,} per debate",
        f"{commands.INTERJECTION_BURST}, then one every {commands.INTERJECTION_INTERVAL_S:.0f} s; "
        f"{commands.MAX_INTERJECTIONS} per debate",
        f"US$ {DEFAULT_MAX_COST:.0f} or {DEFAULT_MAX_TOKENS:,} tokens",
        f"a host can start {commands.ORDER_BURST} at once",
        f"After {GUESS_BURST} wrong tokens",
    ],
)
def test_the_manual_states_the_bounds_of_the_code(bound: str) -> None:
    assert bound in " ".join(MANUAL.split())


@pytest.mark.parametrize(
    "options",
    [
        {"host": "0.0.0.0", "public": True},
        {"public": True, "viewer_token": "sixteen-letters!"},
        {"token": "short"},
        {"viewer_token": "short"},
        {"token": "sixteen-letters!", "viewer_token": "sixteen-letters!"},
    ],
)
def test_options_that_would_let_others_in(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        check_options(HostingOptions(**options))
    check_options(HostingOptions(public=True, host="127.0.0.2"))
