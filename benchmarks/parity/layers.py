"""Our layers against the same layers of FuxiCTR, torch-rechub and DeepCTR-Torch, weights copied.

    python -m benchmarks.parity.layers [--fuxictr FuxiCTR/model_zoo] [--rounds 15] [--out FILE]

26 fields of 16, vectors of 416, histories of 50: random inputs and weights. The difference is the
largest absolute one of the outputs of 1,000 rows. The time, of pairs that compute the same, is that
of forward and backward of 1,000 rows on one thread, gradients of the inputs included: ours and
theirs in turn, medians of the process's CPU seconds, which whatever else runs on the machine
disturbs least. Ends with 1 where such a pair does not agree. A peer that is not installed is left
out with a sentence.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

from benchmarks import harness
from benchmarks.parity.parts import Pair, inputs

ROWS, TOLERANCE = 1000, 1e-5  # of the largest output, if that is above 1
SHORT = 0.5  # seconds for a layer that needs less for all its rounds
FILES = {
    "benchmarks.parity.fuxictr_layers": "FuxiCTR",
    "benchmarks.parity.rechub": "torch-rechub",
    "benchmarks.parity.rechub_models": "torch-rechub",
    "benchmarks.parity.rechub_tasks": "torch-rechub",
    "benchmarks.parity.deepctr": "DeepCTR-Torch",
}

HEADINGS = ("block", "peer", "layer", "difference", "ours ms", "theirs ms", "ratio", "what to know")


def main() -> int:
    parser = harness.parser(__doc__)
    parser.add_argument("--fuxictr", type=Path, help="model_zoo of a checkout: more pairs")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", help="a block's name")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    table = harness.Figures(HEADINGS)
    wrong = 0
    for library, pair in pairs_of(chosen.fuxictr):
        if chosen.only in (None, pair.block):
            agrees, cells = compared(library, pair, chosen.rounds)
            wrong += not agrees
            table.add(cells)
    table.write(chosen.out)
    return min(wrong, 1)


def pairs_of(zoo: Path | None) -> list[tuple[str, Pair]]:
    """All pairs of the libraries that are here, by block."""
    found = []
    for file, library in FILES.items():
        try:
            found += [(library, pair) for pair in importlib.import_module(file).PAIRS]
        except ImportError as error:
            print(f"{library} is left out ({file}): {error}.")
    if zoo:
        zoo_pairs = importlib.import_module("benchmarks.parity.fuxictr_zoo").pairs(zoo)
        found += [("FuxiCTR, repository", pair) for pair in zoo_pairs]
    return sorted(found, key=lambda each: each[1].block)


def compared(library: str, pair: Pair, rounds: int) -> tuple[bool, list[str]]:
    """Return True if the pair agrees or need not, and its row."""
    torch.manual_seed(0)
    both = pair.make()
    for module in both:
        module.eval()
    given = inputs(pair.reads, ROWS)
    with torch.no_grad():
        mine, theirs = (module(*given).flatten(1) for module in both)
        alone = [module(*(tensor[:1] for tensor in given)).shape for module in both]
    difference = (mine - theirs).abs().max().item()
    agrees = pair.departs or difference <= TOLERANCE * max(1.0, mine.abs().max().item())
    notes = [f"**departs**: {pair.note}" if pair.departs else pair.note]
    if alone[1][0] != 1:
        notes.append(f"**departs**: its output of one row is {list(alone[1])}, without the batch")
    timed = pair.timed and not pair.departs
    seconds = in_turn(both, given, rounds) if timed else None
    times = [f"{1000 * s:.2f}" for s in seconds] if seconds else ["", ""]
    ratio = f"{seconds[0] / seconds[1]:.2f}" if seconds else ""
    shown = "; ".join(note for note in notes if note)
    cells = [pair.block, library, pair.layer, f"{difference:.1e}", *times, ratio, shown]
    return agrees, cells


def in_turn(both: tuple[nn.Module, nn.Module], given: list[Tensor], rounds: int) -> list[float]:
    """The median CPU seconds of each, forward and backward: more rounds where they are short."""
    leaves = [t.requires_grad_() if t.is_floating_point() else t for t in given]
    gradients = [torch.randn_like(module(*leaves)) for module in both]

    def once(i: int) -> float:
        for tensor in (*both[i].parameters(), *leaves):
            tensor.grad = None
        began = time.process_time()
        both[i](*leaves).backward(gradients[i])
        return time.process_time() - began

    warm = [once(i) for _ in range(3) for i in (0, 1)]
    found: list[list[float]] = [[], []]
    for turn in range(max(rounds, int(SHORT / median(warm)))):
        for i in (0, 1) if turn % 2 else (1, 0):
            found[i].append(once(i))
    return [median(each) for each in found]


if __name__ == "__main__":
    raise SystemExit(main())
