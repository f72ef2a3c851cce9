"""A screen whose clocks stand still, to take pictures of."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from debate_tui.tui import elapsed
from debate_tui.tui.screens import view
from debate_tui.tui.widgets import pane, tabs
from tests.tui.board import START

if TYPE_CHECKING:
    import pytest


def stop_clocks(monkeypatch: pytest.MonkeyPatch, seconds: float = 83) -> None:
    """It is always so many seconds after the debate's beginning."""
    still = time.monotonic()
    clock = SimpleNamespace(monotonic=lambda: still, time=lambda: START + seconds)
    for module in (view, pane, tabs, elapsed):
        monkeypatch.setattr(module, "time", clock)
