"""What the whole debate has cost so far, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.widgets.meter import format_cost, format_token_count

if TYPE_CHECKING:
    from debate_tui.tui.follower import LogFollower
    from debate_tui.tui.glyphs import Glyphs


def format_totals(follower: LogFollower, glyphs: Glyphs) -> str:
    """Tokens sent and answered, and money; empty before there is anything to tell.

    Turns under way are in the tokens with what was answered, as an estimate marked as one. Money is known
    when a turn ends.
    """
    total = follower.bill.total
    running = [
        turn.tokens.count
        for debater in follower.transcript.debaters
        if (turn := follower.statistics.turn_figures(debater)).tokens is not None and turn.reason is None
    ]
    if total.tokens is None and not running:
        return ""
    about = "~" if running else ""
    more = "" if total.counted else "+"
    tokens = f"{about}{format_token_count((total.tokens or 0) + sum(running))}{more} tokens"
    ended = any(turn.finished for turn in follower.transcript.turns.values())
    return (
        f"{tokens} {glyphs.separator} {format_cost(total.cost, glyphs, complete=total.priced)}"
        if ended
        else tokens
    )
