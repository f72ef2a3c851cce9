"""How a model is asked to go on with an answer that was cut off on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Message

if TYPE_CHECKING:
    from debate_tui.domain.stream import Request, Resume

TAIL = 240
"""How many of the last characters are quoted: enough to be unmistakable."""

_ASK = """\
Your answer was cut off on its way to the reader. The last of it that arrived is:

<tail>{tail}</tail>

Continue exactly where it stopped: begin with the very next character, even inside a word or a sentence. \
Do not repeat anything, do not start again, and do not mention the interruption."""


def continued(request: Request, resume: Resume | None) -> tuple[Message, ...]:
    """The messages to send: the request's own, and if some of the answer is there already, that and the plea.

    The partial answer is followed by a user message: several models refuse a conversation that ends with
    the assistant.
    """
    if resume is None or not resume.text:
        return request.messages
    ask = _ASK.format(tail=resume.text[-TAIL:])
    return *request.messages, Message("assistant", resume.text), Message("user", ask)
