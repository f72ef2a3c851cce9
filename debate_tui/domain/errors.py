"""Errors shown to users: what is wrong, and what to do about it.

DebateError            exit 1   the debate could not run
├── UsageError         exit 2   options, number of debaters, empty topic
├── ConfigError        exit 4   a configuration file, or a key missing at start-up
└── stream.Fault       –        a stream broke; `resilience` decides what happens next
"""

from __future__ import annotations

from typing import ClassVar


class DebateError(Exception):
    """An error shown to the user as one or two lines, never as a traceback.

    `message` says what is wrong and where; `hint`, if not empty, what to do. Neither may contain a key.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DebateError):
    """The command was used wrongly."""

    exit_code = 2


class ConfigError(DebateError):
    """A configuration file is wrong, or a required key is missing at start-up."""

    exit_code = 4
