"""What is trimmed of a continuation, and what must not be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import Chunk, ResumePoint
from debate_tui.resilience.deduplication import ContinuationTrimmer
from debate_tui.resilience.delivered_text import DeliveredText


def joined_text(old: str, *new: str) -> str:
    """`old` as it goes on when a model continues it with `new`, chunk by chunk."""
    seam = ContinuationTrimmer(DeliveredText(ResumePoint(1, None, old)))
    text = old
    for piece in new:
        chunk = Chunk(piece)
        if seam.resolved:
            text += piece
        elif joint := seam.feed(chunk):
            text += "".join(chunk.text for chunk in joint.chunks)
    if not seam.resolved:
        text += "".join(chunk.text for chunk in seam.finish().chunks)
    return text


SENTENCE = "It keeps better in a storm."
OLD = f"Tea is older than coffee. {SENTENCE}"


@pytest.mark.parametrize(
    ("old", "new", "whole"),
    [
        # the last sentence, or all of it, once more
        (OLD, f"{SENTENCE} And it is warm.", f"{OLD} And it is warm."),
        (OLD, f"{OLD} And it is warm.", f"{OLD} And it is warm."),
        ("Tea keeps better in a sto", "keeps better in a storm.", "Tea keeps better in a storm."),
        # with other white space and other signs
        (f"{OLD}\n\n", f"{SENTENCE}\n\nAnd warm.", f"{OLD}\n\nAnd warm."),
        (f"{OLD}\n", f"{SENTENCE}\n\nAnd warm.", f"{OLD}\n\nAnd warm."),
        (f"{OLD}\n\n", f"{SENTENCE} And warm.", f"{OLD}\n\nAnd warm."),
        ("He said:\n\nTea isn’t “old” at", 'Tea isn\'t "old" at all.', "He said:\n\nTea isn’t “old” at all."),
        (
            "- One is\n- Two is the first\n",
            "- Two is  the first\n- Three",
            "- One is\n- Two is the first\n- Three",
        ),
        (OLD, f"… {SENTENCE} And warm.", f"{OLD} And warm."),
        (OLD, f"...{SENTENCE} And warm.", f"{OLD} And warm."),
        (OLD, f"\n{SENTENCE} And warm.", f"{OLD} And warm."),
        ("茶比咖啡更古老，在风暴中也", "在风暴中也更好。", "茶比咖啡更古老，在风暴中也更好。"),
        (
            "茶比咖啡更古老，在风暴中也更好",
            "茶比咖啡更古老，在风暴中也更好。",
            "茶比咖啡更古老，在风暴中也更好。",
        ),
        # all of it, monotonous as it is
        (
            "Hello. Hello. Hello. Hello.",
            "Hello. Hello. Hello. Hello. Bye.",
            "Hello. Hello. Hello. Hello. Bye.",
        ),
        # the word that was cut
        ("That is the argu", "argument.", "That is the argument."),
        ("That is the argument", "argument that counts", "That is the argument that counts"),
        ("Cities should be calm and", "and quiet.", "Cities should be calm and quiet."),
        # nothing repeated
        (OLD, " And it is warm.", f"{OLD} And it is warm."),
        ("That is the argu", "ment.", "That is the argument."),
        ("Tea is", " old.", "Tea is old."),
    ],
)
def test_an_overlap_is_trimmed(old: str, new: str, whole: str) -> None:
    assert joined_text(old, new) == whole
    assert joined_text(old, *new) == whole


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("It was very ", "very good."),
        ("It was very", " very good."),
        ("I had ", "had enough."),
        ("ha", "haha"),
        ("Haha", "haha"),
        ("It costs 100", "000 pounds."),
        ("2020", "2020 was long."),
        ("location, location, ", "location"),
        ("on and on and ", "on and on."),
        ("|---|---|---|---|---|\n", "|---|---|---|---|---|\n"),
        ("    }\n    }\n", "    }\n}\n"),
        ("==========================", "==========================\n"),
        ("妈", "妈说"),
        ("We shall fight on the beaches, we shall fight ", "on the landing grounds"),
        (OLD, "It keeps well."),
        (OLD, "Tea is older than coffee. So it is said."),
        ("", "Tea is old."),
        ("Tea is old.", ""),
        ("   ", "   x"),
    ],
)
def test_what_may_be_meant_stays(old: str, new: str) -> None:
    assert joined_text(old, new) == old + new
    assert joined_text(old, *new) == old + new


@pytest.mark.parametrize(
    ("old", "new", "is_new_answer"),
    [
        ("Cities should be calm and qui", "Cities should be calm places.", True),
        (f"{OLD} It is also", f"{OLD} Nobody doubts that.", True),
        (f"{OLD} It is also ", f"\n{OLD} Nobody doubts that.", True),
        # on purpose, as far as anyone can tell
        (OLD, "Tea is older than coffee. So it is said.", False),
        (f"{OLD}\n", f"{OLD} Nobody doubts that."[:40] + "!", False),
        ("Tea is older than beer, tea is old", "Tea is old", False),
    ],
)
def test_a_model_that_begins_again_in_other_words_supersedes(old: str, new: str, is_new_answer: bool) -> None:
    for pieces in ([new], list(new)):
        trimmer, result = ContinuationTrimmer(DeliveredText(ResumePoint(1, None, old))), None
        for piece in pieces:
            if not trimmer.resolved:
                result = trimmer.feed(Chunk(piece))
        result = result or trimmer.finish()
        assert result.superseded is is_new_answer
        if is_new_answer:
            assert new.startswith("".join(chunk.text for chunk in result.chunks))


def test_reasoning_of_a_continuation_passes_at_once() -> None:
    seam = ContinuationTrimmer(DeliveredText(ResumePoint(1, None, OLD)))
    thought = Chunk("Where was I?", reasoning=True)
    joint = seam.feed(thought)
    assert joint is not None
    assert joint.chunks == (thought,)
    assert not seam.resolved


VOCABULARY = ["tea", "coffee", "storm", "older", "keeps", "better", "warm", "harbour", "night", "lantern"]
sentences = st.lists(st.sampled_from(VOCABULARY), min_size=5, max_size=9, unique=True).map(
    lambda words: " ".join(words).capitalize() + ". "
)


@given(st.lists(sentences, min_size=2, max_size=5, unique=True), st.data())
def test_whatever_whole_words_a_model_repeats_the_text_is_the_same(
    parts: list[str], data: st.DataObject
) -> None:
    """A cut anywhere, a continuation from any word that lies far enough before it, in any pieces."""
    whole = "".join(parts)
    cut = data.draw(st.integers(24, len(whole)))
    words = [at for at in range(cut - 16) if at == 0 or whole[at - 1] == " "]
    begin = data.draw(st.sampled_from(words))
    size = data.draw(st.integers(1, 12))
    new = whole[begin:]
    pieces = [new[at : at + size] for at in range(0, len(new), size)]
    assert joined_text(whole[:cut], *pieces) == whole


@given(st.text(), st.lists(st.text(min_size=1), max_size=6))
def test_the_old_text_is_never_touched_and_the_end_of_the_new_one_never_lost(
    old: str, new: list[str]
) -> None:
    text = joined_text(old, *new)
    assert text.startswith(old)
    assert (old + "".join(new)).endswith(text[len(old) :])
