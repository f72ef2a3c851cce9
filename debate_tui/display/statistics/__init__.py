"""Stream statistics: how fast every debater's words come, and what they went through on the way."""

from debate_tui.display.statistics.collector import Statistics
from debate_tui.display.statistics.report import Break, Figures, Painting, Report, Spread, Tokens, Turn
from debate_tui.display.statistics.trace import HEALED, LOST, Curve

__all__ = [
    "HEALED",
    "LOST",
    "Break",
    "Curve",
    "Figures",
    "Painting",
    "Report",
    "Spread",
    "Statistics",
    "Tokens",
    "Turn",
]
