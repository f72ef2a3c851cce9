"""Who judges a debate and who reports on it, from settings and as typed for a finished debate."""

from __future__ import annotations

import pytest

from debate_tui.cli.judges import parse_judging, plan_judges
from debate_tui.cli.plan import _bias_notice
from debate_tui.config import Settings, with_options
from debate_tui.domain.errors import ConfigError, UsageError
from debate_tui.sources.registry import parse_source


def names(settings: Settings) -> tuple[list[str], str]:
    judges, reporter = plan_judges(settings, "Should cats vote?")
    return [judge.public_name for judge in judges], reporter.public_name if reporter is not None else ""


@pytest.mark.parametrize(
    ("typed", "judges", "reporter"),
    [
        ("demo:orator", ["demo:orator"], ""),
        ("demo:orator --report", ["demo:orator"], "demo:orator"),
        ("  demo:orator   --report= ", ["demo:orator"], "demo:orator"),
        ("demo:orator --report=demo:sceptic", ["demo:orator"], "demo:sceptic"),
        ("--report=demo:sceptic", [], "demo:sceptic"),
    ],
)
def test_a_judge_is_typed_with_a_report_or_without(typed: str, judges: list[str], reporter: str) -> None:
    assert names(parse_judging(typed)) == (judges, reporter)


@pytest.mark.parametrize("typed", ["", "--report", "nobody:x", "demo --report=nobody:x", "demo --repord"])
def test_what_is_no_judge_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        parse_judging(typed)


@pytest.mark.parametrize(
    ("report", "reporter"),
    [
        (False, ""),
        ("false", ""),
        ("", ""),
        (True, "demo:orator"),
        ("true", "demo:orator"),
        ("demo:sceptic", "demo:sceptic"),
        ("demo:orator", "demo:orator"),
    ],
)
def test_settings_name_who_reports(report: bool | str, reporter: str) -> None:
    assert names(Settings(judge=("demo:orator", "demo:sceptic"), report=report))[1] == reporter


def test_a_source_for_the_report_needs_its_key() -> None:
    with pytest.raises(ConfigError):
        plan_judges(Settings(report="openai:gpt-x"), "Should cats vote?")


def test_a_judge_that_reports_keeps_its_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-000000")
    judge = {"source": "openai:gpt-x", "effort": "low"}
    settings = with_options(Settings(), {"judge": [judge], "report": "openai:gpt-x"})
    (judged_by,), reporter = plan_judges(settings, "Should cats vote?")
    assert reporter is judged_by
    assert reporter.parameters.effort == "low"


@pytest.mark.parametrize(
    ("judge", "debater", "is_related"),
    [
        ("ollama:mistral-small:24b", "ollama:qwen3:32b", False),
        ("ollama:qwen3:8b", "ollama:qwen2.5", True),
        ("openai:gpt-5.6-terra", "openai:o3", True),
        ("openrouter:anthropic/claude-sonnet-5", "anthropic:claude-opus-5", True),
        ("openrouter:anthropic/claude-sonnet-5", "openrouter:openai/gpt-5", False),
        ("acp:claude", "anthropic:claude-opus-5", True),
        ("acp:goose", "acp:opencode", False),
        ("acp:/opt/claude", "acp:/opt/claude", False),
        ("lmstudio", "lmstudio", True),
        ("demo", "demo", False),
    ],
)
def test_a_judge_is_said_to_be_partial_to_models_of_its_family(
    judge: str, debater: str, is_related: bool
) -> None:
    assert bool(_bias_notice([parse_source(judge)], [parse_source(debater)])) is is_related
