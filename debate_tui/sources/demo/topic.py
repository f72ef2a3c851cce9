"""What the sides of a debate claim about its topic, as clauses for scripted debaters' sentences.

A few patterns for simple English questions, not a grammar: any other topic is quoted, in any language.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.sources.demo.vocabulary import Stance, TopicKind

if TYPE_CHECKING:
    from typing import Final

_MAX_QUOTE: Final = 120
"""Characters of a topic that are quoted."""

# “Should cities ban cars?”: a pronoun or plural and its verb. A second word with one of these endings may
# belong to the subject (“sports betting”, “tennis players”), as may what follows a preposition.
_MODAL_QUESTION: Final = re.compile(
    r"(?P<modal>should|must|would|will|can|could) "
    r"(?P<subject>we|they|you|people|everyone|children|there|\w+s) "
    r"(?!(?:not|never|in|on|of|at|for|from|to|with|without|under|over|and|or|who|that)\b|\w+(?:s|ed|ing)\b)"
    r"(?P<verb>\w.*)",
    re.IGNORECASE,
)
# “Should the voting age be lowered to 16?”
_BE_QUESTION: Final = re.compile(
    r"(?P<modal>should|must) (?P<subject>(?!(?:let|make|allow|help|not|never)\b)[\w'’-]+"
    r"(?: (?!(?:let|make|allow|help|see|to|not|never)\b)[\w'’-]+){0,2}) (?P<verb>be .+)",
    re.IGNORECASE,
)
# “Are cats better than dogs?”, “Is it wrong to eat meat?”
_IS_QUESTION: Final = re.compile(
    r"(?P<modal>is|are) (?:(?P<subject>.{1,40}?) (?P<verb>(?:\w+er|worse|more \w+|less \w+) than .+)"
    r"|(?P<pronoun>it|there|they|we) (?!not\b)(?P<rest>\w.*))",
    re.IGNORECASE,
)
_MOTION: Final = re.compile(
    r"(?:this house|THW)(?: would)? (?!would|believes|not\b)(?P<verb>\w.*)", re.IGNORECASE
)
_AUXILIARIES: Final = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must)\b"
)
_OPTION: Final = r"(\w[\w'’-]*(?: [\w'’-]+){0,2})"
_CHOICE: Final = re.compile(rf"(?!{_AUXILIARIES}){_OPTION} (?:or|vs\.?|versus) {_OPTION}", re.IGNORECASE)
_FOR_SIDE: Final = re.compile(
    r"\b(for|pro|yes|aye|affirmative|proposition|government|favou?r|support\w*|agree\w*|true)\b",
    re.IGNORECASE,
)
_AGAINST_SIDE: Final = re.compile(
    r"\b(against|con(?:tra)?|no|nay|negative|opposition|oppos\w+|disagree\w*|anti|false|sceptic\w*)\b",
    re.IGNORECASE,
)


class TopicClaims(Struct, frozen=True):
    """The claim of the side for a topic and of the side against it, to follow “that”.

    `kind` is a proposal if the topic demands an action, otherwise a judgement.
    """

    claim: str
    denial: str
    kind: TopicKind = "judgement"


def parse_topic(text: str) -> TopicClaims:
    """Return the claims about a topic; never fails, whatever the text."""
    raw = " ".join(text.split()).strip(' "“”„«»')
    bare = raw.rstrip(" ?!.…。？！")
    if found := _MODAL_QUESTION.fullmatch(bare) or _BE_QUESTION.fullmatch(bare):
        modal = found["modal"].lower()
        negated = "cannot" if modal == "can" else f"{modal} not"
        kind: TopicKind = "proposal" if modal in ("should", "must") else "judgement"
        subject, verb = found["subject"], found["verb"]
        return TopicClaims(f"{subject} {modal} {verb}", f"{subject} {negated} {verb}", kind)
    if found := _IS_QUESTION.fullmatch(bare):
        modal, subject = found["modal"].lower(), found["subject"] or found["pronoun"]
        verb = found["verb"] or found["rest"]
        return TopicClaims(f"{subject} {modal} {verb}", f"{subject} {modal} not {verb}")
    if found := _MOTION.fullmatch(bare):
        return TopicClaims(f"we should {found['verb']}", f"we should not {found['verb']}", "proposal")
    return _quote_topic(raw, bare)


def _quote_topic(raw: str, bare: str) -> TopicClaims:
    if options := _CHOICE.fullmatch(bare):
        return TopicClaims(f"the right answer is “{options[1]}”", f"the right answer is “{options[2]}”")
    quote = f"“{raw if len(raw) <= _MAX_QUOTE else f'{raw[:_MAX_QUOTE]}…'}”" if bare else "this question"
    if not bare or (raw.endswith("?") and re.match(_AUXILIARIES, bare, re.IGNORECASE)):
        return TopicClaims(f"the right answer to {quote} is yes", f"the right answer to {quote} is no")
    if raw.endswith(("?", "？")):
        return TopicClaims(
            f"there is one right answer to {quote}", f"there is no one right answer to {quote}"
        )
    return TopicClaims(f"there is a good case for {quote}", f"there is no good case for {quote}")


def side_stance(side: str, topic: str) -> Stance | None:
    """Return a side's stance on a topic; `None` without a side."""
    if not side:
        return None
    options = _CHOICE.fullmatch(topic.strip(" ?"))
    if options and side.lower() in (option.lower() for option in options.groups()):
        return "for" if side.lower() == options[1].lower() else "against"
    if _AGAINST_SIDE.search(side):
        return "against"
    return "for" if _FOR_SIDE.search(side) else "third"
