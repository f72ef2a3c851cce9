"""What goes wrong inside the server and nobody else is told of: a line each on standard error."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from typing import Final

from debate_tui.domain.sanitise import one_line

MAX_LINE_LENGTH: Final = 600
"""Characters a line has at most."""

SERVER_LOGGERS: Final = ("uvicorn.error", "hypercorn.error", "debate_tui.server")


class StderrHandler(logging.Handler):
    """Says what is logged, and of an exception what it is and where it was raised.

    A traceback would be pages long, and a screen may be painted on the same terminal.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        text = record.getMessage().strip()
        if record.exc_info is not None and (error := record.exc_info[1]) is not None:
            text = f"{text}: {_describe_exception(error)}"
        sys.stderr.write(f"debate-tui: {one_line(text, MAX_LINE_LENGTH)}\n")


_stderr_handler: Final = StderrHandler(logging.WARNING)


def log_to_stderr() -> None:
    """Say from now on what goes wrong; more than once is no different."""
    for name in SERVER_LOGGERS:
        logging.getLogger(name).addHandler(_stderr_handler)


def _describe_exception(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    what = "".join(traceback.format_exception_only(error))
    frames = traceback.extract_tb(error.__traceback__)
    return f"{what} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else what
