"""Lets ``python -m debate_tui`` do what ``debate-tui`` does."""

import gc


def main() -> None:
    """Run the command line."""
    # Nothing that is made while the program starts is garbage; what stays longer turns the collector on.
    gc.disable()
    from debate_tui.cli import main as run

    run()


if __name__ == "__main__":
    main()
