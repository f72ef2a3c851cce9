"""Fair judging: what judges are asked, how their answers are read, and how verdicts are counted.

Every judge reads the debate twice, in opposite orders and under neutral labels; a winner counts only if
both readings name the same one. All code here is pure; `session.judges` sends the requests.
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
