"""Blocks are what markdown-it says they are, although it sees the whole text and the parser only lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.display.markdown.reference_parser import parsed_blocks, reference_blocks
from tests.display.markdown.sample_texts import BLOCK_SIGNS, EXAMPLES, specification

_SIGNS = (
    *(*BLOCK_SIGNS, "+ ", "7. ", ">", "   ", "````", "```py", "***", "--"),
    *("|", "a|b", "|-|-", "|-", "--|:-:", "foo", "x", "\n", "\n", "\n", "\n\n"),
    *("`", "**", "_", "\\", "|a|b|", "1", "12"),
    *("$$", "$$\n", "\\[", "\\[\n", "\\]", "\\]\n", "$$ x", "]"),
)

_DISAGREEMENTS = re.compile(
    r"""
    ^\ *([>#`~*+$\\-]|\d+[.)]).*\|.*\n[\ >]*[-|:]   # markdown-it lets any line head a table
    | [.)*+-]\ *\n[\ >]*\n[\ >]*\n                # and ends a list at the second blank line of an empty item
    | ^[\ \d.)*+-]*[>.)*+-].*\n[\ >]*\ {4}        # and reads no lazy line that is indented by four
    """,
    re.VERBOSE | re.MULTILINE,
)
"""Where CommonMark says what we do, and markdown-it does not do it."""


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_have_the_blocks_they_should_have(text: str) -> None:
    """Every construct of the dialect."""
    assert parsed_blocks(text) == reference_blocks(text.expandtabs(4))


@given(st.lists(st.sampled_from(_SIGNS), max_size=16).map("".join))
@example(">\n- a\n  > b\nc\n")
@example("- a\n - b\n  - c\n   - d\n    - e\n")
def test_any_text_has_the_blocks_it_should_have(text: str) -> None:
    """Lines of nothing but signs."""
    text += "\n"
    assume(not _DISAGREEMENTS.search(text))
    assert parsed_blocks(text) == reference_blocks(text)


@pytest.mark.skipif(not specification(), reason="the specification's examples are not here")
def test_the_specification_has_the_blocks_it_should_have() -> None:
    """All its examples, those about raw HTML and reference links as the text they are in this dialect."""
    assert [parsed_blocks(text) for text in specification()] == [
        reference_blocks(text.expandtabs(4)) for text in specification()
    ]
