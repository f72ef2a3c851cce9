"""Text of a scripted turn, from the voice, the topic and the speeches in the prompt; and of a verdict.

No state is kept between turns. Like a model, a debater knows only what its prompt contains: its name, its
opponents and the speeches so far. It does not repeat its earlier speeches.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from debate_tui.domain.judging.scoring import parse_answer
from debate_tui.domain.prompts import Speech
from debate_tui.sources.demo.topic import parse_topic, side_stance
from debate_tui.sources.demo.vocabulary import GENERAL_FIELD, find_field, load_field, load_voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from debate_tui.domain.prompts import ParsedPrompt
    from debate_tui.domain.stream import Message
    from debate_tui.sources.demo.vocabulary import DemoAnswer, DemoText, Stance

SpeechRole = Literal["opening", "rebuttal", "closing", "question", "reply", "ranking", "blind", "revision"]

_ROLE_PATTERNS: tuple[tuple[str, SpeechRole], ...] = (
    ("^ranking", "ranking"),
    ("^blind", "blind"),
    ("^revision", "revision"),
    ("questions$", "question"),
    ("answers$", "reply"),
    ("clos|summ|whip|final|synthes|last", "closing"),
)
_PARTS: Final[dict[SpeechRole, tuple[str, ...]]] = {
    "opening": ("openings", "answer", "arguments", "fact", "second argument"),
    "rebuttal": ("challenges", "answer", "concession or fact", "arguments"),
    "closing": ("cruxes", "weighings", "farewells"),
    "blind": ("arguments", "second argument"),
    "revision": ("answer", "arguments"),
    "question": ("questions",),
    "reply": ("replies", "arguments"),
}
"""The paragraphs of a speech: a text of the voice from the field of this name, or see `_paragraph`."""
_DANGLING_START = re.compile(r"(?:And|But|So|For|It|That|This|These|They|Not|Then) ")
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
    for pattern, role in _ROLE_PATTERNS:
        if re.search(pattern, phase.lower()):
            return role
    return "rebuttal" if earlier_turns else "opening"


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
        self.turn_rng = self._rng(f"{phase}\n{prompt.round}\n{len(self.own_speeches)}")
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

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed_key}\n{name}")  # noqa: S311 (variety, not secrecy)

    # The parts of a speech, in order.

    def _paragraphs(self) -> Iterator[str]:
        if self.prompt.interjections:
            yield self._paragraph("remarks")
        if self.convincing_speech:
            yield f"{self.convincing_speech.name} has changed my mind."
            yield self._paragraph("concessions")
            return
        for part in _PARTS[self.role]:
            yield self._paragraph(part)

    def _paragraph(self, part: str) -> str:
        """Return an unused text for a part of a speech; empty if there is none."""
        match part:
            case "answer":
                return self._answer()
            case "concession or fact" if len(self.own_speeches) % 2:
                return self._paragraph("concessions")
            case "fact" | "concession or fact":
                lead, fact = self._paragraph("leads"), next(self._facts(), "")
                return f"{lead} {fact}" if lead and fact else ""
            case "arguments":
                return self._pick_unused(self._fitting(self.voice.arguments), part)
            case "second argument":
                return self._pick_unused(self._fitting(self.voice.arguments), "arguments", skip=1)
            case "weighings":
                return self._pick_unused(self._fitting(self.voice.weighings), part)
            case _:
                return self._pick_unused(getattr(self.voice, part), part)

    def _fitting(self, texts: Iterable[DemoText]) -> list[str]:
        return [text.text for text in texts if text.fits(self.stance, self.topic.kind)]

    def _answer(self) -> str:
        """Return an answer to the opponent's actual words if one fits, or else a general one."""
        heard = self.opponent_speech.text
        if not heard:
            return ""
        for answer in sorted(self.voice.answers, key=lambda each: -_count_mentions(heard, each)):
            if _count_mentions(heard, answer) < _MIN_MENTIONS:
                break
            if _fixed_text(answer.text) not in self.own_text:
                return self._fill_slots(answer.text)
        return self._pick_unused([each.text for each in self.voice.answers if not each.when], "answers")

    def _facts(self) -> Iterator[str]:
        """Yield the unused facts, the field's own first; debaters of one side get different ones."""
        everybody = ((self.prompt.name, self.prompt.side), *self.prompt.opponents)
        allies = sorted(name for name, side in everybody if side == self.prompt.side)
        place = allies.index(self.prompt.name)
        heard = "\n".join(speech.text for speech in self.prompt.speeches)
        for source in (self.field, load_field(GENERAL_FIELD)):
            facts = self._fitting(source.facts)
            random.Random(f"{self.prompt.topic}\nfacts").shuffle(facts)  # noqa: S311 (variety, not secrecy)
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

    def _fallback_text(self) -> str:
        return f"I have said what I came to say, and this is round {self.prompt.round}: it stands."

    # The search for consensus.

    def _answer_lines(self) -> str:
        """Return the two lines required in a search for consensus."""
        if self.convincing_speech and (other := parse_answer(self.convincing_speech.text)):
            return f"ANSWER: {other.answer}\nCONFIDENCE: {self.turn_rng.randrange(55, 70)}"
        mine = parse_answer(self.own_speeches[-1].text) if self.own_speeches else None
        sure = mine.confidence if mine and mine.confidence else self.turn_rng.randrange(60, 95)
        return f"ANSWER: {mine.answer if mine else self._claims()[0]}\nCONFIDENCE: {sure}"

    def _find_convincing_speech(self) -> Speech | None:
        """Return the speech of a more confident debater whose answer this one adopts, or `None`."""
        mine = parse_answer(self.own_speeches[-1].text) if self.own_speeches else None
        if self.role != "revision" or mine is None:
            return None
        latest = {speech.name: speech for speech in self.prompt.speeches if speech.name != self.prompt.name}
        stated = [(found, each) for each in latest.values() if (found := parse_answer(each.text))]
        if not stated:
            return None
        best, speech = max(stated, key=lambda pair: (pair[0].confidence or 0, pair[1].name))
        is_surer = (best.confidence or 0, speech.name) > (mine.confidence or 0, self.prompt.name)
        gives_in = self.turn_rng.random() < 0.4 or self.prompt.round >= _MAX_STUBBORN_ROUNDS
        return speech if best.answer != mine.answer and is_surer and gives_in else None

    # Choosing texts and filling slots.

    def _pick_unused(self, texts: Sequence[str], name: str, skip: int = 0) -> str:
        """Return one unused text, in this debater's own order; empty if all were used."""
        order = self._rng(name).sample(texts, len(texts))
        unused = [
            text
            for text in order
            if _fixed_text(text) not in self.own_text and (self.quote or "{quote}" not in text)
        ]
        return self._fill_slots(unused[skip]) if len(unused) > skip else ""

    def _limit_length(self, paragraphs: Iterable[str]) -> Iterator[str]:
        """Yield the paragraphs that fit the requested length, at least the first two."""
        count = 0
        for number, paragraph in enumerate(filter(None, paragraphs), 1):
            count += len(paragraph.split())
            if self.prompt.words and number > 2 and count > self.prompt.words * 1.4:
                return
            yield paragraph

    def _fill_slots(self, text: str) -> str:
        rng = self._rng(text)
        thesis, counter = self._claims()
        slots = {
            "thesis": thesis,
            "counter": counter,
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
                return self.topic.claim, self.topic.denial
            case "against":
                return self.topic.denial, self.topic.claim
            case _:
                return f"the right answer is “{self.prompt.side}”", self.topic.claim

    # The opponent to address.

    def _find_opponent_speech(self) -> Speech:
        """Return the latest speech of the opponent to answer; an empty speech if there is none."""
        everybody = self.prompt.opponents
        opponents = [other for other in everybody if other[1] != self.prompt.side] or [*everybody]
        if not opponents:
            return Speech("", "", "", "")
        first = self._rng("foes").randrange(len(opponents))
        name, side = opponents[(len(self.own_speeches) + first) % len(opponents)]
        speeches = [speech for speech in self.prompt.speeches if speech.name == name]
        return speeches[-1] if speeches else Speech(name, side, "", "")

    def _pick_quote(self) -> str:
        """Return a short sentence of the opponent to quote, or an empty string."""
        sentences = [
            sentence
            for sentence in _PLAIN_SENTENCE.findall(self.opponent_speech.text)
            if 5 <= len(sentence.split()) <= 16
            and not _DANGLING_START.match(sentence)
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


# The scripted judge: a well-formed answer to a judge's prompt, computed from the words of the speeches.
#
# It does not understand the speeches, and says so. Its scores do not depend on the order of the speeches, and
# its quotes are real.


_SPEECH_BLOCK: Final = re.compile(
    r"Speaker (?P<label>[A-H])(?:, arguing (?P<side>[^\n]*))?:\n"
    r"<speech (?P<mark>\w+)>\n(?P<text>.*?)\n</speech (?P=mark)>",
    re.DOTALL,
)
_CRITERION: Final = re.compile(r"^- (\w+): ", re.MULTILINE)
_SENTENCE: Final = re.compile(r"[^.!?\n]{12,200}[.!?]")

_VERDICT_REASON: Final = (
    "This judge is scripted: it computed its scores from the words and understood none of them. "
    "To have a model judge, use --judge openai:MODEL."
)


_REPORT_NOTE: Final = (
    "This report is scripted and understood nothing, so this is only a line from the debate. To have a model "
    "report, use --report=openai:MODEL."
)


def compose_judgement(voice: str, prompt: Sequence[Message]) -> ScriptedTurn:
    """Return the answer to a judge's prompt, which varies by voice: a stance, verdict or report."""
    text = prompt[-1].content if prompt else ""
    question = text.partition("\n\n")[0]
    before = 35 + _hash_below(f"{voice}\n{question}", 31)
    speeches: dict[str, str] = {}
    sides: dict[str, str] = {}
    for found in sorted(_SPEECH_BLOCK.finditer(text), key=lambda block: block["label"]):
        label = found["label"]
        speeches[label] = f"{speeches[label]}\n{found['text']}" if label in speeches else found["text"]
        sides[label] = found["side"] or ""
    if not speeches:
        return ScriptedTurn(str(before))
    if '"strongest"' in _SPEECH_BLOCK.sub("", text):
        return _compose_report(speeches)
    names = _CRITERION.findall(text)
    scores = {
        name: {label: 4 + _hash_below(f"{voice} {name}\n{said}", 6) for label, said in speeches.items()}
        for name in names
    }
    totals = {label: sum(scores[name][label] for name in names) for label in speeches}
    best = [label for label, total in totals.items() if total == max(totals.values())]
    winner = best[0] if len(best) == 1 else "tie"
    moved = 0 if winner == "tie" else -12 if side_stance(sides[winner], question) == "against" else 12
    criteria = [
        {
            "criterion": name,
            "scores": [
                {
                    "speaker": label,
                    "quote": _pick_sentence(said, place / len(names)),
                    "score": scores[name][label],
                }
                for label, said in speeches.items()
            ],
        }
        for place, name in enumerate(names)
    ]
    verdict = {"criteria": criteria, "why": _VERDICT_REASON, "winner": winner, "stance": before + moved}
    return ScriptedTurn(json.dumps(verdict, ensure_ascii=False))


def _compose_report(speeches: Mapping[str, str]) -> ScriptedTurn:
    """Return a report with a real quote of each speaker."""
    strongest = [
        {"speaker": label, "argument": _REPORT_NOTE, "quote": _pick_sentence(said, 0.5)}
        for label, said in speeches.items()
    ]
    return ScriptedTurn(json.dumps({"strongest": strongest}, ensure_ascii=False))


def _pick_sentence(text: str, place: float) -> str:
    """Return the sentence at `place`, from 0 (the first) to below 1."""
    sentences = _SENTENCE.findall(text) or [text[:200]]
    return str(sentences[int(place * len(sentences))]).strip()


def _hash_below(text: str, limit: int) -> int:
    """Return a number below `limit` that is always the same for a given text."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") % limit
