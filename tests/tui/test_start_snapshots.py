"""Pictures of the start screen, looked at once and held to since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.proposal import Proposal, Role
from tests.tui.starting import BOX, DEMO, KEYS, SERVED, Start
from tests.tui.still import everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    Snap = Callable[..., bool]

TOPIC = "Should cities ban private cars from their centres?"
FULL = Proposal(
    topic=TOPIC,
    debaters=(*(offer.source for offer in KEYS), SERVED[0].source, BOX.source),
    judges=tuple(offer.source for offer in KEYS),
)


def compare(snap: Snap, start: Start, size: tuple[int, int], *keys: str) -> bool:
    """The screen after keys were pressed; its cursor does not blink."""

    async def run(pilot: Pilot[None]) -> None:
        start.screen._topic.cursor_blink = False
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return snap(start.app, terminal_size=size, run_before=run)


@everywhere
def test_empty(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(snap_compare, Start(offers=(BOX, DEMO), proposal=Proposal(), theme=theme), size)


@everywhere
def test_full(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = Start(FULL, (*KEYS, *SERVED, BOX, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", *["down"] * 4)


@everywhere
def test_choosing_a_source(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = Start(offers=(*KEYS, *SERVED, BOX, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", "down", "enter", "down")


@everywhere
def test_choosing_a_format(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = Start(theme=theme)
    assert compare(snap_compare, start, size, "tab", "down", "down", "down", "enter", "down")


@everywhere
def test_asking_for_a_source(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    keys = ("tab", "enter", "up", "enter", *"opnai", "colon", "x", "enter")
    assert compare(snap_compare, Start(theme=theme), size, *keys)


def test_ascii(snap_compare: Snap) -> None:
    start = Start(FULL, (*KEYS, *SERVED, BOX, DEMO), ascii=True)
    assert compare(snap_compare, start, (120, 35), "tab", "down")


def test_small(snap_compare: Snap) -> None:
    assert compare(snap_compare, Start(FULL, (*KEYS, *SERVED, BOX, DEMO)), (60, 16), "tab", "end")


@everywhere
def test_choosing_a_role(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    ada = Role(name="Ada", side="For, with a heavy heart", persona="a planner who counts before she speaks")
    start = Start(FULL.with_role(0, ada), (*KEYS, *SERVED, BOX, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", "e", "down")
