"""Metrics against their goals: a bar each, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from reprobuild.cli.page.elements import Kind, marked, paragraph, table
from reprobuild.core.risks import goal_met
from reprobuild.domain.spec import Metric, Spec

_WIDTH, _HEIGHT = 200, 14


def metric_parts(spec: Spec, metrics: Mapping[str, float]) -> Iterator[str]:
    if not spec.metrics:
        yield paragraph("It declares no metrics.")
        return
    yield table(
        "Metrics",
        ("metric", "value", "goal", "answer", "from zero", "two runs may differ by"),
        (_row(name, metric, metrics.get(name)) for name, metric in spec.metrics.items()),
    )
    reasons = [(name, one) for name, one in spec.metrics.items() if one.reason]
    if reasons:
        yield "<h3>Why these goals</h3>"
        yield from (
            paragraph(f"{name}: {one.reason}" + (f" ({one.owner})" if one.owner else ""))
            for name, one in reasons
        )


def _row(name: str, metric: Metric, value: float | None) -> list[str]:
    kind: Kind
    if value is None:
        answer, kind = "not measured", "bad"
    elif metric.minimum is None and metric.maximum is None:
        answer, kind = "no goal", "open"
    else:
        answer, kind = ("met", "good") if goal_met(metric, value) else ("missed", "bad")
    described = escape(name) + (
        f'<br><span class="faint">{escape(metric.description)}</span>' if metric.description else ""
    )
    return [
        described,
        "" if value is None else f"{value:g}",
        escape(_goal(metric)),
        marked(answer, kind),
        "" if value is None else _bar(name, metric, value, kind, answer),
        escape(_tolerance(metric)),
    ]


def _goal(metric: Metric) -> str:
    goals = ((metric.minimum, "at least"), (metric.maximum, "at most"))
    return " and ".join(f"{word} {goal:g}" for goal, word in goals if goal is not None) or "none"


def _tolerance(metric: Metric) -> str:
    one = metric.tolerance
    if one is None:
        return "nothing"
    if one.statistical is not None:
        return f"what {one.statistical.runs} other seeds show, at {one.statistical.false_alarm_rate:g} false alarms"
    kinds = ((one.absolute, "{:g}"), (one.relative, "{:.3g} of the value"))
    return " or ".join(words.format(number) for number, words in kinds if number is not None)


def _bar(name: str, metric: Metric, value: float, kind: Kind, answer: str) -> str:
    """From zero to the value, with a tick at each goal; the scale ends at 1 where all are shares."""
    goals = [goal for goal in (metric.minimum, metric.maximum) if goal is not None]
    low, high = min(0.0, value, *goals), max(0.0, value, *goals)
    high = 1.0 if low >= 0 and high <= 1 else (high * 1.1 if high > 0 else 0.0)
    span = (high - low) or 1.0

    def place(number: float) -> float:
        return round((number - low) / span * _WIDTH, 2)

    left, right = sorted((place(0.0), place(value)))
    ticks = "".join(f'<path class="goal" d="M{place(goal):g} 0V{_HEIGHT}"/>' for goal in goals)
    label = escape(f"{name}: {value:g}, goal {_goal(metric)}, {answer}")

    def block(kind: str, start: float, width: float) -> str:
        return f'<rect class="{kind}" x="{start:g}" y="2.5" width="{width:g}" height="{_HEIGHT - 5}"/>'

    return (
        f'<svg class="bar" role="img" aria-label="{label}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="-1 0 {_WIDTH + 2} {_HEIGHT}">'
        f"{block('back', 0, _WIDTH)}{block(kind, left, max(right - left, 1))}{ticks}</svg>"
    )
