"""Hostile text made safe to show, whole or piece by piece.

Removed: escape sequences, C0 and C1 controls but newline and tab, DEL, and the bidirectional embeddings,
overrides and isolates. A carriage return is one of these controls: CRLF becomes LF, and a lone one cannot
overwrite a line. U+2028 and U+2029 become newlines, so that ``\\n`` is the only line break there is; a
lone surrogate, which no encoder takes, becomes U+FFFD.

Kept: joiners, variation selectors, tag characters (emoji and many scripts need them), soft hyphens and the
directional marks LRM, RLM and ALM, which cannot reorder their surroundings.

Safety rests on no control surviving; recognising whole sequences only keeps their parameters from being read
as text. A sequence therefore never takes speech with it: a control string (OSC, DCS, SOS, PM, APC) counts as
one only if it is closed on its own line within `MAX_CONTROL_STRING` characters; otherwise its introducer goes
and what follows is text.
"""

from __future__ import annotations

import re

MAX_CONTROL_STRING = 2048
"""Longest control string recognised, in characters; with its introducer the most a `Sanitiser` holds back."""

_BIDI = "\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")
_INTRODUCER = re.compile("[\x1b\x8e-\x90\x98\x9b\x9d-\x9f]")

# The grammar is ECMA-48's. Quantifiers are bounded and possessive: cost is linear whatever is sent.
_CSI = "(?:\x1b\\[|\x9b)[0-?]{0,64}+[ -/]{0,8}+"
_CONTROL_STRING = (
    f"(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{{0,{MAX_CONTROL_STRING}}}+"
)
_SHIFT = "(?:\x1b[NO]|[\x8e\x8f])"
_ESCAPE = "\x1b[ -/]{0,8}+"

# Compiled when there is an escape sequence: most texts have none, and a program's start need not wait for it.
# ST is BEL's equal here; in its 7-bit form it is itself an escape, like whatever else aborts a string.
_SEQUENCE = f"{_CSI}[@-~]?|{_CONTROL_STRING}(?:[\x07\x18\x1a\x9c]|(?=\x1b))|{_SHIFT}[!-~]?|{_ESCAPE}[0-~]?"
_INCOMPLETE = f"(?:{_CSI}|{_CONTROL_STRING}|{_SHIFT}|{_ESCAPE})\\Z"


_TRANSLATION = (
    dict.fromkeys([*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)])
    | dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
    | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    | dict.fromkeys((0x2028, 0x2029), "\n")
)


def sanitise(text: str) -> str:
    """The text without anything that could act on a terminal, a page or a plain file.

    Idempotent; text that needs nothing is returned as it is, for the price of one search.
    """
    if text.isprintable() or _UNSAFE.search(text) is None:
        return text
    if _INTRODUCER.search(text) is not None:
        text = re.compile(_SEQUENCE).sub("", text)
    return text.translate(_TRANSLATION)


class Sanitiser:
    """`sanitise` for text that arrives in pieces, however it is cut.

    All `feed` results and the `flush` result together equal `sanitise` of the whole. Only the beginning
    of a possible escape sequence is held back.
    """

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, piece: str) -> str:
        """What can be shown now that this piece has come."""
        if not self._pending and (piece.isprintable() or _UNSAFE.search(piece) is None):
            return piece
        shown, self._pending = _split_complete(self._pending + piece)
        return shown.translate(_TRANSLATION)

    def flush(self) -> str:
        """What was held back, at the end of the text; the sanitiser can then be used for another."""
        text, self._pending = self._pending, ""
        return sanitise(text)


def _split_complete(text: str) -> tuple[str, str]:
    """What is settled, without its sequences; and the rest, whose meaning still depends on what comes."""
    shown: list[str] = []
    start = 0
    while (opener := _INTRODUCER.search(text, start)) is not None:
        at = opener.start()
        shown.append(text[start:at])
        if re.compile(_INCOMPLETE).match(text, at) is not None:
            return "".join(shown), text[at:]
        sequence = re.compile(_SEQUENCE).match(text, at)
        start = at + 1 if sequence is None else sequence.end()
    shown.append(text[start:])
    return "".join(shown), ""


def one_line(text: str, limit: int = 200) -> str:
    """Sanitised text in one line of at most `limit` characters, for titles, badges and messages.

    White space of every kind becomes single spaces; what is cut off leaves an ellipsis.
    """
    line = " ".join(sanitise(text).split())
    return line if len(line) <= limit else f"{line[: max(limit - 1, 0)].rstrip()}…"


# What looks like a provider's key, wherever it turns up.


# Prefixes that providers give their keys; `*` and `…` are in those that an error message quotes.
API_KEY_PATTERN = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|tgp)[-_]|hf_|fw_)[\w\-.*…]{5,}[\w\-*…]|\bAIza[\w-]{8,}"
)
