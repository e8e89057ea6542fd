"""Charts as inline SVG: drawn on the server, coloured by the page's style sheet, without script.

Each has a name for readers who do not see it; its figures are in the table beside it. A mark's
value is its <title>, which browsers show as a tooltip.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT = 420, 172
TOP, BOTTOM, LEFT = 18, 22, 46
TICKS = 4
DOTS = 15  # places of a line's points that are marked; of more, those without a neighbour
LABEL_GAP = 13  # least distance of two labels at the right edge

Number = Decimal | int | float
Value = Number | None
Format = Callable[[Any], str]


@dataclass(frozen=True)
class Series:
    """One line: its name, its values, and which of the palette's inks it is drawn in."""

    name: str
    values: Sequence[Value]
    ink: int = 1


@dataclass(frozen=True)
class Scale:
    """From values to heights, with round numbers for the axis."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: Number) -> float:
        """The height of a value, downwards as SVG counts."""
        share = (float(value) - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def scale_for(
    values: Sequence[Value], from_zero: bool = True, most: float | None = None, whole: bool = False
) -> Scale:
    """A scale whose ends and ticks are 1, 2 or 5 times a power of ten."""
    known = [float(value) for value in values if value is not None] or [0.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if most is not None:
        high = most
    if high - low < 1e-9:
        low, high = (low - 0.01, high) if most is not None else (low, low + 1.0)
    step = _round_step((high - low) / TICKS)
    step = max(step, 1.0) if whole else step
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    ticks = tuple(round(each * step, 10) for each in range(first, max(last, first + 1) + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def _round_step(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step - 1e-12)


def column_chart(
    name: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[Value],
    shown: Format,
    axis: Format | None = None,
    parts: Series | None = None,
    tooltips: Sequence[str] = (),
    ticks: Sequence[str] = (),
    is_running: bool = False,
) -> Markup:
    """Columns from zero; `parts` is what of each column is drawn in another ink at its foot.

    `ticks` are the labels of the axis where not all fit, blank where there is none. The last column
    is light where its time `is_running` still.
    """
    scale = scale_for(values, whole=all(isinstance(value, int) for value in values))
    right = WIDTH - 8
    step = (right - LEFT) / max(len(values), 1)
    width = max(round(step * 0.72, 1), 1.0)
    zero = scale.y(0)
    marks, feet, texts = [], "", ""
    greatest = max((value for value in values if value is not None), default=None)
    labelled = False
    for place, value in enumerate(values):
        if value is None:
            continue
        x, y = LEFT + step * (place + 0.5), scale.y(value)
        tip = tooltips[place] if tooltips else f"{labels[place]}: {shown(value)}"
        light = ' class="running"' if is_running and place == len(values) - 1 else ""
        marks.append(
            f'<path{light} d="M{_n(x)} {_n(zero)}V{_n(y)}"><title>{escape(tip)}</title></path>'
        )
        if parts and (part := parts.values[place]):
            feet += f"M{_n(x)} {_n(zero)}V{_n(scale.y(part))}"
        if value == greatest and value and not labelled:
            labelled = True
            middle = min(max(x, LEFT + 16), right - 16)
            texts = (
                f'<text class="value" x="{_n(middle)}" y="{_n(min(y, zero) - 4)}"'
                f' text-anchor="middle">{escape(shown(value))}</text>'
            )
    positions = [LEFT + step * (place + 0.5) for place in range(len(labels))]
    body = f'<g class="columns ink1" stroke-width="{_n(width)}">{"".join(marks)}'
    if parts and feet:
        body += f'<path class="ink{parts.ink}" d="{feet}"/>'
    body += f"</g>{texts}"
    return _svg(
        name,
        description,
        _value_axis(scale, axis or shown, right) + body + _label_axis(ticks or labels, positions),
    )


def line_chart(
    name: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    shown: Format,
    axis: Format | None = None,
    from_zero: bool = True,
    most: float | None = None,
    ticks: Sequence[str] = (),
    is_running: bool = False,
) -> Markup:
    """Lines with their names and last values at their ends; a gap where nothing is known.

    The way to the last place is dashed where its time `is_running` still.
    """
    values = [value for each in series for value in each.values]
    scale = scale_for(values, from_zero, most)
    right = WIDTH - 92
    step = (right - LEFT) / max(len(labels) - 1, 1)
    xs = [
        round(LEFT + step * place, 1) if len(labels) > 1 else (LEFT + right) / 2
        for place in range(len(labels))
    ]
    lines: list[str] = []
    tips: list[list[str]] = [[] for _ in labels]
    ends: list[list[Any]] = []
    for each in series:
        points = [
            (x, scale.y(value), place, value)
            for place, (x, value) in enumerate(zip(xs, each.values, strict=True))
            if value is not None
        ]
        paths, dots, before = {"line": "", "line running": ""}, "", None
        known = {place for _, _, place, _ in points}
        for x, y, place, value in points:
            kind = "line running" if is_running and place == len(labels) - 1 else "line"
            if before and before[1] == place - 1:
                paths[kind] += f"{'' if paths[kind] else before[0]}L{_n(x)} {_n(y)}"
            else:
                paths[kind] += f"M{_n(x)} {_n(y)}"
            before = f"M{_n(x)} {_n(y)}", place
            if len(labels) <= DOTS or not known & {place - 1, place + 1}:
                dots += f"M{_n(x)} {_n(y)}h.1"  # a line of no length with round ends
            tips[place].append(f"{each.name} {shown(value)}")
        dots = f'<path class="dots" d="{dots}"/>' if dots else ""
        ways = "".join(f'<path class="{kind}" d="{d}"/>' for kind, d in paths.items() if d)
        lines.append(f'<g class="ink{each.ink}">{ways}{dots}</g>')
        if points:
            ends.append([points[-1][1] + 4, each, shown(points[-1][3])])
    ends.sort(key=lambda end: end[0])
    for above, below in itertools.pairwise(ends):
        below[0] = max(below[0], above[0] + 2 * LABEL_GAP)
    lowest = HEIGHT - BOTTOM - LABEL_GAP + 2.0  # the axis has its labels below
    for end in reversed(ends):
        end[0] = min(end[0], lowest)
        lowest = end[0] - 2 * LABEL_GAP
    texts = "".join(
        f'<text class="end ink{each.ink}" x="{right + 7}" y="{_n(y)}">{escape(each.name)}'
        f'<tspan class="value" x="{right + 7}" dy="12">{escape(last)}</tspan></text>'
        for y, each, last in ends
    )
    return _svg(
        name,
        description,
        _value_axis(scale, axis or shown, right)
        + "".join(lines)
        + _tooltips(labels, tips, xs, step)
        + texts
        + _label_axis(ticks or labels, xs),
    )


def _tooltips(
    labels: Sequence[str], tips: Sequence[Sequence[str]], xs: Sequence[float], width: float
) -> str:
    """A strip that nobody sees over each place, which says what all lines are there."""
    strips = "".join(
        f'<path d="M{_n(x)} {TOP}V{HEIGHT - BOTTOM}">'
        f"<title>{escape(label + ': ' + ', '.join(tip))}</title></path>"
        for label, tip, x in zip(labels, tips, xs, strict=True)
        if tip
    )
    return f'<g class="strips" stroke-width="{_n(width)}">{strips}</g>'


@dataclass(frozen=True)
class Range:
    """A forecast: what is expected, and between what it lies in 80 and 95 of 100 cases."""

    label: str
    expected: Number
    low_80: Number
    high_80: Number
    low_95: Number
    high_95: Number


def forecast_chart(
    name: str,
    description: str,
    past: Sequence[tuple[str, Value]],
    ranges: Sequence[Range],
    shown: Format,
    axis: Format,
    budget: Value = None,
) -> Markup:
    """What months cost, as columns, and what the next ones may, as ranges."""
    values = [value for _, value in past] + [each.high_95 for each in ranges] + [budget]
    scale = scale_for(values)
    right = WIDTH - (64 if budget is not None else 8)
    labels = [label for label, _ in past] + [each.label for each in ranges]
    step = (right - LEFT) / max(len(labels), 1)
    width = round(step * 0.6, 1)
    zero = scale.y(0)
    body = []
    for place, (label, value) in enumerate(past):
        if value is None:
            continue
        x = round(LEFT + step * place + (step - width) / 2, 1)
        body.append(
            f'<path class="ink1" d="{_box(x, zero, width, scale.y(value))}">'
            f"<title>{escape(f'{label}: {shown(value)}')}</title></path>"
        )
    for place, each in enumerate(ranges, len(past)):
        middle = round(LEFT + step * (place + 0.5), 1)
        tip = (
            f"{each.label}: {shown(each.expected)} expected, 80%: {shown(each.low_80)} to"
            f" {shown(each.high_80)}, 95%: {shown(each.low_95)} to {shown(each.high_95)}"
        )
        bands = "".join(
            f'<path class="{kind}" d="{_box(middle - half, max(low, high + 1), 2 * half, high)}"/>'
            for kind, half, low, high in (
                ("band95", width / 4, scale.y(each.low_95), scale.y(each.high_95)),
                ("band80", width / 2, scale.y(each.low_80), scale.y(each.high_80)),
            )
        )
        y = scale.y(each.expected)
        # Neighbours' labels have no room for cents beside hundreds.
        label = shown(each.expected) if each.expected < 100 else axis(round(each.expected))
        body.append(
            f'<g class="ink2"><title>{escape(tip)}</title>{bands}'
            f'<path class="line" d="M{middle - width / 2:.1f} {y}h{width}"/>'
            f'<text class="value" x="{middle}" y="{scale.y(each.high_95) - 4}"'
            f' text-anchor="middle">{escape(label)}</text></g>'
        )
    if budget is not None:
        y = scale.y(budget)
        body.append(
            f'<g class="ink3"><path class="rule" d="M{LEFT} {y}H{right}"/>'
            f'<text class="end ink3" x="{right + 5}" y="{y + 3}">budget'
            f'<tspan class="value" x="{right + 5}" dy="11">{escape(shown(budget))}</tspan></text>'
            "</g>"
        )
    positions = [LEFT + step * (place + 0.5) for place in range(len(labels))]
    return _svg(
        name,
        description,
        _value_axis(scale, axis, right) + "".join(body) + _label_axis(labels, positions),
    )


def sparkline(values: Sequence[Value], description: str) -> Markup:
    """A line as high as a word, with its last value as a dot."""
    known = [(place, float(value)) for place, value in enumerate(values) if value is not None]
    if not known:
        return Markup()
    width, height, pad = 96, 20, 3
    low, high = min(0.0, *(value for _, value in known)), max(value for _, value in known)
    span = (high - low) or 1.0
    step = (width - 2 * pad) / max(len(values) - 1, 1)
    points = [
        (round(pad + step * place), round(height - pad - (value - low) / span * 14))
        for place, value in known
    ]
    # Steps are shorter to write than places.
    path = "m{} {}l".format(*points[0]) + " ".join(
        f"{x - x_before} {y - y_before}"
        for (x_before, y_before), (x, y) in itertools.pairwise(points)
    ).replace(" -", "-")
    x, y = points[-1]
    return Markup(
        f'<svg class="sparkline ink1" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(description)}"><path class="line" d="{path.removesuffix("l")}"/>'
        f'<path class="dots" d="M{x} {y}h.1"/></svg>'
    )


def share_bar(share: Value) -> Markup:
    """How much of the whole a row is; its figure stands beside it."""
    width = min(max(float(share or 0), 0.0), 1.0) * 60
    return Markup(
        '<svg class="share" viewBox="0 0 60 8" aria-hidden="true">'
        f'<path d="M0 4h{_n(width)}"/></svg>'
    )


def _value_axis(scale: Scale, shown: Format, right: float) -> str:
    lines, texts = {"zero": "", "grid": ""}, ""
    for tick in scale.ticks:
        y = scale.y(tick)
        lines["grid" if tick else "zero"] += f"M{LEFT} {_n(y)}H{_n(right)}"
        texts += (
            f'<text x="{LEFT - 5}" y="{_n(y + 3.5)}">{escape(shown(Decimal(str(tick))))}</text>'
        )
    paths = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in lines.items() if path)
    return f'{paths}<g text-anchor="end">{texts}</g>'


def _label_axis(labels: Sequence[str], positions: Sequence[float]) -> str:
    texts = "".join(
        f'<text x="{_n(x)}" y="{HEIGHT - 7}">{escape(label)}</text>'
        for label, x in zip(labels, positions, strict=True)
        if label
    )
    return f'<g text-anchor="middle">{texts}</g>'


def _box(left: float, foot: float, width: float, top: float) -> str:
    """The path of a rectangle."""
    return f"M{_n(left)} {_n(foot)}V{_n(top)}h{_n(width)}V{_n(foot)}z"


def _n(value: float) -> str:
    """A coordinate, as short as it can be."""
    return f"{value:.1f}".removesuffix(".0")


def _svg(name: str, description: str, body: str) -> Markup:
    return Markup(
        f"<figure><figcaption>{escape(name)} <span>{escape(description)}</span></figcaption>"
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{escape(f"{name}. {description}")}">{body}</svg></figure>'
    )
