"""Lets ``python -m debate_tui`` do what ``debate-tui`` does."""

from debate_tui.cli import main

if __name__ == "__main__":
    main()
