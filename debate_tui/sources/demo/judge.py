"""The scripted judge: parses a judge's prompt and gives a well-formed answer computed from its words.

It does not understand the speeches, and says so. Its scores do not depend on the order of the speeches, and
its quotes are real.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Final

from debate_tui.sources.demo.script import ScriptedTurn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from debate_tui.domain.stream import Message

_SPEECH_BLOCK: Final = re.compile(
    r"Speaker (?P<label>[A-D])(?:, arguing (?P<side>[^\n]*))?:\n"
    r"<speech (?P<mark>\w+)>\n(?P<text>.*?)\n</speech (?P=mark)>",
    re.DOTALL,
)
_CRITERION: Final = re.compile(r"^- (\w+): ", re.MULTILINE)
_PARAGRAPH_BREAK: Final = "\n\n"
_SENTENCE: Final = re.compile(r"[^.!?\n]{12,200}[.!?]")
_AGAINST_SIDE: Final = re.compile(r"against|\bno\b|negative|opposition|con\b", re.IGNORECASE)

_VERDICT_REASON: Final = (
    "This judge is scripted: it drew its scores from the words and understood none of them. "
    "A model judges with --judge openai:MODEL."
)


def compose_verdict(voice: str, prompt: Sequence[Message]) -> ScriptedTurn:
    """Return the answer to a judge's prompt: its initial stance or its verdict; it varies by voice."""
    text = prompt[-1].content if prompt else ""
    before = 35 + _hash_below(f"{voice}\n{text.partition(_PARAGRAPH_BREAK)[0]}", 31)
    speeches: dict[str, list[str]] = {}
    sides: dict[str, str] = {}
    for found in _SPEECH_BLOCK.finditer(text):
        speeches.setdefault(found["label"], []).append(found["text"])
        sides[found["label"]] = found["side"] or ""
    if not speeches:
        return ScriptedTurn(str(before))
    speech_texts = {label: "\n".join(texts) for label, texts in sorted(speeches.items())}
    names = _CRITERION.findall(text)
    sums = {
        label: sum(_score_speech(f"{voice} {name}", each) for name in names)
        for label, each in speech_texts.items()
    }
    best = [label for label, total in sums.items() if total == max(sums.values())]
    winner = best[0] if len(best) == 1 else "tie"
    moved = 0 if winner == "tie" else -12 if _AGAINST_SIDE.search(sides[winner]) else 12
    verdict = {
        "criteria": list(_score_criteria(voice, names, speech_texts)),
        "why": _VERDICT_REASON,
        "winner": winner,
        "stance": before + moved,
    }
    return ScriptedTurn(json.dumps(verdict, ensure_ascii=False))


def _score_criteria(
    voice: str, names: Sequence[str], speech_texts: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    for place, name in enumerate(names):
        scores = []
        for label, text in speech_texts.items():
            sentences = _SENTENCE.findall(text) or [text[:200]]
            quote = sentences[place * len(sentences) // len(names)].strip()
            scores.append({"speaker": label, "quote": quote, "score": _score_speech(f"{voice} {name}", text)})
        yield {"criterion": name, "scores": scores}


def _score_speech(criterion: str, text: str) -> int:
    return 4 + _hash_below(f"{criterion}\n{text}", 6)


def _hash_below(text: str, limit: int) -> int:
    """Return a number below `limit` that is always the same for a given text."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") % limit
