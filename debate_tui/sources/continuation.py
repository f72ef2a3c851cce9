"""How a model is asked to go on with an answer that was cut off on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.domain.stream import Message

if TYPE_CHECKING:
    from debate_tui.domain.stream import Resume, TurnRequest

CONTINUATION_TAIL = 240
"""How many of the last characters are quoted: enough to be unmistakable."""

_CONTINUATION_PROMPT = """\
Your answer was cut off on its way to the reader. The last of it that arrived is:

<tail>{tail}</tail>

Continue exactly where it stopped: begin with the very next character, even inside a word or a sentence. \
Do not repeat anything, do not start again, and do not mention the interruption."""


def continuation_messages(request: TurnRequest, resume: Resume | None) -> tuple[Message, ...]:
    """The messages to send: the request's own, and if some of the answer is there already, that and the plea.

    The partial answer is followed by a user message: several models refuse a conversation that ends with
    the assistant.
    """
    if resume is None or not resume.text:
        return request.messages
    ask = _CONTINUATION_PROMPT.format(tail=resume.text[-CONTINUATION_TAIL:])
    return *request.messages, Message("assistant", resume.text), Message("user", ask)
