"""ESMM: a task that depends on a parent task is trained on all rows, by the product."""

from __future__ import annotations

from automlrank.blocks.base import block
from automlrank.blocks.loss.base import Loss
from automlrank.blocks.loss.bce import CrossEntropy


@block("esmm", family="loss")
class Esmm(Loss):
    """``bce`` of ``p(child) = p(parent) p(child | parent)`` on all rows, parents' and others'.

    Under other losses ``p(child | parent)`` is trained, on the rows where the parent happened;
    the product is served either way. A row with the child and without its parent, against the
    schema, counts for the child as it is labelled here, and not at all there.
    """

    paper = "Ma et al., Entire Space Multi-Task Model, SIGIR 2018, https://arxiv.org/abs/1804.07931"
    module = CrossEntropy
    on_all_rows = True
