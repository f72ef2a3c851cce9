"""A screen whose clocks stand still, to take pictures of."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from debate_tui.tui import debate_state
from debate_tui.tui.screens import debate_view
from debate_tui.tui.widgets import pane
from tests.tui.debate_harness import START

if TYPE_CHECKING:
    from collections.abc import Callable

    Test = Callable[..., None]

SIZES = [(80, 24), (120, 35), (200, 50)]
DARK, LIGHT = "vigil", "gallery"


def at_every_size_and_theme(test: Test) -> Test:
    """Run a test at every size, in the dark and in a light theme: it takes a `size` and a `theme`."""
    for name, values, ids in (
        ("size", SIZES, "{0[0]}x{0[1]}".format),
        ("theme", [DARK, LIGHT], str),
    ):
        test = pytest.mark.parametrize(name, values, ids=ids)(test)
    return test


def freeze_clocks(monkeypatch: pytest.MonkeyPatch, seconds: float = 83) -> None:
    """It is always so many seconds after the debate's beginning."""
    still = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: still, time=lambda: START + seconds)
    for module in (debate_view, pane, pane, debate_state):
        monkeypatch.setattr(module, "time", clock)
