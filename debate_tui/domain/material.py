"""Material: the texts that debaters and judges are given besides the topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from debate_tui.domain.events import MaterialInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from debate_tui.domain.events import DebateStarted


class Material(Struct, frozen=True):
    """One text of the material, cited by its `number`, from 1.

    `debater` is the id of the only debater who gets it; if it is empty, every debater, judge and viewer does.
    """

    number: int
    name: str
    text: str
    debater: str = ""

    @property
    def info(self) -> MaterialInfo:
        """What the debate's first event says about it."""
        from hashlib import sha256  # loads OpenSSL, which start-up does not need

        digest = sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()
        return MaterialInfo(self.name, digest, len(self.text), self.debater)


def material_for(material: Iterable[Material], debater: str = "") -> Sequence[Material]:
    """Return what a debater may see; without one, what everyone may see."""
    return [each for each in material if each.debater in ("", debater)]


def without_hidden(started: DebateStarted) -> DebateStarted:
    """Return a debate's first event as viewers may see it: without what only one debater gets."""
    shown = tuple(each for each in started.material if not each.debater)
    return msgspec.structs.replace(started, material=shown)
