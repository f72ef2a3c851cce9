"""Figures about the server, in the text format Prometheus reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from debate_tui.server.hub import Hub

METRICS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_COUNTERS = (
    ("admitted", "viewers_admitted_total", "Viewers that were let in."),
    ("refused", "viewers_refused_total", "Viewers that were not let in because of a limit."),
    ("dropped", "viewers_dropped_total", "Viewers that took nothing of what was sent to them."),
    ("reset", "viewers_reset_total", "Snapshots that replaced events a viewer missed."),
    ("bytes", "sent_bytes_total", "Bytes of events sent to viewers."),
)


def render_metrics(hub: Hub) -> str:
    """All figures."""
    return "".join(_metric_lines(hub))


def _metric_lines(hub: Hub) -> Iterator[str]:
    counts = hub.viewers.counts
    yield from _format_metric("viewers", "gauge", "Viewers that watch now.", len(hub.viewers))
    hosted_debates = hub.hosted_debates
    yield from _format_metric("debates_open", "gauge", "Debates kept in memory.", len(hosted_debates))
    running = sum(channel.controls is not None and not channel.over for channel in hosted_debates)
    yield from _format_metric("debates_held", "gauge", "Debates under way in this process.", running)
    published = sum(channel.seq for channel in hosted_debates)
    yield from _format_metric("events_open", "gauge", "Events of the debates kept in memory.", published)
    for key, name, meaning in _COUNTERS:
        yield from _format_metric(name, "counter", meaning, counts[key])


def _format_metric(name: str, kind: str, meaning: str, value: int) -> Iterator[str]:
    yield f"# HELP debate_tui_{name} {meaning}\n"
    yield f"# TYPE debate_tui_{name} {kind}\n"
    yield f"debate_tui_{name} {value}\n"
