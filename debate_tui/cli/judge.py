"""``debate-tui judge``: let judges read a finished debate of the record."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from msgspec import structs

from debate_tui import config
from debate_tui.cli.continuation import check_not_live, decode_format
from debate_tui.cli.format_files import find_format
from debate_tui.cli.judges import plan_judges
from debate_tui.cli.messages import print_info
from debate_tui.cli.plan import load_settings, price_rates
from debate_tui.cli.terminal import catch_signals
from debate_tui.cli.wiring import make_judges, make_source_factory
from debate_tui.domain.briefs import DebateSpec
from debate_tui.domain.errors import UsageError
from debate_tui.domain.judging.summary import describe_outcome
from debate_tui.domain.quotes import QuoteChecker
from debate_tui.domain.report import describe_report
from debate_tui.domain.transcript import Transcript
from debate_tui.domain.wording import count_of
from debate_tui.record.stores import open_store
from debate_tui.resilience.recovery import RecoveringSource
from debate_tui.session.judges import JudgePanel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from debate_tui.domain.debate import Format
    from debate_tui.domain.stream import Source
    from debate_tui.record.log import DebateLog
    from debate_tui.record.summary import DebateSummary
    from debate_tui.sources.registry import SourceSpec

EXIT_NO_VERDICT = 1


def judge_debate(debate: str, overrides: dict[str, object]) -> int:
    """Judge a recorded debate, the latest if `debate` is empty, print the outcome, and return the exit code.

    `overrides` are the settings from the command line. Raise `DebateError` if the debate cannot be judged.
    """
    settings = load_settings(overrides)
    if "judge" not in overrides and overrides.get("report") not in (None, "true"):
        settings = structs.replace(settings, judge=())  # only a report was asked for
    return asyncio.run(_judge_debate(debate, settings))


async def _judge_debate(debate: str, settings: config.Settings) -> int:
    async with AsyncExitStack() as stack:
        store = open_store(config.record_file())
        stack.push_async_callback(store.aclose)
        summary = await store.find(debate)
        transcript = Transcript(await store.events(summary.debate))
        _check_finished(summary, transcript)
        judges, reporter = plan_judges(settings, transcript.topic)
        if not judges and reporter is None:
            raise UsageError("No judge was named.", "Name one or more: --judge openai:MODEL")
        format_ = decode_format(await store.setup(summary.debate)) or find_format(summary.format)
        log = await store.resume(summary.debate)
        stack.push_async_callback(log.aclose)
        verdict_count, report_count = len(transcript.verdicts), len(transcript.reports)
        log.subscribe(transcript.apply)
        count = count_of(len(judges) or 1, "judge")
        print_info(f"{count} reading the debate {summary.debate}: “{summary.topic}”")
        code = await _run_judges(settings, judges, reporter, format_, transcript, log)
    verdicts, reports = transcript.verdicts[verdict_count:], transcript.reports[report_count:]
    paragraphs = ["\n".join(describe_outcome(transcript))] if verdicts else []
    if reports:
        paragraphs += "Report", *describe_report(transcript)
    if paragraphs:
        print("\n\n".join(paragraphs))
    has_result = any(not each.problem for each in (verdicts if judges else reports))
    return code or (0 if has_result else EXIT_NO_VERDICT)


def _check_finished(summary: DebateSummary, transcript: Transcript) -> None:
    """Raise `UsageError` if the debate is not over, or has nothing to judge."""
    check_not_live(summary)
    if transcript.end is None:
        raise UsageError(
            f"The debate {summary.debate} is not finished.",
            f"Resume it first: debate-tui --continue {summary.debate}",
        )
    if not any(turn.is_public for turn in transcript.turns.values()):
        raise UsageError(f"The debate {summary.debate} has no finished turn to judge.")


async def _run_judges(
    settings: config.Settings,
    judges: Sequence[SourceSpec],
    reporter: SourceSpec | None,
    format_: Format,
    transcript: Transcript,
    log: DebateLog,
) -> int:
    """Let the judges read the debate; return the exit code of a signal that stopped them, else 0."""

    def with_recovery(_: str, source: Source, is_paused: Callable[[], bool]) -> Source:
        return RecoveringSource(source, settings.recovery, is_paused=is_paused)

    spec = DebateSpec(
        debate=transcript.debate_id,
        topic=transcript.topic,
        format=format_,
        debaters=(),
        material=log.material,
    )
    async with make_source_factory(settings) as sources:
        made = make_judges(judges, reporter, sources, price_rates(settings), with_recovery)
        panel = JudgePanel(made[0], spec, reporter=made[1])
        checker = QuoteChecker(log.material, transcript)
        judging = asyncio.create_task(panel.judge_finished(transcript, checker, log.append))
        with catch_signals(judging.cancel) as signal, suppress(asyncio.CancelledError):
            await judging
    return signal.exit_code
