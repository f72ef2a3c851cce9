"""A fair judge: what a judge is told, how its answer is read, and how verdicts are counted.

Every judge reads the debate twice, in opposite orders and under neutral labels; only where both readings
name the same winner has it decided. All of this is pure: who asks the judges, and how often, is elsewhere.
"""

from debate_tui.domain.events import Mark
from debate_tui.domain.judging.case import Entry, Hearing, hearings, question, stance_question
from debate_tui.domain.judging.reading import CRITERIA, Reading, read, read_stance
from debate_tui.domain.judging.verdict import Opinion, Panel, Swing, opinion, panel, swing

__all__ = [
    "CRITERIA",
    "Entry",
    "Hearing",
    "Mark",
    "Opinion",
    "Panel",
    "Reading",
    "Swing",
    "hearings",
    "opinion",
    "panel",
    "question",
    "read",
    "read_stance",
    "stance_question",
    "swing",
]
