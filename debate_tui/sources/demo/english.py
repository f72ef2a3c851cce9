"""The few English words and inflections the scripted debaters need to put a topic into a sentence."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.toml import decode_toml

if TYPE_CHECKING:
    from typing import Final


class _WordLists(Struct, frozen=True, forbid_unknown_fields=True):
    """The file as written: words between spaces."""

    ambiguous: str
    verbs: str
    happenings: str
    adjectives: str
    doubling: str
    pronouns: str
    determiners: str
    adverbs: str
    links: str
    foreign: str
    names: str
    asking: str
    participles: dict[str, str]


class EnglishWords(Struct, frozen=True):
    """Word lists, all in lower case; `verbs` holds the `ambiguous` ones too, `certain` does not."""

    verbs: frozenset[str]
    certain: frozenset[str]
    ambiguous: frozenset[str]
    happenings: frozenset[str]
    adjectives: frozenset[str]
    doubling: frozenset[str]
    pronouns: frozenset[str]
    determiners: frozenset[str]
    adverbs: frozenset[str]
    links: frozenset[str]
    foreign: frozenset[str]
    names: frozenset[str]
    asking: frozenset[str]
    participles: dict[str, str]

    @property
    def function_words(self) -> frozenset[str]:
        """The words that give away a text as English."""
        return self.pronouns | self.determiners | self.adverbs | self.links | self.asking | AUXILIARIES


PROPOSAL_MODALS: Final = frozenset({"should", "must", "shall", "ought to"})
MODALS: Final = PROPOSAL_MODALS | {"would", "will", "can", "could", "may", "might"}
BE_FORMS: Final = frozenset({"is", "are", "was", "were"})
DO_FORMS: Final = frozenset({"do", "does", "did"})
HAVE_FORMS: Final = frozenset({"has", "have"})
ARTICLES: Final = frozenset({"a", "an", "the"})
AUXILIARIES: Final = (
    MODALS | BE_FORMS | DO_FORMS | HAVE_FORMS | {"be", "ought", "better", "vs", "versus", "house"}
)


@functools.cache
def english_words() -> EnglishWords:
    """The word lists, read once."""
    text = Path(__file__).with_name("english.toml").read_text("utf-8")
    lists = decode_toml(text, _WordLists, file_name="english.toml")

    def words(name: str) -> frozenset[str]:
        return frozenset(getattr(lists, name).split())

    return EnglishWords(
        verbs=words("verbs") | words("ambiguous"),
        certain=words("verbs") - words("ambiguous"),
        participles=lists.participles,
        **{
            name: words(name) for name in _WordLists.__struct_fields__ if name not in ("verbs", "participles")
        },
    )


def gerund(verb: str) -> str:
    """“ban” → “banning”, “make” → “making”, “die” → “dying”."""
    if verb.endswith("ie"):
        return f"{verb[:-2]}ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye", "oe")) and verb != "be":
        return f"{verb[:-1]}ing"
    if verb in english_words().doubling:
        return f"{verb}{verb[-1]}ing"
    return f"{verb}ing"


def third_person(verb: str) -> str:
    """“harm” → “harms”, “watch” → “watches”, “deny” → “denies”."""
    if verb in ("have", "do", "go"):
        return {"have": "has", "do": "does", "go": "goes"}[verb]
    if verb.endswith(("s", "x", "z", "ch", "sh")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def base_of_participle(word: str) -> str:
    """“lowered” → “lower”, “banned” → “ban”, “made” → “make”; empty for what is no participle."""
    known = english_words()
    if base := known.participles.get(word):
        return base
    if not word.endswith("ed") or len(word) < 5:
        return ""
    stem = word[:-2]
    for base in (stem, f"{stem}e", stem[:-1], f"{stem[:-1]}y"):
        if base in known.verbs:
            return base
    if word.endswith("ied"):
        return f"{word[:-3]}y"
    silent = ("at", "is", "iz", "uc", "as", "os", "v", "iv", "ur", "nc", "rg")
    return f"{stem}e" if stem.endswith(silent) else stem
