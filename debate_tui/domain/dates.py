"""The log's times as dates."""

from __future__ import annotations

from datetime import UTC, datetime


def to_datetime(seconds: float, *, local: bool = False) -> datetime | None:
    """The date and time of seconds since the epoch, in UTC or as clocks here have it.

    `None` where the calendar has none: what a record says of when it was need not be true.
    """
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
        return moment.astimezone() if local else moment
    except (OverflowError, OSError, ValueError):
        return None
