"""A hand-made run: six trials of every state, one reference outside the space."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from automlrank.measurement.latency import Latency
from automlrank.measurement.metrics import AUC
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.scores import (
    FinalScores,
    Interval,
    PairedDifference,
    PartScore,
    Probabilities,
    SplitScores,
)


def trial(number: int, auc: float | None, p50: float | None, **values: object) -> Record:
    fields: dict[str, object] = {
        "number": number,
        "state": "complete",
        "fingerprint": f"print{number}",
        "architecture": {"interaction": ["linear", {"mlp": {"width": 64, "depth": 2}}]},
        "summary": "emb16 · din · [linear, fm, mlp 2x128] · mmoe",
        "valid": None if auc is None else valid(auc),
        "latency_ms": None if p50 is None else Latency(p50, p50 * 1.3, p50 * 1.5),
        "parameters": 1_234_567,
        "embedding_bytes": 4_000_000,
        "matmul_flops": 80_000,
        "seconds": 31.5,
    }
    return Record(**{**fields, **values})  # type: ignore[arg-type]


def valid(auc: float) -> SplitScores:
    return SplitScores(AUC, auc, {"is_click": PartScore(AUC, auc)})


def scored(auc: float, half: float = 0.0027, **versus: list[float]) -> FinalScores:
    return FinalScores(
        AUC,
        auc,
        seeds=3,
        std=0.0006,
        interval=Interval(auc - half, auc + half),
        probabilities=Probabilities(0.5931, 0.0124, 1.031),
        versus={key: PairedDifference(*pair) for key, pair in versus.items()},
    )


DEEPFM = trial(
    -1,
    0.735,
    5.0,
    state="reference",
    name="deepfm",
    test=scored(0.7264),
    fingerprint="deepfm",
    summary="emb16 · [linear, fm, mlp 2x128]",
)


def baseline(name: str, summary: str, p50: float | None, test: FinalScores) -> Record:
    """A reference that is no architecture."""
    return trial(
        *(-9, 0.73, p50),
        state="reference",
        name=name,
        fingerprint=name,
        summary=summary,
        architecture={},
        parameters=None,
        test=test,
    )


@pytest.fixture
def boosted() -> Callable[..., Record]:
    """LightGBM by its test scores."""
    return lambda test, p50=2.1: baseline("trees", "LightGBM with target rates", p50, test)


@pytest.fixture
def incumbent() -> Callable[..., Record]:
    """The current model by its test scores."""
    return lambda test: baseline("incumbent", "the current model ('old')", None, test)


@pytest.fixture
def make_trial() -> Callable[..., Record]:
    return trial


@pytest.fixture
def make_test() -> Callable[..., FinalScores]:
    return scored


@pytest.fixture
def deepfm() -> Record:
    return DEEPFM


@pytest.fixture
def results() -> Results:
    return Results(
        metric=AUC,
        latency={"candidates": 200, "threads": 1, "runtime": "torch", "device": "cpu"},
        records=(
            trial(
                0,
                0.7300,
                1.5,
                name="lr",
                summary="emb8 · linear",
                fingerprint="lr",
                test=scored(0.7190, lr=[0.0, 0.0], deepfm=[-0.0074, 0.0012]),
            ),
            trial(1, 0.7371, 4.1, test=scored(0.7279, deepfm=[0.0015, 0.0011])),
            trial(2, 0.7330, 9.0),
            trial(3, None, 48.0, state="over_budget", reason="48.0 ms, the budget is 30 ms"),
            trial(4, 0.6990, 3.0, state="pruned", reason="behind its peers at 40,000 rows"),
            trial(5, None, None, state="failed", reason="the loss was not finite"),
            trial(6, 0.7371, 4.1, state="duplicate", duplicate_of=1),
        ),
        references=(
            trial(
                0,
                0.7300,
                1.5,
                name="lr",
                summary="emb8 · linear",
                fingerprint="lr",
                test=scored(0.7190, lr=[0.0, 0.0], deepfm=[-0.0074, 0.0012]),
            ),
            DEEPFM,
        ),
    )


@pytest.fixture
def facts() -> RunInfo:
    return RunInfo(
        command="automlrank search kuairand --latency-ms 30 --seed 1",
        seed=1,
        data="kuairand",
        data_fingerprint="c0ffee",
        metric="auc",
        rows={"train": 131_474, "valid": 48_910, "test": 42_485},
        label_rates={"train": {"is_click": 0.41}, "test": {"is_click": 0.39}},
        versions={"automlrank": "0.1.0", "torch": "2.13.0"},
        machine="2 cores",
        seconds=412.0,
        latency_ms=30.0,
        set_aside=("is_like", "is_follow"),
        suspicions=("video_id: 31 % of the test rows hold an id unseen in training.",),
        skipped={"din": "needs a history"},
    )
