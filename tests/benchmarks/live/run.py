"""One debate under a load, and what was seen of it."""

from __future__ import annotations

import itertools
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.live.sender import LAST_WORD, STREAMS, Sender
from tests.benchmarks.live.terminal import ObservedTerminal, Pace
from tests.benchmarks.report import percentile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.live.sender import Load
    from tests.benchmarks.live.terminal import Frame

WARM_UP = 1.0
"""Seconds of a stream that are not measured: connecting, first words; and as many at its end."""

PATIENCE = 60.0


class LoadResult(NamedTuple):
    """What was measured: CPU in seconds of `seconds` of streaming; lag, keys and gaps in seconds."""

    cpu: float
    seconds: float
    deltas: float
    lag: float
    keys: Sequence[float]
    frames: Sequence[Frame]
    torn: int

    @property
    def share(self) -> float:
        """Per cent of a core."""
        return self.cpu / self.seconds * 100

    @property
    def per_delta(self) -> float:
        """CPU milliseconds."""
        return self.cpu / self.deltas * 1000

    @property
    def gaps(self) -> list[float]:
        """Seconds from frame to frame."""
        return [after.at - before.at for before, after in itertools.pairwise(self.frames)]

    def key(self, per_cent: int) -> float:
        """Milliseconds within which so many of a hundred keys were seen to do something."""
        return percentile(self.keys, per_cent) * 1000


def run(load: Load, mode: str, size: str, *, keys: bool = False, pace: Pace | None = None) -> LoadResult:
    """Hold one debate under a load."""
    columns, rows = map(int, size.split("x"))
    with tempfile.TemporaryDirectory() as home, Sender(load) as sender:
        arguments, environment = _sources(load.path, sender.port)
        environment |= {"HOME": home, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        environment |= {f"XDG_{name}_HOME": f"{home}/{name}" for name in ("CONFIG", "DATA", "STATE")}
        arguments = ["Why?", "-m", mode, *arguments]
        with ObservedTerminal(columns, rows, arguments, environment, pace or Pace()) as terminal:
            return _watched(terminal, sender, load, keys=keys)


def _sources(path: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Options and environment that let four debaters speak from this port by this path."""
    url = f"http://127.0.0.1:{port}"
    keys = {"OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}
    match path:
        case "sse":
            sources = [f"{url}/{number}" for number in range(STREAMS)]
        case "messages":
            sources = ["anthropic:m"] * STREAMS
            keys |= {"ANTHROPIC_BASE_URL": url}
        case "chat":
            sources = ["openai:m"] * STREAMS
            keys |= {"OPENAI_BASE_URL": url}
        case _:
            # Only OpenAI itself is asked for Responses; here a proxy answers for it.
            sources = ["openai:m"] * STREAMS
            keys |= {"OPENAI_BASE_URL": "http://api.openai.com/v1", "HTTP_PROXY": url}
    return ["-f", "compare", *(part for source in sources for part in ("-d", source))], keys


def _watched(terminal: ObservedTerminal, sender: Sender, load: Load, *, keys: bool) -> LoadResult:
    while not sender.streaming:
        terminal.watch_for(0.05)
    terminal.watch_for(WARM_UP)
    first, before = len(terminal.frames), terminal.cpu()
    seconds = load.seconds - 2 * WARM_UP
    terminal.type_keys(on=keys)
    terminal.watch_for(seconds)
    terminal.type_keys(on=False)
    cpu, last = terminal.cpu() - before, len(terminal.frames)
    wanted = {f"{LAST_WORD}{number}".encode() for number in range(STREAMS)}

    def all_said(frame: bytes) -> bool:
        wanted.difference_update([word for word in wanted if word in frame])
        return not wanted

    shown = terminal.watch(all_said, at_most=PATIENCE + 3 * load.seconds)
    return LoadResult(
        cpu=cpu,
        seconds=seconds,
        deltas=seconds * load.rate * STREAMS,
        lag=shown - sender.ended(),
        keys=terminal.keys,
        frames=terminal.frames[first:last],
        torn=terminal.torn,
    )
