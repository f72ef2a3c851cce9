"""Grammatical forms of a topic, for use in scripted debaters' sentences.

A few rules for English, not a parser: if they do not apply, the whole topic is quoted, which is always
grammatical, in any language.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from debate_tui.sources.demo.vocabulary import (
    ARTICLES,
    BE_FORMS,
    DO_FORMS,
    HAVE_FORMS,
    MODALS,
    PROPOSAL_MODALS,
    base_of_participle,
    english_words,
    gerund,
    third_person,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

TopicKind = Literal["proposal", "judgement"]


class TopicForms(Struct, frozen=True):
    """A topic's grammatical forms; none begins with a capital unless its first word is a name.

    `clause` is the claim of the side for it (“cities should ban cars”), `denial` that of the side against it;
    both can be used as a that-clause. `act` is the proposed action as a noun phrase (“banning cars”), always
    singular; `thing` is its object (“cars”), singular or plural. `kind` is a proposal if an action is
    demanded, otherwise a judgement.
    """

    raw: str
    clause: str
    denial: str
    act: str
    thing: str
    kind: TopicKind


_PERSON_SWAPS: Final = {"i": "you", "my": "your", "me": "you", "mine": "yours", "am": "are"}
_COMMON_ENDINGS: Final = (
    "s", "ing", "ment", "tion", "ness", "ism", "ity", "work", "ance", "ence", "racy", "media",
)  # fmt: skip


def parse_topic(text: str) -> TopicForms:
    """Return the forms of a topic; never fails, whatever the text."""
    raw = " ".join(text.split()).strip(' "“”„«»')
    bare = raw.rstrip(" ?!.…。？！").strip()
    if not bare:
        return _quoted_forms("this question")
    if _is_foreign(bare):
        return _quoted_forms(raw, yes_or_no=raw.endswith(("?", "？", "か")))
    words = bare.split()
    readers = (
        _motion_forms,
        _open_question_forms,
        _choice_forms,
        _modal_question_forms,
        _be_question_forms,
        _do_question_forms,
        _have_question_forms,
    )
    for reader in readers:
        if found := reader(words, raw):
            return found
    return _statement_forms(words, raw) or _noun_phrase_forms(words, raw)


def _is_foreign(text: str) -> bool:
    """Return whether the text looks like another language than English, to be quoted whole."""
    letters = [char for char in text if char.isalpha()]
    if sum(char > "\u024f" for char in letters) * 4 > len(letters):
        return True
    words = {word.strip("¿¡,;:").lower() for word in text.split()}
    found = len(words & english_words().foreign)
    return "¿" in text or (found > 0 and found >= len(words & english_words().function_words))


# The shapes of a topic.


def _motion_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“This house would …”, “THW …”, “This house believes that …”, “Resolved: …”."""
    text = " ".join(words)
    if found := re.match(r"(?i)(?:this house|thw\b|th\b)\s*(?:would|will)?\s+(.+)", text):
        rest = found[1]
        if believed := re.match(r"(?i)(?:believes|holds|thinks)(?: that)? (.+)", rest):
            return _statement_forms(believed[1].split(), raw) or _quoted_forms(believed[1])
        if backed := re.match(r"(?i)(?:supports|welcomes|celebrates|prefers) (.+)", rest):
            return _noun_phrase_forms(backed[1].split(), raw)
        if blamed := re.match(r"(?i)(?:opposes|regrets|rejects|deplores) (.+)", rest):
            notion = _noun_phrase_forms(blamed[1].split(), raw)
            return TopicForms(raw, notion.denial, notion.clause, notion.act, notion.thing, notion.kind)
        return _proposal_forms(("we",), "should", rest.split(), raw)
    if found := re.match(r"(?i)(?:thbt|resolved|motion|that)\b:?,?(?: that)?\s+(.+)", text):
        return _statement_forms(found[1].split(), raw)
    return None


def _open_question_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    if words[0].lower() not in english_words().asking:
        return None
    question = f"“{_capitalise(raw.rstrip(' ?.!'))}?”"
    return TopicForms(
        raw=raw,
        clause=f"the question {question} has an answer, and one worth having",
        denial=f"the question {question} has no one answer, and is the poorer for being given one",
        act=f"an answer to {question}",
        thing="this question",
        kind="judgement",
    )


def _choice_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Tabs or spaces?”, “Kirk vs Picard”."""
    marks = [at for at, word in enumerate(words) if word.lower().rstrip(".") in ("or", "vs", "versus")]
    if len(marks) != 1 or words[0].lower() in MODALS | BE_FORMS | DO_FORMS | HAVE_FORMS:
        return None
    first, second = list(words[: marks[0]]), words[marks[0] + 1 :]
    if not first or not second:
        return None
    if second[0][:1].islower() and first[0][1:].islower():
        first[0] = first[0].lower()
    one, other = " ".join(first), " ".join(second)
    return TopicForms(
        raw=raw,
        clause=f"the better choice is {one}",
        denial=f"the better choice is {other}",
        act=f"the choice of {one} over {other}",
        thing=f"{one} and {other}",
        kind="judgement",
    )


def _modal_question_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Should cities ban cars?”"""
    modal, rest = words[0].lower(), list(words[1:])
    if modal == "ought" and "to" in rest:
        modal = "ought to"
        rest.remove("to")
    if modal not in MODALS or len(rest) < 2:
        return None
    at = _find_verb(rest)
    if at is None:
        return _quoted_forms(raw)
    return _proposal_forms(rest[:at], modal, rest[at:], raw)


def _be_question_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Is a hot dog a sandwich?”, “Is mathematics invented or discovered?”"""
    verb, rest = words[0].lower(), words[1:]
    if verb not in BE_FORMS or len(rest) < 2:
        return None
    if len(rest) >= 4 and rest[-2].lower() == "or":
        subject = _lower_first_word(rest[:-3])
        return _judgement_forms(f"{subject} {verb} {rest[-3]}", f"{subject} {verb} {rest[-1]}", subject, raw)
    at = _find_predicate(rest)
    if at is None:
        return _quoted_forms(raw)
    return _be_forms(_lower_first_word(rest[:at]), verb, " ".join(rest[at:]), raw)


def _do_question_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Does social media harm teenagers?”"""
    verb, rest = words[0].lower(), words[1:]
    if verb not in DO_FORMS or len(rest) < 2:
        return None
    at = _find_verb(rest)
    if at is None or verb == "did":
        return _quoted_forms(raw)
    subject, predicate = _lower_first_word(rest[:at]), rest[at:]
    first = third_person(predicate[0]) if verb == "does" else predicate[0]
    clause = f"{subject} {' '.join((first, *predicate[1:]))}"
    return _judgement_forms(clause, f"{subject} {verb} not {' '.join(predicate)}", subject, raw)


def _have_question_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Has the internet made us stupid?”"""
    verb, rest = words[0].lower(), words[1:]
    if verb not in HAVE_FORMS:
        return None
    at = next((at for at, word in enumerate(rest) if at and base_of_participle(word.lower())), None)
    if at is None:
        return _quoted_forms(raw)
    subject, predicate = _lower_first_word(rest[:at]), " ".join(rest[at:])
    return _judgement_forms(
        f"{subject} {verb} {predicate}", f"{subject} {verb} not {predicate}", subject, raw
    )


def _statement_forms(words: Sequence[str], raw: str) -> TopicForms | None:
    """“Cities should ban cars”, “The book is better than the film”, “Money makes people happy”."""
    first = words[0]
    if (
        first[1:].islower()
        and all(word.islower() for word in words[1:])
        and first.lower() not in english_words().names
    ):
        words = (first.lower(), *words[1:])
    for at in range(1, len(words) - 1):
        verb, before, after = words[at].lower(), words[:at], words[at + 1 :]
        if verb in ("should", "must", "would", "will", "can", "could"):
            return _proposal_forms(before, verb, after, raw)
        if verb in BE_FORMS:
            return _be_forms(_lower_first_word(before), verb, " ".join(after), raw)
        if negated := _negate_verb(words, at):
            subject = _lower_first_word(before)
            return _judgement_forms(f"{subject} {' '.join(words[at:])}", f"{subject} {negated}", subject, raw)
    return None


def _negate_verb(words: Sequence[str], at: int) -> str:
    """Turn “makes us happy” into “does not make us happy”; empty if the word at `at` is not a plain verb."""
    verb, rest, known = words[at].lower(), " ".join(words[at + 1 :]), english_words()
    if verb == "has" and base_of_participle(words[at + 1].lower()):
        return f"has not {rest}"
    for base in (verb[:-1], verb[:-2], f"{verb[:-3]}y"):
        if base in known.verbs and third_person(base) == verb and (base in known.certain or at == 1):
            return f"does not {base} {rest}"
    if verb in known.certain and words[at - 1].endswith("s"):
        return f"do not {verb} {rest}"
    return ""


def _noun_phrase_forms(words: Sequence[str], raw: str) -> TopicForms:
    """“Universal basic income”: a noun phrase, or anything else short enough to be used as one."""
    if len(words) > 8 or raw.endswith("?"):
        return _quoted_forms(raw, yes_or_no=raw.endswith("?"))
    if words[0].lower() in english_words().certain and len(words) > 1:
        return _proposal_forms(("we",), "should", words, raw)
    phrase = _lower_first_word(words)
    return TopicForms(
        raw=raw,
        clause=f"we are better off with {phrase}",
        denial=f"we are better off without {phrase}",
        act=f"having {phrase}",
        thing=phrase,
        kind="proposal",
    )


def _quoted_forms(raw: str, *, yes_or_no: bool = True) -> TopicForms:
    quoted = raw if raw == "this question" else f"“{raw}”"
    clause = f"the right answer to {quoted} is yes" if yes_or_no else f"there is truth in {quoted}"
    denial = f"the right answer to {quoted} is no" if yes_or_no else f"there is no truth in {quoted}"
    return TopicForms(raw, clause, denial, act=f"a yes to {quoted}", thing="this question", kind="judgement")


# Assembly of the forms.


def _judgement_forms(clause: str, denial: str, subject: str, raw: str) -> TopicForms:
    return TopicForms(raw, clause, denial, f"the claim that {clause}", _topic_noun(subject), "judgement")


def _be_forms(subject: str, verb: str, predicate: str, raw: str) -> TopicForms:
    first, _, rest = predicate.partition(" ")
    match first.lower():
        case "ever":
            positive, negative = f"sometimes {rest}", f"never {rest}"
        case "never":
            positive, negative = f"never {rest}", f"sometimes {rest}"
        case "not":
            positive, negative = f"not {rest}", rest
        case _:
            positive, negative = predicate, f"not {predicate}"
    return _judgement_forms(f"{subject} {verb} {positive}", f"{subject} {verb} {negative}", subject, raw)


def _proposal_forms(subject: Sequence[str], modal: str, predicate: Sequence[str], raw: str) -> TopicForms:
    who = _lower_first_word(subject)
    first, *others = (_PERSON_SWAPS.get(word.lower(), word) for word in predicate)
    negated = {"can": "cannot", "ought to": "ought not to"}.get(modal, f"{modal} not")
    proposal = modal in PROPOSAL_MODALS
    match first.lower():
        case "not":
            positive, negative, proposal = negated, modal, False
        case "never":
            positive, negative, proposal = f"{modal} never", modal, False
        case "ever":
            positive, negative = modal, f"{modal} never"
        case _:
            positive, negative, others = modal, negated, [first, *others]
    rest = " ".join(others)
    clause = f"{who} {positive} {rest}"
    return TopicForms(
        raw=raw,
        clause=clause,
        denial=f"{who} {negative} {rest}",
        act=_action_phrase(who, others) if proposal else f"the claim that {clause}",
        thing=_find_object(others) or _topic_noun(who),
        kind="proposal" if proposal else "judgement",
    )


def _action_phrase(who: str, predicate: Sequence[str]) -> str:
    """Return the action as a noun phrase: “ban cars” → “banning cars”.

    A passive takes the subject along: “the voting age … be lowered” → “lowering the voting age”.
    """
    known = english_words()
    start = next((at for at, word in enumerate(predicate) if word.lower() not in known.adverbs), None)
    if start is None:
        return "the proposal"
    verb, rest = predicate[start].lower(), predicate[start + 1 :]
    joined = (after for word, after in itertools.pairwise(rest) if word in ("or", "and"))
    if any(word in known.verbs for word in joined):
        return "the proposal"
    if verb == "have":
        return " ".join(("giving", who, *rest))
    if verb in known.happenings:
        return " ".join(("letting", who, verb, *rest))
    if verb != "be":
        return " ".join((gerund(verb), *rest))
    if rest and (base := base_of_participle(rest[0].lower())):
        return " ".join((gerund(base), who, *rest[1:]))
    return " ".join(("making", who, *rest))


def _find_object(predicate: Sequence[str]) -> str:
    """Return the object of the action: “ban cars in the centre” → “cars”; empty if it is unclear."""
    known = english_words()
    if not predicate or predicate[0].lower() not in known.verbs - known.happenings - {"be", "have"}:
        return ""
    rest = list(predicate[1:])
    while rest and rest[0].lower() in ("back", "up", "out", "off", "down", "away"):
        del rest[0]
    end = next((at for at, word in enumerate(rest) if word.lower() in known.links), len(rest))
    phrase = [word for word in rest[:end] if word.lower() not in known.adverbs]
    if not 0 < len(phrase) <= 4 or any(word.lower() in known.certain for word in phrase):
        return ""
    return " ".join(phrase) if phrase[-1].lower() not in known.pronouns | known.determiners else ""


def _find_verb(words: Sequence[str]) -> int | None:
    """Return the position of the verb after a subject, or `None` if the rules cannot tell."""
    known = english_words()
    lowered = [word.lower().strip(",") for word in words]
    for at in range(1, len(lowered)):
        if lowered[at] == "be" and lowered[at - 1] != "to":
            return at - 1 if at > 1 and lowered[at - 1] in known.adverbs else at
    for at in range(1, len(lowered) - 1):
        if lowered[at] in known.adverbs and lowered[at + 1] in known.verbs:
            return at
    first = lowered[0]
    if lowered[1] in known.verbs and (first in known.pronouns or re.search(r"[^s]s$", first)):
        return 1
    if certain := [at for at, word in enumerate(lowered) if at and word in known.certain]:
        return certain[0]
    unsure = [
        at
        for at, word in enumerate(lowered[:-1])
        if at and word in known.ambiguous and lowered[at - 1] not in known.determiners
    ]
    return unsure[0] if len(unsure) == 1 else None


def _find_predicate(words: Sequence[str]) -> int | None:
    """Return the position of the predicate after a subject and a form of “to be”, or `None`."""
    known = english_words()
    lowered = [word.lower().strip(",") for word in words]
    if len(words) == 2 or lowered[0] in known.pronouns:
        return 1
    begins = known.adverbs | ARTICLES | known.adjectives
    for at in range(1, len(lowered)):
        if lowered[at - 1] in known.links | known.determiners:
            continue
        if lowered[at] in begins or re.fullmatch(r"\w+(?:able|ible)", lowered[at]):
            return at
    return None


def _lower_first_word(words: Sequence[str]) -> str:
    """Return words for use inside a sentence: the first in lower case unless it is a name."""
    if not words:
        return ""
    known, first = english_words(), words[0]
    is_known = first.lower() in known.function_words | known.verbs | known.adjectives
    is_common = (
        first.endswith(_COMMON_ENDINGS) if len(words) == 1 else all(word.islower() for word in words[1:])
    )
    if first[1:].islower() and (is_known or is_common) and first.lower() not in known.names:
        first = first.lower()
    elif first == "A":
        first = "a"
    return " ".join(_PERSON_SWAPS.get(word.lower(), word) for word in (first, *words[1:]))


def _topic_noun(phrase: str) -> str:
    return "this question" if phrase.lower() in english_words().pronouns or not phrase else phrase


def _capitalise(text: str) -> str:
    return text[:1].upper() + text[1:]
