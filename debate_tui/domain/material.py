"""Material: the texts that debaters and judges are given besides the topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from debate_tui.domain.events import MaterialInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
