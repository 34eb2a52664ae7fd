"""Successive halving for two objectives: it decides at a rung if a trial continues.

Asynchronous, as ASHA (Li et al., MLSys 2020, https://arxiv.org/abs/1810.05934): a trial is judged
when it arrives, against all that have been there, running trials included. ASHA's single metric is
replaced by the order of NSGA-II (Deb et al., 2002, https://doi.org/10.1109/4235.996017):
non-domination rank, then crowding distance; the two together are those of Schmucker et al.
(2021, https://arxiv.org/abs/2106.12639).

Points are ``[n, 2]`` of (gain, latency): more gain is better, less latency is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automlrank.errors import UsageError
from automlrank.measurement.metrics import Floats


@dataclass(frozen=True)
class ParetoHalving:
    """The best ``1 / eta`` of a rung continue, and its front whatever its size; the others stop.

    No trial stops with fewer than ``min_peers`` others at the rung, nor beyond the share
    ``most_stopped`` of all trials that ever reached a rung: TPE takes the best tenth of its trials
    for good, and would fill it with stopped ones.
    """

    eta: int = 3
    min_peers: int = 5
    most_stopped: float = 0.9

    def __post_init__(self) -> None:
        if self.eta < 2:
            raise UsageError(f"eta must be 2 or more, but got {self.eta}.")
        if self.min_peers < 1:
            raise UsageError(f"min_peers must be 1 or more, but got {self.min_peers}.")
        if not 0 <= self.most_stopped < 1:
            raise UsageError(f"0 <= most_stopped < 1 must hold, but got {self.most_stopped}.")

    def stops(self, peers: Floats, mine: tuple[float, float], reached: int, stopped: int) -> bool:
        """Return True if a trial stops at a rung that ``peers`` ``[n, 2]`` reached before it.

        ``reached`` trials, this one included, have come to any rung so far, and ``stopped`` of
        them were stopped at one.
        """
        if len(peers) < self.min_peers or stopped + 1 > self.most_stopped * reached:
            return False
        points = np.vstack([peers, mine])
        ranks = non_domination_ranks(points)
        rank = ranks[-1]
        if rank == 0:
            return False
        distances = crowding_distances(points[ranks == rank])
        better = int((ranks < rank).sum() + (distances > distances[-1]).sum())
        return better >= math.ceil(len(points) / self.eta)


def non_domination_ranks(points: Floats) -> npt.NDArray[np.int64]:
    """Return ``[n]``: 0 for the front, 1 for the front of the other points, and so on.

    A point is dominated by one that is at least as good in both and better in one, so equal points
    share a rank. One sweep from the most gain down, O(n log n): a point belongs to the first front
    whose fastest point so far is slower than it. A thousand points take .7 ms.
    """
    unique, which = np.unique(points * (-1.0, 1.0), axis=0, return_inverse=True)
    ranks = np.empty(len(unique), np.int64)
    fastest: list[float] = []  # by front; ascending, as each front dominates the next
    for i, latency in enumerate(unique[:, 1].tolist()):
        ranks[i] = rank = bisect_right(fastest, latency)
        fastest[rank : rank + 1] = [latency]
    return ranks[which.reshape(-1)]


def crowding_distances(front: Floats) -> Floats:
    """Return ``[n]``: the crowding distance of each point of a front, infinite at its ends.

    The gap between a point's two neighbours as a share of the front's extent, summed over gain and
    latency. Equal points share one distance, so the order of the points makes no difference.
    """
    unique, which = np.unique(front, axis=0, return_inverse=True)
    distances = np.full(len(unique), np.inf)
    if len(unique) > 2:
        gaps = np.abs(unique[2:] - unique[:-2]) / np.ptp(unique, axis=0)
        distances[1:-1] = gaps.sum(axis=1)
    return distances[which.reshape(-1)]
