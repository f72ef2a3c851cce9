"""What scripted debaters have to say, as data: voices (how it is said) and fields (what it is about).

Texts hold slots such as ``{thesis}``; one that begins with a capital begins a sentence. A voice's own
sentences are written so that no two of its texts share one: a debate never repeats itself.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from debate_tui.domain.errors import UsageError
from debate_tui.domain.toml import decode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

Stance = Literal["for", "against", "third"]
Kind = Literal["proposal", "judgement"]

VOICES: Final[Mapping[str, str]] = {
    "empiricist": "Mara",
    "orator": "Cato",
    "philosopher": "Noor",
    "engineer": "Tess",
    "historian": "Ines",
    "sceptic": "Bo",
}
"""The voices by name, each with what its debater is called unless told otherwise."""


FIELDS: Final = (
    "streets",
    "machines",
    "work",
    "schools",
    "health",
    "food",
    "climate",
    "money",
    "justice",
    "state",
    "media",
    "code",
    "space",
    "culture",
    "animals",
    "mind",
)
"""What topics are about; `GENERAL` is for all others, and where a field has no more to say."""

GENERAL: Final = "general"


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """A paragraph for one stance, or for every one; for topics of one kind, or of both."""

    text: str
    side: Stance | None = None
    kind: Kind | None = None

    def fits(self, stance: Stance, kind: Kind) -> bool:
        """Whether a debater of this stance may say it on a topic of this kind."""
        return self.side in (None, stance) and self.kind in (None, kind)


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """A reply to an opponent; with `when`, only to one who used a word that begins like one of these."""

    text: str
    when: tuple[str, ...] = ()


class Voice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a debater talks: `title` in a few words, and paragraphs for every part of a speech.

    `leads` introduce a fact of the field; `challenges` name an opponent and may quote them; `cruxes` say
    what decided the debate; `replies` answer questions whatever they were, `remarks` the moderator;
    `rankings` name the ``{first}`` and ``{last}`` of a ballot; `thoughts` are spoken as reasoning.
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
    answers: tuple[Answer, ...] = msgspec.field(name="answer")
    arguments: tuple[Text, ...] = msgspec.field(name="argument")
    weighings: tuple[Text, ...] = msgspec.field(name="weighing")


class Field(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a topic is about.

    `keywords` are beginnings of words, `people` plural nouns, `places` adverbial phrases, `measures`
    plural noun phrases, `stakes` singular ones. Facts of the side for it are of bold changes and claims
    that proved right, facts against of ones that did not.
    """

    keywords: str
    people: tuple[str, ...]
    places: tuple[str, ...]
    measures: tuple[str, ...]
    stakes: tuple[str, ...]
    facts: tuple[Text, ...] = msgspec.field(name="fact")


def check_voice(name: str) -> None:
    """Raise `UsageError` where no voice has this name."""
    if name not in VOICES:
        raise UsageError(f"There is no demo voice “{name}”.", f"Choose one of {', '.join(VOICES)}.")


@functools.cache
def voice(name: str) -> Voice:
    """The voice of this name, one of `VOICES`."""
    return decode(_read("voices", name), Voice, where=f"voices/{name}.toml")


@functools.cache
def field(name: str) -> Field:
    """The field of this name, one of `FIELDS` or `GENERAL`."""
    return decode(_read("fields", name), Field, where=f"fields/{name}.toml")


def field_of(topic: str) -> str:
    """The field a topic belongs to: the one most of whose keywords it holds; the first in a tie."""
    words = [word.strip("?!.,:;“”\"'()").lower() for word in topic.replace("-", " ").split()]

    def score(name: str) -> int:
        keywords = field(name).keywords.split()
        return sum(any(word.startswith(key) for key in keywords) for word in words)

    best = max(FIELDS, key=score)
    return best if score(best) else GENERAL


def _read(folder: str, name: str) -> str:
    return Path(__file__).with_name(folder).joinpath(f"{name}.toml").read_text("utf-8")
