"""Train a ranking model on a table, or score it: the command line of an export."""

from __future__ import annotations

import argparse
import dataclasses
import io
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import polars as pl
import torch
from safetensors import SafetensorError
from torch import nn

from automlrank.codegen.script.config import Config, ConfigError, read_config
from automlrank.codegen.script.reading import TableError
from automlrank.codegen.script.table import EncodedTable, load_table
from automlrank.data.checksum import Known, damaged_files
from automlrank.data.transform import Encoder
from automlrank.data.unknown import UNKNOWN_SHARE
from automlrank.data.values import Array, EncodingError
from automlrank.printable import printable
from automlrank.training.course import DivergedError, train
from automlrank.training.device_batches import DeviceBatches, ahead
from automlrank.training.label_stats import fit_to_labels
from automlrank.training.optimizers import Maker
from automlrank.training.rows import row_weights
from automlrank.training.scoring import EVALUATION_ROWS, label_of, logits_of, task_scores
from automlrank.training.step import Trainer
from automlrank.training.tensors import read_tensors, write_tensors

HERE = Path(__file__).parent
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True)
class Parts:
    """Constructors of the model, the losses, the balance and the optimizers."""

    model: Callable[[], nn.Module]
    loss: Callable[[Array], nn.Module]
    """The loss of each task, from the training rows' labels."""
    balance: Callable[[], nn.Module]
    """The module that combines the tasks' losses into one."""
    optimizers: Mapping[str, Maker]
    """Optimizers of single parameters by the names in config.yaml."""


class Parser(argparse.ArgumentParser):
    """A command line that shows arguments as a person sees them."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong with the arguments, and exit with 2."""
        super().error(printable(message))


def options() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    parser = Parser(description="Train the ranking model of model.py.")
    parser.add_argument("data", type=Path, help="Parquet, Arrow or CSV file, or folder of parts")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and dropout")
    parser.add_argument("--epochs", type=int, help="at most (default: config.yaml's)")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for model.safetensors")
    parser.add_argument("--test", action="store_true", help="score the test split too")
    parser.add_argument(
        "--score", action="store_true", help="score weights.safetensors, no training"
    )
    parser.add_argument(
        "--max-unknown",
        type=float,
        default=UNKNOWN_SHARE,
        help="share of unknown values of a column above which a warning names it",
    )
    parser.add_argument("--threads", type=int, help="threads of torch")
    return parser


def run(parts: Parts, files: Known, chosen: argparse.Namespace) -> None:
    """Train and save, or load; then score."""
    config, encoder = read_config(HERE / "config.yaml"), Encoder.load(checked(HERE, files))
    if chosen.epochs:
        recipe = dataclasses.replace(config.recipe, epochs=chosen.epochs)
        config = dataclasses.replace(config, recipe=recipe)
    table = load_table(chosen.data, config.table, encoder, chosen.max_unknown)
    scored = ("valid", "test") if chosen.test else ("valid",)
    for split in scored:
        for sentence in table.unknown[split]:
            sys.stderr.write(f"{printable(f'Warning: {split} rows: {sentence}')}\n")
    torch.manual_seed(chosen.seed)
    model = parts.model().to(DEVICE)
    if chosen.score:
        load_weights(model, HERE / "weights.safetensors")
    else:
        chosen.out.mkdir(parents=True, exist_ok=True)
        fit(parts, model, table, config, encoder, chosen.seed)
        write_tensors(chosen.out / "model.safetensors", model.state_dict())
    for split in scored:
        logging.info("%s: %s", split, shown(score(model, table, split, config), config))


def checked(folder: Path, files: Known) -> Path:
    """Return the folder; raise ConfigError if it lacks one of the files as it was exported."""
    for name in damaged_files(folder, files):
        raise ConfigError(f"{folder / name} is missing or damaged. Export the model again.")
    return folder


def load_weights(model: nn.Module, path: Path) -> None:
    """Give the model the weights of a file; raise ConfigError if they are not this model's."""
    if not path.is_file():
        raise ConfigError(f"{path} is missing. Export the model again.")
    try:
        model.load_state_dict(read_tensors(path)[0])
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise ConfigError(f"{path} does not hold the weights of model.py: {reason}.") from None


def fit(
    parts: Parts, model: nn.Module, table: EncodedTable, config: Config, encoder: Encoder, seed: int
) -> None:
    """Train until the validation metric stops improving; at the end the best weights are back."""
    torch.manual_seed(seed)  # dropout's
    trainer = make_trainer(parts, model, table.labels("train"), config, DEVICE)
    weights = row_weights(table.scenarios("train"), config.recipe)
    device_batches = DeviceBatches(table, "train", DEVICE, weights, taught(table, config, encoder))
    judge = partial(score, model, table, "valid", config)
    for progress in train(trainer, device_batches, judge, config.metric, seed):
        if progress.scores is not None:
            epoch, said = progress.epoch + 1, shown(progress.scores, config)
            logging.info("epoch %d: loss %.4f, valid %s", epoch, progress.loss, said)


def make_trainer(
    parts: Parts, model: nn.Module, labels: Array, config: Config, device: str
) -> Trainer:
    """Return the trainer of a model; ``labels`` are those of the training rows."""
    fit_to_labels(model, labels, config.table.regression)
    return Trainer(
        model,
        parts.loss(labels),
        parts.balance(),
        config.recipe,
        labels,
        makers=parts.optimizers,
        device=device,
    )


def taught(table: EncodedTable, config: Config, encoder: Encoder) -> Array | None:
    """Return labels softened by boosted trees; None without distillation."""
    if not config.recipe.distillation:
        return None
    from automlrank.codegen.script.teacher import soft_labels

    return soft_labels(table, config.table, config.trees, encoder, config.recipe.distillation)


def score(model: nn.Module, table: EncodedTable, split: str, config: Config) -> dict[str, float]:
    """Return the metric of each task on a split."""
    logits = logits_of(model, ahead(table.batches(split, EVALUATION_ROWS), DEVICE))
    if logits.shape[1] != len(config.table.tasks):
        raise ConfigError(f"{HERE / 'config.yaml'} needs the {logits.shape[1]} tasks of model.py.")
    return task_scores(
        logits,
        table.labels(split),
        table.groups(split),
        tasks=config.table.tasks,
        metric=config.metric,
        exponents=config.table.exponents,
    )


def shown(scores: Mapping[str, float], config: Config) -> str:
    """Return the metric of each task in one line."""
    values = ", ".join(f"{task} {value:.6f}" for task, value in scores.items())
    return printable(f"{label_of(config.metric, config.table.tasks)} {values}")


def main(parts: Parts, files: Known) -> None:
    """Run the command line; ``files`` are the encoder's, with their sizes and checksums."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # no name is an error to a console
    parser = options()
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    try:
        run(parts, files, chosen)
    except DivergedError as error:
        parser.exit(1, f"{error}\n")
    except (ConfigError, TableError, EncodingError) as error:
        parser.exit(2, f"{printable(str(error))}\n")
    except (OSError, ImportError, pl.exceptions.PolarsError) as error:
        parser.exit(2, f"{printable(str(error).splitlines()[0])}\n")
