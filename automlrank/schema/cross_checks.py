"""Checks between the parts of a schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from automlrank.documents import Path_
from automlrank.errors import Fault, did_you_mean
from automlrank.schema.columns import NO_STATISTICS, CategoricalFeature, MultiFeature, Task
from automlrank.schema.schema import Schema

IDS = CategoricalFeature | MultiFeature


def faults_together(schema: Schema) -> list[Fault]:
    """Every reference between the parts of a schema that leads nowhere, or to the wrong kind."""
    faults = [*_tasks(schema), *_score(schema), *_incumbent(schema), *_files(schema)]
    if schema.features:
        faults += [*_histories(schema), *_shared(schema), *_pairs(schema)]
        faults += [*_statistics(schema), *_roles(schema)]
    return faults


def _tasks(schema: Schema) -> Iterator[Fault]:
    names = {task.name for task in schema.tasks}
    for task in schema.tasks:
        path = ("tasks", task.name, "of")
        if task.of is not None and task.of not in names:
            yield schema.fault(path, f"no task {task.of!r}.", did_you_mean(task.of, names))
        elif any(other.name == task.of and other.kind != "binary" for other in schema.tasks):
            problem = f"the parent of a task must be a binary task, but got {task.of!r}."
            yield schema.fault(path, problem)
        elif task.name in (before := _before(schema, task)):
            chain = " of ".join((task.name, *before[: before.index(task.name) + 1]))
            problem = f"a task must not come before itself, but got {chain}."
            yield schema.fault(path, problem, f"Remove of: {task.of}.")
    for feature in schema.features:
        if names & {feature.name, feature.source}:
            yield schema.fault(("features", feature.name), "a label must not be a feature.")


def _score(schema: Schema) -> Iterator[Fault]:
    kinds = {task.name: task.kind for task in schema.tasks}
    for name, _ in schema.score:
        if name not in kinds:
            yield schema.fault(("score",), f"no task {name!r}.", did_you_mean(name, kinds))
        elif kinds[name] != "binary":
            problem = (
                f"a score is a product of probabilities, but {name!r} is a {kinds[name]} task."
            )
            yield schema.fault(("score",), problem, "Take it out of the score.")


def _incumbent(schema: Schema) -> Iterator[Fault]:
    used = {task.name: ("tasks", task.name) for task in schema.tasks}
    used |= {feature.source: ("features", feature.name) for feature in schema.features}
    if schema.incumbent in used:
        problem = f"the incumbent's score {schema.incumbent!r} must be no label and no feature."
        hint = "Take it out here, or name another incumbent."
        yield schema.fault(used[schema.incumbent], problem, hint)


def _before(schema: Schema, task: Task) -> list[str]:
    """The tasks that must have happened before a task, itself among them where ``of`` goes round.

    At most as many as there are tasks, as a round that leaves the task out has no end.
    """
    of, found = {other.name: other.of for other in schema.tasks}, list[str]()
    last = task.of
    while last is not None and len(found) < len(of):
        found.append(last)
        last = of.get(last)
    return found


def _files(schema: Schema) -> Iterator[Fault]:
    train, test = schema.split.train_file, schema.split.test_file
    if train is not None and test is not None and PurePath(train) == PurePath(test):
        problem = f"train and test must be two files, but both are {test!r}."
        yield schema.fault(("split", "test"), problem)


def _histories(schema: Schema) -> Iterator[Fault]:
    by_name = {f.name: f for f in schema.features if isinstance(f, IDS)}
    for feature in schema.of_role("history"):
        if feature.of not in by_name:
            yield schema.fault(
                ("features", feature.name, "of"),
                f"a history is of a categorical or multi feature, but got {feature.of!r}.",
                did_you_mean(feature.of, by_name),
            )
        if feature.time and not schema.time:
            yield schema.fault(
                ("features", feature.name, "time"),
                "ages need the time of the row as well.",
                "Write time: COLUMN in the schema.",
            )
    for name, columns in schema.sequences.items():
        timed = tuple(column for column in columns if column.time)
        for key in ("side", "max_length", "time", "session_minutes", "separator"):
            of_all = key in ("side", "max_length")  # the others count where there are times
            given = {c.name: getattr(c, key) for c in (columns if of_all else timed)}
            if len(set(given.values())) > 1:
                shown = ", ".join(f"{column}: {_shown(value)}" for column, value in given.items())
                problem = f"the histories of sequence {name!r} need one {key}, but got {shown}."
                yield schema.fault(("features", next(iter(given)), key), problem)


def _shown(value: object) -> str:
    """A separator in quotes, as it may be a blank."""
    return repr(value) if isinstance(value, str) and not value.isidentifier() else str(value)


def _shared(schema: Schema) -> Iterator[Fault]:
    by_name = {f.name: f for f in schema.features if isinstance(f, IDS)}
    for feature in schema.features:
        owner = getattr(feature, "shared_with", None)
        if owner is None:
            continue
        other = by_name.get(owner)
        path = ("features", feature.name, "shared_with")
        if other is None or other is feature:
            problem = f"must be another categorical or multi feature, but got {owner!r}."
            yield schema.fault(path, problem, did_you_mean(owner, set(by_name) - {feature.name}))
        elif other.shared_with:
            problem = f"{owner!r} has no vocabulary of its own."
            yield schema.fault(path, problem, f"Write shared_with: {other.shared_with}.")


def _pairs(schema: Schema) -> Iterator[Fault]:
    """Columns of crosses and statistics that are no ids, and pairs of one column."""
    ids = [feature.name for feature in schema.of_role("ids")]
    statistics = schema.statistics or NO_STATISTICS
    named: list[tuple[Path_, str]] = []
    places: dict[Path_, tuple[tuple[str, str], ...]] = {
        ("crosses",): schema.crosses,
        ("statistics", "crosses"): statistics.crosses or (),
    }
    for path, pairs in places.items():
        for i, (first, second) in enumerate(pairs):
            named += [((*path, i), first), ((*path, i), second)]
            if first == second:
                problem = f"a pair needs two columns, but got {first!r} twice."
                yield schema.fault((*path, i), problem)
    named += [(("statistics", "of", i), name) for i, name in enumerate(statistics.of)]
    for path, name in named:
        if name not in ids:
            problem = f"must be a categorical feature, but got {name!r}."
            yield schema.fault(path, problem, did_you_mean(name, ids))


def _statistics(schema: Schema) -> Iterator[Fault]:
    form = schema.statistics.form if schema.statistics else "out_of_fold"
    if form != "out_of_fold" and not schema.time:
        yield schema.fault(
            ("statistics", "form"), f"{form} needs the time of the row.", "Write time: COLUMN."
        )


def _roles(schema: Schema) -> Iterator[Fault]:
    by_name = {feature.name: feature for feature in schema.features}
    if schema.scenario and not isinstance(by_name.get(schema.scenario), CategoricalFeature):
        problem = f"must be a categorical feature, but got {schema.scenario!r}."
        yield schema.fault(("scenario",), problem)
    if schema.split.by == "group" and not (schema.split.column or schema.group):
        yield schema.fault(
            ("split",), "a split by group needs its column.", "Write group: COLUMN in the schema."
        )
