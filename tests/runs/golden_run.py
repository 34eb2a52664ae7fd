"""A run that uses every key of ``front.json``, as typed values."""

from __future__ import annotations

import dataclasses
from typing import Any

from automlrank.measurement.latency import Latency
from automlrank.measurement.metric_language import parse_metric
from automlrank.measurement.metrics import AUC, RMSE
from automlrank.runs.record import Record
from automlrank.runs.results import Results
from automlrank.runs.run_info import RunInfo
from automlrank.runs.scores import (
    FinalScores,
    Interval,
    PairedDifference,
    PartScore,
    Probabilities,
    ScenarioScores,
    SpecialistScore,
    SplitScores,
)

METRIC = parse_metric("auc@score")


def click(value: float | None, low: float | None, high: float | None, **more: Any) -> PartScore:
    return PartScore(AUC, value, Interval(low, high), **more)


def stay(value: float | None, low: float | None, high: float | None, **more: Any) -> PartScore:
    return PartScore(RMSE, value, Interval(low, high), **more)


def versus(**pairs: tuple[float, float]) -> dict[str, PairedDifference]:
    return {key: PairedDifference(*pair) for key, pair in pairs.items()}


def valid(value: float, click: float, stay: float | None, mean: float | None = None) -> SplitScores:
    tasks = {"click": PartScore(AUC, click), "stay": PartScore(RMSE, stay)}
    return SplitScores(METRIC, value, tasks, mean)


BEST = Record(
    number=0,
    state="complete",
    fingerprint="a0",
    architecture={"interaction": ["linear", {"mlp": {"width": 64, "depth": 2}}], "tasks": "mmoe"},
    summary="emb8 · [linear, mlp 2x64] · mmoe",
    valid=dataclasses.replace(
        valid(0.7125, 0.7053, 12.25, 0.7105),
        seeds=(0.7095, 0.7105, 0.7115),
        versus=versus(b1=(0.0091, 0.0022)),
    ),
    test=FinalScores(
        METRIC,
        0.7113,
        seeds=3,
        std=0.0023,
        interval=Interval(0.7001, 0.7225),
        tasks={
            "click": click(
                *(0.7101, 0.6998, 0.7204),
                rows=7500,
                positives=3308,
                versus=versus(b1=(0.0096, 0.0025)),
            ),
            "stay": stay(12.5, 12.0, 13.0, rows=7400, versus=versus(b1=(-0.25, 0.125))),
        },
        probabilities=Probabilities(0.6085, 0.0247, 1.0471),
        logloss_recalibrated=0.6077,
        versus=versus(b1=(0.0093, 0.0021), lgb=(0.0012, 0.0031)),
        by_label={"click": click(0.7091, 0.6991, 0.7191), "buy": click(0.7391, 0.7291, 0.7491)},
        scenarios={
            "7": ScenarioScores(
                5796,
                {
                    "click": click(0.6597, 0.6458, 0.6736, rows=5796, positives=2791),
                    "stay": stay(11.5, 11.0, 12.0, rows=5700),
                },
            ),
            "others": ScenarioScores(
                2,
                {
                    "click": click(None, None, None, rows=2, positives=0),
                    "stay": stay(3.5, None, None, rows=1),
                },
            ),
        },
        seesaw={
            "tasks": {
                "click": SpecialistScore(AUC, 0.7101, 0.7092, PairedDifference(0.0009, 0.0016), 3)
            },
            "boosted": {
                "stay": SpecialistScore(RMSE, 12.5, 12.75, PairedDifference(-0.25, 0.125), 2)
            },
            "scenarios": {
                "7": SpecialistScore(AUC, 0.6597, 0.6581, PairedDifference(0.0016, None), 1)
            },
        },
    ),
    latency_ms=Latency(7.4916, 9.9412, 10.6165, 5.929, 8.366, 7.6342, 6.171),
    parameters=483998,
    embedding_bytes=632128,
    matmul_flops=135252800,
    seconds=28.86,
    rows_seen=140000,
    zero_shares={"wide.weight": 0.9375},
    weights={"click": [1.0, 0.875], "stay": [1.0, 1.125]},
)


def trial(number: int, state: str, **values: Any) -> Record:
    return Record(
        number=number,
        state=state,
        fingerprint=f"f{number}",
        architecture={"interaction": "linear"},
        summary="emb8 · linear",
        **values,
    )


RECORDS = (
    BEST,
    trial(
        1,
        "complete",
        valid=valid(0.695, 0.69, None),
        latency_ms=Latency(1.5, 2.5, 3.5),
        parameters=19767,
        embedding_bytes=0,
        matmul_flops=0,
        seconds=1.891,
        name="lr",
        rows_seen=105000,
        zero_shares={},
    ),
    trial(
        2,
        "pruned",
        latency_ms=Latency(3.25, 4.25, 5.25),
        parameters=70,
        embedding_bytes=1,
        matmul_flops=2,
        seconds=4.5,
        reason="behind its peers at 40,000 rows",
        rows_seen=40000,
    ),
    trial(
        3,
        "over_budget",
        latency_ms=Latency(48.0, 49.0, 50.0),
        parameters=7,
        embedding_bytes=1,
        matmul_flops=2,
        seconds=0.5,
        reason="latency_ms 48 over the limit of 30",
    ),
    trial(
        4,
        "failed",
        parameters=7,
        embedding_bytes=1,
        matmul_flops=2,
        seconds=0.25,
        reason="TrialError: the loss is nan after 128 rows",
    ),
    trial(
        5,
        "duplicate",
        valid=valid(0.695, 0.69, None),
        latency_ms=Latency(1.5, 2.5, 3.5),
        parameters=19767,
        embedding_bytes=0,
        matmul_flops=0,
        seconds=0.125,
        reason="the same architecture as trial 1",
        duplicate_of=1,
        rows_seen=105000,
        zero_shares={},
    ),
)
LGB = Record(
    number=-2,
    state="reference",
    fingerprint="lgb",
    architecture={},
    summary="LightGBM with target rates",
    name="lightgbm_rates",
    valid=valid(0.7015, 0.6953, 12.75, 0.7015),
    test=FinalScores(
        METRIC,
        0.7101,
        seeds=2,
        std=0.0001,
        interval=Interval(0.6981, 0.7221),
        tasks={"click": PartScore(AUC, 0.7002), "stay": PartScore(RMSE, 12.75)},
        probabilities=Probabilities(0.6105, 0.0125, 1.0),
        versus=versus(a0=(-0.0012, 0.0031)),
        by_label={"click": click(0.7081, 0.6981, 0.7181), "buy": click(None, None, None)},
    ),
    latency_ms=Latency(2.5, 2.75, 3.0, 2.25, 2.75, 2.5, 2.625),
    seconds=9.5,
)
OLD = Record(
    number=-3,
    state="reference",
    fingerprint="old",
    architecture={},
    summary="the present model ('old')",
    name="incumbent",
    valid=SplitScores(METRIC, 0.6715, {}, 0.6715),
    test=FinalScores(
        METRIC,
        0.6701,
        interval=Interval(0.6581, 0.6821),
        versus=versus(a0=(-0.0412, 0.0041)),
        by_label={"click": click(0.6681, 0.6581, 0.6781), "buy": click(0.6781, 0.6681, 0.6881)},
        rows=7001,
    ),
    seconds=0.0,
)
GONE = Record(
    number=-4,
    state="reference",
    fingerprint="gone",
    architecture={"interaction": "fm"},
    summary="emb8 · fm",
    name="fm",
    reason="TrialError: no",
    seconds=0.5,
)
RUN = Results(
    METRIC,
    {
        "candidates": 200,
        "threads": 1,
        "runtime": "torch",
        "device": "cpu",
        "tries": 3,
        "rounds": 10,
    },
    RECORDS,
    (RECORDS[1], LGB, OLD, GONE),
)

FACTS = RunInfo(
    command="automlrank search clicks.parquet",
    seed=0,
    data="clicks",
    data_fingerprint="c0ffee",
    metric=METRIC.name,
    rows={},
    label_rates={},
    versions={},
    machine="2 cores",
    seconds=60.0,
)
