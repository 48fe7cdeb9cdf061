"""series_decompose_anomalies: an approximation that is labelled as one.

The series is split into a seasonal part (the median of each phase), a trend (a line, the mean or nothing) and a rest.
A rest outside Tukey's fences of its 10th to 90th percentile is an anomaly. The real function fits its parts
differently: flags agree on clear outliers, scores and baselines do not agree in digits.
"""

import math
import statistics
from dataclasses import dataclass
from typing import Any, Final

import orjson

from local.insights.errors import NotCoveredError, QueryLimitError, SemanticError
from local.insights.kql.session import Session
from local.insights.kql.syntax import Node, Stage, assigned_names, calls, children, name_of, only, rule

_FUNCTION: Final = "series_decompose_anomalies"
_SUFFIXES: Final = ("ad_flag", "ad_score", "baseline")
_POINTS_MAX = 5_000
_SERIES_MAX = 200
_PERIOD_POINTS_MAX = 2_000
_PERIOD_CORRELATION: Final = 0.5


def matches(operator: Node) -> bool:
    """Extend with a call of the function."""
    return rule(operator) == "ExtendOperator" and any(call.name == _FUNCTION for call in calls(operator))


def run(stage: Stage, session: Session) -> str:
    """Adds flag, score and baseline arrays to each row."""
    parts = [part for part in children(stage.operator) if rule(part) == "NamedExpression"]
    if len(parts) != 1 or rule(only(children(parts[0])[-1])) != "NamedFunctionCallExpression":
        raise NotCoveredError(f"{_FUNCTION}() inside a larger extend is not covered: give it an extend of its own")
    call = calls(parts[0])[0]
    if not 1 <= len(call.arguments) <= 4:
        raise NotCoveredError(f"{_FUNCTION}() with more than series, threshold, seasonality and trend is not covered")
    settings = _settings(stage, session, list(call.arguments[1:]))
    source = name_of(call.arguments[0])
    names = assigned_names(parts[0])
    names += [f"{_FUNCTION}_{source or 'series'}_{suffix}" for suffix in _SUFFIXES[len(names) :]]
    table = session.keep(f"{stage.lets}{stage.prefix} | extend __series = {stage.source(call.arguments[0])}")
    results = session.keep_sql(
        "SELECT 0::BIGINT AS row, NULL::JSON AS flag, NULL::JSON AS score, NULL::JSON AS base LIMIT 0"
    )
    session.insert(results, _decomposed(session, table, settings))
    session.approximations.add(_FUNCTION)
    added = ", ".join(f'r.{column} AS "{name}"' for column, name in zip(("flag", "score", "base"), names, strict=True))
    joined = f'"{table}" t JOIN "{results}" r ON t.rowid = r.row ORDER BY t.rowid'
    return session.keep_sql(f"SELECT t.* EXCLUDE (__series), {added} FROM {joined}")


@dataclass(frozen=True, slots=True)
class _Settings:
    threshold: float = 1.5
    seasonality: int = -1
    trend: str = "avg"


def _settings(stage: Stage, session: Session, arguments: list[Node]) -> _Settings:
    texts = {f"a{number}": stage.source(argument) for number, argument in enumerate(arguments)}
    values = list(session.scalars(stage.lets, texts).values()) if texts else []
    settings = _Settings(*values)
    if settings.trend not in {"avg", "none", "linefit"}:
        raise SemanticError(f"{_FUNCTION}() knows the trends avg, none and linefit")
    return settings


def _decomposed(session: Session, table: str, settings: _Settings) -> list[tuple[Any, ...]]:
    rows = session.fetch(f'SELECT rowid, CAST(__series AS VARCHAR) FROM "{table}"')
    if len(rows) > _SERIES_MAX:
        raise QueryLimitError(f"{_FUNCTION}() over {len(rows)} series; the limit is {_SERIES_MAX}")
    results = []
    for row, text in rows:
        flags, scores, baseline = decompose(_series(text), settings.threshold, settings.seasonality, settings.trend)
        results.append((row, *(orjson.dumps(values).decode() for values in (flags, scores, baseline))))
        session.check_time()
    return results


def _series(text: str | None) -> list[float]:
    values = orjson.loads(text) if text else None
    if not isinstance(values, list) or not all(value is None or isinstance(value, int | float) for value in values):
        raise SemanticError(f"{_FUNCTION}() needs an array of numbers")
    if len(values) > _POINTS_MAX:
        raise QueryLimitError(f"{_FUNCTION}() over {len(values)} points; the limit is {_POINTS_MAX}")
    return [0.0 if value is None else float(value) for value in values]


def decompose(
    series: list[float], threshold: float, seasonality: int, trend: str
) -> tuple[list[int], list[float], list[float]]:
    """Flags (-1, 0, 1), scores and baseline of a series.

    Args:
        series: The values, evenly spaced.
        threshold: A score beyond this, up or down, is an anomaly.
        seasonality: Points per period; -1 looks for one, 0 means none.
        trend: `linefit`, `avg` or `none`.
    """
    if not series:
        return [], [], []
    period = _period(series) if seasonality == -1 else seasonality
    seasonal = _seasonal(series, period)
    level = _trend([value - part for value, part in zip(series, seasonal, strict=True)], trend)
    baseline = [part + base for part, base in zip(seasonal, level, strict=True)]
    rest = [value - base for value, base in zip(series, baseline, strict=True)]
    low, high = _quantile(rest, 0.1), _quantile(rest, 0.9)
    spread = (high - low) or 1e-9
    scores = [max(0.0, value - high) / spread - max(0.0, low - value) / spread for value in rest]
    flags = [int(score > threshold) - int(score < -threshold) for score in scores]
    return flags, scores, baseline


def _period(series: list[float]) -> int:
    count = len(series)
    mean = math.fsum(series) / count
    centred = [value - mean for value in series][:_PERIOD_POINTS_MAX]
    power = math.fsum(value * value for value in centred)
    if count < 8 or power == 0:
        return 0
    half = len(centred) // 2
    correlation = [math.fsum(map(float.__mul__, centred, centred[lag:])) / power for lag in range(half + 1)]
    peaks = [
        lag
        for lag in range(2, half)
        if correlation[lag - 1] < correlation[lag] >= correlation[lag + 1] and correlation[lag] > _PERIOD_CORRELATION
    ]
    return max(peaks, key=lambda lag: correlation[lag], default=0)


def _seasonal(series: list[float], period: int) -> list[float]:
    if not 0 < period < len(series):
        return [0.0] * len(series)
    phases = [statistics.median(series[phase::period]) for phase in range(period)]
    middle = statistics.median(phases)
    return [phases[index % period] - middle for index in range(len(series))]


def _trend(series: list[float], kind: str) -> list[float]:
    count = len(series)
    if kind == "none":
        return [0.0] * count
    if kind == "avg" or count < 2:
        return [math.fsum(series) / count] * count
    line = statistics.linear_regression(range(count), series)
    return [line.intercept + line.slope * index for index in range(count)]


def _quantile(values: list[float], level: float) -> float:
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
