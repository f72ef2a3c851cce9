"""Text made safe to show: hostile characters removed, whole or in pieces, and secrets masked.

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
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

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


S = TypeVar("S", bound=Struct)


def sanitise_strings(value: S) -> S:
    """Return the value with every string in it sanitised, at any depth; itself if nothing changes.

    Not for deltas: an escape sequence may be split between two of them, and offsets count received text.
    """
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        before: object = getattr(value, name)
        after = _sanitise_value(before)
        if after is not before:
            changed[name] = after
    return replace(value, **changed) if changed else value


def _sanitise_value(value: object) -> object:
    if isinstance(value, str):
        return sanitise(value)
    if isinstance(value, Struct):
        return sanitise_strings(value)
    if isinstance(value, dict):
        return {sanitise(name): _sanitise_value(part) for name, part in value.items()} if value else value
    if isinstance(value, tuple):
        after = tuple(_sanitise_value(part) for part in value)
        return after if any(a is not b for a, b in zip(after, value, strict=True)) else value
    return value


# Secrets: keys, tokens and credentials, masked in text and in values


MASK: Final = "…"
"""What stands in place of a secret."""

# The patterns are compiled on first use: most runs mask nothing before their first frame.
# Prefixes of providers' keys; `*` and `…` appear in keys quoted by error messages.
_API_KEY: Final = (
    r"\b(?:(?:sk|pk|rk|gsk|csk|xai|nvapi|pplx|tgp)[-_]|hf_|fw_)[\w\-.*…]{5,}[\w\-*…]|\bAIza[\w-]{8,}"
)
# The starred fragments that OpenAI quotes when a key is wrong.
_STARRED_KEY: Final = r"(?<![\w\-.])[\w\-.]*+\*{3,}[\w\-.*]*"
_CREDENTIAL: Final = (
    r"(?i)\b((?:bearer|basic)\s+|(?:api[-_ ]?key|token|password|secret)\s*[:=]\s*)"
    r"(?=\S{0,64}\d|\S{20})[^\s'\"&]{4,}"
)
_USERINFO: Final = r"(?<=://)[^/?#\s]+@"
_PARAMETER: Final = r"(?P<name>[?&#][^=?&#\s]*+)=[^&#\s]+"
_SENSITIVE_NAME: Final = r"(?i)key|token|secret|sig|pass|auth|credential|cookie"


def redact(text: str, *secrets: str) -> str:
    """Return `text` with all secrets masked.

    Masked are the given `secrets` of at least 4 characters, whatever looks like a key or token, and in URLs
    user names, passwords and parameters named like a secret.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    text = re.sub(_STARRED_KEY, MASK, re.sub(_API_KEY, MASK, text))
    text = re.sub(_USERINFO, f"{MASK}@", re.sub(_CREDENTIAL, rf"\1{MASK}", text))
    return re.sub(_PARAMETER, _mask_parameter, text)


def redact_line(text: str) -> str:
    """Return `text` on one line for a log, with all secrets and all values of URL parameters masked."""
    return re.sub(_PARAMETER, rf"\g<name>={MASK}", redact(" ".join(sanitise(text).split())))


def _mask_parameter(found: re.Match[str]) -> str:
    return f"{found['name']}={MASK}" if is_secret_name(found["name"]) else found[0]


def is_secret_name(name: str) -> bool:
    """Return whether a field, parameter or header of this name is likely to hold a secret."""
    return re.search(_SENSITIVE_NAME, name) is not None


def secret_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the values of environment variables named like a secret, of at least 8 characters."""
    return [value for name, value in environ.items() if is_secret_name(name) and len(value) >= 8]


def mask_secrets(value: Any, *, named_secret: bool = False) -> Any:
    """Return a JSON value with its secrets masked.

    Texts are masked under a name such as ``api_key``, and wherever they look like a provider's key. Numbers
    stay: ``max_tokens`` is not a secret.
    """
    if isinstance(value, Mapping):
        return {
            name: mask_secrets(part, named_secret=named_secret or is_secret_name(name))
            for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_secrets(part, named_secret=named_secret) for part in value]
    if not isinstance(value, str):
        return value
    return MASK if named_secret else re.sub(_API_KEY, MASK, value)


def secret_values(value: Any, *, named_secret: bool = False) -> tuple[str, ...]:
    """Return the texts of a JSON value that `mask_secrets` masks because of their names."""
    if isinstance(value, Mapping):
        return tuple(
            secret
            for name, part in value.items()
            for secret in secret_values(part, named_secret=named_secret or is_secret_name(name))
        )
    if isinstance(value, list | tuple):
        return tuple(secret for part in value for secret in secret_values(part, named_secret=named_secret))
    return (value,) if named_secret and isinstance(value, str) else ()


def has_mask(value: Any) -> bool:
    """Return whether any text of a JSON value is masked, so that the original is not known."""
    if isinstance(value, Mapping):
        return any(has_mask(part) for part in value.values())
    if isinstance(value, list | tuple):
        return any(has_mask(part) for part in value)
    return isinstance(value, str) and MASK in value
