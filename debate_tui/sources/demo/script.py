"""One speech: what a scripted debater says in a phase, from its voice, the topic and what it heard.

Nothing is remembered between speeches. Like a model, a debater knows of the debate only what its prompt
says: who it is, whom it faces, what was said. What it said before it does not say again.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui.domain.ballots import stand
from debate_tui.domain.prompts import Speech
from debate_tui.sources.demo.material import GENERAL, field, field_of, voice
from debate_tui.sources.demo.topic import read_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from debate_tui.domain.prompts import Cast
    from debate_tui.sources.demo.material import Answer, Stance

Role = Literal["opening", "rebuttal", "closing", "question", "reply", "ranking", "blind", "revision"]

_ROLES: tuple[tuple[str, Role], ...] = (
    ("^ranking", "ranking"),
    ("^blind", "blind"),
    ("^revision", "revision"),
    ("questions$", "question"),
    ("answers$", "reply"),
    ("clos|summ|whip|final|synthes|last", "closing"),
)
_FOR = re.compile(
    r"(?i)\b(for|pro|yes|aye|affirmative|proposition|government|favou?r|support\w*|agree\w*|true)\b"
)
_AGAINST = re.compile(
    r"(?i)\b(against|contra?|no|nay|negative|opposition|oppos\w+|disagree\w*|anti|false|sceptic\w*)\b"
)
_DANGLING = ("And ", "But ", "So ", "For ", "It ", "That ", "This ", "These ", "They ", "Not ", "Then ")
"""What a sentence begins with that makes little sense away from the one before it."""
_HEARD = 2
"""How often an opponent must have used such words before it counts as something they argued."""
_STUBBORN_ROUNDS = 3
"""After how many revisions even a scripted debater gives in."""
_SLOT = re.compile(r"\{(\w+)\}")
_PLAIN_SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))[A-Z][^\n.!?*_`#|>:“”\[\]{}]{24,110}\.(?= |$)", re.MULTILINE)


class Part(Struct, frozen=True):
    """What is said in one turn, and what is thought before it."""

    text: str
    reasoning: str = ""


def role_of(phase: str, spoken: int) -> Role:
    """What a phase asks of a debater that has had `spoken` turns before."""
    name = phase.lower()
    for pattern, role in _ROLES:
        if re.search(pattern, name):
            return role
    return "rebuttal" if spoken else "opening"


def stance_of(side: str, topic: str) -> Stance | None:
    """Where a side stands on a topic; `None` without a side."""
    if not side:
        return None
    options = re.split(r"(?i)\s+(?:or|vs\.?|versus)\s+", topic.strip(" ?"))
    if len(options) == 2 and side.lower() in (option.lower() for option in options):
        return "for" if side.lower() == options[0].lower() else "against"
    if _AGAINST.search(side):
        return "against"
    return "for" if _FOR.search(side) else "third"


def compose(voice_name: str, cast: Cast, phase: str, seed: int) -> Part:
    """What this voice says now; the same for the same prompt, phase and seed."""
    return _Speaker(voice_name, cast, phase, seed).speak()


class _Speaker:
    """A debater at the lectern, with one prompt in hand."""

    def __init__(self, voice_name: str, cast: Cast, phase: str, seed: int) -> None:
        self.voice = voice(voice_name)
        self.cast = cast
        self.topic = read_topic(cast.topic)
        self.field = field(field_of(cast.topic))
        self.own = [speech for speech in cast.heard if speech.name == cast.name]
        self.said = "\n\n".join(speech.text for speech in self.own)
        self.role = role_of(phase, len(self.own))
        self.key = f"{seed}\n{voice_name}\n{cast.topic}\n{cast.name}\n{cast.side}"
        self.turn = random.Random(f"{self.key}\n{phase}\n{cast.round}\n{len(self.own)}")  # noqa: S311
        self.stance = stance_of(cast.side, cast.topic) or self._leaning()
        self.convinced_by = self._convinced_by()
        self.target = self._target()
        self.quote = self._quote()

    def speak(self) -> Part:
        if self.role == "ranking":
            return Part(self._ranking())
        said = "\n\n".join(self._within(self._paragraphs())) or self._last_resort()
        if self.role in ("blind", "revision"):
            said = f"{said}\n\n{self._stand()}"
        return Part(said, self._thought())

    # --- the parts of a speech, in the order they are said

    def _paragraphs(self) -> Iterator[str]:
        if self.cast.asked:
            yield from self._pick(self.voice.remarks, "remarks")
        match self.role:
            case "opening":
                yield from self._opening()
            case "rebuttal":
                yield from self._rebuttal()
            case "closing":
                yield from self._closing()
            case "blind":
                yield from self._arguments()
                yield from self._arguments(skip=1)
            case "revision":
                yield from self._revision()
            case "question":
                yield from self._pick(self.voice.questions, "questions")
            case _:
                yield from self._pick(self.voice.replies, "replies")
                yield from self._arguments()

    def _opening(self) -> Iterator[str]:
        yield from self._pick(self.voice.openings, "openings")
        if self.target.text:
            yield from self._answer()
        yield from self._arguments()
        yield from self._fact()
        yield from self._arguments(skip=1)

    def _rebuttal(self) -> Iterator[str]:
        yield from self._pick(self.voice.challenges, "challenges")
        yield from self._answer()
        if len(self.own) % 2:
            yield from self._pick(self.voice.concessions, "concessions")
        else:
            yield from self._fact()
        yield from self._arguments()

    def _closing(self) -> Iterator[str]:
        yield from self._pick(self.voice.cruxes, "cruxes")
        fitting = [text.text for text in self.voice.weighings if text.fits(self.stance, self.topic.kind)]
        yield from self._pick(fitting, "weighings")
        yield from self._pick(self.voice.farewells, "farewells")

    def _revision(self) -> Iterator[str]:
        if self.convinced_by:
            yield f"{self.convinced_by.name} has changed my mind."
            yield from self._pick(self.voice.concessions, "concessions")
        else:
            yield from self._answer()
            yield from self._arguments()

    def _arguments(self, skip: int = 0) -> Iterator[str]:
        fitting = [text.text for text in self.voice.arguments if text.fits(self.stance, self.topic.kind)]
        yield from self._pick(fitting, "arguments", skip)

    def _answer(self) -> Iterator[str]:
        """A reply to what the opponent really said, where there is one that fits; else to the whole."""
        fitting = sorted(self.voice.answers, key=lambda answer: -_mentions(self.target.text, answer))
        for answer in fitting:
            if _mentions(self.target.text, answer) >= _HEARD and _signature(answer.text) not in self.said:
                yield self._fill(answer.text)
                return
        yield from self._pick([answer.text for answer in self.voice.answers if not answer.when], "answers")

    def _fact(self) -> Iterator[str]:
        """A fact of the field nobody has brought, introduced in this voice's words."""
        lead = next(self._pick(self.voice.leads, "leads"), None)
        fact = next(self._facts(), None)
        if lead and fact:
            yield f"{lead} {fact}"

    def _facts(self) -> Iterator[str]:
        """What is left to tell, the field's own first; debaters of one side tell different things."""
        everybody = ((self.cast.name, self.cast.side), *self.cast.others)
        allies = sorted(name for name, side in everybody if side == self.cast.side)
        place = allies.index(self.cast.name)
        heard = "\n".join(speech.text for speech in self.cast.heard)
        for source in (self.field, field(GENERAL)):
            facts = [text.text for text in source.facts if text.fits(self.stance, self.topic.kind)]
            random.Random(f"{self.cast.topic}\nfacts").shuffle(facts)  # noqa: S311
            for fact in facts[place :: len(allies)]:
                if _signature(fact) not in heard:
                    yield self._fill(fact)

    def _thought(self) -> str:
        thoughts = self.voice.thoughts
        if not thoughts:
            return ""
        if self.role == "closing":
            return self._fill(thoughts[-1])
        return self._fill(thoughts[len(self.own) % (len(thoughts) - 1)])

    def _ranking(self) -> str:
        """A ballot over the answers shown without names: at home in this voice, and easy to count."""
        letters = [speech.name for speech in self.cast.heard if len(speech.name) == 1]
        self.turn.shuffle(letters)
        if not letters:
            return self._last_resort()
        reason = self.turn.choice(self.voice.rankings).format(first=letters[0], last=letters[-1])
        return f"{reason}\n\nRANKING: {' > '.join(letters)}"

    def _stand(self) -> str:
        """The two lines a search for consensus asks for."""
        if self.convinced_by and (other := stand(self.convinced_by.text)):
            return f"ANSWER: {other.answer}\nCONFIDENCE: {self.turn.randrange(55, 70)}"
        mine = stand(self.own[-1].text) if self.own else None
        sure = mine.confidence if mine and mine.confidence else self.turn.randrange(60, 95)
        return f"ANSWER: {mine.answer if mine else self._claims()[0]}\nCONFIDENCE: {sure}"

    def _convinced_by(self) -> Speech | None:
        """Whose answer this debater takes over: that of somebody surer than itself, sooner or later."""
        if self.role != "revision" or not self.own:
            return None
        mine = stand(self.own[-1].text)
        latest = {speech.name: speech for speech in self.cast.heard if speech.name != self.cast.name}
        stands = [(found, speech) for speech in latest.values() if (found := stand(speech.text))]
        if mine is None or not stands:
            return None
        best, speech = max(stands, key=lambda pair: (pair[0].confidence or 0, pair[1].name))
        surer = (best.confidence or 0, speech.name) > (mine.confidence or 0, self.cast.name)
        tempted = self.turn.random() < 0.4 or self.cast.round >= _STUBBORN_ROUNDS
        return speech if best.answer != mine.answer and surer and tempted else None

    def _last_resort(self) -> str:
        return f"I have said what I came to say, and this is round {self.cast.round}: it stands."

    # --- choosing and filling

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self.key}\n{name}")  # noqa: S311 (variety, not secrecy)

    def _pick(self, texts: Sequence[str], name: str, skip: int = 0) -> Iterator[str]:
        """One text not said before, in an order of this debater's own; nothing where all were."""
        order = self._rng(name).sample(texts, len(texts))
        fresh = [
            text
            for text in order
            if _signature(text) not in self.said and (self.quote or "{quote}" not in text)
        ]
        if len(fresh) > skip:
            yield self._fill(fresh[skip])

    def _within(self, paragraphs: Iterable[str]) -> Iterator[str]:
        """The paragraphs that fit into the length asked for, at least the first two."""
        count = 0
        for number, paragraph in enumerate(paragraphs, 1):
            count += len(paragraph.split())
            if self.cast.words and number > 2 and count > self.cast.words * 1.4:
                return
            yield paragraph

    def _fill(self, text: str) -> str:
        rng = self._rng(text)
        thesis, counter = self._claims()
        slots = {
            "thesis": thesis,
            "counter": counter,
            "clause": self.topic.clause,
            "denial": self.topic.denial,
            "act": self.topic.act,
            "thing": self.topic.thing,
            "opponent": self.target.name or "the other side",
            "quote": self.quote,
            "people": rng.choice(self.field.people),
            "place": rng.choice(self.field.places),
            "measure": rng.choice(self.field.measures),
            "stake": rng.choice(self.field.stakes),
        }

        def put(slot: re.Match[str]) -> str:
            value = slots[slot[1].lower()]
            return value[:1].upper() + value[1:] if slot[1][0].isupper() else value

        return _SLOT.sub(put, text.strip())

    def _leaning(self) -> Stance:
        """Where a debater without a side stands: where it stood before, else not all in one place."""
        before = [found.answer for speech in self.own if (found := stand(speech.text))]
        if before:
            return "against" if before[-1] == self.topic.denial else "for"
        names = sorted((self.cast.name, *(name for name, _ in self.cast.others)))
        return "against" if names.index(self.cast.name) % 2 else "for"

    def _claims(self) -> tuple[str, str]:
        """What this debater holds, and what it holds against."""
        match self.stance:
            case "for":
                return self.topic.clause, self.topic.denial
            case "against":
                return self.topic.denial, self.topic.clause
            case _:
                return f"the right answer is “{self.cast.side}”", self.topic.clause

    # --- whom it is said to

    def _target(self) -> Speech:
        """The last speech of the opponent whose turn it is to be answered; an empty one if nobody spoke."""
        foes = [other for other in self.cast.others if other[1] != self.cast.side] or list(self.cast.others)
        if not foes:
            return Speech("", "", "", "")
        name, side = foes[(len(self.own) + self._rng("foes").randrange(len(foes))) % len(foes)]
        spoken = [speech for speech in self.cast.heard if speech.name == name]
        return spoken[-1] if spoken else Speech(name, side, "", "")

    def _quote(self) -> str:
        """A short sentence of the opponent's, worth repeating; empty where there is none."""
        sentences = [
            sentence
            for sentence in _PLAIN_SENTENCE.findall(self.target.text)
            if 5 <= len(sentence.split()) <= 16
            and not sentence.startswith(_DANGLING)
            and sentence not in self.said
            and self.cast.name not in sentence
        ]
        return self.turn.choice(sentences) if sentences else ""


def _mentions(text: str, answer: Answer) -> int:
    """How often a speech uses the words an answer is meant for."""
    return sum(len(re.findall(rf"\b{re.escape(word)}", text, re.IGNORECASE)) for word in answer.when)


def _signature(text: str) -> str:
    """The longest stretch of a text that is the same however its slots are filled."""
    return max(_SLOT.split(text.strip())[::2], key=len).strip()
