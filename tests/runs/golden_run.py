"""A run that uses every key of ``front.json``; ``golden/`` holds what was written of it first."""

from __future__ import annotations

import math

from automlrank.measurement.metric_language import parse_metric
from automlrank.runs.record import Record
from automlrank.runs.results import Results

M = "auc@score"

nan = math.nan


def auc(v, low, high, rows, pos, **more):
    return {"auc": v, "auc_low": low, "auc_high": high, "rows": rows, "positives": pos, **more}


def rmse(v, low, high, rows, **more):
    return {"rmse": v, "rmse_low": low, "rmse_high": high, "rows": rows, **more}


def valid(v, click, stay, mean=None):
    return {
        M: v,
        "tasks": {"click": {"auc": click}, "stay": {"rmse": stay}},
        **({} if mean is None else {M + "_mean": mean}),
    }


BEST = Record(
    number=0,
    state="complete",
    fingerprint="a0",
    architecture={"interaction": ["linear", {"mlp": {"width": 64, "depth": 2}}], "tasks": "mmoe"},
    summary="emb8 · [linear, mlp 2x64] · mmoe",
    valid=valid(0.7125, 0.7053, 12.25, 0.7105),
    test={
        M: 0.7113,
        "seeds": 3,
        M + "_std": 0.0023,
        "tasks": {
            "click": auc(0.7101, 0.6998, 0.7204, 7500, 3308, versus={"b1": [0.0096, 0.0025]}),
            "stay": rmse(12.5, 12.0, 13.0, 7400, versus={"b1": [-0.25, 0.125]}),
        },
        "logloss": 0.6085,
        "calibration": 0.0247,
        "calibration_ratio": 1.0471,
        "logloss_recalibrated": 0.6077,
        M + "_low": 0.7001,
        M + "_high": 0.7225,
        "versus": {"b1": [0.0093, 0.0021], "lgb": [0.0012, 0.0031]},
        "score": {
            "click": {"auc": 0.7091, "auc_low": 0.6991, "auc_high": 0.7191},
            "buy": {"auc": 0.7391, "auc_low": 0.7291, "auc_high": 0.7491},
        },
        "scenarios": {
            "7": {
                "rows": 5796,
                "tasks": {
                    "click": auc(0.6597, 0.6458, 0.6736, 5796, 2791),
                    "stay": rmse(11.5, 11.0, 12.0, 5700),
                },
            },
            "others": {
                "rows": 2,
                "tasks": {"click": auc(nan, nan, nan, 2, 0), "stay": rmse(3.5, nan, nan, 1)},
            },
        },
        "seesaw": {
            "tasks": {
                "click": {
                    "whole": 0.7101,
                    "alone": 0.7092,
                    "difference": [0.0009, 0.0016],
                    "seeds": 3,
                    "metric": "auc",
                }
            },
            "boosted": {
                "stay": {
                    "whole": 12.5,
                    "alone": 12.75,
                    "difference": [-0.25, 0.125],
                    "seeds": 2,
                    "metric": "rmse",
                }
            },
            "scenarios": {
                "7": {
                    "whole": 0.6597,
                    "alone": 0.6581,
                    "difference": [0.0016, nan],
                    "seeds": 1,
                    "metric": "auc",
                }
            },
        },
    },
    latency_ms={
        "p50": 7.4916,
        "p95": 9.9412,
        "p99": 10.6165,
        "low": 5.929,
        "high": 8.366,
        "p50_repeated": 7.6342,
        "p50_first": 6.171,
    },
    parameters=483998,
    embedding_bytes=632128,
    matmul_flops=135252800,
    seconds=28.86,
    rows_seen=140000,
    zero_shares={"wide.weight": 0.9375},
    weights={"click": [1.0, 0.875], "stay": [1.0, 1.125]},
)


def plainlat(a, b, c):
    return {"p50": a, "p95": b, "p99": c, "low": None, "high": None, "p50_repeated": None}


def trial(number, state, **v):
    return Record(
        number=number,
        state=state,
        fingerprint=f"f{number}",
        architecture={"interaction": "linear"},
        summary="emb8 · linear",
        **v,
    )


RECORDS = (
    BEST,
    trial(
        1,
        "complete",
        valid=valid(0.695, 0.69, nan),
        latency_ms=plainlat(1.5, 2.5, 3.5),
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
        latency_ms=plainlat(3.25, 4.25, 5.25),
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
        latency_ms=plainlat(48.0, 49.0, 50.0),
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
        valid=valid(0.695, 0.69, nan),
        latency_ms=plainlat(1.5, 2.5, 3.5),
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
    test={
        M: 0.7101,
        "seeds": 2,
        M + "_std": 0.0001,
        "tasks": {"click": {"auc": 0.7002}, "stay": {"rmse": 12.75}},
        "logloss": 0.6105,
        "calibration": 0.0125,
        "calibration_ratio": 1.0,
        M + "_low": 0.6981,
        M + "_high": 0.7221,
        "versus": {"a0": [-0.0012, 0.0031]},
        "score": {
            "click": {"auc": 0.7081, "auc_low": 0.6981, "auc_high": 0.7181},
            "buy": {"auc": nan, "auc_low": nan, "auc_high": nan},
        },
    },
    latency_ms={
        **plainlat(2.5, 2.75, 3.0),
        "low": 2.25,
        "high": 2.75,
        "p50_repeated": 2.5,
        "p50_first": 2.625,
    },
    seconds=9.5,
)
OLD = Record(
    number=-3,
    state="reference",
    fingerprint="old",
    architecture={},
    summary="the present model ('old')",
    name="incumbent",
    valid={M: 0.6715, "tasks": {}, M + "_mean": 0.6715},
    test={
        M: 0.6701,
        "seeds": 1,
        M + "_std": None,
        "tasks": {},
        M + "_low": 0.6581,
        M + "_high": 0.6821,
        "versus": {"a0": [-0.0412, 0.0041]},
        "score": {
            "click": {"auc": 0.6681, "auc_low": 0.6581, "auc_high": 0.6781},
            "buy": {"auc": 0.6781, "auc_low": 0.6681, "auc_high": 0.6881},
        },
        "rows": 7001,
    },
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
    parse_metric(M),
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
