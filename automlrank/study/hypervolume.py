"""The hypervolume: the area that a front covers, and its history over trials.

Points are (gain, latency): more gain is better, less latency is. The hypervolume is the area that
the points dominate and that dominates the reference.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from automlrank.measurement.metrics import Floats

Point = tuple[float, float]


def hypervolume(points: npt.ArrayLike, reference: Point) -> float:
    """Return the area of ``points`` ``[n, 2]``; one outside the reference adds nothing.

    One sweep by latency: between two points' latencies, the area is as high as the best gain so
    far.
    """
    gain, latency = np.asarray(points, np.float64).reshape(-1, 2).T
    inside = (gain > reference[0]) & (latency < reference[1])
    order = np.argsort(latency[inside])
    heights = np.maximum.accumulate(gain[inside][order]) - reference[0]
    widths = np.diff(latency[inside][order], append=reference[1])
    return float(heights @ widths)


def history(points: Floats, reference: Point) -> list[float]:
    """Return the hypervolume after each point of ``[n, 2]``; NaN is the gain of a stopped trial."""
    front: list[Point] = []
    areas: list[float] = []
    area = 0.0
    for gain, latency in points.tolist():
        inside = gain > reference[0] and latency < reference[1]
        if inside and not any(g >= gain and ms <= latency for g, ms in front):
            front = [(g, ms) for g, ms in front if g > gain or ms < latency]
            front.append((gain, latency))
            area = hypervolume(front, reference)
        areas.append(area)
    return areas
