"""The command line: commands and options; the only place that wires the parts together."""

from debate_tui.cli.main import main

__all__ = ["main"]
