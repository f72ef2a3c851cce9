"""Pictures of the start screen, looked at once and held to since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.setup_form import DebaterProfile, DebateSetup
from tests.tui.debate_harness import TOPIC
from tests.tui.snapshot_cases import Snap, at_every_size_and_theme
from tests.tui.start_harness import DEMO, KEYS, LOCAL, SERVED, StartHarness

if TYPE_CHECKING:
    from textual.pilot import Pilot


FULL = DebateSetup(
    topic=TOPIC,
    debaters=(*(offer.source for offer in KEYS), SERVED[0].source, LOCAL.source),
    judges=tuple(offer.source for offer in KEYS),
)


def compare(snap: Snap, start: StartHarness, size: tuple[int, int], *keys: str) -> bool:
    """The screen after keys were pressed; its cursor does not blink."""

    async def run(pilot: Pilot[None]) -> None:
        start.screen._topic_input.cursor_blink = False
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return snap(start.app, terminal_size=size, run_before=run)


@at_every_size_and_theme
def test_empty(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    assert compare(
        snap_compare, StartHarness(offers=(LOCAL, DEMO), proposal=DebateSetup(), theme=theme), size
    )


@at_every_size_and_theme
def test_full(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = StartHarness(FULL, (*KEYS, *SERVED, LOCAL, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", *["down"] * 4)


@at_every_size_and_theme
def test_choosing_a_source(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = StartHarness(offers=(*KEYS, *SERVED, LOCAL, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", "down", "enter", "down")


@at_every_size_and_theme
def test_choosing_a_format(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    start = StartHarness(theme=theme)
    assert compare(snap_compare, start, size, "tab", "down", "down", "down", "enter", "down")


@at_every_size_and_theme
def test_asking_for_a_source(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    keys = ("tab", "enter", "up", "enter", *"opnai", "colon", "x", "enter")
    assert compare(snap_compare, StartHarness(theme=theme), size, *keys)


def test_ascii(snap_compare: Snap) -> None:
    start = StartHarness(FULL, (*KEYS, *SERVED, LOCAL, DEMO), ascii=True)
    assert compare(snap_compare, start, (120, 35), "tab", "down")


def test_small(snap_compare: Snap) -> None:
    assert compare(snap_compare, StartHarness(FULL, (*KEYS, *SERVED, LOCAL, DEMO)), (60, 16), "tab", "end")


@at_every_size_and_theme
def test_choosing_a_role(snap_compare: Snap, size: tuple[int, int], theme: str) -> None:
    ada = DebaterProfile(
        name="Ada", side="For, with a heavy heart", persona="a planner who counts before she speaks"
    )
    start = StartHarness(FULL.with_profile(0, ada), (*KEYS, *SERVED, LOCAL, DEMO), theme=theme)
    assert compare(snap_compare, start, size, "tab", "e", "down")
