"""One debate: the next round, its turns, their guarded sources, the log; takes commands, knows no screen."""

from debate_tui.session.judges import Judge
from debate_tui.session.rounds import Backpressure, DebateSpec
from debate_tui.session.session import Session

__all__ = ["Backpressure", "DebateSpec", "Judge", "Session"]
