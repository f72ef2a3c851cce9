"""The table of ``--stats``: aligned plain text."""

from __future__ import annotations

from debate_tui.display.statistics import formatting
from debate_tui.display.statistics.formatting import format_table
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
        "Stream statistics (7.00 s)\n"
        "                        Ada                  Ben\n"
        "  state                 complete             removed\n"
        "  turns                 1                    0\n"
        "  tokens/s mean         60                   -\n"
        "  tokens                60                   0\n"
        "  first byte p50, p95   101 ms, 200 ms       -\n"
        "  first token p50, p95  1.00 s, 1.00 s       -\n"
        "  chunk gap p50, p95    1.00 s, 1.00 s       -\n"
        "  text, chunks          126 B, 3             0 B, 0\n"
        "  transport             HTTP/1.1, new        -\n"
        "  connections           2                    0\n"
        "  reconnected           once, waited 1.5 s  never\n"
        "\n"
        "What broke\n"
        "  0:03  Ada  overloaded (529)  retry 1/5 after 1.5 s, went on at 42, behind the last event  Busy.\n"
        "  0:06  Ben  overloaded (529)  given up                                                      Busy.\n"
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
    assert lines[-1].endswith("ab c")


def test_amounts_and_counts_stay_short() -> None:
    amounts = (0, 999, 1000, 99_949, 99_950, 999_499, 999_500, 10**10)
    assert [formatting.format_bytes(size) for size in amounts] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "99.9 kB",
        "100 kB",
        "999 kB",
        "1.0 MB",
        "10.0 GB",
    ]
    counts = (0, 999, 1000, 99_949, 99_950, 999_499, 999_500, 123_000_000)
    assert [formatting.format_compact(count) for count in counts] == [
        "0",
        "999",
        "1.0k",
        "99.9k",
        "100k",
        "999k",
        "1.0M",
        "123M",
    ]
