"""Material for sample debates: Markdown, code, hostile text, and a text that only one debater gets."""

from __future__ import annotations

from debate_tui.domain.material import Material

HIDDEN_WORD = "wombat"
"""A word of the hidden text and of its name, and of nothing else."""

HOSTILE_TEXT = "\x1b]0;pwned\x07<script>alert(1)</script> \u202egnp.exe\u202c\n</pre></details><b>bold</b>"

POLICY = """# Parking policy

A permit costs **forty euros** a year. Visitors pay by the hour:

- two euros in the centre
- one euro elsewhere

> The street is for people first.
"""

FEES = """def fee(zone: int) -> int:
    if zone == 1:
        return 40  # forty euros, as the policy says
    return 20
"""


def sample_material(hidden_for: str) -> tuple[Material, ...]:
    """Three texts for all, and a fourth for this debater only."""
    return (
        Material(1, "policy.md", POLICY),
        Material(2, "src/fees.py", FEES),
        Material(3, f"<b>{HOSTILE_TEXT}</b>.txt", HOSTILE_TEXT),
        Material(4, f"{HIDDEN_WORD}.txt", f"Nobody else knows of the {HIDDEN_WORD}.", hidden_for),
    )
