"""How an exported ``train.py`` trains and scores: real functions, printed from here.

The maths is that of ``train/loop.py``; a test holds both to the same numbers. The constants on
top are examples; an export puts the architecture's own in their place.
"""

from __future__ import annotations

import argparse
import copy
import logging
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from automlrank.blocks.optimizer.ftrl import FtrlProximal
from automlrank.codegen.recipe_data import (
    DEVICE,
    HERE,
    TASKS,
    WEIGHT,
    Arrays,
    TableError,
    batches,
    encoded,
    groups,
    read_split,
)
from automlrank.data.batches import Rows
from automlrank.data.transform import Encoder
from automlrank.data.values import Array, EncodingError
from automlrank.measurement.fusion import fused, judged
from automlrank.measurement.metrics import auc, gauc, logloss, mae, rmse
from automlrank.training.course import epoch_seed
from automlrank.training.label_stats import label_deviations, label_means
from automlrank.training.memory import keep_freed_memory
from automlrank.training.negatives import kept_rows
from automlrank.training.optimizers import (
    parameter_groups,
    parameters_of,
    update,
)
from automlrank.training.rates import set_rate, share_done
from automlrank.training.scenarios import scenario_weights
from automlrank.training.scoring import EVALUATION_ROWS
from automlrank.training.step import fast_bf16
from automlrank.training.tables import Tables
from automlrank.training.trees.distillation import FOLDS, out_of_fold, softened
from automlrank.training.trees.features import CHUNK_ROWS, Part, TreeFeatures, numbers_in
from automlrank.training.trees.params import Labelled

METRIC = "AUC"
OPTIMIZER = torch.optim.Adam
LEARNING_RATE = 1e-3
BATCH_SIZE = 1024
EPOCHS = 20
PATIENCE = 2
PLATEAU = 0.1
GRADIENT_CLIP = 10.0
NEGATIVES = 1.0
DISTILLATION = 0.0
FLAT: tuple[Part, ...] = ()
VALUES: tuple[tuple[str, str], ...] = ()
KINDS: tuple[str, ...] = ("binary",)
SCENARIO = ("ids:item", 0)
BF16: bool | str = "auto"
TABLE_DECAY: dict[str, float] = {}
COUPLED_DECAY: dict[str, float] = {}
FTRL: dict[str, dict[str, float]] = {}
SHARED: tuple[str, ...] = ()
REGRESSION: tuple[int, ...] = ()
METRIC_WEIGHTS: dict[str, float] = {}
EXPONENTS: tuple[float, ...] = ()
FUSED = "auc@score"


Optimizers = list[torch.optim.Optimizer]


def build_model() -> nn.Module:
    """Stands for the constructor of the printed model."""
    raise NotImplementedError


def build_loss() -> nn.Module:
    """Stands for the constructor of the printed loss."""
    raise NotImplementedError


def build_balance() -> nn.Module:
    """Stands for the constructor of the printed balance."""
    raise NotImplementedError


def load(path: Path) -> tuple[Arrays, dict[str, Rows]]:
    """The encoded table, and the rows of train, valid and test."""
    frame, rows = read_split(path)
    return encoded(frame, rows), rows


def load_with_groups(path: Path) -> tuple[Arrays, dict[str, Rows]]:
    """The encoded table with the group of each row, and the rows of train, valid and test."""
    frame, rows = read_split(path)
    return encoded(frame, rows) | {"group": groups(frame)}, rows


def train(
    model: nn.Module, arrays: Arrays, rows: Mapping[str, Rows], seed: int, epochs: int
) -> None:
    """Train until the validation metric stands still; at the end the best weights are back."""
    keep_freed_memory()
    torch.manual_seed(seed)  # dropout
    loss_of = make_loss(model, arrays["labels"][rows["train"]]).to(DEVICE)
    teaching = weighted(taught_by(arrays, rows), rows["train"])
    optimizers = make_optimizers(model)
    balance = make_balance(model, optimizers)
    tables = Tables(model, TABLE_DECAY, COUPLED_DECAY, optimizers[0])
    best, best_weights, waited, drops = None, model.state_dict(), 0, 0
    for epoch in range(epochs):
        model.train()
        order = epoch_seed(seed, epoch)
        seen = rows_of_epoch(arrays, rows["train"], order)
        for i, batch in enumerate(batches(teaching, seen, BATCH_SIZE, order)):
            done = share_done(epoch, i, BATCH_SIZE, len(seen), epochs)
            set_rate(optimizers[0], rate_of_step(done, drops))
            with tables.look_ups():
                loss = minimised(model, batch, loss_of, balance)
            learn(optimizers, tables, loss, len(batch["labels"]), len(seen))
        tables.settle()
        if not loss.isfinite():
            raise SystemExit(f"the loss is {loss.item()} in epoch {epoch + 1}")
        scores = score(model, arrays, rows["valid"])
        logging.info("epoch %d: loss %.4f, valid %s", epoch + 1, loss.item(), shown(scores))
        if best is None or is_better(overall(scores), best):
            best, best_weights, waited = overall(scores), copy.deepcopy(model.state_dict()), 0
            continue
        waited, drops = waited + 1, drops + 1
        if waited == PATIENCE:
            break
    model.load_state_dict(best_weights)


def rate_of_step(done: float, drops: int) -> float:
    """The learning rate, which drops after each epoch without a gain."""
    return LEARNING_RATE * PLATEAU**drops


def falling_rate(done: float, drops: int) -> float:
    """The learning rate, which falls linearly to 0 over all epochs."""
    return LEARNING_RATE * (1 - done)


def weighted(arrays: Arrays, rows: Rows) -> Arrays:
    """The rows count as the table says."""
    return arrays


def weighted_by_scenario(arrays: Arrays, rows: Rows) -> Arrays:
    """Every scenario counts the same in the loss of the training rows."""
    weight = np.array(arrays.get("weight", np.ones(len(arrays["labels"]), np.float32)))
    key, place = SCENARIO
    weight[rows] *= scenario_weights(arrays[key][rows, place])
    return {**arrays, "weight": weight}


def taught_by(arrays: Arrays, rows: Mapping[str, Rows]) -> Arrays:
    """The training rows teach their labels."""
    return arrays


def taught_by_trees(arrays: Arrays, rows: Mapping[str, Rows]) -> Arrays:
    """The training rows teach what boosted trees expect of them, beside their labels."""
    encoder = Encoder.load(HERE)
    flat = TreeFeatures(FLAT, {name: numbers_in(encoder, owner) for name, owner in VALUES})
    train, valid = (labelled(flat, arrays, rows[split]) for split in ("train", "valid"))
    logging.info("boosted trees learn in %d folds, to teach", FOLDS)
    taught = out_of_fold(train, valid, KINDS, flat.categories)
    labels = np.array(arrays["labels"])
    labels[rows["train"]] = softened(train.labels, taught, DISTILLATION)
    return {**arrays, "labels": labels}


def labelled(flat: TreeFeatures, arrays: Arrays, rows: Rows) -> Labelled:
    """Rows as boosted trees read them."""
    weights = arrays["weight"][rows] if WEIGHT else None
    matrix = flat.matrix(batches(arrays, rows, CHUNK_ROWS), len(rows))
    return Labelled(matrix, arrays["labels"][rows], weights)


def rows_of_epoch(arrays: Arrays, rows: Rows, seed: int) -> Rows:
    """All training rows."""
    return rows


def kept_rows_of_epoch(arrays: Arrays, rows: Rows, seed: int) -> Rows:
    """The training rows without a part of the first task's negatives."""
    return rows[kept_rows(arrays["labels"][rows], NEGATIVES, seed)]


def minimised(
    model: nn.Module, batch: Mapping[str, Tensor], loss_of: nn.Module, balance: nn.Module
) -> Tensor:
    """The tasks' losses as one."""
    loss: Tensor = balance(losses_of(model, batch, loss_of))
    return loss


def minimised_with_auxiliary(
    model: nn.Module, batch: Mapping[str, Tensor], loss_of: nn.Module, balance: nn.Module
) -> Tensor:
    """The tasks' losses as one, and the model's auxiliary losses."""
    auxiliary: list[Tensor] = []
    losses = losses_of(partial(model, losses=auxiliary), batch, loss_of)
    loss: Tensor = sum(auxiliary, start=balance(losses))
    return loss


def losses_of(
    model: Callable[..., Tensor], batch: Mapping[str, Tensor], loss_of: nn.Module
) -> Tensor:
    """The loss of each task."""
    bf16 = fast_bf16(DEVICE) if BF16 == "auto" else bool(BF16)
    with torch.autocast(DEVICE, torch.bfloat16, enabled=bf16):
        logits = model(batch)
    losses: Tensor = loss_of(logits.float(), batch["labels"], batch.get("weight"))
    return losses


def make_optimizers(model: nn.Module) -> Optimizers:
    """One optimizer of all parameters."""
    return [OPTIMIZER(model.parameters(), lr=LEARNING_RATE, fused=True)]


def make_grouped_optimizers(model: nn.Module) -> Optimizers:
    """The optimizer of most parameters, then FTRL for those that are to be sparse."""
    groups = parameter_groups(model, COUPLED_DECAY, FTRL)
    own = [FtrlProximal([model.get_parameter(name)], **settings) for name, settings in FTRL.items()]
    return [OPTIMIZER(groups, lr=LEARNING_RATE, fused=True), *own]


def make_loss(model: nn.Module, labels: Array) -> nn.Module:
    """The loss of each task; ``labels`` are those of the training rows."""
    return build_loss()


def make_scaled_loss(model: nn.Module, labels: Array) -> nn.Module:
    """The loss of each task; regression tasks are scaled by the training rows' labels."""
    model.scale.fit_to_labels(label_means(labels), label_deviations(labels, REGRESSION))  # type: ignore[operator,union-attr]
    return build_loss()


def make_balance(model: nn.Module, optimizers: Optimizers) -> nn.Module:
    """What makes one loss of the tasks'."""
    return build_balance().to(DEVICE)


def make_learned_balance(model: nn.Module, optimizers: Optimizers) -> nn.Module:
    """What makes one loss of the tasks', by weights that are trained with the model's."""
    balance = build_balance().to(DEVICE)
    group = {"params": list(balance.parameters()), "weight_decay": 0.0}
    optimizers[0].add_param_group(group)
    return balance


def make_watching_balance(model: nn.Module, optimizers: Optimizers) -> nn.Module:
    """What makes one loss of the tasks', by their gradients in the last layer that they share."""
    balance = build_balance().to(DEVICE)
    balance.watch([model.get_parameter(name) for name in SHARED])  # type: ignore[operator]
    return balance


def learn(optimizers: Optimizers, tables: Tables, loss: Tensor, rows: int, epoch_rows: int) -> None:
    """One update from a batch of ``rows``."""
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    with tables.lent():
        nn.utils.clip_grad_norm_(parameters_of(optimizers[0]), GRADIENT_CLIP)
        update(optimizers, rows)
    rate = optimizers[0].param_groups[0]["lr"] / LEARNING_RATE
    tables.decay(rate * rows / epoch_rows)


def predict(model: nn.Module, arrays: Arrays, rows: Rows) -> Array:
    """Logits ``[rows, tasks]``."""
    model.eval()
    with torch.inference_mode():
        parts = [model(batch).float().cpu() for batch in batches(arrays, rows, EVALUATION_ROWS)]
    logits: Array = torch.cat(parts).numpy()
    return logits


def score(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The AUC of each task."""
    logits, labels = predict(model, arrays, rows), arrays["labels"][rows]
    return {task: auc(labels[:, i], logits[:, i]) for i, task in enumerate(TASKS)}


def score_gauc(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The AUC within groups of each task."""
    logits, labels = predict(model, arrays, rows), arrays["labels"][rows]
    group = arrays["group"][rows]
    return {task: gauc(labels[:, i], logits[:, i], group) for i, task in enumerate(TASKS)}


def score_logloss(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The log loss of each task."""
    logits, labels = predict(model, arrays, rows), arrays["labels"][rows]
    return {task: logloss(labels[:, i], logits[:, i]) for i, task in enumerate(TASKS)}


def score_binary(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """Stands for the recipe of the metric where there are regression tasks, too."""
    return score(model, arrays, rows)


def score_errors(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The root mean squared error of each regression task."""
    values, labels = predict(model, arrays, rows), arrays["labels"][rows]
    return {TASKS[i]: rmse(labels[:, i], values[:, i]) for i in REGRESSION}


def score_absolute_errors(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The mean absolute error of each regression task."""
    values, labels = predict(model, arrays, rows), arrays["labels"][rows]
    return {TASKS[i]: mae(labels[:, i], values[:, i]) for i in REGRESSION}


def score_mixed(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The metric of each task, and of a regression task its error."""
    return score_binary(model, arrays, rows) | score_errors(model, arrays, rows)


def score_tasks(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """Stands for the recipe of the tasks' own scores where the metric is of a fused one."""
    return score(model, arrays, rows)


def score_fused(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The metric of each task, and behind them the AUC of the fused score."""
    logits, labels = predict(model, arrays, rows), arrays["labels"][rows]
    found = judged(auc, labels, fused(logits, EXPONENTS), EXPONENTS)
    return score_tasks(model, arrays, rows) | {FUSED: found}


def score_fused_gauc(model: nn.Module, arrays: Arrays, rows: Rows) -> dict[str, float]:
    """The metric of each task, and behind them the AUC within groups of the fused score."""
    logits, labels = predict(model, arrays, rows), arrays["labels"][rows]
    judge = partial(gauc, groups=arrays["group"][rows])
    found = judged(judge, labels, fused(logits, EXPONENTS), EXPONENTS)
    return score_tasks(model, arrays, rows) | {FUSED: found}


def overall(scores: Mapping[str, float]) -> float:
    """What ends the training: the score of the first task."""
    return scores[TASKS[0]]


def overall_weighted(scores: Mapping[str, float]) -> float:
    """What ends the training: the weighted mean of the tasks' scores."""
    total = sum(weight * scores[task] for task, weight in METRIC_WEIGHTS.items())
    return total / sum(METRIC_WEIGHTS.values())


def overall_fused(scores: Mapping[str, float]) -> float:
    """What ends the training: the fused score's."""
    return scores[FUSED]


def is_better(score: float, best: float) -> bool:
    """More is better."""
    return score > best


def is_less(score: float, best: float) -> bool:
    """Less is better."""
    return score < best


def shown(scores: Mapping[str, float]) -> str:
    """The metric of each task in one line."""
    return f"{METRIC} " + ", ".join(f"{task} {value:.6f}" for task, value in scores.items())


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the ranking model of model.py.")
    parser.add_argument("data", type=Path, help="Parquet, Arrow or CSV file, or folder of parts")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and dropout")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="at most (%(default)s)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for model.safetensors")
    parser.add_argument("--test", action="store_true", help="score the test split too")
    parser.add_argument(
        "--score", action="store_true", help="score weights.safetensors, no training"
    )
    parser.add_argument("--threads", type=int, help="threads of torch")
    return parser


def run(chosen: argparse.Namespace) -> None:
    """Train and save, or load; then score."""
    arrays, rows = load(chosen.data)
    torch.manual_seed(chosen.seed)
    model = build_model().to(DEVICE)
    if chosen.score:
        model.load_state_dict(load_file(HERE / "weights.safetensors"))
    else:
        chosen.out.mkdir(parents=True, exist_ok=True)
        train(model, arrays, rows, chosen.seed, chosen.epochs)
        save_file(model.state_dict(), chosen.out / "model.safetensors")
    for split in ("valid", "test") if chosen.test else ("valid",):
        logging.info("%s: %s", split, shown(score(model, arrays, rows[split])))


def main() -> None:
    parser = options()
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    try:
        run(chosen)
    except (TableError, EncodingError, OSError, ImportError, pl.exceptions.PolarsError) as error:
        parser.exit(2, f"{str(error).splitlines()[0]}\n")
