"""Plain text on a terminal: words are wrapped whole, turns come one after another, the status stays below."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from debate_tui.display.markdown.wrap import cell_width
from debate_tui.display.output import OutputWriter
from debate_tui.display.plain_stream import HEAD_START, StreamFormatter, WordWrapper, write_stream
from debate_tui.domain import events
from tests.cutting import cut_at
from tests.display.test_plain import OPENED, delta, finished, log_of, quoting, started, status
from tests.terminal.terminal_emulator import EmulatedDisplay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WIDTH = 21
"""Columns of the terminal; the last one stays empty."""

PHASE = events.PhaseStarted(phase="opening", round=1, rounds=1)


def wrapped(*pieces: str, columns: int = WIDTH) -> str:
    wrapper = WordWrapper(lambda: columns)
    return "".join(map(wrapper.feed, pieces)) + wrapper.finish()


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("one two three four five six", "one two three four\nfive six"),
        ("- a list item that is long", "- a list item that\n  is long"),
        ("12. a numbered item, long", "12. a numbered item,\n    long"),
        ("> a quote of a long line", "> a quote of a long\n> line"),
        ("```\nif a: b = c + d * e\n```", "```\nif a: b = c + d * e\n```"),
        (
            "```\n- x = a + b * c + d\n```\nwords after the code",
            "```\n- x = a + b * c + d\n```\nwords after the code",
        ),
        ("| a | b | c | d | e | f |", "| a | b | c | d | e \n| f |"),
        ("漢字漢字漢字漢字漢字漢字", "漢字漢字漢字漢字漢字\n漢字"),
        ("a" * 25, "a" * 20 + "\n" + "a" * 5),
        ("two\n\nparagraphs\n\n\n", "two\n\nparagraphs"),
        ("", ""),
    ],
)
def test_lines_are_wrapped(text: str, printed: str) -> None:
    assert wrapped(text) == printed


@given(st.text(alphabet="ab-*|` 漢\n>1.", max_size=80), st.lists(st.integers(0, 80)))
def test_pieces_print_the_same_as_the_whole(text: str, places: list[int]) -> None:
    assert wrapped(*cut_at(text, places)) == wrapped(text)
    assert all(cell_width(line) < WIDTH for line in wrapped(text).splitlines())
    assert "".join(wrapped(text).split()).replace(">", "") == "".join(text.split()).replace(">", "")


def test_a_word_is_printed_once_it_is_complete() -> None:
    wrapper = WordWrapper(lambda: WIDTH)
    assert wrapper.feed("to be cont") == "to be"
    assert wrapper.column == 5
    assert wrapper.feed("inued here") == " continued"
    assert wrapper.finish() == " here"


def printed(formatter: StreamFormatter, *happened: events.Event) -> str:
    return "".join(map(formatter.apply, happened))


def test_turns_stream_one_after_another() -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED, PHASE, started(1, "a"), started(2, "b"))
    assert printed(formatter, delta(2, "No, ")) == ""
    assert printed(formatter, delta(1, "Yes, cars")) == "\n### Ada (for)\n\nYes,"
    assert printed(formatter, delta(2, "never ever.\n", 4), finished(2, "b", "length")) == ""
    assert printed(formatter, delta(1, " are bad.", 9)) == " cars are"
    assert printed(formatter, finished(1, "a")) == (
        " bad.\n\n### Ben (against)\n\nNo, never ever.\n\n(cut off at the length limit)\n"
    )
    assert printed(formatter, events.DebateFinished(reason="complete")) == "\nThe debate is over.\n"
    assert formatter.finish() == ""


@pytest.mark.parametrize("last", [delta(2, "x" * HEAD_START, 4), finished(2, "b")])
def test_a_turn_far_ahead_does_not_wait_for_one_without_text(last: events.Event) -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED, PHASE, started(1, "a"), started(2, "b"))
    assert printed(formatter, delta(2, "No, ")) == ""
    assert printed(formatter, last).startswith("\n### Ben (against)\n\nNo,")
    assert printed(formatter, delta(1, "Yes. ")) == (
        "" if isinstance(last, events.TurnDelta) else "\n### Ada (for)\n\nYes."
    )


def test_what_happens_meanwhile_is_printed_afterwards() -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED, PHASE, started(1, "a"), delta(1, "Well, "))
    assert printed(formatter, events.Interjection(text="Be brief.", to=None)) == ""
    assert printed(formatter, started(2, "b"), delta(2, "No. ")) == ""
    assert printed(formatter, finished(1, "a")) == (
        "\n\nThe moderator, to everyone: Be brief.\n\n### Ben (against)\n\nNo."
    )


def test_a_new_answer_says_so() -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED, PHASE, started(1, "a"), delta(1, "First try"))
    again = events.TurnDelta(turn=1, debater="a", attempt=2, offset=0, text="Second try.")
    superseded = events.TurnSuperseded(turn=1, debater="a", attempt=2)
    assert printed(formatter, superseded, again, finished(1, "a")) == (
        "\n\n(The answer starts again.)\n\nSecond try.\n"
    )


def test_controls_cut_in_two_are_removed() -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED, PHASE, started(1, "a"))
    text = printed(formatter, delta(1, "Cars\x1b[3"), delta(1, "1m are bad. ", 7), finished(1, "a"))
    assert text == "\n### Ada (for)\n\nCars are bad.\n"


def test_a_log_that_ends_early_says_so() -> None:
    formatter = StreamFormatter(lambda: 80)
    happened = (OPENED, PHASE, started(1, "a"), started(2, "b"), delta(1, "Well"))
    printed(formatter, *(replace(event, seq=seq) for seq, event in enumerate(happened, 1)))
    assert formatter.finish() == (
        "Well\n\n(unfinished)\n\nThe record ends here; the debate was not finished.\n"
    )


def test_the_status_names_the_debaters_states() -> None:
    formatter = StreamFormatter(lambda: 80)
    printed(formatter, OPENED)
    assert formatter.status == ""
    printed(formatter, PHASE, status("a", "streaming"), status("b", "failed", "no money"))
    assert formatter.status == "[Opening. Ada: streaming; Ben: failed: no money]"
    printed(formatter, events.DebatePaused(reason="user", debater=None))
    assert formatter.status == "[The debate is paused.]"
    printed(formatter, events.DebateResumed(reason="user", debater=None))
    assert "Ada: streaming" in formatter.status
    printed(formatter, events.DebateFinished(reason="complete"))
    assert formatter.status == ""
    assert formatter.notes[:2] == ["Ada: streaming", "Ben: failed: no money"]


class ShownFile(io.BytesIO):
    """A file whose bytes are shown on a display; `states` are what it showed after each write."""

    def __init__(self, display: EmulatedDisplay) -> None:
        super().__init__()
        self.display = display
        self.states: list[str] = []

    def write(self, data: object) -> int:
        assert isinstance(data, memoryview)
        assert list(self.display.feed(bytes(data).replace(b"\n", b"\r\n"))) == []
        self.states.append(self.display.text)
        return len(data)


async def test_the_status_is_below_the_text_and_goes_at_the_end() -> None:
    log = await log_of(
        *(OPENED, PHASE, status("a", "streaming"), started(1, "a")),
        delta(1, "some words to wrap around "),
        *(delta(1, "and more.", 26), finished(1, "a"), events.DebateFinished(reason="complete")),
    )

    async def batches() -> AsyncIterator[list[events.Event]]:
        for event in await log.read():
            yield [event]

    screen, notes = ShownFile(EmulatedDisplay(30, 12)), io.BytesIO()
    with OutputWriter(screen) as out, OutputWriter(notes) as err:
        assert await write_stream(batches(), out, err, columns=lambda: 30)
    assert any("some words to wrap around\n[Opening. Ada: streaming]" in state for state in screen.states)
    assert "[Opening" not in screen.states[-1]
    assert "some words to wrap around and\nmore.\n\nThe debate is over." in screen.states[-1]
    assert notes.getvalue() == b"Ada: streaming\n"


def test_what_came_of_the_quotes_follows_the_streamed_text() -> None:
    formatter = StreamFormatter(lambda: 81)
    printed = "".join(map(formatter.apply, (OPENED, PHASE, *quoting(1, "a"))))
    assert printed.endswith(
        "So “one two three” and “four five six”.\n\n(quotes found: 1 of 2; not found: “four five six”)\n\n"
        "Sources:\n[1] A page: https://example.com/a\n[2] A file\n"
    )
