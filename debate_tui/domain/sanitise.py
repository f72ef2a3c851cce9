"""Sanitising: hostile text made safe to show, whole or in pieces.

Removed: escape sequences, C0 and C1 controls except newline and tab, DEL, and the bidirectional embeddings,
overrides and isolates. The carriage return is one of these controls: CRLF becomes LF, and a lone CR cannot
overwrite a line. U+2028 and U+2029 become newlines, so that ``\\n`` is the only line break; a lone
surrogate, which no encoder accepts, becomes U+FFFD.

Kept: joiners, variation selectors, tag characters (emoji and many scripts need them), soft hyphens and the
directional marks LRM, RLM and ALM, which cannot reorder the text around them.

Safety depends only on removing every control; recognising whole sequences merely keeps their parameters
from showing up as text. So a sequence never takes speech with it: a control string (OSC, DCS, SOS, PM, APC)
counts as one only if it is closed on its own line within `MAX_CONTROL_STRING` characters. Otherwise only
its introducer is removed and the rest is text.
"""

from __future__ import annotations

import re

MAX_CONTROL_STRING = 2048
"""Longest control string recognised, in characters; a `Sanitiser` buffers this plus its introducer."""

_BIDI = "\u202a-\u202e\u2066-\u2069"
_UNSAFE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_BIDI}\ud800-\udfff]")
_INTRODUCER = re.compile("[\x1b\x8e-\x90\x98\x9b\x9d-\x9f]")

# The grammar follows ECMA-48. Quantifiers are bounded and possessive, so the cost is linear for any input.
_CSI = "(?:\x1b\\[|\x9b)[0-?]{0,64}+[ -/]{0,8}+"
_CONTROL_STRING = (
    f"(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x00-\x08\x0a-\x1f\x7f-\x9f]{{0,{MAX_CONTROL_STRING}}}+"
)
_SHIFT = "(?:\x1b[NO]|[\x8e\x8f])"
_ESCAPE = "\x1b[ -/]{0,8}+"

# Compiled on first use: most texts have no escape sequence, and start-up should not pay for it.
# BEL ends a string like ST; the 7-bit ST is itself an escape, like others that abort a string.
_SEQUENCE = f"{_CSI}[@-~]?|{_CONTROL_STRING}(?:[\x07\x18\x1a\x9c]|(?=\x1b))|{_SHIFT}[!-~]?|{_ESCAPE}[0-~]?"
_INCOMPLETE = f"(?:{_CSI}|{_CONTROL_STRING}|{_SHIFT}|{_ESCAPE})\\Z"


_TRANSLATION = (
    dict.fromkeys([*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)])
    | dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
    | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    | dict.fromkeys((0x2028, 0x2029), "\n")
)


def sanitise(text: str) -> str:
    """Remove everything that could act on a terminal, a page or a plain file.

    Idempotent. Text that is already safe is returned unchanged, at the cost of one search.
    """
    if text.isprintable() or _UNSAFE.search(text) is None:
        return text
    if _INTRODUCER.search(text) is not None:
        text = re.compile(_SEQUENCE).sub("", text)
    return text.translate(_TRANSLATION)


class Sanitiser:
    """`sanitise` for text that arrives in pieces.

    The results of all `feed` calls and of `flush` together equal `sanitise` of the whole text, wherever it
    is cut. Only the start of a possible escape sequence is buffered.
    """

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = ""

    def feed(self, piece: str) -> str:
        """Add a piece and return the text that can now be shown."""
        if not self._pending and (piece.isprintable() or _UNSAFE.search(piece) is None):
            return piece
        shown, self._pending = _split_complete(self._pending + piece)
        return shown.translate(_TRANSLATION)

    def flush(self) -> str:
        """Return the buffered rest at the end of the text, and reset the sanitiser."""
        text, self._pending = self._pending, ""
        return sanitise(text)


def _split_complete(text: str) -> tuple[str, str]:
    """Split off the start of an incomplete escape sequence; return the text before it, and the rest.

    Complete sequences are removed from the first part.
    """
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
    """Return sanitised text on one line of at most `limit` characters, for titles and messages.

    All white space becomes single spaces; text that is too long ends with an ellipsis.
    """
    line = " ".join(sanitise(text).split())
    return line if len(line) <= limit else f"{line[: max(limit - 1, 0)].rstrip()}…"


# Prefixes of providers' keys; `*` and `…` appear in keys quoted by error messages.
API_KEY_PATTERN = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|tgp)[-_]|hf_|fw_)[\w\-.*…]{5,}[\w\-*…]|\bAIza[\w-]{8,}"
)
