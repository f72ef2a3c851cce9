"""The debate screen: what the keys do, and what is to be seen of the debate."""

from __future__ import annotations

from typing import Any

import pytest
from textual.events import MouseScrollUp

from debate_tui.display.display_modes import DisplayMode
from debate_tui.domain import events as ev
from debate_tui.domain.stream import FaultKind, FaultReport, Usage
from debate_tui.session.commands import Decide, Interject, Pause, Resume, Retry, StopTurn
from tests.tui.debate_harness import TOPIC, DebateHarness, SourceSwaps

RESET = FaultReport(FaultKind.NETWORK, "Connection reset by peer")


async def test_first_frame_is_complete_before_the_first_event() -> None:
    async with DebateHarness(2).opened() as board:
        assert board.ready == 1
        assert TOPIC in board.rows[0]
        assert "hybrid" in board.rows[0]
        for word in ("Ada", "Ben", "· waiting", "gpt-5.2", "against", "? help", "q quit"):
            assert word in board.text


async def test_text_is_shown_below_its_heading_in_its_own_pane() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase("rebuttal", 1, 2).status("ada", "streaming")
        board.say("ada", "Cities are ").say("ada", "for **people**.").say("ben", "And for trade.")
        await board.settle()
        assert board.pane_text("ada").startswith("Rebuttal 1/2")
        assert board.pane_text("ada").endswith("Cities are for people.")
        assert board.pane_text("ben").endswith("And for trade.")
        assert "Rebuttal 1/2" in board.rows[0]
        assert "▸ streaming" in board.text


async def test_events_already_in_the_log_are_shown() -> None:
    board = DebateHarness(2).begin().phase()
    board.say("ada", "Said before anybody looked.")
    async with board.opened():
        board.say("ada", " And after.")
        await board.settle()
        assert board.pane_text("ada").endswith("Said before anybody looked. And after.")


async def test_log_can_be_attached_after_the_screen_opens() -> None:
    async with DebateHarness(2, attached=False).opened() as board:
        assert board.ready == 1
        assert "Ada" in board.text
        board.begin().phase().say("ada", "Said before the screen was told.")
        await board.screen.attach_log(board.log)
        board.say("ada", " And after.")
        await board.settle()
        assert board.pane_text("ada").endswith("Said before the screen was told. And after.")


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("1", DisplayMode.SYNCHRONIZED),
        ("2", DisplayMode.STAGGERED),
        ("3", DisplayMode.HYBRID),
        ("m", DisplayMode.SYNCHRONIZED),
    ],
)
async def test_mode_keys_switch_the_mode_and_report_it(key: str, mode: DisplayMode) -> None:
    async with DebateHarness(2).opened() as board:
        await board.press(key)
        assert board.modes == [mode]
        assert f"  {mode.value}  ·  0:00" in board.rows[0]


async def test_tab_cycles_through_panes_and_zoom_shows_one() -> None:
    async with DebateHarness(3).opened() as board:
        await board.press("tab", "z")
        assert [pane.display for pane in board.panes.panes] == [False, True, False]
        await board.press("tab")
        assert [pane.display for pane in board.panes.panes] == [False, False, True]
        await board.press("escape")
        assert all(pane.display for pane in board.panes.panes)
        await board.press("shift+tab", "shift+tab", "shift+tab")
        assert board.app.screen.focused is board.pane("cleo").turn_text


async def test_click_on_a_pane_makes_it_current() -> None:
    async with DebateHarness(2).opened() as board:
        await board.pilot.click(offset=(100, 15))
        await board.settle()
        await board.press("x")
        assert board.commands == [StopTurn("ben")]


async def test_keys_send_commands() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("space", "p", "x", "r")
        assert board.commands == [Pause(), Pause("ada"), StopTurn("ada"), Retry("ada")]


async def test_pause_of_all_is_shown_in_the_header_and_on_every_badge() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        board.log_events(ev.DebatePaused(reason="user", debater=None))
        await board.settle()
        assert "‖ paused" in board.rows[0]
        assert board.text.count("‖ paused") == 3
        await board.press("space")
        board.log_events(ev.DebateResumed(reason="user", debater=None))
        await board.settle()
        assert "‖ paused" not in board.text
        assert board.commands == [Resume()]


async def test_pausing_one_pane_does_not_affect_the_other() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        board.log_events(ev.DebatePaused(reason="user", debater="ada"))
        await board.settle()
        assert board.text.count("‖ paused") == 1
        assert "▸ streaming" in board.text
        await board.press("p")
        assert board.commands == [Resume("ada")]


async def test_all_stay_paused_until_the_last_reason_is_gone() -> None:
    async with DebateHarness(3).opened() as board:
        board.begin().phase()
        for name in ("ada", "ben", "cid"):
            board.status(name, "streaming")
        board.log_events(ev.DebatePaused(reason="auth: no", debater="ada"))
        board.log_events(ev.DebatePaused(reason="auth: no", debater="ben"))
        board.log_events(ev.DebateResumed(reason="decided", debater="ben"))
        board.log_events(ev.DebateResumed(reason="user", debater=None))
        await board.settle()
        assert all(pane.state.is_paused for pane in board.panes.panes)
        board.log_events(ev.DebateResumed(reason="decided", debater="ada"))
        await board.settle()
        assert not any(pane.state.is_paused for pane in board.panes.panes)


async def test_no_tab_key_is_lost_when_several_arrive_at_once() -> None:
    async with DebateHarness(4).opened() as board:
        await board.pilot.press("tab", "tab", "tab")
        await board.settle()
        assert board.panes.current_index == 3


async def test_retry_wait_is_counted_down_with_its_reason() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().status("ada", "reconnecting", retry=2, wait_ms=60_000, error=RESET)
        await board.settle()
        assert "↻ reconnecting 2/5 · 60s" in board.text
        assert "Connection reset by peer" in board.text


async def test_failure_looks_failed_and_enter_shows_the_full_error() -> None:
    error = FaultReport(FaultKind.OVERLOADED, "The [bold]model[/] is\x1b[31m overloaded " + "word " * 40, 529)
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "I begin and")
        board.end("ada", "failed", error=error)
        board.log_events(ev.DebaterRemoved(debater="ada", reason=error.message, remaining=("ben",)))
        await board.settle()
        assert "✗ overloaded" in board.text
        assert "The [bold]model[/] is overloaded" in board.text
        assert "── ✗ Failed: The [bold]model[/]" in board.pane_text("ada")
        assert board.pane("ada").has_class("-removed")
        await board.press("enter")
        assert "Overloaded (HTTP status 529)" in board.text
        assert board.text.count("word") > 30
        await board.press("escape")
        assert "HTTP status 529" not in board.text


NO_KEY = FaultReport(FaultKind.AUTH, "No key", 401)


def refuse_key(board: DebateHarness, debater: str = "ben") -> None:
    """The server refused a key, which pauses the debate until it is decided how to go on."""
    board.status(debater, "failed", error=NO_KEY)
    board.log_events(ev.DebatePaused(reason="No key", debater=debater))


@pytest.mark.parametrize(
    ("keys", "choice"),
    [((), "fix"), (("down",), "remove"), (("up",), "end"), (("tab", "tab"), "end")],
)
@pytest.mark.parametrize("key", ["enter", "space"])
async def test_fault_that_pauses_the_debate_opens_a_list_of_decisions(
    keys: tuple[str, ...], choice: str, key: str
) -> None:
    async with DebateHarness(2).opened() as board:
        refuse_key(board.begin().phase())
        await board.settle()
        assert "Ben cannot continue" in board.text
        assert "✗ key refused" in board.text
        assert board.panes.current is board.pane("ben")
        await board.press(*keys, key)
        assert board.commands == [Decide("ben", choice)]


@pytest.mark.parametrize("key", ["enter", "space"])
@pytest.mark.parametrize("before", [(), ("tab",), ("z",), ("g",)])
async def test_closed_decision_opens_again_from_anywhere(key: str, before: tuple[str, ...]) -> None:
    async with DebateHarness(3).opened(80, 24) as board:
        refuse_key(board.begin().phase())
        await board.settle()
        await board.press("escape", *before)
        assert "Ben cannot continue" not in board.text
        assert board.rows[-1].startswith(" enter decide about Ben")
        await board.press(key)
        assert "Ben cannot continue" in board.text
        assert board.panes.current is board.pane("ben")
        assert board.commands == []


async def test_no_letter_decides() -> None:
    async with DebateHarness(2).opened() as board:
        refuse_key(board.begin().phase())
        await board.settle()
        await board.press(*"rowexpimMvzs")
        assert board.commands == []
        assert "Ben cannot continue" in board.text


async def test_each_debater_that_needs_a_decision_gets_one() -> None:
    async with DebateHarness(3).opened() as board:
        board.begin().phase()
        for debater in ("ada", "ben"):
            refuse_key(board, debater)
        await board.settle()
        await board.press("escape", "escape", "tab", "enter")
        assert "Ada cannot continue" in board.text
        board.log_events(ev.DebateResumed(reason="decided", debater="ada"))
        await board.settle()
        assert "enter decide about Ben" in board.rows[-1]
        await board.press("enter", "enter")
        assert board.commands == [Decide("ben", "fix")]


async def test_decision_does_not_take_the_focus_from_an_input() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("i", *"Wh")
        refuse_key(board)
        await board.settle()
        await board.press("escape", "y", "enter")
        assert board.commands == [Interject("Why")]


async def test_withdrawn_decision_closes_below_another_dialog() -> None:
    async with DebateHarness(2).opened() as board:
        refuse_key(board.begin().phase())
        await board.settle()
        await board.press("question_mark")
        assert "This menu" in board.text
        board.log_events(ev.DebateResumed(reason="decided", debater="ben"))
        await board.settle()
        await board.press("escape")
        assert len(board.app.screen_stack) == 1


async def test_long_reason_leaves_room_for_the_decisions() -> None:
    async with DebateHarness(2, swap_source=SourceSwaps()).opened(40, 15) as board:
        board.begin().phase()
        board.log_events(ev.DebatePaused(reason="The key is wrong. " * 50, debater="ben"))
        await board.settle()
        for words in ("Ben cannot continue", "Retry after fixing it", "End the debate", "key is wrong", "…"):
            assert words in board.text


async def test_decision_made_elsewhere_closes_the_dialog() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().log_events(ev.DebatePaused(reason="No key", debater="ben"))
        await board.settle()
        board.log_events(ev.DebateResumed(reason="decided", debater="ben"))
        await board.settle()
        assert "Ben cannot continue" not in board.text


async def test_interjection_can_be_typed_while_text_streams() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("i", "W", "h", "y", "space", "m", "question_mark")
        board.say("ada", "Still speaking.")
        await board.settle()
        assert board.pane_text("ada").endswith("Still speaking.")
        await board.press("tab", "tab", "enter")
        assert board.commands == [Interject("Why m?", "ben")]
        await board.press("x")
        assert board.commands[1:] == [StopTurn("ada")]


async def test_interjection_can_be_cancelled() -> None:
    async with DebateHarness(2).opened() as board:
        await board.press("i", "x", "escape", "p")
        assert board.commands == [Pause("ada")]


async def test_keys_explain_that_the_debate_takes_no_commands() -> None:
    async with DebateHarness(2, commands=False).opened() as board:
        await board.press("space")
        assert "does not take commands" in board.rows[-1]
        assert board.commands == []


async def test_reasoning_is_folded_until_toggled() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "Secretly unsure.", reasoning=True).say("ada", "Certainly.")
        await board.settle()
        assert "Secretly" not in board.text
        assert "t reasoning" in board.rows[-1]
        await board.press("t")
        assert "Secretly unsure." in board.pane_text("ada")
        await board.press("t")
        assert "Secretly" not in board.text


async def test_turn_is_copied_as_written() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase()
        await board.press("y")
        assert "has not said anything" in board.rows[-1]
        board.say("ada", "Not shown.", reasoning=True).say("ada", "**Bold** \x1b[31mwords.")
        await board.press("y")
        assert board.app.clipboard == "**Bold** words."
        assert "Copied 2 words" in board.rows[-1]


async def test_copy_key_copies_the_selection_then_quits() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "Selected with the mouse.")
        await board.settle()
        row = next(y for y, text in enumerate(board.rows) if "Selected" in text)
        await board.pilot.mouse_down(offset=(1, row))
        await board.pilot.hover(offset=(9, row))
        await board.pilot.mouse_up(offset=(9, row))
        await board.settle()
        board.app.copy_to_clipboard("")
        await board.press("ctrl+c")
        assert board.app.clipboard.startswith("Selected")
        assert "Copied 1 word" in board.rows[-1]
        assert board.screen.get_selected_text() is None
        assert not board.app._exit
        await board.pilot.press("ctrl+c")
        assert board.app._exit


async def test_provider_figures_replace_estimates() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "x" * 42)
        await board.settle()
        assert "~10 tokens" in board.text
        board.end("ada", usage=Usage(output_tokens=12), cost=0.0031, ttft_ms=640)
        await board.settle()
        assert "640 ms to first token · 1/200 words · 12 tokens · $0.0031" in board.text


async def test_help_opens_over_the_debate_and_closes() -> None:
    async with DebateHarness(2).opened(80, 30) as board:
        await board.press("question_mark")
        assert "Keys and badges" in board.text
        assert TOPIC[:20] in board.rows[0]
        board.begin().phase().say("ada", "Going on below.")
        await board.press("escape")
        assert "Keys and badges" not in board.text
        assert board.pane_text("ada").endswith("Going on below.")


async def test_footer_hints_can_be_clicked() -> None:
    async with DebateHarness(2).opened() as board:
        x = board.rows[-1].index("m mode")
        await board.pilot.click(offset=(x, 34))
        await board.settle()
        assert board.modes == [DisplayMode.SYNCHRONIZED]


@pytest.mark.parametrize(
    ("phase", "total", "shown"),
    [("opening", 1, "■ ended in Opening  ·"), ("rebuttal", 2, "■ ended in Rebuttal 1/2  ·")],
)
async def test_header_says_where_a_debate_ended_with_one_debater_left(
    phase: str, total: int, shown: str
) -> None:
    async with DebateHarness(2).opened(80, 24) as board:
        board.begin().phase(phase, 1, total).end("ben", "failed").say("ada", "So it is.")
        board.log_events(ev.DebaterRemoved(debater="ben", reason="gone", remaining=("ada",))).end("ada")
        board.log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert shown in board.rows[0]


async def test_header_says_that_a_debate_is_complete_whoever_left_in_its_last_round() -> None:
    async with DebateHarness(2).opened(80, 24) as board:
        board.begin().phase("closing").end("ben", "failed")
        board.log_events(ev.DebaterRemoved(debater="ben", reason="gone", remaining=("ada",))).end("ada")
        board.log_events(ev.DebateFinished(reason="complete"))
        await board.settle()
        assert "✓ complete  ·" in board.rows[0]


async def test_tab_notice_and_the_demo_notice_can_be_dismissed() -> None:
    async with DebateHarness(4, notice="Scripted demo.").opened(60, 20) as board:
        assert "4 panes need 80×17 cells;" in board.text
        await board.press("escape")
        assert "4 panes need" not in board.text
        await board.pilot.resize_terminal(50, 16)
        await board.settle()
        assert "panes need" not in board.text
    async with DebateHarness(2, notice="Scripted demo.", sharing_notice="Shared at x").opened() as board:
        row = next(y for y, text in enumerate(board.rows) if "Scripted demo." in text)
        assert "esc dismiss" in board.text
        await board.pilot.click(offset=(5, row))
        await board.settle()
        assert "Scripted demo." not in board.text
        assert "esc dismiss" not in board.text
        assert "Shared at x" in board.text


async def test_size_notice_fits_a_small_terminal() -> None:
    async with DebateHarness(2).opened(40, 15) as board:
        assert "2 panes need 40×17 cells; you have" in board.text
        assert "40×15. Tab: next pane." in board.text
        assert "esc dismiss" in board.text


async def test_notices_leave_after_the_first_phase() -> None:
    async with DebateHarness(4, notice="Scripted demo.").opened(60, 20) as board:
        board.begin().phase()
        await board.settle()
        assert "4 panes need" in board.text
        board.phase("rebuttal", 1, 2)
        await board.settle()
        assert "4 panes need" not in board.text
        assert "Scripted demo." not in board.text


async def test_tabs_appear_and_disappear_with_the_size() -> None:
    async with DebateHarness(4).opened(160, 35) as board:
        for size, tabs in (((60, 20), True), ((160, 35), False), ((60, 20), True)):
            await board.pilot.resize_terminal(*size)
            await board.settle()
            assert all(name in board.rows[2] for name in ("Ada", "Ben", "Cleo", "Dara"))
            assert ("· waiting" in board.rows[2]) != tabs


async def test_tabs_mark_unread_text_if_only_one_pane_fits() -> None:
    async with DebateHarness(4).opened(60, 20) as board:
        board.begin().phase().say("ben", "Unread.")
        await board.settle()
        assert "4 panes need 80×" in board.text
        tabs = board.rows[2]
        assert "Ben ●" in tabs
        await board.pilot.click(offset=(tabs.index("Ben"), 2))
        await board.settle()
        assert "Unread." in board.text
        assert "Ben ●" not in board.rows[2]


async def test_quitting_paints_pending_text_first() -> None:
    async with DebateHarness(2).opened() as board:
        board.begin().phase().say("ada", "Last words.")
        await board.pilot.press("q")
        assert not board.buffer.oldest_arrivals
        assert not board.app.is_running or board.app._exit


async def test_ascii_mode_draws_only_ascii() -> None:
    async with DebateHarness(4, ascii=True).opened(160, 45) as board:
        board.begin().phase().status("ada", "streaming").say("ada", "* one\n\n> two\n")
        board.status("ben", "reconnecting", retry=1, wait_ms=9000, error=RESET).end("cleo", "refused")
        await board.settle()
        assert board.text.isascii()


async def test_unknown_theme_is_reported_and_the_default_used() -> None:
    async with DebateHarness(2, theme="nothing").opened() as board:
        assert "No theme named 'nothing'." in board.text
        assert board.app.theme == "vigil"


async def test_markup_in_names_and_topic_is_shown_as_text() -> None:
    board = DebateHarness(2)
    hostile = ev.DebaterInfo("ada", "[red]Ada[/]", "[@click=app.quit]for[/]", "s", "\x1b]0;x\x07gpt")
    async with board.opened() as board:
        board.log_events(
            ev.DebateStarted(
                debate="d", topic="[b]Why\x1b[2J?\n[/]", format="f", debaters=(hostile, board.debaters[1])
            )
        )
        await board.settle()
        assert "[b]Why? [/]" in board.rows[0]
        assert "[red]Ada[/]" in board.text
        assert "[@click=app.quit]for[/] · gpt" in board.text


@pytest.mark.parametrize("mode", list(DisplayMode))
async def test_resizing_while_streaming_loses_no_text(mode: DisplayMode) -> None:
    words = [f"word{number}" for number in range(120)]
    async with DebateHarness(2, mode=mode).opened(160, 45) as board:
        board.begin().phase().status("ada", "streaming").status("ben", "streaming")
        for number, word in enumerate(words):
            board.say("ada", f"{word} ").say("ben", f"{word} ")
            if number % 20 == 10:
                await board.pilot.resize_terminal(60 + number, 20 + number // 4)
        await board.pilot.resize_terminal(160, 45)
        await board.settle()
        for debater in ("ada", "ben"):
            assert board.pane_text(debater).replace("─", "").split() == ["Opening", *words]


async def test_synchronized_flush_is_written_as_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DebateHarness(4, mode=DisplayMode.SYNCHRONIZED).opened(160, 45) as board:
        board.begin().phase()
        for debater in board.debaters:
            board.status(debater.id, "streaming").say(debater.id, "Before. ")
        await board.settle()
        written: list[str] = []
        display = board.app._display

        def spy(screen: Any, renderable: Any) -> None:
            written.append(renderable.render_segments(board.app.console))
            display(screen, renderable)

        monkeypatch.setattr(board.app, "_display", spy)
        for debater in board.debaters:
            board.say(debater.id, f"Now{debater.name}.")
        board.screen.debate_display.flush_all()
        assert len(written) == 1
        assert all(f"Now{debater.name}." in written[0] for debater in board.debaters)


async def test_scrolling_up_keeps_the_position_and_counts_new_lines() -> None:
    async with DebateHarness(2).opened(120, 24) as board:
        board.begin().phase()
        board.say("ada", "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settle()
        assert "Paragraph 39." in board.pane_text("ada")
        await board.press("g")
        assert "Paragraph 0." in board.pane_text("ada")
        board.say("ada", "\n\nAnd one more.\n\nAnd another.")
        await board.settle()
        assert "Paragraph 0." in board.pane_text("ada")
        assert "↓ 4 new" in board.text
        await board.press("end")
        assert "And another." in board.pane_text("ada")
        assert "new" not in board.rows[-2]


async def test_wheel_scrolls_the_pane_under_the_mouse() -> None:
    async with DebateHarness(2).opened(120, 24) as board:
        board.begin().phase()
        for debater in ("ada", "ben"):
            board.say(debater, "\n\n".join(f"Paragraph {number}." for number in range(40)))
        await board.settle()
        await board.pilot._post_mouse_events([MouseScrollUp], offset=(90, 10), button=0)
        await board.settle()
        assert board.pane("ada").turn_text.viewport.following
        assert not board.pane("ben").turn_text.viewport.following


async def test_pending_text_is_painted_when_the_debate_pauses() -> None:
    async with DebateHarness(2, mode=DisplayMode.SYNCHRONIZED, window_ms=60_000).opened() as board:
        board.begin().phase().status("ada", "streaming").say("ada", "Held back.")
        board.log_events(ev.DebatePaused(reason="user", debater=None))
        while board.buffer.oldest_arrivals:
            await board.pilot.pause()
        assert board.pane_text("ada").endswith("Held back.")


async def test_limit_that_blocks_further_turns_is_shown() -> None:
    async with DebateHarness(2).opened() as board:
        reason = "$0.52 is spent; the limit is $0.50. No further turn begins."
        board.begin().phase().log_events(ev.DebatePaused(reason=reason, debater=None))
        board.log_events(ev.DebateFinished(reason="stopped"))
        await board.settle()
        assert reason in board.text
