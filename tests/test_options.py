"""Options: declared once, read from the command line, from Python and from files alike."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import automlrank
from automlrank.documents import dump
from automlrank.errors import UsageError
from automlrank.jobs import options as declared
from automlrank.jobs.options import SearchOptions, TrainOptions
from automlrank.options.base import Options, fields_of, spelling
from automlrank.options.call import collect, takes
from automlrank.options.files import RECORD, read_options, record
from automlrank.options.kinds import KEY, seconds

OTHER = {
    "data": ["a.parquet", "b.parquet"], "schema": "s.yaml", "joins": ["users.csv:user"],
    "label": "click", "device": "cpu", "candidates": 7, "runtime": "onnxruntime", "seed": 3,
    "trials": 4, "time": 90.5, "latency_ms": 12.5, "sampler": "random", "pruner": "none",
    "objectives": 1, "trial_time": 600.0, "patience": 5, "metric": "auc:click=1,auc:buy=0.5",
    "space": "deepfm", "incumbent": "old", "sample_rows": 1000, "max_unknown": 0.7,
    "prefer": "score", "workers": 2,
    "config": None,
    "out": "run", "resume": True,
}  # fmt: skip
"""A value for each option of a search that is not its default."""
GONE = ("config", "out", "resume")  # of one session: no record keeps them


@takes(SearchOptions)
def given(options: SearchOptions) -> SearchOptions:
    """Return the options."""
    return options


def written(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "search.yaml"
    file.write_text(text)
    return file


def sets_of_options() -> list[type[Options]]:
    found = [one for one in vars(declared).values() if inspect.isclass(one)]
    return [one for one in found if issubclass(one, Options) and one is not Options]


# -- declarations ----------------------------------------------------------------------------


@pytest.mark.parametrize("cls", sets_of_options(), ids=lambda cls: cls.__name__)
def test_an_option_says_what_it_is(cls: type[Options]) -> None:
    for item in fields_of(cls):
        option = item.metadata[KEY]
        assert option.help[0].isupper() or option.help[0].isdigit()
        assert option.help.endswith((".", ")"))
        assert option.metavar or option.type is bool


@pytest.mark.parametrize("cls", sets_of_options(), ids=lambda cls: cls.__name__)
def test_a_default_obeys_its_own_rule(cls: type[Options]) -> None:
    for item in fields_of(cls):
        if item.default not in (dataclasses.MISSING, None):
            assert item.metadata[KEY].read(item.default) == item.default


def test_values_stand_for_every_option() -> None:
    assert set(OTHER) == {item.name for item in fields_of(SearchOptions)}
    defaults = {item.name: item.default for item in fields_of(SearchOptions)}
    assert not [name for name in OTHER if OTHER[name] == defaults[name] and name != "config"]


# -- Python ----------------------------------------------------------------------------------


def test_a_function_has_the_options_as_arguments() -> None:
    for function, cls in ((automlrank.search, SearchOptions), (train(), TrainOptions)):
        assert inspect.signature(function) == inspect.signature(cls)
        assert all(item.name in str(function.__doc__) for item in fields_of(cls))


def train() -> Callable[..., object]:
    from automlrank.jobs.train import train

    return train


def test_arguments_by_position_and_by_name() -> None:
    options = given("table.csv", "schema.yaml", "ctr", trials=3)
    assert (options.data, options.schema, options.space) == ("table.csv", "schema.yaml", "ctr")
    assert (options.trials, options.seed) == (3, 0)


def test_an_unknown_argument_is_a_type_error_with_a_near_name() -> None:
    arguments: dict[str, Any] = {"trails": 3}
    with pytest.raises(TypeError, match=r"given\(\) got .* 'trails'\. Did you mean 'trials'\?"):
        given("table.csv", **arguments)


def test_every_wrong_value_is_told() -> None:
    with pytest.raises(UsageError) as raised:
        given("x", trials=0, seed=-1, sampler="tpee", metric="acu", latency_ms=0.0, workers=1.5)  # type: ignore[arg-type]
    told = [str(fault) for fault in raised.value.faults]
    assert told == [
        "--seed must be 0 or more, but got -1.",
        "--trials must be 1 or more, but got 0.",
        "--latency-ms must be above 0, but got 0.0.",
        "--sampler must be one of tpe, evolution, nsga2, random, but got 'tpee'. "
        "Did you mean 'tpe'?",
        "--metric must be one of auc, gauc, logloss, rmse, mae, but got 'acu'. Did you mean 'auc'?",
        "--workers must be a whole number, but got 1.5.",
    ]


def test_a_time_may_be_text() -> None:
    assert given("x", time="30m").time == 1800.0  # type: ignore[arg-type]
    assert given("x", time=30).time == 30


# -- files -----------------------------------------------------------------------------------


def test_a_file_gives_options_and_what_is_given_beside_it_wins(tmp_path: Path) -> None:
    file = written(tmp_path, "trials: 7\nlatency-ms: 30\ntime: 2h\nresume: true\nlabel: 3\n")
    options = given("table.csv", config=file, trials=9)
    assert (options.trials, options.latency_ms, options.time) == (9, 30, 7200.0)
    assert (options.resume, options.label, options.seed) == (True, "3", 0)
    assert options.config is None


def test_a_value_that_is_given_wins_even_if_it_is_the_default(tmp_path: Path) -> None:
    file = written(tmp_path, "trials: 7\n")
    assert given("table.csv", config=file, trials=50).trials == 50


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = "trails: 3\nseed: -1\nseed: 2\ntime: 30\nsampler: tpe\nresume: 1\nconfig: x.yaml\n"
    file = written(tmp_path, text)
    with pytest.raises(UsageError) as raised:
        given("table.csv", config=file)
    *told, last = (str(fault) for fault in raised.value.faults)
    assert told == [
        f"{file}:1: trails: no such option. Did you mean 'trials'?",
        f"{file}:2: seed: must be 0 or more, but got -1.",
        f"{file}:3: seed: this key stands twice.",
        f"{file}:4: time: must be a number above 0 with its unit, such as 90s, 30m or 2h, but "
        "got '30'.",
        f"{file}:6: resume: must be true or false, but got 1.",
    ]
    assert last.startswith(f"{file}:7: config: no such option. Known: ")


@pytest.mark.parametrize("text", ["- 1\n", "three\n"])
def test_a_file_must_be_a_mapping(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"search\.yaml:1: must be a mapping of options"):
        given("table.csv", config=written(tmp_path, text))


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "data: [a.parquet, sub/b.parquet]\nschema: s.yaml\nspace: ctr\nout: run\n"
        "join: users.csv:user_id\n"
    )
    folder = tmp_path / "elsewhere"
    options = given(config=written(folder, text))
    assert options.data == [str(folder / "a.parquet"), str(folder / "sub/b.parquet")]
    assert (options.schema, options.out) == (str(folder / "s.yaml"), str(folder / "run"))
    assert options.joins == [str(folder / "users.csv:user_id")]
    assert options.space == "ctr"


def test_a_file_beside_it_hides_a_shipped_name(tmp_path: Path) -> None:
    (tmp_path / "ctr").write_text("name: mine\n")
    assert given(config=written(tmp_path, "space: ctr\n")).space == str(tmp_path / "ctr")


def test_a_sample_keeps_its_name(tmp_path: Path) -> None:
    assert given(config=written(tmp_path, "data: kuairand\n")).data == ["kuairand"]


# -- the record ------------------------------------------------------------------------------


def test_every_option_round_trips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written as in a run's file and read back; a session's own are left out."""
    monkeypatch.chdir(tmp_path)
    options = given(**OTHER)  # type: ignore[arg-type]
    file = written(tmp_path, dump({"metric": "auc", RECORD: record(options)}))
    values = read_options(SearchOptions, file)
    paths = {
        "data": [str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")],
        "schema": str(tmp_path / "s.yaml"),
        "joins": [str(tmp_path / "users.csv:user")],
    }
    expected = {**{name: v for name, v in OTHER.items() if name not in GONE}, **paths}
    assert values == expected
    again = record(collect(SearchOptions, values))
    assert again == record(options)
    assert list(again) == [spelling(item) for item in fields_of(SearchOptions)
                           if item.name not in GONE]  # fmt: skip


def test_a_record_ignores_what_concerned_one_session(tmp_path: Path) -> None:
    file = written(tmp_path, "metric: auc\noptions: {trials: 3, out: there, resume: true}\n")
    options = given("table.csv", config=file)
    assert (options.trials, options.out, options.resume) == (3, None, False)


def test_objects_are_recorded_as_files_of_the_run(tmp_path: Path) -> None:
    """A schema and a space given in Python stand in the run's folder; a frame stands nowhere."""
    import polars as pl

    frame = pl.DataFrame({"click": [0, 1]})
    options = given(frame, {"tasks": "click"}, {"name": "small"})
    assert {"schema": "schema.yaml", "space": "space.yaml"}.items() <= record(options).items()
    assert "data" not in record(options)
    file = written(tmp_path, dump({RECORD: record(options)}))
    assert given(frame, config=file).space == str(tmp_path / "space.yaml")


def test_seconds_survive_their_record() -> None:
    for value in (0.25, 90.0, 1800, 1e6):
        text = record(given("x", time=value))["time"]
        assert seconds(str(text)) == value
