"""The display modes in words."""

from __future__ import annotations

from debate_tui.display.modes import Mode

BRIEFLY = {
    Mode.SYNCHRONIZED: "all panes together",
    Mode.STAGGERED: "each as it comes",
    Mode.HYBRID: "together, or as it comes",
}
TOLD = {
    Mode.SYNCHRONIZED: "all panes move together, ten times a second",
    Mode.STAGGERED: "each pane moves as its words arrive",
    Mode.HYBRID: "together while several speak, at once while one does",
}
