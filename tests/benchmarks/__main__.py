"""All that is measured, as one table: ``python -m tests.benchmarks [--size 160x45] [PART …]``.

Takes a quarter of an hour. Every figure stands beside its floor, its rival or its bound, measured in the same
run; on a machine that does other things as well, times to a key and to a frame are the first to suffer.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tests.benchmarks import flush, healing, ingest, live, markdown, startup
from tests.benchmarks.live import overload
from tests.benchmarks.report import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.report import Figure

PARTS: dict[str, Callable[[str], Iterable[Figure]]] = {
    "flush": flush.figures,
    "live": live.figures,
    "overload": overload.figures,
    "healing": lambda _: healing.figures(),
    "ingest": lambda _: ingest.figures(),
    "markdown": lambda _: markdown.figures(),
    "startup": lambda _: startup.figures(),
}


def main() -> None:
    """Print the table, part by part."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--size", default="160x45", help="columns and rows of the terminal")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; default: all")
    options = parser.parse_args()
    for part in options.parts or PARTS:
        table(f"python -m tests.benchmarks --size {options.size} {part}", PARTS[part](options.size))


if __name__ == "__main__":
    main()
