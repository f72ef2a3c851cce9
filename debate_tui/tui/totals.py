"""What the whole debate has cost so far, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from debate_tui.tui.widgets.meter import money, thousands

if TYPE_CHECKING:
    from debate_tui.tui.follower import Follower
    from debate_tui.tui.glyphs import Glyphs


def in_all(follower: Follower, glyphs: Glyphs) -> str:
    """Tokens sent and answered, and money; empty before there is anything to tell.

    Turns under way are in the tokens with what was answered, as an estimate marked as one. Money is known
    when a turn ends.
    """
    total = follower.bill.total
    running = [
        turn.tokens.count
        for debater in follower.transcript.debaters
        if (turn := follower.statistics.turn(debater)).tokens is not None and turn.reason is None
    ]
    if total.tokens is None and not running:
        return ""
    about = "~" if running else ""
    more = "" if total.counted else "+"
    tokens = f"{about}{thousands((total.tokens or 0) + sum(running))}{more} tokens"
    ended = any(turn.finished for turn in follower.transcript.turns.values())
    return f"{tokens} {glyphs.between} {money(total.cost, glyphs, priced=total.priced)}" if ended else tokens
