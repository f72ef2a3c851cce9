"""Stream statistics: how fast each debater's text arrives, and what happened to it on the way."""

from debate_tui.display.statistics.collector import Statistics
from debate_tui.display.statistics.report import (
    FrameFigures,
    Interruption,
    Quantiles,
    StatisticsReport,
    StreamFigures,
    TokenCount,
    TurnFigures,
)
from debate_tui.display.statistics.stream import FAULT_FATAL, FAULT_RECOVERED, RateCurve

__all__ = [
    "FAULT_FATAL",
    "FAULT_RECOVERED",
    "FrameFigures",
    "Interruption",
    "Quantiles",
    "RateCurve",
    "Statistics",
    "StatisticsReport",
    "StreamFigures",
    "TokenCount",
    "TurnFigures",
]
