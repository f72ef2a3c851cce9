"""What is said on standard error, in whoever's words, is single lines that cannot act on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.cli.aside import LONGEST, advice, complain, complaint, said, say
from debate_tui.domain.errors import DebateError

if TYPE_CHECKING:
    import pytest

HOSTILE = "Busy \x1b]0;pwned\x07\x1b[2J\x9b31m\u202e\r\nnow"


def test_hostile_words_become_single_lines(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    complain(DebateError(HOSTILE, HOSTILE))
    assert capsys.readouterr().err == "debate-tui: Busy now\ndebate-tui: Busy now\n  Busy now\n"


def test_what_goes_without_saying_is_no_line() -> None:
    assert complaint(DebateError("So what?")) == "debate-tui: So what?\n"
    assert advice("") == ""


def test_a_line_has_an_end() -> None:
    assert len(said("x" * 5000)) <= LONGEST + len(said(""))
