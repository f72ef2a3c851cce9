"""Strict TOML: text → a frozen struct, or an error that names the file, the line, the key and the right key.

Formats, themes and settings are all read this way. The text comes from the caller, who also says what to
call it; nothing here opens a file.
"""

from __future__ import annotations

import threading
import tomllib
from typing import TypeVar

import msgspec

T = TypeVar("T")

# msgspec works out what a struct holds when it first meets it, and crashes if two threads do so at once.
_CONVERT_LOCK = threading.Lock()


def decode_toml(text: str, type_: type[T], *, file_name: str) -> T:
    """Read `text` as a `type_`; `file_name` names the file in errors.

    Raises `ConfigError`: ``oxford.toml:12: unknown key `wrods``` with the nearest right key as its hint.
    Keys are refused where the struct says ``forbid_unknown_fields``.
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
