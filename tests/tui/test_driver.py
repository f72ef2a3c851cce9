"""What is pasted is text, whatever is in it and however it is cut; what is typed stays as it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from debate_tui.domain.sanitise import sanitise
from debate_tui.tui.driver import PASTE_END, PASTE_START, PasteSanitiser, TerminalDriver, terminal_size
from tests.cutting import cut_at

if TYPE_CHECKING:
    from collections.abc import Callable

keys = st.text("aé\x1b[O~;0125", max_size=12).filter(
    lambda text: "\x1b[200" not in text and "200~" not in text
)
pasted = st.lists(
    st.sampled_from(
        ["a", "é", "\x1b", "[", "31m", "\x1b[31m", "\x1b[201", "\r", "\n", "\t", "\x07", "\u202e", "~"]
    ),
    max_size=12,
).map("".join)


def filter_pieces(pieces: list[str]) -> str:
    pastes = PasteSanitiser()
    return "".join(map(pastes.feed, pieces))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a question", "a question"),
        ("a \x1b[31mred\x1b[0m question", "a red question"),
        ("in two\r\nlines", "in two  lines"),
        ("in two\rlines\tand tabs", "in two lines and tabs"),
        ("\u202ereversed\u202c", "reversed"),
        ("\x1b]0;title\x07x\x1b", "x"),
        ("", ""),
    ],
)
def test_paste_becomes_one_line_of_text(text: str, read: str) -> None:
    assert filter_pieces([f"{PASTE_START}{text}{PASTE_END}q"]) == f"{PASTE_START}{read}{PASTE_END}q"


@given(keys, pasted, keys, st.lists(st.integers(0, 99), max_size=8))
def test_result_does_not_depend_on_how_input_is_split(
    before: str, text: str, after: str, places: list[int]
) -> None:
    if PASTE_END in text or text.endswith("\x1b[201"):
        return
    data = f"{before}{PASTE_START}{text}{PASTE_END}{after}"
    read = filter_pieces(cut_at(data, places))
    assert read == filter_pieces([data])
    assert read.startswith(before + PASTE_START)
    assert read.endswith(PASTE_END + after)
    inner = read.removeprefix(before + PASTE_START).removesuffix(PASTE_END + after)
    assert sanitise(inner) == inner
    assert not {"\n", "\r", "\t", "\x1b"} & set(inner)


@given(keys, st.lists(st.integers(0, 99), max_size=8))
def test_typed_input_is_passed_on_at_once(text: str, places: list[int]) -> None:
    pastes = PasteSanitiser()
    for piece in cut_at(text, places):
        assert pastes.feed(piece) == piece


def test_app_is_notified_before_input_arrives() -> None:
    """Text waits from then on; that a mouse moves is no reason to."""
    order: list[str] = []

    class Loop:
        def call_soon_threadsafe(self, callback: Callable[[], object]) -> None:
            callback()

    driver: Any = TerminalDriver.__new__(TerminalDriver)
    driver._app = SimpleNamespace(start_input=lambda: order.append("start"))
    driver._loop = Loop()
    driver.cursor_origin = None
    driver._down_buttons, driver._last_move_event = [], None
    driver.send_message = lambda message: order.append(type(message).__name__)
    driver.process_message(events.Key("a", "a"))
    driver.process_message(events.MouseMove(None, 0, 0, 0, 0, 0, False, False, False))
    assert order == ["start", "Key", "MouseMove"]


def test_size_of_zero_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.get_terminal_size", lambda _: (0, 0))
    assert terminal_size() == (80, 24)
    monkeypatch.setattr("os.get_terminal_size", lambda _: (0, 50))
    assert terminal_size() == (80, 50)
    monkeypatch.setenv("COLUMNS", "120")
    assert terminal_size() == (120, 50)
    monkeypatch.setenv("COLUMNS", "0")
    assert terminal_size() == (80, 50)
