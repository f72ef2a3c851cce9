"""Figures about the server, in the text format Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.server.hub import Hub

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTED = (
    ("admitted", "viewers_admitted_total", "Viewers that were let in."),
    ("refused", "viewers_refused_total", "Viewers that were not let in because of a limit."),
    ("dropped", "viewers_dropped_total", "Viewers that took nothing of what was sent to them."),
    ("reset", "viewers_reset_total", "Snapshots that replaced events a viewer missed."),
    ("bytes", "sent_bytes_total", "Bytes of events sent to viewers."),
)


def text(hub: Hub) -> str:
    """All figures."""
    return "".join(_lines(hub))


def _lines(hub: Hub) -> Iterator[str]:
    counts = hub.audience.counts
    yield from _metric("viewers", "gauge", "Viewers that watch now.", len(hub.audience))
    channels = hub.channels
    yield from _metric("debates_open", "gauge", "Debates kept in memory.", len(channels))
    held = sum(channel.controls is not None and not channel.over for channel in channels)
    yield from _metric("debates_held", "gauge", "Debates under way in this process.", held)
    published = sum(channel.seq for channel in channels)
    yield from _metric("events_open", "gauge", "Events of the debates kept in memory.", published)
    for key, name, meaning in _COUNTED:
        yield from _metric(name, "counter", meaning, counts[key])


def _metric(name: str, kind: str, meaning: str, value: int) -> Iterator[str]:
    yield f"# HELP debate_tui_{name} {meaning}\n"
    yield f"# TYPE debate_tui_{name} {kind}\n"
    yield f"debate_tui_{name} {value}\n"
