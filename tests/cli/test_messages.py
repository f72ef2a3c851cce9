"""What is said on standard error, in whoever's words, is single lines that cannot act on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.cli.messages import (
    MAX_LINE_CHARACTERS,
    format_hint,
    format_info,
    print_error,
    print_info,
)
from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    import pytest

HOSTILE = "Busy \x1b]0;pwned\x07\x1b[2J\x9b31m\u202e\r\nnow"


def test_hostile_words_become_single_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_info(HOSTILE)
    print_error(DebateError(HOSTILE, HOSTILE))
    assert capsys.readouterr().err == "debate-tui: Busy now\ndebate-tui: Busy now\n  Busy now\n"


def test_an_empty_message_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(DebateError("So what?"))
    assert capsys.readouterr().err == "debate-tui: So what?\n"
    assert format_hint("") == ""


def test_a_long_line_is_cut() -> None:
    assert len(format_info("x" * 5000)) <= MAX_LINE_CHARACTERS + len(format_info(""))
