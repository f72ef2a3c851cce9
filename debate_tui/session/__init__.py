"""The session: runs one debate, logs it and takes commands; it knows no screen."""

from debate_tui.session.judges import Judge
from debate_tui.session.rounds import Backpressure, DebateSpec
from debate_tui.session.session import Session

__all__ = ["Backpressure", "DebateSpec", "Judge", "Session"]
