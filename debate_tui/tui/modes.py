"""The display modes in words."""

from __future__ import annotations

from debate_tui.display.frame_clock import DisplayMode

MODE_SUMMARIES = {
    DisplayMode.SYNCHRONIZED: "all panes together",
    DisplayMode.STAGGERED: "each as it comes",
    DisplayMode.HYBRID: "together, or as it comes",
}
MODE_DESCRIPTIONS = {
    DisplayMode.SYNCHRONIZED: "all panes move together, ten times a second",
    DisplayMode.STAGGERED: "each pane moves as its words arrive",
    DisplayMode.HYBRID: "together while several speak, at once while one does",
}
