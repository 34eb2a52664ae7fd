"""``automlrank space check`` of broken files: each mistake in one sentence, at its line, exit 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HUGE = "1" + "0" * 400
LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)
READS = "a branch may have `fields` or `embedding` once"
Told = list[tuple[str, str]]

FILES: dict[str, tuple[str, Told]] = {
    # ---- YAML
    "empty": ("", [("s.yaml: ", "the file is empty.")]),
    "a list at the top": ("- interaction: mlp\n", [(":1: ", "a space is a mapping of stages")]),
    "a word at the top": ("mlp\n", [(":1: ", "but got 'mlp'")]),
    "two documents": ("interaction: mlp\n---\ninteraction: fm\n", [(":2: ", "another document")]),
    "a tab": ("interaction:\n\t- mlp\n", [(":2: ", "not valid YAML: found character '\\t'")]),
    "not closed": ("interaction: {mlp: {width: 8}\n", [(":2: ", "not valid YAML: expected ','")]),
    "laughs": (f"{LAUGHS}interaction: mlp\n", [(": ", "more than 20000 values or 64 levels")]),
    "an anchor in itself": (
        "interaction: &a {stack: [mlp, *a]}",
        [(":1: ", "64 levels once anch")],
    ),
    "1200 levels": (
        f"interaction: {'[' * 1200}{']' * 1200}",
        [("s.yaml: ", "more than 64 levels")],
    ),
    "no such anchor": ("interaction: *nothing\n", [(":1: ", "undefined alias 'nothing'")]),
    "a key twice": (
        "interaction: mlp\ninteraction: fm\ngate: senett\n",
        [(":2: interaction: ", "this key stands twice."), (":3: gate: ", "Did you mean 'senet'?")],
    ),
    "a list as a key": ("? [a, b]\n: 1\ninteraction: mlp\n", [(":1: ", "must be a plain word")]),
    "a number as a key": ("1: mlp\ninteraction: mlp\n", [(":1: 1: ", "unknown key '1'.")]),
    "a merged mapping": (
        "interaction: {mlp: &m {width: 8}}\ntower: {mlp: {<<: *m}}\n",
        [(":2: tower.mlp.<<: ", "mlp has no knob '<<'.")],
    ),
    "a tag of Python": (
        "interaction: !!python/object/apply:os.system [ls]\ngate: senett\n",
        [(":1: interaction: ", "is not allowed: plain values only."), (":2: gate: ", "no block")],
    ),
    "a tag that lies": (
        "interaction: {mlp: {width: !!int x}}\n",
        [(":1: interaction.mlp.width: ", "'x' is no int.")],
    ),
    # ---- names
    "true as a name": ("name: true\ninteraction: mlp\n", [(":1: name: ", "text, but got True")]),
    "two names": ("name: a\narchitecture: b\ninteraction: mlp", [(":1: name: ", "architecture")]),
    "no is a word": (
        "interaction: mlp\nhistory: no\n",
        [(":2: history: ", "Did you mean 'none'?")],
    ),
    "an unknown stage": (
        "interation: mlp\n",
        [
            (":1: interation: ", "unknown key 'interation'. Did you mean 'interaction'?"),
            (":1: ", "a space needs an interaction. Write interaction: BLOCK."),
        ],
    ),
    "a block of another stage": (
        "interaction: {stack: [mlp, mmoe]}\n",
        [(":1: interaction.stack[1]: ", "no block 'mmoe' here: it belongs to tasks.")],
    ),
    "a combinator misspelled": (
        "interaction: {chose: [mlp, fm]}\n",
        [(":1: interaction.chose: ", "no block 'chose'. Did you mean 'choose'?")],
    ),
    "two blocks in one": (
        "interaction: {mlp: {}, fm: {}}\n",
        [(":1: interaction: ", "Write choose: [...], stack: [...] or parallel: [...].")],
    ),
    "a key beside a block": (
        "interaction:\n  parallel:\n  - {fm: {}, field: [a]}\n  - mlp:\n    width: 8\n",
        [
            (":3: interaction.parallel[0].field: ", "beside fm. Did you mean 'fields'?"),
            (":5: interaction.parallel[1].width: ", "beside mlp. Write mlp: {width: ...}."),
        ],
    ),
    "true as a block": ("interaction: true\n", [(":1: interaction: ", "but got True.")]),
    # ---- knobs
    **{
        f"{value} as training": (
            f"interaction: mlp\ntraining: {value}\n",
            [(":2: training: ", f"takes a mapping of knobs, but got {shown}.")],
        )
        for value, shown in (("5", "5"), ("x", "'x'"), ("[1]", "[1]"), ("true", "True"))
    },
    "knobs as a list": ("interaction: {mlp: [width]}", [(":1: interaction.mlp: ", "of knobs")]),
    "not a number": (
        "interaction: {mlp: {dropout: .nan}}\ntraining: {learning_rate: {log: [1e-3, .inf]}}\n",
        [
            (":1: interaction.mlp.dropout: ", "but got nan."),
            (":2: training.", "two finite numbers"),
        ],
    ),
    "huge numbers": (
        f"interaction: {{mlp: {{width: {HUGE}, depth: {{int: [1, {HUGE}]}},"
        f" dropout: [0, {HUGE}]}}}}\n"
        f"limits: {{latency_ms: {HUGE}}}\n",
        [
            (":1: interaction.mlp.width: ", "is no int."),
            (":1: interaction.mlp.depth.int[1]: ", "is no int."),
            (":1: interaction.mlp.dropout[1]: ", "is no int."),
            (":2: limits.latency_ms: ", "is no int."),
        ],
    ),
    "wider than legal": (
        "interaction: {mlp: {width: [64, 99999], depth: {int: [0, 9]}, dropout: true}}\n",
        [
            (":1: interaction.mlp.width: ", "a whole number from 1 to 4096, but got [64, 99999]."),
            (":1: interaction.mlp.depth: ", "from 0 to 8, but got {'int': [0, 9]}."),
            (":1: interaction.mlp.dropout: ", "a number from 0 to 0.9, but got True."),
        ],
    ),
    "a range of three": (
        "interaction: {mlp: {width: {int: [1, 2, 3]}}}\n",
        [(":1: interaction.mlp.width: ", "int takes two numbers, [low, high]")],
    ),
    "a nested list": (
        "interaction: {mlp: {width: [[8]]}}",
        [(":1: interaction.mlp.width: ", "[[8]]")],
    ),
    "a date": (
        "interaction: {mlp: {width: 2024-01-01}}",
        [(":1: interaction.mlp.w", "a value is")],
    ),
    # ---- combinators
    "options of choose": (
        "interaction: {choose: mlp, merge: sum}\n",
        [
            (":1: interaction.merge: ", "unknown key 'merge' beside choose."),
            (":1: interaction.choose: ", "choose takes a list of expressions, but got 'mlp'."),
        ],
    ),
    "options of some_of": (
        "interaction:\n  parallel:\n    - {some_of: [fm, cin], min: two}\n"
        "    - {some_of: [fm, cin], max: true}\n    - {some_of: [fm, cin], max: 3}\n",
        [
            (":3: interaction.parallel[0].some_of: ", "<= 2 must hold, but got min='two', max=2."),
            (":4: interaction.parallel[1].some_of: ", "must hold, but got min=1, max=True."),
            (":5: interaction.parallel[2].some_of: ", "must hold, but got min=1, max=3."),
        ],
    ),
    "options of repeat": (
        "interaction:\n  parallel:\n    - {repeat: mlp, times: 0}\n    - {repeat: [mlp]}\n"
        "    - {repeat: mlp, times: {}}\n",
        [
            (":3: interaction.parallel[0].repeat: ", "from 1 to 16, but got 0."),
            (":4: interaction.parallel[1].repeat: ", "but got ['mlp']."),
            (":5: interaction.parallel[2].repeat: ", "a range is one of"),
        ],
    ),
    "options of parallel": (
        "interaction: {parallel: [mlp, cin], merge: fm, times: 2}\n",
        [
            (":1: interaction.times: ", "unknown key 'times' beside parallel."),
            (":1: interaction.merge: ", "no block 'fm' here: it belongs to interaction."),
        ],
    ),
    "nothing to leave out": (
        "interaction: {parallel: [mlp, {optional: none}]}\n",
        [(":1: interaction.parallel[1].optional: ", "takes a block that can be left out")],
    ),
    # ---- what a branch reads
    "fields": (
        "interaction:\n  parallel:\n    - {mlp: {}, fields: user}\n    - {mlp: {}, fields: []}\n"
        "    - {fm: {}, fields: [a, a]}\n    - {cin: {}, fields: }\n    - {fm: , fields: [1]}\n",
        [
            (":3: interaction.parallel[0].fields: ", "a list of names of columns, but got 'user'."),
            (":4: interaction.parallel[1].fields: ", "but got []."),
            (":5: interaction.parallel[2].fields: ", "fields names 'a' twice."),
            (":6: interaction.parallel[3].fields: ", "must not be empty."),
            (":7: interaction.parallel[4].fields: ", "but got [1]."),
        ],
    ),
    "a table of some kind": (
        "interaction: {mlp: {}, embedding: {dim: 8}}\n",
        [(":1: interaction.embedding: ", "embedding takes own (a table of the branch)")],
    ),
    "reading further on": (
        "gate: {senet: {}, fields: [a]}\ninteraction:\n  parallel:\n"
        "    - {stack: [mlp, {mlp: {}, fields: [a]}]}\n    - {repeat: {mlp: {}, embedding: own}}\n"
        "    - {optional: {mlp: {}, fields: [a]}, embedding: own}\n",
        [
            (":1: gate.fields: ", READS),
            (":4: interaction.parallel[0].stack[1].fields: ", READS),
            (":5: interaction.parallel[1].repeat.embedding: ", READS),
            (":6: interaction.parallel[2].optional.fields: ", READS),
        ],
    ),
    # ---- the rest
    "limits": (
        "interaction: mlp\nlimits: {latency_ms: .inf, parameters: 1.5, flops: 3}\n",
        [
            (":2: limits.latency_ms: ", "must be a number above 0, but got inf."),
            (":2: limits.parameters: ", "must be a whole number, but got 1.5."),
            (":2: limits.flops: ", "unknown key 'flops'."),
        ],
    ),
    "references": (
        "interaction: mlp\nreferences:\n  - lr\n  - depfm\n  - ctr\ngate: senett\n",
        [
            (":4: references[1]: ", "no architecture 'depfm'. Did you mean 'deepfm'?"),
            (":5: references[2]: ", "ctr is a space: a reference leaves nothing to choose."),
            (":6: gate: ", "no block 'senett'."),
        ],
    ),
    "an architecture with choices": (
        "architecture: a\ninteraction:\n  parallel:\n    - {optional: linear}\n"
        "    - {some_of: [fm, cin]}\n    - {repeat: mlp, times: [1, 2]}\n"
        "embedding: {dim: [8, 16]}\n",
        [
            (":4: interaction.parallel[0].optional: ", "this may be left out."),
            (":5: interaction.parallel[1].some_of: ", "this may be one of 3 subsets."),
            (":6: interaction.parallel[2].times: ", "times may be one of 1, 2."),
            (":7: embedding.dim: ", "an architecture has no choice, but dim may be one of 8, 16."),
        ],
    ),
    "all kinds at once": (
        "name: x\ninteraction:\n  parallel:\n    - {stack: [fm, mlp]}\n    - nonsense\n"
        "    - {mlp: {widht: 3}}\n    - {stack: [{mlp: {width: 0}}, fm]}\n  merge: summ\n"
        "references: [depfm]\nfoo: 1\n",
        [
            (":4: interaction.parallel[0].stack[0]: ", "gives a Logit, so only the last member"),
            (":5: interaction.parallel[1]: ", "no block 'nonsense'."),
            (":6: interaction.parallel[2].mlp.widht: ", "Did you mean 'width'?"),
            (":7: interaction.parallel[3].stack[0].mlp.width: ", "but got 0."),
            (":7: interaction.parallel[3].stack[1]: ", "fm takes Fields, but may be given Vector."),
            (":8: interaction.merge: ", "Did you mean 'sum'?"),
            (":9: references[0]: ", "no architecture 'depfm'."),
            (":10: foo: ", "unknown key 'foo'."),
        ],
    ),
    "a hole tells nothing of its neighbours": (
        "interaction: {stack: [nonsense, fm]}\n",
        [(":1: interaction.stack[0]: ", "no block 'nonsense'.")],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_mistake_is_told_at_its_line(
    name: str, tmp_path: Path, command: Callable[..., Any]
) -> None:
    """As many sentences as mistakes, by line; nothing on stdout, no stack trace, exit code 2."""
    text, told = FILES[name]
    file = tmp_path / "s.yaml"
    file.write_text(text)
    ended = command("space", "check", file)
    lines = ended.err.splitlines()
    assert (ended.code, ended.out, len(lines)) == (2, "", len(told)), ended.err
    for line, (place, words) in zip(lines, told, strict=True):
        assert line.startswith(f"Error: {file}"), line
        assert place in line, line
        assert words in line, line
        assert len(line) < 500 + len(str(file)), line
