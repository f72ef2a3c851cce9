"""The document with all prompts: what it says about itself, and what it leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import pytest

from debate_tui import __version__
from debate_tui.domain.briefs import Chair, StoredSetup
from debate_tui.domain.debate import Debater, Format, Phase
from debate_tui.domain.errors import DebateError
from debate_tui.domain.events import (
    DebateResumed,
    DebaterInfo,
    DebaterReplaced,
    DebatersRevealed,
    DebateStarted,
    PhaseStarted,
    StreamStatus,
    TurnDelta,
    TurnStarted,
)
from debate_tui.domain.exports import export_debate, export_filename
from debate_tui.domain.material import Material
from debate_tui.domain.sanitise import sanitise
from debate_tui.domain.transcript import Transcript
from tests.sample_debates import numbered_events

if TYPE_CHECKING:
    from debate_tui.domain.debate import ParameterValue
    from debate_tui.domain.events import Event

FORMAT = Format(
    name="short", title="Short", description="", phases=(Phase(name="only", title="Only", words=50),)
)
ADA: dict[str, ParameterValue] = {"effort": "high", "system": "Speak in rhymes.", "extra_body": {"top_k": 3}}
INFO = DebaterInfo("a", "Ada", "For", "openai:gpt-5", "gpt-5", ADA)
TEXT = "Tea is older than coffee, and it keeps better in a storm."
MATERIAL = (Material(1, "tea.md", "Tea is a leaf.", ""), Material(2, "secret.md", "Coffee is a bean.", "b"))


@dataclass
class Recorded:
    """A debate of one turn each, with what is stored beside it."""

    info: DebaterInfo = INFO
    blind: bool = False
    version: str = __version__
    material: tuple[Material, ...] = ()
    more: list[Event] = field(default_factory=list)

    def export(self, setup: str | None = None, material: tuple[Material, ...] | None = None) -> str:
        ben = DebaterInfo("b", "Ben", "Against", "https://ben.example/sse", "ben.example")
        events = numbered_events(
            DebateStarted(
                debate="d1",
                topic="Tea or `coffee`?",
                format="short",
                debaters=(self.info, ben),
                version=self.version,
                blind=self.blind,
                material=tuple(each.info for each in self.material),
            ),
            PhaseStarted(phase="only", round=1, rounds=1, words=50),
            TurnStarted(turn=1, debater="a", phase="only"),
            TurnStarted(turn=2, debater="b", phase="only"),
            *self.more,
        )
        chairs = (
            Chair(Debater(id="a", name="Real", side="For", source="x", persona="An old sailor")),
            Chair(Debater(id="b", name="Ben", side="Against", source="y")),
        )
        stored = msgspec.json.encode(StoredSetup(FORMAT, chairs)).decode()
        known = self.material if material is None else material
        return export_debate(events, "prompts", setup=stored if setup is None else setup, material=known)


def status(debater: str, state: str, attempt: int = 1, **fields: object) -> StreamStatus:
    return StreamStatus(debater=debater, state=state, attempt=attempt, **fields)  # type: ignore[arg-type]


def said(debater: str, turn: int) -> TurnDelta:
    return TurnDelta(turn=turn, debater=debater, attempt=1, offset=0, text=TEXT)


ASKED = [status("a", "connecting"), status("b", "connecting")]


def test_a_request_has_its_time_source_parameters_and_messages() -> None:
    document = Recorded(more=[*ASKED]).export()
    assert document.startswith("# Prompts: Tea or \\`coffee\\`?\n")
    assert "## 1. Only: Ada (For), turn 1\n" in document
    assert " UTC · openai:gpt-5 · effort high · extra\\_body.top\\_k 3*\n" in document
    assert document.count("Speak in rhymes.") == 1
    assert "Your character: An old sailor" in document
    assert "Write at most 50 words" in document
    assert "Real" not in document


def test_an_endpoint_is_asked_the_same_again() -> None:
    cut = [said("a", 1), said("b", 2), status("a", "reconnecting"), status("b", "reconnecting")]
    document = Recorded(
        more=[*ASKED, *cut, status("a", "connecting", 2), status("b", "connecting", 2)]
    ).export()
    parts = re.split(r"^## ", document, flags=re.MULTILINE)
    assert "Only: Ada (For), turn 1, attempt 2" in parts[3]
    assert TEXT in parts[3]
    assert "this asks to continue it" in parts[3]
    assert TEXT not in parts[4]
    assert parts[4].partition("system:")[2].strip() == parts[2].partition("system:")[2].strip()


def test_a_pause_while_connecting_is_no_new_request() -> None:
    paused = [status("a", "paused"), status("a", "connecting")]
    assert "## 2." not in Recorded(more=[ASKED[0], *paused]).export()


def test_nothing_is_sent_to_a_person() -> None:
    person = DebaterInfo("a", "Jo", "For", "me", "")
    assert "## 1." not in Recorded(person, more=[ASKED[0]]).export()
    masked = DebaterInfo("a", "A", "For", "", "")
    revealed = [ASKED[0], DebatersRevealed(debaters=(person,))]
    assert "## 1." not in Recorded(masked, blind=True, more=revealed).export()


def test_a_resumed_debate_tries_refused_parameters_again() -> None:
    dropped = status("a", "connected", dropped=("effort", "extra_body.top_k"))
    resumed = DebateResumed(reason="continued", debater=None)
    document = Recorded(more=[ASKED[0], dropped, said("a", 1), resumed, ASKED[0], dropped]).export()
    assert [facts.count("effort high") for facts in re.findall(r"^\*(.*)\*$", document, re.MULTILINE)] == [
        1,
        0,
        1,
        0,
    ]
    assert document.count(TEXT) == 4


def test_refused_parameters_are_not_sent_again() -> None:
    dropped = status("a", "connected", dropped=("effort", "extra_body.top_k"))
    cut = [dropped, said("a", 1), status("a", "reconnecting"), status("a", "connecting", 2)]
    swap = DebaterReplaced(
        debater="a",
        reason="user",
        remaining=("a", "b"),
        source="m:new",
        model="new",
        parameters={"effort": "low"},
    )
    last = [status("a", "reconnecting", 2), swap, status("a", "connecting", 3)]
    facts = re.findall(r"^\*(.*)\*$", Recorded(more=[ASKED[0], *cut, *last]).export(), re.MULTILINE)
    sent = [
        fact.partition(" · ")[2].partition(" UTC · ")[2] or fact.partition(" UTC · ")[2] for fact in facts
    ]
    assert sent == [
        "openai:gpt-5 · effort high · extra\\_body.top\\_k 3",
        "openai:gpt-5",
        "openai:gpt-5",
        "m:new · effort low",
    ]


def test_hidden_material_is_left_out_and_missing_material_named() -> None:
    document = Recorded(more=[*ASKED], material=MATERIAL).export()
    assert document.count("Tea is a leaf.") == 2
    assert "Coffee is a bean." not in document
    assert "secret.md" not in document
    assert "[hidden material for Ben left out]" in document
    assert "Hidden material is left out." in document
    assert Recorded(more=[*ASKED], material=MATERIAL).export(material=()).count("[not recorded]") == 2


def test_a_blind_debate_is_masked_until_it_is_revealed() -> None:
    letter = DebaterInfo("a", "A", "For", "", "")
    blind = Recorded(letter, blind=True, more=[*ASKED])
    document = blind.export()
    assert "You are A, a debater" in document
    assert "Real" not in document
    assert "the debate is blind" in document
    assert "rhymes" not in document
    blind.more.append(DebatersRevealed(debaters=(msgspec.structs.replace(INFO, name="Real"),)))
    document = blind.export()
    assert "You are A, a debater" in document
    assert "openai:gpt-5 · effort high" in document
    assert "Speak in rhymes." in document


@pytest.mark.parametrize(("version", "named"), [("0.1", "debate-tui 0.1"), ("", "another version")])
def test_prompts_of_another_version_may_differ(version: str, named: str) -> None:
    assert f"The debate was run by {named}" in Recorded(version=version).export()
    assert "was run by" not in Recorded().export()


@pytest.mark.parametrize("setup", ["", "{}", "no JSON"])
def test_without_a_setup_there_are_none(setup: str) -> None:
    with pytest.raises(DebateError, match="setup"):
        Recorded().export(setup)


def test_nothing_in_it_acts_on_a_terminal_or_ends_its_block() -> None:
    text = "```\n````text\n## 9. Fake\n\x1b[31m\u202e"
    hostile = Material(1, "x\x1b[2J", text, "")
    document = Recorded(more=[*ASKED], material=(hostile,)).export()
    assert sanitise(document) == document
    assert "`````text\n" in document


def test_a_damaged_record_gives_what_it_can() -> None:
    gone = [TurnStarted(turn=3, debater="c", phase="only"), status("c", "connecting")]
    other = [PhaseStarted(phase="x", round=1, rounds=1), TurnStarted(turn=4, debater="a", phase="x")]
    document = Recorded(more=[*ASKED, *gone, *other, status("a", "connecting")]).export()
    assert "## 2." in document
    assert "## 3." not in document


def test_the_file_has_a_name_of_its_own() -> None:
    started = DebateStarted(debate="d", topic="Tea?", format="short", debaters=())
    assert export_filename(Transcript([started]), "prompts") == "debate-1970-01-01-tea.prompts.md"
