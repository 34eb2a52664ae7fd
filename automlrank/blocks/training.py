"""Training settings, which are searched together with the architecture."""

from __future__ import annotations

from automlrank.blocks.base import Block, block, knob
from automlrank.blocks.domains import floats, ints, logs, one_of


@block("training", family="training")
class Training(Block):
    """Optimizer, batches, stopping; ``dropout`` and ``batch_norm`` are the blocks' defaults.

    >>> Training(batch_size=4096).settings()["learning_rate"]
    0.001
    """

    paper = "Kingma and Ba, Adam, ICLR 2015, https://arxiv.org/abs/1412.6980"

    learning_rate: float = knob(
        1e-3, legal=logs(1e-6, 1.0), search=logs(3e-4, 1e-2), help="initial learning rate"
    )
    batch_size: int = knob(
        1024, legal=ints(2, 1_000_000), search=one_of(1024, 4096), help="rows per step"
    )
    dropout: float = knob(
        0.0,
        legal=floats(0.0, 0.9),
        search=floats(0.0, 0.5),
        help="default for blocks that do not set their own",
    )
    batch_norm: bool = knob(
        False,
        legal=one_of(False, True),
        search=one_of(True, False),
        help="default for blocks that do not set their own",
    )
    optimizer: str = knob(
        "adam", legal=one_of("adam", "adagrad"), help="optimizer of all parameters"
    )
    schedule: str = knob(
        "plateau",
        legal=one_of("plateau", "linear"),
        help="learning rate over time; linear: it falls with every step, to 0 after all epochs",
    )
    epochs: int = knob(20, legal=ints(1, 1000), help="maximum number of epochs")
    patience: int = knob(
        2, legal=ints(1, 100), help="evaluations without a gain before training stops"
    )
    plateau: float = knob(
        0.1,
        legal=floats(0.01, 1.0),
        help="factor on the learning rate after each evaluation without a gain",
    )
    gradient_clip: float = knob(
        10.0, legal=logs(1e-3, 1e6), help="maximum norm of a step's gradient"
    )
    negatives: float = knob(
        1.0,
        legal=logs(1e-4, 1.0),
        help="share of the primary task's negatives in an epoch, drawn anew for each",
    )
    scenarios: str = knob(
        "rows",
        legal=one_of("rows", "equal"),
        help="weights in the loss; equal: every scenario counts the same, however many its rows",
    )
    distillation: float = knob(
        0.0,
        legal=floats(0.0, 1.0),
        recommended=0.8,  # test AUC +.001, census +.0005 (reports/distillation.md)
        help="share of boosted trees' out-of-fold prediction in a training row's target",
    )
    bf16: str | bool = knob(
        "auto", legal=one_of("auto", True, False), help="products in bfloat16 where it is fast"
    )
