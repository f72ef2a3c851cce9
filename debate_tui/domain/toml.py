"""Strict TOML: text → a frozen struct, or an error that names file, line and key and suggests a fix.

Formats, themes and settings are all read this way. Callers pass the text and the name of its file; nothing
here opens files.
"""

from __future__ import annotations

import threading
import tomllib
from typing import TypeVar

import msgspec

T = TypeVar("T")

# msgspec inspects a struct on first use, and crashes if two threads do so at the same time.
_CONVERT_LOCK = threading.Lock()


def decode_toml(text: str, type_: type[T], *, file_name: str) -> T:
    """Read `text` as a `type_`; `file_name` names the file in errors.

    Raise `ConfigError` if the text is invalid, such as ``oxford.toml:12: unknown key `wrods```, with the
    nearest known key as the hint. Unknown keys are refused if the struct sets ``forbid_unknown_fields``.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from debate_tui.domain.toml_errors import syntax_error

        raise syntax_error(str(error), text, file_name) from None
    try:
        with _CONVERT_LOCK:
            return msgspec.convert(data, type_)
    except msgspec.ValidationError as error:
        from debate_tui.domain.toml_errors import mismatch_error

        raise mismatch_error(str(error), text, type_, file_name) from None
