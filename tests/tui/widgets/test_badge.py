"""Badges: every state of the table, with icon and word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from debate_tui.domain.events import StreamStatus
from debate_tui.domain.stream import FaultKind, FaultReport
from debate_tui.domain.wording import describe_fault_kind
from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import ASCII, UNICODE
from debate_tui.tui.widgets.badge import TurnMetrics, badge_for, format_metrics

if TYPE_CHECKING:
    from debate_tui.domain.stream import FinishReason, StreamState


def status(state: StreamState, retry: int = 0, max_retries: int = 0) -> StreamStatus:
    return StreamStatus(debater="a", state=state, attempt=1, retry=retry, max_retries=max_retries)


@pytest.mark.parametrize(
    ("state", "text", "tone"),
    [
        ("waiting", "· waiting", Tone.WAITING),
        ("connecting", "… connecting", Tone.WAITING),
        ("connected", "● connected", Tone.CONNECTED),
        ("streaming", "▸ streaming", Tone.STREAMING),
        ("paused", "‖ paused", Tone.PAUSED),
        ("reconnecting", "↻ reconnecting", Tone.RECONNECTING),
        ("failed", "✗ failed", Tone.FAILED),
        ("finished", "✓ done", Tone.FINISHED),
    ],
)
def test_states(state: StreamState, text: str, tone: Tone) -> None:
    shown = badge_for(status(state))
    assert (shown.text(UNICODE), shown.tone) == (text, tone)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("complete", "✓ done"),
        ("length", "✂ cut"),
        ("refused", "⊘ refused"),
        ("stopped", "■ stopped"),
        ("skipped", "» skipped"),
        ("failed", "✗ failed"),
    ],
)
def test_endings(reason: FinishReason, text: str) -> None:
    assert badge_for(status("finished"), reason).text(UNICODE) == text


def test_resumed_turn_shows_its_stream() -> None:
    assert badge_for(status("connecting"), "failed").text(UNICODE) == "… connecting"


def test_retry_wait_counts_down() -> None:
    waiting = status("reconnecting", retry=2, max_retries=5)
    assert badge_for(waiting, seconds_left=2.2).text(UNICODE) == "↻ reconnecting 2/5 · 3s"
    assert badge_for(waiting, seconds_left=-1.0).text(UNICODE) == "↻ reconnecting 2/5"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FaultKind.RATE_LIMIT, "↻ rate limited 2/5 · 3s"),
        (FaultKind.OVERLOADED, "↻ overloaded 2/5 · 3s"),
        (FaultKind.NETWORK, "↻ reconnecting 2/5 · 3s"),
    ],
)
def test_retry_names_what_the_server_asks_to_wait_for(kind: FaultKind, text: str) -> None:
    waiting = replace(status("reconnecting", 2, 5), error=FaultReport(kind, "Not now"))
    assert badge_for(waiting, seconds_left=2.2).text(UNICODE) == text


@pytest.mark.parametrize("reason", [None, "failed"])
@pytest.mark.parametrize("kind", list(FaultKind))
def test_failed_badge_names_its_cause(kind: FaultKind, reason: FinishReason | None) -> None:
    report = FaultReport(kind, "Broken")
    shown = badge_for(replace(status("failed"), error=report), reason)
    assert shown.text(UNICODE) == f"✗ {describe_fault_kind(report)}"
    assert shown.tone is Tone.FAILED


def test_only_unfinished_streams_are_paused() -> None:
    assert badge_for(status("streaming"), paused=True).text(UNICODE) == "‖ paused"
    assert badge_for(status("finished"), "complete", paused=True).text(UNICODE) == "✓ done"


def test_ascii_has_every_glyph() -> None:
    for name in UNICODE.__struct_fields__:
        assert str(getattr(ASCII, name)).isascii()
        assert name in ("fill_levels", "quotes", "quote_marks") or len(getattr(UNICODE, name)) == 1
    assert len(ASCII.fill_levels) == len(UNICODE.fill_levels)


# The meter line.


FULL = TurnMetrics(ttft_ms=640, tokens=1234, tokens_per_second=61.7, cost=0.0123, is_finished=True)


def test_metrics_are_shown_in_full_if_they_fit() -> None:
    assert format_metrics(FULL, 80) == "640 ms to first token · 1,234 tokens · 62 tokens/s · $0.0123"


def test_metrics_are_shortened_before_they_are_dropped() -> None:
    assert format_metrics(FULL, 40) == "640 ms · 1,234 tok · 62/s · $0.0123"
    assert format_metrics(FULL, 20) == "62/s · $0.0123"


def test_estimates_are_marked_and_unknown_costs_are_not_guessed() -> None:
    assert format_metrics(TurnMetrics(tokens=100, tokens_estimated=True), 40) == "~100 tokens"
    assert format_metrics(TurnMetrics(tokens=100, is_finished=True), 40) == "100 tokens · –"
    assert format_metrics(TurnMetrics(tokens=100, cost=0.0, is_finished=True), 40) == "100 tokens · $0"


def test_no_metrics_before_the_first_figure() -> None:
    assert format_metrics(TurnMetrics(), 40) == ""


@given(
    st.builds(
        TurnMetrics,
        ttft_ms=st.none() | st.integers(0, 10**7),
        tokens=st.none() | st.integers(0, 10**7),
        tokens_estimated=st.booleans(),
        tokens_per_second=st.none() | st.floats(0, 10**6),
        words=st.integers(0, 10**4),
        target_words=st.integers(0, 10**4),
        cost=st.none() | st.floats(0, 10**4),
        cost_complete=st.booleans(),
        is_finished=st.booleans(),
    ),
    st.integers(0, 120),
)
def test_metrics_always_fit(reading: TurnMetrics, width: int) -> None:
    assert cell_len(format_metrics(reading, width)) <= width


def test_words_are_shown_with_their_target() -> None:
    speaking = TurnMetrics(
        words=124,
        target_words=200,
        ttft_ms=640,
        tokens=170,
        tokens_estimated=True,
        tokens_per_second=31,
        cost=0.02,
    )
    assert format_metrics(speaking, 90) == (
        "640 ms to first token · 124/200 words · ~170 tokens · 31 tokens/s · $0.0200"
    )
    assert format_metrics(speaking, 40) == "124/200 w · ~170 tok · 31/s · $0.0200"
    assert format_metrics(TurnMetrics(words=124, tokens=170), 40) == "170 tokens"


def test_incomplete_sums_are_marked() -> None:
    assert format_metrics(TurnMetrics(tokens=1, cost=0.5, cost_complete=False), 40) == "1 tokens · $0.50+"
