"""The debate screen: what the keys do, and what is to be seen of the debate."""

from __future__ import annotations

from typing import Any

import pytest
from textual.events import MouseScrollUp

from debate_tui.display.modes import Mode
from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from tests.tui.board import TOPIC, Board

RESET = FaultReport(FaultKind.NETWORK, "Connection reset by peer")


async def test_the_first_frame_is_complete_before_anything_has_happened() -> None:
    async with Board(2).opened() as board:
        assert board.ready == 1
        assert TOPIC in board.rows[0]
        assert "hybrid" in board.rows[0]
        for word in ("Ada", "Ben", "· waiting", "gpt-5.2", "against", "? help", "q quit"):
            assert word in board.text


async def test_what_is_said_stands_under_its_heading_and_beside_the_others() -> None:
    async with Board(2).opened() as board:
        board.begin().phase("rebuttal", 1, 2).status("ada", "streaming")
        board.say("ada", "Cities are ").say("ada", "for **people**.").say("ben", "And for trade.")
        await board.settled()
        assert board.says("ada").startswith("Rebuttal 1/2")
        assert board.says("ada").endswith("Cities are for people.")
        assert board.says("ben").endswith("And for trade.")
        assert "Rebuttal 1/2" in board.rows[0]
        assert "▸ streaming" in board.text


async def test_a_late_screen_takes_in_what_the_log_holds_already() -> None:
    board = Board(2).begin().phase()
    board.say("ada", "Said before anybody looked.")
    async with board.opened():
        board.say("ada", " And after.")
        await board.settled()
        assert board.says("ada").endswith("Said before anybody looked. And after.")


async def test_a_screen_may_be_there_before_its_debate() -> None:
    async with Board(2, attached=False).opened() as board:
        assert board.ready == 1
        assert "Ada" in board.text
        board.begin().phase().say("ada", "Said before the screen was told.")
        await board.app.attach(board.log)
        board.say("ada", " And after.")
        await board.settled()
        assert board.says("ada").endswith("Said before the screen was told. And after.")


@pytest.mark.parametrize(
    ("key", "mode"),
    [("1", Mode.SYNCHRONIZED), ("2", Mode.STAGGERED), ("3", Mode.HYBRID), ("m", Mode.SYNCHRONIZED)],
)
async def test_mode_keys_name_the_mode_and_tell_whoever_remembers_it(key: str, mode: Mode) -> None:
    async with Board(2).opened() as board:
        await board.press(key)
        assert board.modes == [mode]
        assert f"  {mode.value}  ·  0:00" in board.rows[0]


async def test_tab_goes_round_the_panes_and_zoom_shows_one_of_them() -> None:
    async with Board(3).opened() as board:
        await board.press("tab", "z")
        assert [pane.display for pane in board.screen._panes] == [False, True, False]
        await board.press("tab")
        assert [pane.display for pane in board.screen._panes] == [False, False, True]
        await board.press("escape")
        assert all(pane.display for pane in board.screen._panes)
        await board.press("shift+tab", "shift+tab", "shift+tab")
        assert board.app.screen.focused is board.pane("cleo").prose


async def test_a_click_on_a_pane_gives_it_the_keys() -> None:
    async with Board(2).opened() as board:
        await board.pilot.click(offset=(100, 15))
        await board.settled()
        await board.press("x")
        assert board.requests.made == [("stop", "ben")]


async def test_keys_that_ask_something_of_the_debate() -> None:
    async with Board(2).opened() as board:
        board.begin().phase()
        await board.press("space", "p", "x", "r")
        assert board.requests.made == [("pause", None), ("pause", "ada"), ("stop", "ada"), ("retry", "ada")]


async def test_paused_for_all_is_said_in_the_header_and_on_every_badge_and_taken_back() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        board.tell(ev.DebatePaused(reason="user", debater=None))
        await board.settled()
        assert "‖ paused" in board.rows[0]
        assert board.text.count("‖ paused") == 3
        await board.press("space")
        board.tell(ev.DebateResumed(reason="user", debater=None))
        await board.settled()
        assert "‖ paused" not in board.text
        assert board.requests.made == [("resume", None)]


async def test_one_pane_paused_leaves_the_other_alone() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        board.tell(ev.DebatePaused(reason="user", debater="ada"))
        await board.settled()
        assert board.text.count("‖ paused") == 1
        assert "▸ streaming" in board.text
        await board.press("p")
        assert board.requests.made == [("resume", "ada")]


async def test_everybody_is_held_until_the_last_reason_for_it_is_gone() -> None:
    async with Board(3).opened() as board:
        board.begin().phase()
        for name in ("ada", "ben", "cid"):
            board.status(name, "streaming")
        board.tell(ev.DebatePaused(reason="auth: no", debater="ada"))
        board.tell(ev.DebatePaused(reason="auth: no", debater="ben"))
        board.tell(ev.DebateResumed(reason="decided", debater="ben"))
        board.tell(ev.DebateResumed(reason="user", debater=None))
        await board.settled()
        assert all(pane.speaker.paused for pane in board.screen._panes)
        board.tell(ev.DebateResumed(reason="decided", debater="ada"))
        await board.settled()
        assert not any(pane.speaker.paused for pane in board.screen._panes)


async def test_every_tab_counts_however_fast_they_come() -> None:
    async with Board(4).opened() as board:
        await board.pilot.press("tab", "tab", "tab")
        await board.settled()
        assert board.screen._here == 3


async def test_a_wait_is_counted_down_with_its_reason() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().status("ada", "reconnecting", retry=2, wait_ms=60_000, error=RESET)
        await board.settled()
        assert "↻ reconnecting 2/5 · 60s" in board.text
        assert "Connection reset by peer" in board.text


async def test_a_failure_looks_failed_and_shows_all_of_it_on_enter() -> None:
    error = FaultReport(FaultKind.OVERLOADED, "The [bold]model[/] is\x1b[31m overloaded " + "word " * 40, 529)
    async with Board(2).opened() as board:
        board.begin().phase().say("ada", "I begin and")
        board.end("ada", "failed", error=error)
        board.tell(ev.DebaterRemoved(debater="ada", reason=error.message, remaining=("ben",)))
        await board.settled()
        assert "✗ failed" in board.text
        assert "The [bold]model[/] is overloaded" in board.text
        assert "── ✗ The answer broke off: The [bold]model[/]" in board.says("ada")
        assert board.pane("ada").has_class("-removed")
        await board.press("enter")
        assert "HTTP status 529" in board.text
        assert board.text.count("word") > 30
        await board.press("escape")
        assert "HTTP status 529" not in board.text


@pytest.mark.parametrize(("key", "choice"), [("r", "fix"), ("w", "remove"), ("e", "end")])
async def test_a_fault_that_holds_the_debate_is_asked_about(key: str, choice: str) -> None:
    async with Board(2).opened() as board:
        board.begin().phase().status("ben", "failed", error=FaultReport(FaultKind.AUTH, "No key", 401))
        board.tell(ev.DebatePaused(reason="No key", debater="ben"))
        await board.settled()
        assert "Ben cannot go on" in board.text
        await board.press("escape")
        assert "Ben cannot go on" not in board.text
        await board.press("tab", "enter", key)
        assert board.requests.made == [("decide", "ben", choice)]


async def test_a_decision_made_elsewhere_closes_the_question() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().tell(ev.DebatePaused(reason="No key", debater="ben"))
        await board.settled()
        board.tell(ev.DebateResumed(reason="decided", debater="ben"))
        await board.settled()
        assert "Ben cannot go on" not in board.text


async def test_an_interjection_is_typed_while_text_streams() -> None:
    async with Board(2).opened() as board:
        board.begin().phase()
        await board.press("i", "W", "h", "y", "space", "m", "question_mark")
        board.say("ada", "Still speaking.")
        await board.settled()
        assert board.says("ada").endswith("Still speaking.")
        await board.press("tab", "tab", "enter")
        assert board.requests.made == [("interject", "Why m?", "ben")]
        await board.press("x")
        assert board.requests.made[1:] == [("stop", "ada")]


async def test_an_interjection_can_be_left() -> None:
    async with Board(2).opened() as board:
        await board.press("i", "x", "escape", "p")
        assert board.requests.made == [("pause", "ada")]


async def test_without_commands_the_keys_say_so() -> None:
    async with Board(2, commands=False).opened() as board:
        await board.press("space")
        assert "takes no commands" in board.rows[-1]
        assert board.requests.made == []


async def test_thinking_is_folded_until_it_is_asked_for() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().say("ada", "Secretly unsure.", reasoning=True).say("ada", "Certainly.")
        await board.settled()
        assert "Secretly" not in board.text
        assert "t thinking" in board.rows[-1]
        await board.press("t")
        assert "Secretly unsure." in board.says("ada")
        await board.press("t")
        assert "Secretly" not in board.text


async def test_a_turn_is_copied_as_it_was_written() -> None:
    async with Board(2).opened() as board:
        board.begin().phase()
        await board.press("y")
        assert "said nothing" in board.rows[-1]
        board.say("ada", "Not shown.", reasoning=True).say("ada", "**Bold** \x1b[31mwords.")
        await board.press("y")
        assert board.app.clipboard == "**Bold** words."
        assert "Copied 2 words" in board.rows[-1]


async def test_figures_of_the_provider_replace_estimates() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().say("ada", "x" * 42)
        await board.settled()
        assert "~10 tokens" in board.text
        board.end("ada", usage=Usage(output_tokens=12), cost=0.0031, ttft_ms=640)
        await board.settled()
        assert "0.6s to first token · 1/200 words · 12 tokens · $0.0031" in board.text


async def test_help_covers_the_debate_and_goes_away() -> None:
    async with Board(2).opened(80, 24) as board:
        await board.press("question_mark")
        assert "Keys and badges" in board.text
        assert TOPIC[:20] in board.rows[0]
        board.begin().phase().say("ada", "Going on below.")
        await board.press("escape")
        assert "Keys and badges" not in board.text
        assert board.says("ada").endswith("Going on below.")


async def test_the_footers_keys_are_buttons() -> None:
    async with Board(2).opened() as board:
        x = board.rows[-1].index("m mode")
        await board.pilot.click(offset=(x, 34))
        await board.settled()
        assert board.modes == [Mode.SYNCHRONIZED]


async def test_tabs_come_and_go_with_the_room_there_is() -> None:
    async with Board(4).opened(160, 35) as board:
        for size, tabs in (((60, 20), True), ((160, 35), False), ((60, 20), True)):
            await board.pilot.resize_terminal(*size)
            await board.settled()
            assert all(name in board.rows[2] for name in ("Ada", "Ben", "Cleo", "Dara"))
            assert ("· waiting" in board.rows[2]) != tabs


async def test_where_only_one_pane_fits_there_are_tabs_with_marks() -> None:
    async with Board(4).opened(60, 20) as board:
        board.begin().phase().say("ben", "Unread.")
        await board.settled()
        assert "4 panes need 80×" in board.text
        tabs = board.rows[2]
        assert "Ben ●" in tabs
        await board.pilot.click(offset=(tabs.index("Ben"), 2))
        await board.settled()
        assert "Unread." in board.text
        assert "Ben ●" not in board.rows[2]


async def test_quitting_shows_what_is_pending_first() -> None:
    async with Board(2).opened() as board:
        board.begin().phase().say("ada", "Last words.")
        await board.pilot.press("q")
        assert not board.buffer.pending
        assert not board.app.is_running or board.app._exit


async def test_ascii_draws_with_ascii() -> None:
    async with Board(4, ascii=True).opened(160, 45) as board:
        board.begin().phase().status("ada", "streaming").say("ada", "* one\n\n> two\n")
        board.status("ben", "reconnecting", retry=1, wait_ms=9000, error=RESET).end("cleo", "refused")
        await board.settled()
        assert board.text.isascii()


async def test_an_unknown_theme_is_named_and_the_default_worn() -> None:
    async with Board(2, theme="nothing").opened() as board:
        assert "There is no theme `nothing`." in board.text
        assert board.app.theme == "vigil"


async def test_markup_in_names_and_topic_is_text() -> None:
    board = Board(2)
    hostile = ev.DebaterInfo("ada", "[red]Ada[/]", "[@click=app.quit]for[/]", "s", "\x1b]0;x\x07gpt")
    async with board.opened() as board:
        board.tell(
            ev.DebateStarted(
                debate="d", topic="[b]Why\x1b[2J?\n[/]", format="f", debaters=(hostile, board.cast[1])
            )
        )
        await board.settled()
        assert "[b]Why? [/]" in board.rows[0]
        assert "[red]Ada[/]" in board.text
        assert "[@click=app.quit]for[/] · gpt" in board.text


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_resize_in_mid_stream_loses_nothing(mode: Mode) -> None:
    words = [f"word{number}" for number in range(120)]
    async with Board(2, mode=mode).opened(160, 45) as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        for number, word in enumerate(words):
            board.say("ada", f"{word} ").say("ben", f"{word} ")
            if number % 20 == 10:
                await board.pilot.resize_terminal(60 + number, 20 + number // 4)
        await board.pilot.resize_terminal(160, 45)
        await board.settled()
        for debater in ("ada", "ben"):
            assert board.says(debater).replace("─", "").split() == ["Opening", *words]


async def test_a_synchronized_flush_is_one_written_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Board(4, mode=Mode.SYNCHRONIZED).opened(160, 45) as board:
        board.begin().phase()
        for debater in board.cast:
            board.status(debater.id, "streaming").say(debater.id, "Before. ")
        await board.settled()
        written: list[str] = []
        display = board.app._display

        def spy(screen: Any, renderable: Any) -> None:
            written.append(renderable.render_segments(board.app.console))
            display(screen, renderable)

        monkeypatch.setattr(board.app, "_display", spy)
        for debater in board.cast:
            board.say(debater.id, f"Now{debater.name}.")
        board.screen.drain()
        assert len(written) == 1
        assert all(f"Now{debater.name}." in written[0] for debater in board.cast)


async def test_scrolling_back_stays_put_and_says_how_much_is_new() -> None:
    async with Board(2).opened(120, 24) as board:
        board.begin().phase()
        board.say("ada", "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settled()
        assert "Paragraph 39." in board.says("ada")
        await board.press("g")
        assert "Paragraph 0." in board.says("ada")
        board.say("ada", "\n\nAnd one more.\n\nAnd another.")
        await board.settled()
        assert "Paragraph 0." in board.says("ada")
        assert "↓ 4 new" in board.text
        await board.press("end")
        assert "And another." in board.says("ada")
        assert "new" not in board.rows[-2]


async def test_the_wheel_scrolls_the_pane_under_it() -> None:
    async with Board(2).opened(120, 24) as board:
        board.begin().phase()
        for debater in ("ada", "ben"):
            board.say(debater, "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settled()
        await board.pilot._post_mouse_events([MouseScrollUp], offset=(90, 10), button=0)
        await board.settled()
        assert board.pane("ada").prose.following
        assert not board.pane("ben").prose.following


async def test_text_held_back_by_the_window_is_shown_when_the_debate_pauses() -> None:
    async with Board(2, mode=Mode.SYNCHRONIZED, window_ms=60_000).opened() as board:
        board.begin().phase().status("ada", "streaming").say("ada", "Held back.")
        board.tell(ev.DebatePaused(reason="user", debater=None))
        while board.buffer.pending:
            await board.pilot.pause()
        assert board.says("ada").endswith("Held back.")


async def test_why_no_further_turn_begins_is_said() -> None:
    async with Board(2).opened() as board:
        reason = "$0.52 is spent; the limit is $0.50. No further turn begins."
        board.begin().phase().tell(ev.DebatePaused(reason=reason, debater=None))
        board.tell(ev.DebateFinished(reason="stopped"))
        await board.settled()
        assert reason in board.text
