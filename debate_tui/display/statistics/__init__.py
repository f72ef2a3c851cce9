"""Stream statistics: how fast each debater's text arrives, and what happened to it on the way."""

from debate_tui.display.statistics.collector import Statistics, StatisticsReport
from debate_tui.display.statistics.stream import StreamStatistics, TokenCount, TurnStatistics

__all__ = ["Statistics", "StatisticsReport", "StreamStatistics", "TokenCount", "TurnStatistics"]
