"""What judges score, and the ranges of their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping

CRITERIA: Final[Mapping[str, str]] = {
    "reasons": "are there reasons that bear on the topic, and do they hold?",
    "rebuttal": "were the others' strongest points met, fairly and directly?",
    "support": "are claims backed by examples or facts that a reader could check?",
    "clarity": "can one follow the case, and is it clear what would decide it?",
}
"""The criteria, each with the question it answers."""


ScorePoints = Annotated[int, Meta(ge=1, le=10)]


Percent = Annotated[int, Meta(ge=0, le=100)]
