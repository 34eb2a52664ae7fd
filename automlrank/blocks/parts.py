"""Small modules and functions that several blocks, and exported models, share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._higher_order_ops import scan
from torch.nn import functional as F

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

INITIALISATIONS = ("xavier", "he", "uniform")


class Dropout(nn.Module):
    """Zero entries with probability ``p``, to the nearest 1/256, and scale the others up.

    One random byte decides an entry. torch's own draws a Bernoulli number each, serially: forward
    and backward of 1024 x 400 entries took 5.6 ms that way, 1.2 ms this way (one core).
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropped = round(256 * p)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return x
        words = torch.empty(x.numel() // 8 + 1, dtype=torch.int64, device=x.device)
        bits = words.random_(-(2**63), None).view(torch.uint8)[: x.numel()].view(x.shape)
        return x * ((bits >= self.dropped).to(x.dtype) * (256 / (256 - self.dropped)))


class Dense(nn.Linear):
    """``W x + b`` that starts by Xavier's rule, with ``b`` zero, as the field's models do.

    torch's own rule draws ``W`` smaller where a layer is as wide as its input, and ``b`` too.
    """

    def reset_parameters(self) -> None:
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def linear_layer(dim: int, width: int, bias: bool, initialisation: str) -> nn.Linear:
    """A layer whose weights are drawn as ``xavier``, ``he``, or ``uniform``, torch's own."""
    if initialisation == "uniform":
        return nn.Linear(dim, width, bias=bias)
    layer = Dense(dim, width, bias=bias)
    if initialisation == "he":
        nn.init.kaiming_normal_(layer.weight)
    return layer


class Residual(nn.Module):
    """``x + f(x)`` for what ``layers`` do one after the other."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class MLP(nn.Module):
    """``depth`` times linear, batch norm, activation, dropout; depth 0 is the identity.

    ``residual`` adds a layer's input to its output where both have the same width.
    """

    def __init__(
        self,
        dim: int,
        width: int,
        depth: int,
        activation: str = "relu",
        batch_norm: bool = False,
        dropout: float = 0.0,
        residual: bool = False,
        initialisation: str = "uniform",
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(depth):
            # the norm has the bias
            layer: list[nn.Module] = [linear_layer(dim, width, not batch_norm, initialisation)]
            if batch_norm:
                layer.append(nn.BatchNorm1d(width))
            layer.append(ACTIVATIONS[activation]())
            if dropout:
                layer.append(Dropout(dropout))
            layers += [Residual(*layer)] if residual and dim == width else layer
            dim = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)  # [batch, width]
        return y


class Experts(nn.Module):
    """``n`` networks of one shape side by side: ``depth`` times linear, activation, dropout.

    They read one vector, ``[batch, dim]``, or several, as ``side_by_side`` says.
    """

    def __init__(
        self,
        n: int,
        dim: int,
        width: int,
        depth: int,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for _ in range(depth):
            self.weights.append(xavier(n, dim, width))
            self.biases.append(torch.zeros(n, 1, width))
            dim = width
        self.activation = ACTIVATIONS[activation]()
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for weight, bias in zip(self.weights, self.biases, strict=True):
            y = self.dropout(self.activation(side_by_side(y, weight) + bias))
        return y.transpose(0, 1)  # [batch, n, width]


def xavier(n: int, dim: int, width: int) -> Tensor:
    """``n`` matrices as ``Dense`` starts its own: ``[n, dim, width]``."""
    bound = (6 / (dim + width)) ** 0.5
    return torch.empty(n, dim, width).uniform_(-bound, bound)


def side_by_side(x: Tensor, weights: Tensor) -> Tensor:
    """``x W_i`` for ``n`` matrices: ``[n, batch, width]``.

    They read one x, ``[batch, dim]``, or ``[k, batch, dim]``: the first ``n / k`` matrices the
    first, and so on. Those of one x are a single product of wide matrices: 15 experts of 64 on
    1024 x 640 took 41 ms forward and backward that way, 81 ms as a batched product, gates of 3 x 8
    1.9 ms and 8.7 ms.
    """
    n, dim, width = weights.shape
    if x.dim() == 2:
        wide = x @ weights.transpose(0, 1).reshape(dim, n * width)
        return wide.view(-1, n, width).transpose(0, 1)
    k = x.shape[0]
    if k == n:
        return torch.bmm(x, weights)
    wide = weights.view(k, n // k, dim, width).transpose(1, 2).reshape(k, dim, -1)
    return torch.bmm(x, wide).view(k, -1, n // k, width).transpose(1, 2).flatten(0, 1)


class MixtureGates(nn.Module):
    """Shares of ``choices`` experts for each of ``n`` gates: ``softmax(W_i x)``.

    With ``hidden`` units a gate has a layer of its own below: ``softmax(W_i relu(V_i x + b_i))``.
    The gates read one vector, ``[batch, dim]``, or one each, ``[n, batch, dim]``.
    """

    def __init__(self, n: int, dim: int, choices: int, hidden: int) -> None:
        super().__init__()
        self.hidden = Experts(n, dim, hidden, 1) if hidden else None
        self.weight = nn.Parameter(xavier(n, hidden or dim, choices))

    def forward(self, x: Tensor) -> Tensor:
        if self.hidden is not None:
            x = self.hidden(x).transpose(0, 1)
        scores = side_by_side(x, self.weight).transpose(0, 1)
        return scores.softmax(dim=2)  # [batch, n, choices]


class Gate(nn.Module):
    """``scale * sigmoid(W' relu(W c + b) + b')``: a factor, about ``scale / 2`` at the start."""

    def __init__(self, given: int, width: int, dim: int, scale: float = 2.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(Dense(given, width), nn.ReLU(), Dense(width, dim))
        self.scale = scale

    def forward(self, given: Tensor) -> Tensor:
        factor: Tensor = self.scale * self.layers(given).sigmoid()  # [batch, dim]
        return factor


def seen(scenario: Tensor, scenario_id: Tensor, first_id: int) -> Tensor:
    """The scenario's vector, zero where training did not see it: nothing is left but what a layer
    on it has for all."""
    return scenario * (scenario_id >= first_id).unsqueeze(1)  # [batch, dim]


class Regulation(nn.Module):
    """A learned weight per field, ``softmax(logits / temperature)``, then a batch norm.

    The softmax shrinks a vector by the number of fields; the norm restores it. Its statistics
    are those of an embedding axis over all fields: a norm for each unit would divide the weights
    out again.
    """

    def __init__(self, fields: int, dim: int, temperature: float, batch_norm: bool = True) -> None:
        super().__init__()
        self.temperature = temperature
        self.logits = nn.Parameter(torch.zeros(fields))
        # with the usual 1e-5, embeddings of 0.01 over 40 fields would stay as small as they are
        self.norm = nn.BatchNorm1d(dim, eps=1e-5 / fields**2) if batch_norm else nn.Identity()

    def forward(self, fields: Tensor) -> Tensor:
        weights = (self.logits / self.temperature).softmax(dim=0)
        regulated = fields * weights.unsqueeze(1)  # [batch, fields, dim]
        normed: Tensor = self.norm(regulated.flatten(0, 1))  # [batch * fields, dim]
        return normed.reshape(fields.shape)


class AttentionPool(nn.Module):
    """``sum_i a_i x_i`` with ``a = softmax_i(p^T relu(W x_i + b))``; ``width`` is that of ``p``."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(Dense(dim, width), nn.ReLU(), Dense(width, 1, bias=False))

    def forward(self, vectors: Tensor) -> Tensor:
        shares: Tensor = self.score(vectors).softmax(dim=1)  # [batch, n, 1]
        return (shares * vectors).sum(dim=1)  # [batch, dim]


class SignalJoin(nn.Module):
    """A product network's two signals as one: ``relu(W z + b + p)``, or ``[z; p]`` as they are."""

    def __init__(self, dim: int, width: int, join: str) -> None:
        super().__init__()
        self.linear = Dense(dim, width) if join == "add" else None

    def forward(self, z: Tensor, p: Tensor) -> Tensor:
        if self.linear is None:
            return torch.cat([z, p], dim=1)  # [batch, dim + width]
        return torch.relu(self.linear(z) + p)  # [batch, width]


class Projection(nn.Module):
    """``W v`` for a vector, and a learned value where it is null (NaN).

    Of a ``v`` with unit variance, ``W v`` starts with the standard deviation ``scale``.
    """

    def __init__(self, size: int, dim: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim, size) * scale * size**-0.5)
        self.null = nn.Parameter(torch.zeros(dim))

    def forward(self, vector: Tensor) -> Tensor:
        null = vector.isnan().any(dim=1, keepdim=True)
        known = F.linear(vector.nan_to_num(0.0), self.weight)
        return torch.where(null, self.null, known)  # [batch, dim]


class EmptyHistory(nn.Module):
    """A learned vector in the place of what an encoder makes of no behaviours."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.zeros(dim))

    def forward(self, encoded: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask.any(dim=1, keepdim=True), encoded, self.vector)  # [batch, dim]


class SelfAttention(nn.Module):
    """A transformer's layer: attention, then a network of two layers, both residual and normed.

    ``mask`` says which positions each reads, ``[batch, 1 or length, length]``: one at least.
    """

    def __init__(self, dim: int, heads: int, dropout: float, activation: str = "relu") -> None:
        super().__init__()
        self.heads, self.width = heads, -(-dim // heads)  # of a head
        self.joint = Dense(dim, 3 * heads * self.width)
        self.out = Dense(heads * self.width, dim)
        self.network = nn.Sequential(
            Dense(dim, 4 * dim), ACTIVATIONS[activation](), Dense(4 * dim, dim)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norms[0](x + self.dropout(self.attend(x, mask)))
        z: Tensor = self.norms[1](y + self.dropout(self.network(y)))
        return z  # [batch, length, dim]

    def attend(self, x: Tensor, mask: Tensor) -> Tensor:
        split = self.joint(x).unflatten(2, (3, self.heads, self.width)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)  # [batch, heads, length, width] each
        read = attention(query, key, value, mask.unsqueeze(1))
        joined: Tensor = self.out(read.transpose(1, 2).flatten(2))
        return joined


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """``softmax(Q K^T / sqrt(width)) V`` over what the mask says is read, one key at least.

    Forward and backward of 1024 x 4 heads x 51 positions, one core: torch's own 116 ms in float32
    and 562 in bfloat16, written out 250 and 77.
    """
    if query.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    bias = torch.zeros_like(mask, dtype=query.dtype)
    bias = bias.masked_fill(~mask, torch.finfo(query.dtype).min)
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
    read: Tensor = (scores + bias).softmax(dim=-1).to(value.dtype) @ value
    return read


def softmax_of_real(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax along the last axis over what the mask says is real; zeros where nothing is."""
    lowest = torch.finfo(scores.dtype).min  # not -inf: no NaN where nothing is real
    shares: Tensor = scores.masked_fill(~mask, lowest).softmax(dim=-1)
    return shares * mask


def weighted_sum(weights: Tensor, vectors: Tensor) -> Tensor:
    """``sum_t w_t v_t`` of weights ``[batch, n]`` and vectors ``[batch, n, dim]``."""
    return (weights.unsqueeze(1) @ vectors).squeeze(1)  # [batch, dim]


class TakenRows(torch.autograd.Function):
    """Some rows of ``[rows, dim]``, each at most once, so that gradients are copied, not added.

    Taking 51,200 of 16 and back: 1.4 ms; by torch's own indexing, which adds, 5 (one core).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.rows = x.shape[0]
        return x.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return put_rows(grad, ctx.saved_tensors[0], ctx.rows), None


class PutRows(torch.autograd.Function):
    """The other way round: so many rows that are zero but at the places."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor, rows: int) -> Tensor:
        ctx.save_for_backward(places)
        return x.new_zeros(rows, x.shape[1]).index_copy_(0, places, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return take_rows(grad, ctx.saved_tensors[0]), None, None


def take_rows(x: Tensor, places: Tensor) -> Tensor:
    """``[n, dim]``: rows of ``[rows, dim]`` by different places."""
    taken: Tensor = TakenRows.apply(x, places)  # type: ignore[no-untyped-call]
    return taken


def put_rows(x: Tensor, places: Tensor, rows: int) -> Tensor:
    """``[rows, dim]``, zero but at the different places of ``[n, dim]``."""
    put: Tensor = PutRows.apply(x, places, rows)  # type: ignore[no-untyped-call]
    return put


def keeps_shapes(x: Tensor) -> bool:
    """Whether no shape may depend on values: a graph is made, or costs are counted on shapes."""
    return torch.compiler.is_exporting() or x.is_meta


def recurrence(
    cell: Callable[..., Tensor], state: Tensor, *inputs: Tensor
) -> tuple[Tensor, Tensor]:
    """``h_t = cell(h_{t-1}, x_t, ...)``: the last state, and all: ``[batch, length, dim]``.

    A graph for serving gets a loop: written out, 50 steps twice took 87 s to export to ONNX.
    """
    if torch.compiler.is_exporting():

        def step(h: Tensor, given: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
            new = cell(h, *given)
            return new, new.clone()  # a loop gives no tensor twice

        last, states = scan(step, state, tuple(x.transpose(0, 1) for x in inputs))
        return last, states.transpose(0, 1)
    states = []
    for given in zip(*(x.unbind(1) for x in inputs), strict=True):
        state = cell(state, *given)
        states.append(state)
    return state, torch.stack(states, dim=1)


def pool_bag(table: Tensor, bag: Tensor, offset: int, pool: str) -> Tensor:
    """The ``mean`` or ``sum`` of the rows of each list of ids; padding (id 0) does not count."""
    real = (bag > 0).unsqueeze(2)  # [batch, length, 1]
    total = (F.embedding(bag + offset, table) * real).sum(dim=1)  # [batch, dim]
    return total if pool == "sum" else total / real.sum(dim=1).clamp(min=1)


def sum_of_pairs(fields: Tensor) -> Tensor:
    """``sum_{i<j} v_i * v_j`` in linear time: half of ``(sum_i v_i)^2 - sum_i v_i^2``."""
    # v * v: with 1000 rows of 26 x 16, forward and backward 1.1 ms, one thread; square() 1.5
    total = fields.sum(dim=1)
    return 0.5 * (total * total - (fields * fields).sum(dim=1))  # [batch, dim]


def pair_products(lefts: Iterable[Tensor], fields: Tensor) -> list[Tensor]:
    """For each left its products with all later fields: ``left_i * field_j``, ``j > i``.

    A left is ``[batch, 1, dim]``, or has a vector for each later field. By slices: gathering both
    sides of 1035 pairs (46 fields, dim 16, 1024 rows) took 3 times as long.
    """
    products, later = [], fields
    for left in lefts:
        _, later = torch.split(later, [1, later.shape[1] - 1], dim=1)
        products.append(left * later)  # [batch, later fields, dim]
    return products


def flatten(x: Tensor) -> Tensor:
    """``[batch, n, dim]`` to ``[batch, n * dim]``."""
    return x.flatten(1)


def join(*parts: Tensor) -> Tensor:
    """Concatenate along axis 1; a part of batch 1 (the request's) is repeated for every row."""
    rows = max(part.shape[0] for part in parts)
    return torch.cat([part.expand(rows, *part.shape[1:]) for part in parts], dim=1)


def add(*parts: Tensor) -> Tensor:
    """Sum; a part of batch 1 counts for every row."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def expand_as_rows(x: Tensor, rows: Tensor) -> Tensor:
    """Repeat a request's single row for each row of ``rows``."""
    return x.expand(rows.shape[0], *x.shape[1:])


def as_fields(x: Tensor, dim: int) -> Tensor:
    """``[batch, k * dim]`` to ``[batch, k, dim]``."""
    return x.reshape(x.shape[0], -1, dim)


def task_of(x: Tensor, task: int) -> Tensor:
    """One task's vector out of ``[batch, tasks, dim]``."""
    return x[:, task]


class Bias(nn.Module):
    """A bias per task, for models whose logits come from no head."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(tasks))

    def forward(self, logits: Tensor) -> Tensor:
        return logits + self.bias  # [batch, tasks]


class Correction(nn.Module):
    """The first task's logit for all rows, of a model trained on a share ``w`` of its negatives.

    ``q = p / (p + (1 - p) / w)``, that is ``logit + log(w)`` (He et al., Practical Lessons from
    Predicting Clicks on Ads at Facebook, ADKDD 2014, https://doi.org/10.1145/2648584.2648589).
    """

    shift: Tensor

    def __init__(self, tasks: int, negatives: float) -> None:
        super().__init__()
        shift = [math.log(negatives), *[0.0] * (tasks - 1)]
        self.register_buffer("shift", torch.tensor(shift), persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        return logits.float() + self.shift  # [batch, tasks]


class Chain(nn.Module):
    """Logits of tasks that exist only after another: ``p(child) = p(parent) p(child | parent)``.

    What comes in are logits ``[batch, tasks]`` of ``p(child | parent)``, what goes out are those of
    the product. ``on_all_rows`` trains the product; else training sees what came in.
    """

    def __init__(self, parents: Sequence[int], on_all_rows: bool) -> None:
        super().__init__()
        self.parents = tuple(parents)
        self.on_all_rows = on_all_rows

    def forward(self, logits: Tensor) -> Tensor:
        if self.training and not self.on_all_rows:
            return logits
        logits = logits.float()
        return torch.stack([self.product(logits, t) for t in range(len(self.parents))], dim=1)

    def product(self, logits: Tensor, task: int) -> Tensor:
        """The logit of one task, ``[batch]``: of two, a and b, ``-log(e^-a + e^-b + e^-(a+b))``.

        The odds against ``p q`` are ``(1 + e^-a) (1 + e^-b) - 1``: nothing cancels at either end.
        """
        whole = logits[:, task]
        while (task := self.parents[task]) >= 0:
            other = logits[:, task]
            against = torch.stack([-whole, -other, -whole - other], dim=1)
            whole = -against.logsumexp(dim=1)
        return whole


class Rescale(nn.Module):
    """Regression tasks' outputs in their labels' units, ``mean + deviation * z``; others as is.

    Both numbers are those of the training rows: ``fit`` sets them, and weights hold them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(tasks))
        self.register_buffer("deviation", torch.ones(tasks))

    def fit(self, means: Sequence[float], deviations: Sequence[float | None]) -> None:
        """A deviation for every regression task; the others', which are None, stay at 1."""
        for task, deviation in enumerate(deviations):
            if deviation is not None:
                self.mean[task], self.deviation[task] = means[task], deviation

    def forward(self, logits: Tensor) -> Tensor:
        return self.mean + self.deviation * logits.float()  # [batch, tasks]


class TaskLoss(nn.Module):
    """``[rows, tasks]`` to ``[tasks]``: the mean over the rows that count of what ``of`` gives.

    A row counts for a task where its label is not NaN and, if the task has a parent, the parent's
    label is 1; a task without such rows is 0. A regression task, which has a deviation, has the
    squared error in units of its label's variance, whatever the loss of the others.

    With ``negatives`` below 1 the rows are those that down-sampling kept, the logits those of all.
    """

    parents: Tensor
    regression: Tensor
    scales: Tensor

    def __init__(
        self,
        parents: Sequence[int] = (),
        deviations: Sequence[float | None] = (),
        negatives: float = 1.0,
    ) -> None:
        super().__init__()
        self.negatives = negatives
        scales = [1.0 if d is None else d for d in deviations]
        self.register_buffer("parents", torch.tensor(parents, dtype=torch.long), persistent=False)
        self.register_buffer("scales", torch.tensor(scales), persistent=False)
        regression = torch.tensor([d is not None for d in deviations], dtype=torch.bool)
        self.register_buffer("regression", regression, persistent=False)

    def of(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss of every row and task, labels without NaN."""
        raise NotImplementedError

    def forward(self, logits: Tensor, labels: Tensor, weight: Tensor | None) -> Tensor:
        counts = self.known(labels).to(labels.dtype)  # [rows, tasks]
        if weight is not None:
            counts = counts * weight.unsqueeze(1)
        logits, truth = logits.to(labels.dtype), labels.nan_to_num(0.0)
        if self.negatives < 1:
            logits, counts = self.among_kept(logits, counts, labels)
        losses = self.mixed(logits, truth) if len(self.scales) else self.of(logits, truth)
        total = counts.sum(dim=0)
        return (losses * counts).sum(dim=0) / total.where(total > 0, 1.0)

    def known(self, labels: Tensor) -> Tensor:
        """Whether a row counts for a task."""
        known = ~labels.isnan()
        if len(self.parents):
            happened = labels[:, self.parents.clamp(min=0)] == 1
            known = known & (happened | (self.parents < 0))
        return known

    def among_kept(self, logits: Tensor, counts: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The first task's logits as among the rows kept, what a row counts for the other tasks.

        A kept negative of the first task stands for ``1 / w`` rows, so the others' losses are
        those of all rows in expectation, and their logits need no correction.
        """
        first = logits[:, :1] - math.log(self.negatives)
        stands = torch.where(labels[:, :1] == 0, counts / self.negatives, counts)
        counts = torch.cat([counts[:, :1], stands[:, 1:]], dim=1)
        return torch.cat([first, logits[:, 1:]], dim=1), counts

    def mixed(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Squared errors for regression tasks, the loss itself for the others."""
        errors = (logits - labels) / self.scales.to(labels.dtype)
        binary = self.of(logits, labels.where(~self.regression, 0.0))
        return torch.where(self.regression, errors * errors, binary)


def task_gradients(losses: Tensor, layer: Sequence[Tensor]) -> Tensor:
    """Each task's gradient with respect to the parameters of a layer, ``[tasks, parameters]``.

    Of a table with sparse gradients, the rows that the losses read, the same for all tasks. The
    graph stays: what is minimised is still to be derived from the same losses.
    """
    found = [
        torch.autograd.grad(loss, layer, retain_graph=True, allow_unused=True) for loss in losses
    ]
    columns = []
    for gradients in zip(*found, strict=True):  # of one parameter, by task
        met = [g.coalesce().values() if g is not None and g.is_sparse else g for g in gradients]
        like = next((g for g in met if g is not None), None)
        if like is not None:
            rows = [torch.zeros_like(like) if g is None else g for g in met]
            columns.append(torch.stack(rows).flatten(1))
    return torch.cat(columns, dim=1) if columns else losses.new_zeros(len(losses), 1)
