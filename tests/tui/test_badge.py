"""Badges: every state of the table, with icon and word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from debate_tui.domain.events import StreamStatus
from debate_tui.tui.styles import Tone
from debate_tui.tui.symbols import ASCII, UNICODE
from debate_tui.tui.widgets.badge import badge_for

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


def test_a_turn_taken_up_again_shows_its_stream_and_not_its_old_ending() -> None:
    assert badge_for(status("connecting"), "failed").text(UNICODE) == "… connecting"


def test_waiting_for_a_connection_counts_down() -> None:
    waiting = status("reconnecting", retry=2, max_retries=5)
    assert badge_for(waiting, seconds_left=2.2).text(UNICODE) == "↻ reconnecting 2/5 · 3s"
    assert badge_for(waiting, seconds_left=-1.0).text(UNICODE) == "↻ reconnecting 2/5"


def test_a_held_stream_is_paused_but_a_finished_one_is_not() -> None:
    assert badge_for(status("streaming"), paused=True).text(UNICODE) == "‖ paused"
    assert badge_for(status("finished"), "complete", paused=True).text(UNICODE) == "✓ done"


def test_ascii_has_a_sign_for_everything() -> None:
    for name in UNICODE.__struct_fields__:
        assert str(getattr(ASCII, name)).isascii()
        assert name in ("fill_levels", "quotes") or len(getattr(UNICODE, name)) == 1
    assert len(ASCII.fill_levels) == len(UNICODE.fill_levels)
