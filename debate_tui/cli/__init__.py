"""The command line: commands, options, and the code that wires all parts together."""

from debate_tui.cli.main import main

__all__ = ["main"]
