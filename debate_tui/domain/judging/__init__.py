"""A fair judge: what a judge is told, how its answer is read, and how verdicts are counted.

Every judge reads the debate twice, in opposite orders and under neutral labels; only where both readings
name the same winner has it decided. All of this is pure: who asks the judges, and how often, is elsewhere.
"""

from debate_tui.domain.events import CriterionScore
from debate_tui.domain.judging.prompt import (
    JudgedDebater,
    ReadingOrder,
    build_judge_prompt,
    build_reading_orders,
    build_stance_prompt,
)
from debate_tui.domain.judging.reply import JudgeReading, parse_judge_reply, parse_stance
from debate_tui.domain.judging.rubric import CRITERIA
from debate_tui.domain.judging.scoring import (
    JudgeOpinion,
    OpinionSwing,
    PanelDecision,
    combine_readings,
    decide_panel,
    measure_swing,
)

__all__ = [
    "CRITERIA",
    "CriterionScore",
    "JudgeOpinion",
    "JudgeReading",
    "JudgedDebater",
    "OpinionSwing",
    "PanelDecision",
    "ReadingOrder",
    "build_judge_prompt",
    "build_reading_orders",
    "build_stance_prompt",
    "combine_readings",
    "decide_panel",
    "measure_swing",
    "parse_judge_reply",
    "parse_stance",
]
