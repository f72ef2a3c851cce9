"""What is pasted is text, whatever is in it and however it is cut; what is typed stays as it is."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.geometry import Size

from debate_tui.domain.sanitise import sanitise
from debate_tui.tui.driver import PASTE_END, PASTE_START, PasteSanitiser, TerminalDriver
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
        ("in two\r\nlines", "in two\nlines"),
        ("in three\rlines\n\tand tabs", "in three\nlines\n and tabs"),
        ("\u202ereversed\u202c", "reversed"),
        ("\x1b]0;title\x07x\x1b", "x"),
        ("", ""),
    ],
)
def test_paste_becomes_plain_text(text: str, read: str) -> None:
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
    assert not {"\r", "\t", "\x1b"} & set(inner)


@given(keys, st.lists(st.integers(0, 99), max_size=8))
def test_typed_input_is_passed_on_at_once(text: str, places: list[int]) -> None:
    pastes = PasteSanitiser()
    for piece in cut_at(text, places):
        assert pastes.feed(piece) == piece


@pytest.fixture
def driver() -> Any:
    """A driver without a terminal; `order` lists the messages it sends, and its notices of input."""

    class Loop:
        def call_soon_threadsafe(self, callback: Callable[[], object]) -> None:
            callback()

    driver: Any = TerminalDriver.__new__(TerminalDriver)
    driver.order = []
    driver._app = SimpleNamespace(start_input=lambda: driver.order.append("start"))
    driver._loop = Loop()
    driver.cursor_origin = None
    driver._down_buttons, driver._last_move_event = [], None
    driver.send_message = driver.order.append
    return driver


def test_app_is_notified_before_input_arrives(driver: Any) -> None:
    """Text waits from then on; that a mouse moves is no reason to."""
    key, move = events.Key("a", "a"), events.MouseMove(None, 0, 0, 0, 0, 0, False, False, False)
    driver.process_message(key)
    driver.process_message(move)
    assert driver.order == ["start", key, move]


@pytest.mark.parametrize(
    ("reported", "columns", "expected"),
    [((0, 0), "", (80, 24)), ((0, 50), "", (80, 50)), ((0, 50), "120", (120, 50)), ((0, 50), "0", (80, 50))],
)
def test_size_of_zero_is_replaced(
    driver: Any,
    monkeypatch: pytest.MonkeyPatch,
    reported: tuple[int, int],
    columns: str,
    expected: tuple[int, int],
) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size(reported))
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.delenv("LINES", raising=False)
    driver.process_message(events.Resize(Size(*reported), Size(*reported)))
    assert [tuple(message.size) for message in driver.order] == [expected]
