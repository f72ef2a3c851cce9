"""Text of a scripted turn, from the voice, the topic and the speeches in the prompt.

No state is kept between turns. Like a model, a debater knows only what its prompt contains: its name, its
opponents and the speeches so far. It does not repeat its earlier speeches.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from debate_tui.domain.judging.scoring import parse_answer
from debate_tui.domain.prompts import Speech
from debate_tui.sources.demo.topic import parse_topic
from debate_tui.sources.demo.vocabulary import GENERAL_FIELD, find_field, load_field, load_voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from debate_tui.domain.prompts import ParsedPrompt
    from debate_tui.sources.demo.vocabulary import DemoAnswer, Stance

SpeechRole = Literal["opening", "rebuttal", "closing", "question", "reply", "ranking", "blind", "revision"]

_ROLE_PATTERNS: tuple[tuple[str, SpeechRole], ...] = (
    ("^ranking", "ranking"),
    ("^blind", "blind"),
    ("^revision", "revision"),
    ("questions$", "question"),
    ("answers$", "reply"),
    ("clos|summ|whip|final|synthes|last", "closing"),
)
_FOR_SIDE = re.compile(
    r"(?i)\b(for|pro|yes|aye|affirmative|proposition|government|favou?r|support\w*|agree\w*|true)\b"
)
_AGAINST_SIDE = re.compile(
    r"(?i)\b(against|contra?|no|nay|negative|opposition|oppos\w+|disagree\w*|anti|false|sceptic\w*)\b"
)
_DANGLING_STARTS = (
    "And ",
    "But ",
    "So ",
    "For ",
    "It ",
    "That ",
    "This ",
    "These ",
    "They ",
    "Not ",
    "Then ",
)
"""Sentence starts that make little sense without the previous sentence."""
_MIN_MENTIONS = 2
"""How often an opponent must use an answer's words before it counts as a reply to them."""
_MAX_STUBBORN_ROUNDS = 3
"""Number of revisions after which even a scripted debater gives in."""
_SLOT = re.compile(r"\{(\w+)\}")
_PLAIN_SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))[A-Z][^\n.!?*_`#|>:“”\[\]{}]{24,110}\.(?= |$)", re.MULTILINE)


class ScriptedTurn(Struct, frozen=True):
    """The text of one turn and the reasoning before it."""

    text: str
    reasoning: str = ""


def phase_role(phase: str, earlier_turns: int) -> SpeechRole:
    """Return what a phase asks of a debater that has had `earlier_turns` turns before."""
    name = phase.lower()
    for pattern, role in _ROLE_PATTERNS:
        if re.search(pattern, name):
            return role
    return "rebuttal" if earlier_turns else "opening"


def side_stance(side: str, topic: str) -> Stance | None:
    """Return a side's stance on a topic; `None` without a side."""
    if not side:
        return None
    options = re.split(r"(?i)\s+(?:or|vs\.?|versus)\s+", topic.strip(" ?"))
    if len(options) == 2 and side.lower() in (option.lower() for option in options):
        return "for" if side.lower() == options[0].lower() else "against"
    if _AGAINST_SIDE.search(side):
        return "against"
    return "for" if _FOR_SIDE.search(side) else "third"


def compose_turn(voice_name: str, prompt: ParsedPrompt, phase: str, seed: int) -> ScriptedTurn:
    """Return this voice's turn; the same for the same prompt, phase and seed."""
    return _SpeechWriter(voice_name, prompt, phase, seed).write()


class _SpeechWriter:
    """Writes the speech of one debater for one prompt."""

    def __init__(self, voice_name: str, prompt: ParsedPrompt, phase: str, seed: int) -> None:
        self.voice = load_voice(voice_name)
        self.prompt = prompt
        self.topic = parse_topic(prompt.topic)
        self.field = load_field(find_field(prompt.topic))
        self.own_speeches = [speech for speech in prompt.speeches if speech.name == prompt.name]
        self.own_text = "\n\n".join(speech.text for speech in self.own_speeches)
        self.role = phase_role(phase, len(self.own_speeches))
        self.seed_key = f"{seed}\n{voice_name}\n{prompt.topic}\n{prompt.name}\n{prompt.side}"
        self.turn_rng = random.Random(f"{self.seed_key}\n{phase}\n{prompt.round}\n{len(self.own_speeches)}")  # noqa: S311
        self.stance = side_stance(prompt.side, prompt.topic) or self._default_stance()
        self.convincing_speech = self._find_convincing_speech()
        self.opponent_speech = self._find_opponent_speech()
        self.quote = self._pick_quote()

    def write(self) -> ScriptedTurn:
        if self.role == "ranking":
            return ScriptedTurn(self._ranking())
        text = "\n\n".join(self._limit_length(self._paragraphs())) or self._fallback_text()
        if self.role in ("blind", "revision"):
            text = f"{text}\n\n{self._answer_lines()}"
        return ScriptedTurn(text, self._reasoning())

    # The parts of a speech, in order.

    def _paragraphs(self) -> Iterator[str]:
        if self.prompt.interjections:
            yield from self._pick_unused(self.voice.remarks, "remarks")
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
                yield from self._pick_unused(self.voice.questions, "questions")
            case _:
                yield from self._pick_unused(self.voice.replies, "replies")
                yield from self._arguments()

    def _opening(self) -> Iterator[str]:
        yield from self._pick_unused(self.voice.openings, "openings")
        if self.opponent_speech.text:
            yield from self._answer()
        yield from self._arguments()
        yield from self._fact()
        yield from self._arguments(skip=1)

    def _rebuttal(self) -> Iterator[str]:
        yield from self._pick_unused(self.voice.challenges, "challenges")
        yield from self._answer()
        if len(self.own_speeches) % 2:
            yield from self._pick_unused(self.voice.concessions, "concessions")
        else:
            yield from self._fact()
        yield from self._arguments()

    def _closing(self) -> Iterator[str]:
        yield from self._pick_unused(self.voice.cruxes, "cruxes")
        fitting = [text.text for text in self.voice.weighings if text.fits(self.stance, self.topic.kind)]
        yield from self._pick_unused(fitting, "weighings")
        yield from self._pick_unused(self.voice.farewells, "farewells")

    def _revision(self) -> Iterator[str]:
        if self.convincing_speech:
            yield f"{self.convincing_speech.name} has changed my mind."
            yield from self._pick_unused(self.voice.concessions, "concessions")
        else:
            yield from self._answer()
            yield from self._arguments()

    def _arguments(self, skip: int = 0) -> Iterator[str]:
        fitting = [text.text for text in self.voice.arguments if text.fits(self.stance, self.topic.kind)]
        yield from self._pick_unused(fitting, "arguments", skip)

    def _answer(self) -> Iterator[str]:
        """Yield an answer to the opponent's actual words if one fits, or else a general one."""
        fitting = sorted(
            self.voice.answers, key=lambda answer: -_count_mentions(self.opponent_speech.text, answer)
        )
        for answer in fitting:
            if (
                _count_mentions(self.opponent_speech.text, answer) >= _MIN_MENTIONS
                and _fixed_text(answer.text) not in self.own_text
            ):
                yield self._fill_slots(answer.text)
                return
        yield from self._pick_unused(
            [answer.text for answer in self.voice.answers if not answer.when], "answers"
        )

    def _fact(self) -> Iterator[str]:
        """Yield an unused fact of the field, introduced in this voice's words."""
        lead = next(self._pick_unused(self.voice.leads, "leads"), None)
        fact = next(self._facts(), None)
        if lead and fact:
            yield f"{lead} {fact}"

    def _facts(self) -> Iterator[str]:
        """Yield the unused facts, the field's own first; debaters of one side get different ones."""
        everybody = ((self.prompt.name, self.prompt.side), *self.prompt.opponents)
        allies = sorted(name for name, side in everybody if side == self.prompt.side)
        place = allies.index(self.prompt.name)
        heard = "\n".join(speech.text for speech in self.prompt.speeches)
        for source in (self.field, load_field(GENERAL_FIELD)):
            facts = [text.text for text in source.facts if text.fits(self.stance, self.topic.kind)]
            random.Random(f"{self.prompt.topic}\nfacts").shuffle(facts)  # noqa: S311
            for fact in facts[place :: len(allies)]:
                if _fixed_text(fact) not in heard:
                    yield self._fill_slots(fact)

    def _reasoning(self) -> str:
        thoughts = self.voice.thoughts
        if not thoughts:
            return ""
        if self.role == "closing":
            return self._fill_slots(thoughts[-1])
        return self._fill_slots(thoughts[len(self.own_speeches) % (len(thoughts) - 1)])

    def _ranking(self) -> str:
        """Return a ballot over the anonymous answers: a reason in this voice and a parseable line."""
        letters = [speech.name for speech in self.prompt.speeches if len(speech.name) == 1]
        self.turn_rng.shuffle(letters)
        if not letters:
            return self._fallback_text()
        reason = self.turn_rng.choice(self.voice.rankings).format(first=letters[0], last=letters[-1])
        return f"{reason}\n\nRANKING: {' > '.join(letters)}"

    def _answer_lines(self) -> str:
        """Return the two lines required in a search for consensus."""
        if self.convincing_speech and (other := parse_answer(self.convincing_speech.text)):
            return f"ANSWER: {other.answer}\nCONFIDENCE: {self.turn_rng.randrange(55, 70)}"
        mine = parse_answer(self.own_speeches[-1].text) if self.own_speeches else None
        sure = mine.confidence if mine and mine.confidence else self.turn_rng.randrange(60, 95)
        return f"ANSWER: {mine.answer if mine else self._claims()[0]}\nCONFIDENCE: {sure}"

    def _find_convincing_speech(self) -> Speech | None:
        """Return the speech of a more confident debater whose answer this one adopts, or `None`."""
        if self.role != "revision" or not self.own_speeches:
            return None
        mine = parse_answer(self.own_speeches[-1].text)
        latest = {speech.name: speech for speech in self.prompt.speeches if speech.name != self.prompt.name}
        stated_answers = [
            (found, speech) for speech in latest.values() if (found := parse_answer(speech.text))
        ]
        if mine is None or not stated_answers:
            return None
        best, speech = max(stated_answers, key=lambda pair: (pair[0].confidence or 0, pair[1].name))
        is_surer = (best.confidence or 0, speech.name) > (mine.confidence or 0, self.prompt.name)
        gives_in = self.turn_rng.random() < 0.4 or self.prompt.round >= _MAX_STUBBORN_ROUNDS
        return speech if best.answer != mine.answer and is_surer and gives_in else None

    def _fallback_text(self) -> str:
        return f"I have said what I came to say, and this is round {self.prompt.round}: it stands."

    # Choosing texts and filling slots.

    def _seeded_rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed_key}\n{name}")  # noqa: S311 (variety, not secrecy)

    def _pick_unused(self, texts: Sequence[str], name: str, skip: int = 0) -> Iterator[str]:
        """Yield one unused text, in this debater's own order; nothing if all were used."""
        order = self._seeded_rng(name).sample(texts, len(texts))
        unused = [
            text
            for text in order
            if _fixed_text(text) not in self.own_text and (self.quote or "{quote}" not in text)
        ]
        if len(unused) > skip:
            yield self._fill_slots(unused[skip])

    def _limit_length(self, paragraphs: Iterable[str]) -> Iterator[str]:
        """Yield the paragraphs that fit the requested length, at least the first two."""
        count = 0
        for number, paragraph in enumerate(paragraphs, 1):
            count += len(paragraph.split())
            if self.prompt.words and number > 2 and count > self.prompt.words * 1.4:
                return
            yield paragraph

    def _fill_slots(self, text: str) -> str:
        rng = self._seeded_rng(text)
        thesis, counter = self._claims()
        slots = {
            "thesis": thesis,
            "counter": counter,
            "clause": self.topic.clause,
            "denial": self.topic.denial,
            "act": self.topic.act,
            "thing": self.topic.thing,
            "opponent": self.opponent_speech.name or "the other side",
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

    def _default_stance(self) -> Stance:
        """Return the stance of a debater without a side: its earlier one, or alternating by name."""
        before = [found.answer for speech in self.own_speeches if (found := parse_answer(speech.text))]
        if before:
            return "against" if before[-1] == self.topic.denial else "for"
        names = sorted((self.prompt.name, *(name for name, _ in self.prompt.opponents)))
        return "against" if names.index(self.prompt.name) % 2 else "for"

    def _claims(self) -> tuple[str, str]:
        """Return what this debater claims, and the opposite claim."""
        match self.stance:
            case "for":
                return self.topic.clause, self.topic.denial
            case "against":
                return self.topic.denial, self.topic.clause
            case _:
                return f"the right answer is “{self.prompt.side}”", self.topic.clause

    # The opponent to address.

    def _find_opponent_speech(self) -> Speech:
        """Return the latest speech of the opponent to answer; an empty speech if there is none."""
        opponents = [other for other in self.prompt.opponents if other[1] != self.prompt.side] or list(
            self.prompt.opponents
        )
        if not opponents:
            return Speech("", "", "", "")
        name, side = opponents[
            (len(self.own_speeches) + self._seeded_rng("foes").randrange(len(opponents))) % len(opponents)
        ]
        speeches = [speech for speech in self.prompt.speeches if speech.name == name]
        return speeches[-1] if speeches else Speech(name, side, "", "")

    def _pick_quote(self) -> str:
        """Return a short sentence of the opponent to quote, or an empty string."""
        sentences = [
            sentence
            for sentence in _PLAIN_SENTENCE.findall(self.opponent_speech.text)
            if 5 <= len(sentence.split()) <= 16
            and not sentence.startswith(_DANGLING_STARTS)
            and sentence not in self.own_text
            and self.prompt.name not in sentence
        ]
        return self.turn_rng.choice(sentences) if sentences else ""


def _count_mentions(text: str, answer: DemoAnswer) -> int:
    """Return how often a speech uses the words an answer is meant for."""
    return sum(len(re.findall(rf"\b{re.escape(word)}", text, re.IGNORECASE)) for word in answer.when)


def _fixed_text(text: str) -> str:
    """Return the longest part of a text that does not depend on its slots."""
    return max(_SLOT.split(text.strip())[::2], key=len).strip()
