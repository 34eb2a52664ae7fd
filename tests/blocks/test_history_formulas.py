"""History encoders against their formulas, one behaviour at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import torch
from formula_checks import (
    DIM,
    ROWS,
    Array,
    built,
    close,
    drawn,
    relu,
    sigmoid,
    softmax,
    under,
    weights_of,
)
from torch.nn import functional as F

from automlrank.blocks.embedding import other_behaviours
from automlrank.blocks.history import din
from automlrank.blocks.history.dien import GatedStates, TimeMajor
from automlrank.blocks.parts.attention import attention
from automlrank.blocks.parts.rows import put_rows, take_rows
from automlrank.blocks.ports import History
from automlrank.data.columns import TimesColumn


def masks() -> torch.Tensor:
    return torch.arange(6) < torch.tensor([[6], [3], [1], [0]])


def test_mean_pool_counts_real_behaviours_only() -> None:
    module, keys, mask = built("mean_pool", History(DIM, 6, 0)), drawn(ROWS, 6, DIM), masks()
    expected = []
    for row in range(ROWS):
        real = [keys.numpy()[row, t] for t in range(6) if mask[row, t]]
        expected.append(sum(real, np.zeros(DIM)) / max(len(real), 1))
    close(module(keys, mask), expected)


@pytest.mark.parametrize("softmax_on", [False, True])
def test_din_scores_each_behaviour_against_the_target(softmax_on: bool) -> None:
    module = built(
        "din", History(DIM, 6, 0), width=4, depth=2, activation="sigmoid", softmax=softmax_on
    )
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w, expected = weights_of(module), []
    for row in range(ROWS):
        q, result, scores = target.numpy()[row], np.zeros(DIM), []
        real = [keys.numpy()[row, t] for t in range(6) if mask[row, t]]
        for k in real:
            state = np.concatenate([q, k, q - k, q * k])
            for linear in ("meet.joint", "layers.0"):
                state = sigmoid(w[f"{linear}.weight"] @ state + w[f"{linear}.bias"])
            bias = 0.0 if softmax_on else w["score.bias"][0]
            scores.append(w["score.weight"][0] @ state + bias)
        shares = softmax(scores) if softmax_on and scores else scores
        for share, k in zip(shares, real, strict=True):
            result += share * k
        expected.append(result)
    close(module(keys, target, mask), expected)


@pytest.mark.parametrize("activation", ["dice", "prelu"])
def test_din_without_its_padding_computes_the_same(
    activation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outputs, gradients and statistics of real positions are those of all, masked."""
    keys, target = drawn(9, 6, DIM).requires_grad_(), drawn(9, DIM, seed=1).requires_grad_()
    mask = torch.arange(6) < torch.tensor([2, 0, 6, 1, 1, 4, 0, 3, 5]).unsqueeze(1)
    found = []
    for share in (0.0, 1.0):
        monkeypatch.setattr(din, "PACKED", share)
        module = built("din", History(DIM, 6, 0), width=4, depth=2, activation=activation).train()
        read = [keys, target, *module.parameters()]
        pooled = module(keys, target, mask)
        gradients = torch.autograd.grad(pooled.square().sum(), read)
        found.append([pooled, *gradients, *module.buffers()])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, atol=1e-9, rtol=1e-9)


def reals(keys: torch.Tensor, mask: torch.Tensor, row: int) -> list[Array]:
    """The real behaviours of a row."""
    return [keys.numpy()[row, t] for t in range(mask.shape[1]) if mask[row, t]]


def test_sum_pool_adds_real_behaviours_only() -> None:
    module, keys, mask = built("sum_pool", History(DIM, 6, 0)), drawn(ROWS, 6, DIM), masks()
    close(module(keys, mask), [sum(reals(keys, mask, r), np.zeros(DIM)) for r in range(ROWS)])


def test_target_attention_shares_one_among_the_real_behaviours() -> None:
    module = built("target_attention", History(DIM, 6, 0), width=5)
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w, expected = weights_of(module), []
    for row in range(ROWS):
        q, real = w["query.weight"] @ target.numpy()[row], reals(keys, mask, row)
        scores = [q @ (w["key.weight"] @ k) / np.sqrt(5) for k in real]
        shares = softmax(scores) if real else []
        pairs = zip(shares, real, strict=True)
        expected.append(sum((share * k for share, k in pairs), np.zeros(DIM)))
    close(module(module.extract(keys), keys, target, mask), expected)


@pytest.mark.parametrize("name", ["dice", "prelu", "relu"])
def test_din_in_training_has_the_activations_of_its_batch(name: str) -> None:
    """Dice normalises by the real positions of the batch, all of them, and by no padding."""
    module = built("din", History(DIM, 6, 0), width=4, activation=name).train()
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w = weights_of(module)
    meetings, places = [], []
    for row in range(ROWS):
        q = target.numpy()[row]
        for k in reals(keys, mask, row):
            meetings.append(np.concatenate([q, k, q - k, q * k]))
            places.append((row, k))
    hidden = np.stack(meetings) @ w["meet.joint.weight"].T + w["meet.joint.bias"]
    if name == "dice":
        slope = w["activations.0.dice.slope"]
        p = sigmoid((hidden - hidden.mean(axis=0)) / np.sqrt(hidden.var(axis=0) + 1e-5))
        hidden = p * hidden + (1 - p) * slope * hidden
    else:
        slope = w["activations.0.plain.weight"] if name == "prelu" else 0.0
        hidden = np.maximum(hidden, 0) + slope * np.minimum(hidden, 0)
    expected = np.zeros((ROWS, DIM))
    for (row, k), h in zip(places, hidden, strict=True):
        expected[row] += (w["score.weight"][0] @ h + w["score.bias"][0]) * k
    close(module(keys, target, mask), expected)


def test_dice_serves_with_the_running_statistics_of_real_rows() -> None:
    module = built("din", History(DIM, 6, 0), width=4)
    dice = module.activations[0].dice
    x, real = drawn(8, 4), torch.arange(8) < 5
    for _ in range(200):
        dice.train()(x, real)
    seen = x[:5].numpy()
    close(dice.mean, seen.mean(axis=0))
    close(dice.variance, seen.var(axis=0))
    p = sigmoid((x.numpy() - seen.mean(axis=0)) / np.sqrt(seen.var(axis=0) + 1e-5))
    slope = dice.slope.detach().numpy()
    close(dice.eval()(x, real), p * x.numpy() + (1 - p) * slope * x.numpy())


def gru(w: dict[str, Array], x: Array, h: Array) -> tuple[Array, Array]:
    """The update gate and the new state of one step, written as the paper does."""
    from_x = w["input.weight"] @ x + w["input.bias"]
    u, r, n = (
        from_x[i * DIM : (i + 1) * DIM] + h @ w["recurrent"][:, i * DIM : (i + 1) * DIM]
        if i < 2
        else from_x[i * DIM :]
        for i in range(3)
    )
    r = sigmoid(r)
    return sigmoid(u), np.tanh(n + r * (h @ w["recurrent"][:, 2 * DIM :]))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("cell", ["aigru", "agru", "augru"])
def test_dien_evolves_step_by_step(cell: str, training: bool) -> None:
    module = built("dien", History(DIM, 6, 0), cell=cell).train(training)
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w, expected = weights_of(module), []
    interest, evolution = under(w, "interest."), under(w, "evolution.")
    for row in range(ROWS):
        h, states = np.zeros(DIM), []
        for k in reals(keys, mask, row):
            u, n = gru(interest, k, h)
            h = (1 - u) * h + u * n
            states.append(h)
        q = w["attention.weight"] @ target.numpy()[row]
        shares = softmax([state @ q for state in states]) if states else []
        h = np.zeros(DIM)
        for a, state in zip(shares, states, strict=True):
            u, n = gru(evolution, a * state if cell == "aigru" else state, h)
            gate = {"aigru": u, "agru": a, "augru": a * u}[cell]
            h = (1 - gate) * h + gate * n
        expected.append(h)
    close(module(module.extract(keys, mask), target, mask), expected)


def test_dien_s_first_states_are_those_of_torch_s_gru() -> None:
    """torch's gate is 1 - u, so the weights of its z have the other sign."""
    module = built("dien", History(DIM, 6, 0))
    theirs = torch.nn.GRU(DIM, DIM, batch_first=True).double()
    weight, bias = module.interest.input.weight, module.interest.input.bias
    sign = torch.cat([torch.full((DIM,), s) for s in (-1.0, 1.0, 1.0)])  # of u, r, n
    order = torch.cat(
        [torch.arange(DIM, 2 * DIM), torch.arange(DIM), torch.arange(2 * DIM, 3 * DIM)]
    )
    with torch.no_grad():  # torch has r, z, n
        theirs.weight_ih_l0.copy_((sign.unsqueeze(1) * weight)[order])
        theirs.weight_hh_l0.copy_((sign * module.interest.recurrent).T[order])
        theirs.bias_ih_l0.copy_((sign * bias)[order])
        theirs.bias_hh_l0.zero_()
    keys = drawn(ROWS, 6, DIM)
    mask = masks()
    expected = theirs(keys)[0].detach()
    close(module.extract(keys, mask)[:, :, :DIM], expected)
    close(module.train().extract(keys, mask), expected * mask.unsqueeze(2))


@pytest.mark.parametrize("cell", ["gru", "agru", "augru"])
def test_dien_s_gradients_are_those_of_its_formula(cell: str) -> None:
    """Rows of 4, 2 and 1 steps: a time has fewer rows than the one before."""
    steps, dim = TimeMajor(torch.arange(5) < torch.tensor([[2], [0], [4], [1]])), 2
    assert steps.alive == [3, 2, 1, 1]
    shapes = [(7, dim), (3 * dim, dim), (3 * dim,), (dim, 3 * dim), (7, 1)]
    given = [drawn(*shape, seed=i).requires_grad_() for i, shape in enumerate(shapes)]
    given[-1] = given[-1].detach().sigmoid().requires_grad_(cell != "gru")
    torch.autograd.gradcheck(lambda *x: GatedStates.apply(*x, cell, steps.alive), given)


@pytest.mark.parametrize("cell", ["aigru", "agru", "augru"])
def test_dien_serves_with_the_gradients_of_training(cell: str) -> None:
    """There all rows are as long as the longest, and autograd goes back step by step."""
    module = built("dien", History(DIM, 6, 0), cell=cell)
    keys, target = drawn(9, 6, DIM).requires_grad_(), drawn(9, DIM, seed=1).requires_grad_()
    mask = torch.arange(6) < torch.tensor([2, 0, 6, 1, 1, 4, 0, 3, 6]).unsqueeze(1)
    read = [keys, target, *module.parameters()]
    found = []
    for training in (False, True):
        encoded = module.train(training)(module.extract(keys, mask), target, mask)
        found.append([encoded, *torch.autograd.grad(encoded.square().sum(), read)])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, atol=1e-9, rtol=1e-9)


def test_rows_taken_and_put_have_the_gradients_of_indexing() -> None:
    x, places = drawn(6, 2).requires_grad_(), torch.tensor([4, 0, 3])
    assert torch.equal(take_rows(x, places), x[places])
    torch.autograd.gradcheck(lambda x: take_rows(x, places), x)
    torch.autograd.gradcheck(lambda x: put_rows(x[:3], places, 5), x)


def test_dien_s_auxiliary_loss_knows_the_next_behaviour_from_another() -> None:
    module = built("dien", History(DIM, 6, 0), alpha=0.5).train()
    keys, others, mask = drawn(ROWS, 6, DIM), drawn(ROWS, 6, DIM, seed=2), masks()
    states, losses = module.extract(keys, mask).detach().numpy(), []
    for row in range(ROWS):
        for t in range(5):
            if mask[row, t + 1]:
                found, missed = (k.numpy()[row, t + 1] @ states[row, t] for k in (keys, others))
                losses.append(-np.log(sigmoid(found)) - np.log(1 - sigmoid(missed)))
    assert len(losses) == 7
    close(module.loss(module.extract(keys, mask), keys, others, mask), 0.5 * np.mean(losses))
    nothing = torch.zeros_like(mask)
    assert module.loss(module.extract(keys, mask), keys, others, nothing).item() == 0.0


def test_other_behaviours_are_real_ones_of_any_row() -> None:
    torch.manual_seed(0)
    keys, mask = torch.arange(24.0).view(4, 6, 1), masks()
    drawn_ = torch.cat([other_behaviours(keys, mask)[mask].flatten() for _ in range(50)])
    assert set(drawn_.tolist()) == set(keys.squeeze(2)[mask].tolist())
    assert not other_behaviours(keys, torch.zeros_like(mask)).any()


def test_the_auxiliary_loss_does_not_hear_of_further_padding() -> None:
    """Its random behaviours are the same ones, too."""
    module = built("dien", History(DIM, 6, 0), alpha=0.5).train()
    keys, mask, losses = drawn(ROWS, 6, DIM), masks(), []
    for more in (0, 3):
        k, m = F.pad(keys, (0, 0, 0, more)), F.pad(mask, (0, more))
        torch.manual_seed(0)
        losses.append(module.loss(module.extract(k, m), k, other_behaviours(k, m), m).item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def self_attention(w: dict[str, Array], x: Array, heads: int) -> Array:
    """A transformer's layer, head by head, position by position."""
    width = -(-DIM // heads)
    joint = x @ w["joint.weight"].T + w["joint.bias"]
    query, key, value = np.split(joint, 3, axis=1)
    read = np.zeros_like(query)
    for head in range(heads):
        of = slice(head * width, (head + 1) * width)
        for i in range(len(x)):
            shares = softmax([query[i, of] @ key[j, of] / np.sqrt(width) for j in range(len(x))])
            read[i, of] = sum(s * value[j, of] for j, s in enumerate(shares))
    y = normed(w, "norms.0", x + read @ w["out.weight"].T + w["out.bias"])
    inner = relu(y @ w["network.0.weight"].T + w["network.0.bias"])
    return normed(w, "norms.1", y + inner @ w["network.2.weight"].T + w["network.2.bias"])


def normed(w: dict[str, Array], name: str, x: Array) -> Array:
    centred = x - x.mean(axis=1, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    return np.asarray(centred / scale * w[f"{name}.weight"] + w[f"{name}.bias"])


@pytest.mark.parametrize("pool", ["mean", "target"])
def test_bst_reads_behaviours_and_target_in_one_transformer(pool: str) -> None:
    module = built("bst", History(DIM, 6, 0), layers=2, heads=2, pool=pool)
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    age = torch.arange(7, 1, -1).expand(ROWS, 6) * mask
    w, expected = weights_of(module), []
    for row in range(ROWS):
        real = [k + w["ages"][age[row, t]] for t, k in enumerate(reals(keys, mask, row))]
        x = np.stack([target.numpy()[row] + w["ages"][0], *real])
        for layer in range(2):
            x = self_attention(under(w, f"layers.{layer}."), x, heads=2)
        expected.append(x[0] if pool == "target" else x.mean(axis=0))
    close(module(keys, target, mask, age), expected)


def lstm(w: dict[str, Array], xs: list[Array]) -> list[Array]:
    h, c, states = np.zeros(DIM), np.zeros(DIM), []
    for x in xs:
        gates = w["input.weight"] @ x + w["input.bias"] + h @ w["recurrent"]
        enter, forget, leave = (sigmoid(g) for g in np.split(gates[: 3 * DIM], 3))
        c = forget * c + enter * np.tanh(gates[3 * DIM :])
        h = leave * np.tanh(c)
        states.append(h)
    return states


def test_dsin_splits_a_history_into_its_newest_sessions() -> None:
    """Times made by hand: gaps of more than 30 minutes; two sessions count, the oldest does not."""
    module = built("dsin", History(DIM, 6, 0), sessions=2, heads=2)
    minutes = [[0, 50, 60, 100, 101, 102], [0, 5, 9], [0], []]
    times = [[(datetime(2024, 1, 1) + timedelta(minutes=m)) for m in row] for row in minutes]
    sessions = sessions_of(times)
    assert sessions.tolist() == [[1, 2, 2, 3, 3, 3], [1, 1, 1, 0, 0, 0], [1] + [0] * 5, [0] * 6]
    kept = [[[1, 2], [3, 4, 5]], [[0, 1, 2]], [[0]], []]
    keys, target, mask = drawn(ROWS, 6, DIM), drawn(ROWS, DIM, seed=1), masks()
    w, expected = weights_of(module), []
    inner = under(w, "interests.")
    for row in range(ROWS):
        interests, q = [], target.numpy()[row]
        for number, places in enumerate(kept[row]):
            x = np.stack(
                [
                    keys.numpy()[row, t]
                    + inner["of_session"][number]
                    + inner["of_place"][place]
                    + inner["of_unit"]
                    for place, t in enumerate(places)
                ]
            )
            interests.append(self_attention(under(inner, "layer."), x, heads=2).mean(axis=0))
        forward = lstm(under(inner, "lstms.0."), interests)
        backward = lstm(under(inner, "lstms.1."), interests[::-1])[::-1]
        states = [np.concatenate(pair) for pair in zip(forward, backward, strict=True)]
        pooled = []
        for vectors, name in ((interests, "of_interests"), (states, "of_states")):
            bridge = w[f"{name}.weight"] @ q
            shares = softmax([v @ bridge for v in vectors]) if vectors else []
            parts = zip(shares, vectors, strict=True)
            pooled.append(sum((s * v for s, v in parts), np.zeros(len(bridge))))
        expected.append(np.concatenate(pooled))
    extracted = module.extract(keys, mask, sessions)
    close(module(extracted, target, mask, sessions), expected)


def sessions_of(times: list[list[datetime]]) -> torch.Tensor:
    """Sessions as the store has them, padded."""
    column = TimesColumn("times", True, "clicks", "row", "s", "s")
    rows = pl.Series("row", [datetime(2024, 1, 2)] * len(times))
    lists = pl.Series("times", times, dtype=pl.List(pl.Datetime("us")))
    _, sessions = column.apply(lists, rows)
    return torch.from_numpy(sessions.pad())


def test_can_runs_the_target_s_own_network_over_powers_of_the_behaviours() -> None:
    module = built("can", History(DIM, 6, 9), width=3, depth=2, orders=2)
    ids, mask = torch.arange(24).view(4, 6) % 9, masks()
    target_id = torch.tensor([4, 8, 0, 3])
    w, expected = weights_of(module), []
    for row in range(ROWS):
        own = w["networks"][target_id[row]].reshape(2, 4, 3)
        sums = {(order, layer): np.zeros(3) for order in (1, 2) for layer in (0, 1)}
        for t in range(6):
            for order in (1, 2) if mask[row, t] else ():
                first = np.tanh(w["feed"][ids[row, t]] ** order @ own[0, :3] + own[0, 3])
                sums[order, 0] += first
                sums[order, 1] += first @ own[1, :3] + own[1, 3]
        expected.append(np.concatenate(list(sums.values())))
    close(module(module.extract(ids), target_id, mask), expected)


def test_attention_in_bfloat16_is_that_in_float32() -> None:
    """It is written out there; 2^-8 is the precision."""
    query, key, value = drawn(3, 4, 2, 6, 8).float().unbind(0)
    mask = torch.arange(6) < torch.tensor([6, 3, 1, 2]).view(4, 1, 1, 1)
    short = attention(query.bfloat16(), key.bfloat16(), value.bfloat16(), mask).float()
    torch.testing.assert_close(short, attention(query, key, value, mask), atol=0.03, rtol=0.03)
