"""Reasoning left inside the text becomes reasoning, however it is tagged and wherever the tags are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debate_tui.domain.stream import (
    Chunk,
    Connected,
    Cursor,
    Finished,
    KeepAlive,
    Reclassified,
    ResumePoint,
    StreamOrigin,
    UnmarkedEnd,
)
from debate_tui.sources.reasoning_tags import ReasoningTagSource
from debate_tui.sources.reasoning_tags.tags import MAX_TAG_LENGTH
from tests.fakes.scripted_source import REQUEST, ScriptedSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from debate_tui.domain.stream import StreamItem
    from tests.fakes.scripted_source import Step

HARMONY_END = "<|end|><|start|>assistant<|channel|>final<|message|>"

REASONING = [
    # spellings
    ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
    ("<think>\nHm.\n</think>\n\nYes.", "Hm.\n", "Yes."),
    ("<THINK>Hm.</Think>Yes.", "Hm.", "Yes."),
    ("<thinking>Hm.</thinking> Yes.", "Hm.", "Yes."),
    ("<thought>Hm.</thought>Yes.", "Hm.", "Yes."),
    ("<thoughts>Hm.</thoughts>Yes.", "Hm.", "Yes."),
    ("<reasoning>Hm.</reasoning>Yes.", "Hm.", "Yes."),
    ("<reasoning effort=\"high\" a='b'>Hm.</reasoning >Yes.", "Hm.", "Yes."),
    ("< think >Hm.< / think >Yes.", "Hm.", "Yes."),
    ("<think\n>Hm.</think\n>Yes.", "Hm.", "Yes."),
    ("<thinking>Hm.</thinking>Yes.", "Hm.", "Yes."),
    ("<seed:think>Hm.</seed:think>Yes.", "Hm.", "Yes."),
    ("<|think|>Hm.</|think|>Yes.", "Hm.", "Yes."),
    ("<|begin_of_thought|>Hm.<|end_of_thought|>Yes.", "Hm.", "Yes."),
    ("<|START_THINKING|>Hm.<|END_THINKING|>Yes.", "Hm.", "Yes."),
    ("[THINK]Hm.[/THINK]Yes.", "Hm.", "Yes."),
    ("◁think▷Hm.◁/think▷Yes.", "Hm.", "Yes."),
    # where an answer begins
    (" \n\t<think>Hm.</think>Yes.", "Hm.", "Yes."),
    ("<think></think>\n\nYes.", "", "Yes."),
    ("<think>\n\n</think>\n\nYes.", "", "Yes."),
    ("<think/>Yes.", "", "Yes."),
    ("<think>Hm.</think>\n<think>Well.</think>\nYes.", "Hm.Well.", "Yes."),
    ("<think>Hm.</think><reasoning>Well.</reasoning>Yes.", "Hm.Well.", "Yes."),
    # never closed
    ("<think>Hm. Yes.", "Hm. Yes.", ""),
    ("<think>Hm.</thi", "Hm.</thi", ""),
    ("<|channel|>analysis<|message|>Hm.", "Hm.", ""),
    # closed by a tag of another name, or not
    ("<think>Hm.\n</thinking>\nYes.", "Hm.\n", "Yes."),
    ("<think>The </reasoning> tag.</think>Yes.", "The </reasoning> tag.", "Yes."),
    # code in thoughts
    ("<think>Say `</think>` not.</think>Yes.", "Say `</think>` not.", "Yes."),
    ("<think>a\n```\n<think>x</think>\n```\nb</think>Yes.", "a\n```\n<think>x</think>\n```\nb", "Yes."),
    ("<think>a\n```\ncode\n</think>\nYes.", "a\n```\ncode\n", "Yes."),
    ("<think>a ` b</think>Yes.", "a ` b", "Yes."),
    ("<think>a `b c</think>`Yes`.", "a `b c", "`Yes`."),
    # a closing tag alone
    ("Hm.\n</think>\n\nYes.", "Hm.\n", "Yes."),
    ("Hm.</think>\nYes.", "Hm.", "Yes."),
    ("Hm.</think> \t\r\nYes.", "Hm.", "Yes."),
    ("Hm.\n</thinking>\nYes.", "Hm.\n", "Yes."),
    ("Hm.\n[/THINK]\nYes.", "Hm.\n", "Yes."),
    ("Hm. `a` and ```b```.\n</think>\nYes.", "Hm. `a` and ```b```.\n", "Yes."),
    ("```\ncode\n```\nHm.\n</think>\nYes.", "```\ncode\n```\nHm.\n", "Yes."),
    ("An `open tick.\n\nHm.\n</think>\nYes.", "An `open tick.\n\nHm.\n", "Yes."),
    ("</think>\n\nYes.", "", "Yes."),
    ("\n</think>\nYes.", "", "Yes."),
    ("Hm.</think>", "Hm.", ""),
    ("Hm.\n</think>\n<think>Well.</think>Yes.", "Hm.\nWell.", "Yes."),
    ("Hm.\n</think>\nYes.\n</think>\nNo.", "Hm.\n", "Yes.\n</think>\nNo."),
    ("<think>a\n</think>\nb\n</think>\nYes.", "a\nb\n", "Yes."),
    # harmony
    (f"<|channel|>analysis<|message|>Hm.{HARMONY_END}Yes.<|return|>", "Hm.", "Yes."),
    (f"<|start|>assistant<|channel|>analysis<|message|>Hm.{HARMONY_END}Yes.", "Hm.", "Yes."),
    ("<|channel|>analysis<|message|>Hm.<|channel|>final<|message|>Yes.", "Hm.", "Yes."),
    ("<|channel|>final<|message|>Yes.<|end|>", "", "Yes."),
    ("<|start|>assistant<|message|>Yes.<|end|>", "", "Yes."),
    (f"<|channel|>commentary<|message|>Hm.{HARMONY_END}Yes.", "Hm.", "Yes."),
    (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.f "
        f"<|constrain|>json<|message|>{{}}<|call|>{HARMONY_END.removeprefix('<|end|>')}Yes.",
        "Hm.",
        "Yes.",
    ),
    (f"Hm.{HARMONY_END}Yes.<|return|>", "Hm.", "Yes."),
    ("Hm.<|channel|>final<|message|>Yes.", "Hm.", "Yes."),
    ("analysisWe think.assistantfinalYes.", "We think.", "Yes."),
]

TEXT = [
    "Yes.",
    "",
    "  indented",
    "I <think> so.</think> Yes.",
    "So\n<think>\nHm.\n</think>\nYes.",
    "<thinker>Hm.</thinker>",
    "<thin",
    "<",
    "a < b and c > d",
    "<b>Yes</b>",
    "[Think] twice",
    "[THI",
    "The `</think>` tag",
    "The `<think>\n</think>\n` tags",
    "``a ` </think>\n``",
    "Write:\n\n```xml\n<think>x</think>\n```\n\nDone.",
    "Write:\n\n```\nx</think>\n```\n\nDone.",
    "~~~\nx</think>\n```\n</think>\n~~~\nDone.",
    "- so:\n\n  ```\n  x\n  </think>\n  ```",
    "So:\n\n    x</think>\n\nDone.",
    "> ```\n> </think>\n> ```",
    "The </think> tag ends it.",
    "The tag <|end|> ends it.",
    "`<|channel|>final<|message|>` begins it.",
    "analysis of it",
    "analysis",
    "assistantfinal",
]


class Folded:
    """What a reader has of a stream in the end."""

    def __init__(self) -> None:
        self.text = self.reasoning = ""
        self.cursor: Cursor | None = None
        self.reclassified = 0

    def take(self, item: StreamItem) -> None:
        match item:
            case Chunk(reasoning=True):
                self.reasoning += item.text
            case Chunk():
                self.text += item.text
            case Reclassified():
                assert self.text
                self.reclassified += 1
                self.reasoning += self.text
                self.text = ""
        if isinstance(item, Chunk | KeepAlive):
            self.cursor = item.cursor or self.cursor


async def fold(*script: Step, resume: ResumePoint | None = None, folded: Folded | None = None) -> Folded:
    folded = folded or Folded()
    async with ReasoningTagSource(ScriptedSource(script)).open(REQUEST, resume) as items:
        async for item in items:
            folded.take(item)
    return folded


async def fold_text(pieces: Sequence[str]) -> tuple[str, str]:
    folded = await fold(Connected(), *(Chunk(piece) for piece in pieces if piece), Finished())
    return folded.reasoning, folded.text


@pytest.mark.parametrize(("raw", "reasoning", "text"), [*REASONING, *((raw, "", raw) for raw in TEXT)])
async def test_tags_are_read_alike_wherever_they_are_cut(raw: str, reasoning: str, text: str) -> None:
    assert await fold_text([raw]) == (reasoning, text)
    assert await fold_text(list(raw)) == (reasoning, text)
    for cut in range(1, len(raw)):
        assert await fold_text([raw[:cut], raw[cut:]]) == (reasoning, text), cut


@pytest.mark.parametrize("raw", [raw for raw, _, _ in REASONING] + TEXT)
async def test_a_stream_resumed_at_any_cursor_is_read_as_if_it_were_whole(raw: str) -> None:
    whole = await fold_text([raw])
    chunks = [Chunk(sign, cursor=Cursor(str(number))) for number, sign in enumerate(raw, 1)]
    for cut in range(len(raw) + 1):
        folded = await fold(Connected(), *chunks[:cut])
        begin = int(folded.cursor.position) if folded.cursor else 0
        resume = ResumePoint(1, folded.cursor, folded.text, folded.reasoning)
        origin = StreamOrigin.CURSOR if begin else StreamOrigin.START
        if not begin:
            folded = Folded()
        await fold(Connected(origin), *chunks[begin:], Finished(), resume=resume, folded=folded)
        assert (folded.reasoning, folded.text) == whole, cut


MARKUP = ["<think>", "</think>", "<thinking>", "\n", "```\n", "`", " ", "a", "<", "[THINK]", HARMONY_END]


@given(st.lists(st.sampled_from(MARKUP), max_size=12).map("".join), st.lists(st.integers(1, 20)))
async def test_whatever_the_markup_cuts_change_nothing(raw: str, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(raw[at : at + size])
        at += size
    assert await fold_text([*pieces, raw[at:]]) == await fold_text([raw])


@given(st.text("ab <>[]`\n", max_size=60))
async def test_text_without_a_tag_is_untouched(raw: str) -> None:
    assert await fold_text(list(raw)) == ("", raw)


async def test_text_is_passed_on_as_it_comes() -> None:
    """Only what may be a tag is held back, and its cursor with it."""
    items: list[StreamItem] = []
    chunks = [
        Chunk(piece, cursor=Cursor(piece)) for piece in ("<thi", "nk>", "Hm", "</", "think>", "Yes", "<")
    ]
    source = ReasoningTagSource(ScriptedSource([Connected(), *chunks, KeepAlive(Cursor("k")), Finished()]))
    async with source.open(REQUEST) as stream:
        items = [item async for item in stream]
    assert items == [
        Connected(),
        KeepAlive(),
        KeepAlive(Cursor("nk>", state="open think")),
        Chunk("Hm", True, Cursor("Hm", state="in think")),
        KeepAlive(),
        KeepAlive(Cursor("think>", state="closed")),
        Chunk("Yes", cursor=Cursor("Yes")),
        KeepAlive(),
        KeepAlive(),
        Chunk("<"),
        KeepAlive(Cursor("k")),
        Finished(),
    ]


async def test_an_end_without_a_marker_gives_out_what_was_held_back() -> None:
    folded = Folded()
    with pytest.raises(UnmarkedEnd):
        await fold(Connected(), Chunk("a <", cursor=Cursor("1")), UnmarkedEnd(vouched=True), folded=folded)
    assert (folded.text, folded.cursor) == ("a <", Cursor("1"))


async def test_reasoning_of_its_own_stays_as_it_is() -> None:
    folded = await fold(
        Connected(),
        Chunk("<think>", True),
        Chunk("Hm.", True),
        Chunk("\n\nYes."),
        Chunk("</think>"),
        Finished(),
    )
    assert (folded.reasoning, folded.text) == ("<think>Hm.\n\nYes.", "")


async def test_a_restart_whose_template_opened_the_tag_is_reasoning_at_once() -> None:
    thought = "The user asks about tea, and I know little."
    resume = ResumePoint(1, None, "Tea", thought)
    folded = await fold(
        Connected(), *map(Chunk, f"{thought}</think>\n\nTea is old."), Finished(), resume=resume
    )
    assert (folded.reasoning, folded.text, folded.reclassified) == (thought, "Tea is old.", 0)


@pytest.mark.parametrize("raw", ["<think>Well.</think> so I say.", "Well.\n</think>\n\n so I say."])
async def test_a_continuation_thinks_again(raw: str) -> None:
    resume = ResumePoint(1, None, "Tea is older than coffee,", "Hm.")
    for pieces in ([raw], list(raw)):
        folded = await fold(
            Connected(StreamOrigin.CONTINUATION), *map(Chunk, pieces), Finished(), resume=resume
        )
        assert (folded.reasoning.strip(), folded.text) == ("Well.", " so I say.")


@pytest.mark.parametrize(
    "unit", ["<think>", "</think>", "`</think>\n", "<", "<think ", "<|end|>", "< ", "[", "\n"]
)
async def test_hostile_text_is_bounded(unit: str) -> None:
    """As much as fits into an event, and held back no longer than a tag may be."""
    reasoning, text = await fold_text(["a", unit * (200_000 // len(unit)), "b"])
    assert len(reasoning) + len(text) > 100_000
    folded = await fold(Connected(), *(Chunk("<think " + "x" * 10) for _ in range(100)))
    assert len(folded.text) + len(folded.reasoning) >= 1700 - 2 * MAX_TAG_LENGTH


async def test_a_stream_is_closed_with_its_wrapper() -> None:
    inner = ScriptedSource([Connected(), Finished()])
    source = ReasoningTagSource(inner)
    assert source.model == inner.model
    async with source.open(REQUEST):
        pass
    assert inner.closed == 1
