"""The whole program under load, measured from outside: from senders' sockets to what a terminal is sent.

Four streams from a process of their own, over loopback, into a debate in a pseudo-terminal that knows
synchronized output; keys are pressed meanwhile. CPU time is the program's, all threads included, as the
system accounts for it; its record is written as ever.
"""

from __future__ import annotations

from tests.benchmarks.live.rows import figures

__all__ = ["figures"]
