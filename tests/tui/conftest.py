"""What tests of screens share."""

from __future__ import annotations

import pytest

from tests.tui.snapshot_cases import freeze_clocks


@pytest.fixture
def frozen_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """See `freeze_clocks`."""
    freeze_clocks(monkeypatch)
