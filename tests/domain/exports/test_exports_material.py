"""Exports list the material; HTML has its texts, JSON the hidden ones, too."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from debate_tui.domain.events import DebateStarted, Event, PhaseStarted, TurnFinished, TurnStarted
from debate_tui.domain.exports import EXPORT_TYPES, ExportType, export_debate
from debate_tui.domain.exports.html import markdown_to_html
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.stream import Citation
from tests.domain.exports.sample_speeches import NOVEMBER_2023, speech_deltas, turn_finished
from tests.golden import check_golden, page_document
from tests.sample_debates import debate_started, numbered_events
from tests.sample_material import HIDDEN_WORD, POLICY, sample_material

GOLDEN = Path(__file__).parent / "golden"
MATERIAL = sample_material("a")
SPEECH = "“A permit costs forty euros a year” [1]; the code [2] agrees, and [4] and [9] say nothing."


def debate() -> list[Event]:
    started = debate_started()
    assert isinstance(started, DebateStarted)
    return numbered_events(
        msgspec.structs.replace(started, material=tuple(each.info for each in MATERIAL)),
        PhaseStarted(phase="opening", round=1, rounds=1),
        TurnStarted(turn=1, debater="a", phase="opening"),
        *speech_deltas(1, "a", SPEECH),
        turn_finished(1, "a"),
        start=NOVEMBER_2023,
    )


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_documents_match_golden_files(form: ExportType) -> None:
    check_golden(GOLDEN / f"material.{form}", export_debate(debate(), form, material=MATERIAL))


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_hidden_material_is_in_json_only(form: ExportType) -> None:
    assert (HIDDEN_WORD in export_debate(debate(), form, material=MATERIAL)) == (form == "json")


@pytest.mark.parametrize("form", EXPORT_TYPES)
def test_nothing_in_a_document_acts_on_a_terminal(form: ExportType) -> None:
    document = export_debate(debate(), form, material=MATERIAL)
    assert sanitise(document) == document


def test_json_has_every_text_as_it_was_given() -> None:
    pieces = json.loads(export_debate(debate(), "json", material=MATERIAL))["material"]
    assert [(piece["number"], piece["text"]) for piece in pieces] == [
        (each.number, each.text) for each in MATERIAL
    ]
    assert [piece["for"] for piece in pieces] == [None, None, None, "a"]
    assert pieces[0]["sha256"] == MATERIAL[0].info.sha256
    assert pieces[0]["characters"] == len(POLICY)


def test_citations_lead_to_the_texts_that_are_there() -> None:
    document = page_document(export_debate(debate(), "html", material=MATERIAL))
    for number in (1, 2):
        assert f'<a href="#material-{number}">[{number}]</a>' in document
        assert document.count(f'id="material-{number}"') == 1
    for number in (4, 9):
        assert f"#material-{number}" not in document
    assert "<b>bold</b>" not in document
    assert "<script" not in document


def test_a_number_that_may_mean_a_source_of_the_turn_is_not_linked() -> None:
    *events, finished = debate()
    assert isinstance(finished, TurnFinished)
    cited = msgspec.structs.replace(finished, citations=(Citation("https://x.y", "X"),))
    document = export_debate([*events, cited], "html", material=MATERIAL)
    assert "#material-1" not in document
    assert '<a href="#material-2">[2]</a>' in document


def test_without_the_texts_they_are_listed() -> None:
    document = export_debate(debate(), "html")
    assert '<p id="material-1">[1] policy.md' in document
    assert "<details>" not in document


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("so [1].", '<p>so <a href="#material-1">[1]</a>.</p>'),
        ("[1][2]", '<p><a href="#material-1">[1]</a>[2]</p>'),
        ("`[1]`", "<p><code>[1]</code></p>"),
        ("**[1]** <b>", '<p><strong><a href="#material-1">[1]</a></strong> &lt;b&gt;</p>'),
        (
            "[see [1]](https://x.y)",
            '<p><a href="https://x.y" rel="noopener noreferrer nofollow">see [1]</a></p>',
        ),
        ("[01] [1a] [12345]", "<p>[01] [1a] [12345]</p>"),
    ],
)
def test_only_citations_in_plain_text_become_links(text: str, html: str) -> None:
    assert markdown_to_html(text, {1}) == html
