"""The table of statistics, as ``--stats`` prints it: aligned plain text."""

from __future__ import annotations

from debate_tui.display.statistics.table import format_table
from debate_tui.domain import events as ev
from debate_tui.domain.stream import Connected, FaultKind, FaultReport, StreamOrigin, Usage
from tests.display.statistics.measured_debate import BUSY, MeasuredDebate


def measured_debate() -> MeasuredDebate:
    debate = MeasuredDebate()
    debate.at(1).begin()
    debate.state("connecting")
    debate.at(1.2).state("connected")
    debate.statistics.record_connection("a", Connected(StreamOrigin.START, "HTTP/1.1", reused=False))
    debate.at(2).say()
    debate.at(3).break_off(BUSY, 1.5)
    debate.at(4.5).state("connecting")
    debate.at(4.6).state("connected")
    debate.statistics.record_connection("a", Connected(StreamOrigin.CURSOR, "HTTP/1.1", reused=False))
    debate.at(5).say()
    debate.at(6).say()
    debate.finish(usage=Usage(10, 60), ttft_ms=1000)
    debate.append(ev.StreamStatus(debater="b", state="failed", attempt=1, error=BUSY))
    debate.append(ev.DebaterRemoved(debater="b", reason="Busy.", remaining=("a",)))
    debate.at(7)
    debate.append(ev.DebateFinished(reason="complete"))
    return debate


def test_everything_that_was_measured_in_aligned_columns() -> None:
    assert format_table(measured_debate().statistics.report()) == (
        "\n"
        "Stream statistics, 0:07\n"
        "               Ada                          Ben\n"
        "  state        complete                     removed\n"
        "  tokens/s     60 mean                      -\n"
        "  tokens       60                           0\n"
        "  first token  1 s                          -\n"
        "  longest gap  1 s                          -\n"
        "  connection   HTTP/1.1, first byte 100 ms  -\n"
        "  reconnects   1, waited 1.5 s              -\n"
        "  resumed      at character 42, event id    -\n"
        "  faults       overloaded (529), Busy.      overloaded (529), Busy.\n"
    )


def test_wide_names_keep_the_columns_and_hostile_ones_are_harmless() -> None:
    debate = MeasuredDebate()
    names = (ev.DebaterInfo("a", "亜衣\x1b[31m", "", "", ""), ev.DebaterInfo("b", "Ben\nB", "", "", ""))
    debate.append(ev.DebateStarted(debate="d", topic="t", format="f", debaters=names))
    debate.state("failed", FaultReport(FaultKind.UNKNOWN, "a\x1b[2Jb\nc"))
    text = format_table(debate.statistics.report())
    lines = text.splitlines()
    assert "\x1b" not in text
    assert lines[2].index("Ben B") + 2 == lines[3].index("waiting")
    assert lines[-1].endswith("ab c  -")
