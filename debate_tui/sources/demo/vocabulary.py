"""Texts of scripted debaters, as data: voices (style) and fields (subject).

Texts contain slots such as ``{thesis}``; a slot with a capital begins a sentence. No two texts of a voice
share a sentence of its own, so that a debate never repeats itself.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from debate_tui.domain.errors import UsageError
from debate_tui.domain.toml import decode_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

Stance = Literal["for", "against", "third"]
TopicKind = Literal["proposal", "judgement"]

VOICES: Final[Mapping[str, str]] = {
    "empiricist": "Mara",
    "orator": "Cato",
    "philosopher": "Noor",
    "engineer": "Tess",
    "historian": "Ines",
    "sceptic": "Bo",
}
"""The voices by name, with their debaters' default names."""

FIELD_NAMES: Final = (
    *("streets", "machines", "work", "schools", "health", "food", "climate", "money"),
    *("justice", "state", "media", "code", "space", "culture", "animals", "mind"),
)
"""Fields of topics; `GENERAL_FIELD` covers all others, and supplements fields with nothing left."""

GENERAL_FIELD: Final = "general"


class DemoText(Struct, frozen=True, forbid_unknown_fields=True):
    """A paragraph for one stance or all, and for one kind of topic or both."""

    text: str
    side: Stance | None = None
    kind: TopicKind | None = None

    def fits(self, stance: Stance, kind: TopicKind) -> bool:
        """Return whether it suits a debater of this stance and a topic of this kind."""
        return self.side in (None, stance) and self.kind in (None, kind)


class DemoAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """A reply to an opponent; with `when`, only if a word of theirs begins like one of these."""

    text: str
    when: tuple[str, ...] = ()


class Voice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A debater's style: `title` describes it briefly; the rest are paragraphs for each part of a speech.

    `leads` introduce a fact of the field; `challenges` name an opponent and may quote them; `cruxes` say what
    decided the debate; `replies` answer any question, `remarks` answer the moderator; `rankings` name the
    ``{first}`` and ``{last}`` of a ballot; `thoughts` are sent as reasoning.
    """

    title: str
    tokens_per_second: float
    openings: tuple[str, ...]
    leads: tuple[str, ...]
    challenges: tuple[str, ...]
    concessions: tuple[str, ...]
    cruxes: tuple[str, ...]
    farewells: tuple[str, ...]
    questions: tuple[str, ...]
    replies: tuple[str, ...]
    rankings: tuple[str, ...]
    remarks: tuple[str, ...]
    thoughts: tuple[str, ...] = ()
    answers: tuple[DemoAnswer, ...] = msgspec.field(name="answer")
    arguments: tuple[DemoText, ...] = msgspec.field(name="argument")
    weighings: tuple[DemoText, ...] = msgspec.field(name="weighing")


class TopicField(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words and facts for one field of topics.

    `keywords` are word prefixes, `people` plural nouns, `places` adverbial phrases, `measures` plural noun
    phrases, `stakes` singular ones. Facts for the topic are about bold changes and claims that proved right,
    facts against it about ones that did not.
    """

    keywords: str
    people: tuple[str, ...]
    places: tuple[str, ...]
    measures: tuple[str, ...]
    stakes: tuple[str, ...]
    facts: tuple[DemoText, ...] = msgspec.field(name="fact")


def check_voice(name: str) -> None:
    """Raise `UsageError` if there is no voice of this name."""
    if name not in VOICES:
        raise UsageError(f"No demo voice named '{name}'.", f"Choose one of {', '.join(VOICES)}.")


@functools.cache
def load_voice(name: str) -> Voice:
    """Return the voice of this name, one of `VOICES`."""
    return decode_toml(_read_toml("voices", name), Voice, file_name=f"voices/{name}.toml")


@functools.cache
def load_field(name: str) -> TopicField:
    """Return the field of this name, one of `FIELD_NAMES` or `GENERAL_FIELD`."""
    return decode_toml(_read_toml("fields", name), TopicField, file_name=f"fields/{name}.toml")


def find_field(topic: str) -> str:
    """Return the field with most keywords in the topic; the first one in a tie."""
    words = [word.strip("?!.,:;“”\"'()").lower() for word in topic.replace("-", " ").split()]

    def score(name: str) -> int:
        keywords = tuple(load_field(name).keywords.split())
        return sum(word.startswith(keywords) for word in words)

    best = max(FIELD_NAMES, key=score)
    return best if score(best) else GENERAL_FIELD


def _read_toml(folder: str, name: str) -> str:
    return Path(__file__).with_name(folder).joinpath(f"{name}.toml").read_text("utf-8")
