"""The DSL: YAML and Python build the same, faults are told at once, counts are exact."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automlrank.architecture import Architecture, draw
from automlrank.blocks import BLOCKS
from automlrank.blocks.domains import Domain, Range, Scalar
from automlrank.data.synthetic import synthetic_schema
from automlrank.documents import dump, parse_document
from automlrank.errors import SpaceError
from automlrank.schema import HistoryFeature, Schema, TargetStatistics, Task
from automlrank.space.combinators import choose, optional, parallel, repeat, some_of, stack, use
from automlrank.space.count import count
from automlrank.space.grammar import Choose, Leaf, leaves
from automlrank.space.requirements import fit_to, needs_met
from automlrank.space.shipped import shipped
from automlrank.space.space import Space

YAML = """
name: small
embedding: {dim: [8, 16], l2: 0.1}
gate: {choose: [none, senet]}
interaction:
  parallel:
    - {optional: linear}
    - {some_of: [fm, {cin: {maps: 8, layers: 1}}], min: 1, max: 2}
    - stack:
        - {mlp: {width: [32, 64], depth: 1}}
        - {repeat: {mlp: {width: 16, depth: 1}}, times: [1, 2]}
  merge: {choose: [concat, sum]}
training: {learning_rate: {log: [1e-4, 1e-2]}, batch_size: 256, dropout: 0.0, batch_norm: false}
limits: {latency_ms: 5}
"""


def in_python() -> Space:
    from automlrank.space.space import Limits

    return Space(
        name="small",
        embedding=use("embedding", dim=[8, 16], l2=0.1),
        gate=choose("none", "senet"),
        interaction=parallel(
            optional("linear"),
            some_of("fm", use("cin", maps=8, layers=1), min=1, max=2),
            stack(
                use("mlp", width=[32, 64], depth=1),
                repeat(use("mlp", width=16, depth=1), times=[1, 2]),
            ),
            merge=choose("concat", "sum"),
        ),
        training=use(
            "training",
            learning_rate={"log": [1e-4, 1e-2]},
            batch_size=256,
            dropout=0.0,
            batch_norm=False,
        ),
        limits=Limits(latency_ms=5),
    )


def from_text(text: str) -> Space:
    return Space.read(parse_document(text, strict=False))


def random_decide(seed: int):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)

    def decide(path: str, domain: Domain) -> Scalar:
        if isinstance(domain, Range):
            return domain.coerce(float(rng.uniform(domain.low, domain.high)))
        return domain.values[int(rng.integers(len(domain.values)))]

    return decide


def test_yaml_and_python_build_the_same_space() -> None:
    assert from_text(YAML) == in_python()


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_file_is_checked_and_survives_its_own_data(name: str) -> None:
    space = Space.read(shipped()[name])
    assert not space.faults()
    data = parse_document(dump(space.to_data())).data
    assert Space.read(data).stages is not None  # type: ignore[arg-type]
    if shipped()[name].parent.name != "zoo":
        assert Space.read(data) == space  # type: ignore[arg-type]
    else:
        assert count(space).draws == 1
        assert count(space).continuous == ()


def test_count_is_exact_for_choices() -> None:
    """Against drawing with every combination of decisions, told apart by their decisions."""
    space = Space(
        interaction=parallel(
            optional(use("linear", l2=0.1)),
            some_of(
                "fm",
                use("cin", maps=[8, 16], layers=1),
                use("autoint", layers=1, heads=1, width=8),
                min=1,
                max=2,
            ),
            repeat(use("mlp", width=[8, 16], depth=1), times=[1, 2]),
            merge=choose("concat", use("sum", width=8)),
        ),
        embedding=use("embedding", dim=8, l2=0.1),
        training=use("training", learning_rate=1e-3, batch_size=256, dropout=0.0, batch_norm=False),
    )
    assert count(space).draws == len(all_decisions(space))
    assert count(space).continuous == ()


def all_decisions(space: Space) -> set[tuple[tuple[str, Scalar], ...]]:
    """Every sequence of decisions that draws the space, found by walking its tree."""
    found: set[tuple[tuple[str, Scalar], ...]] = set()
    queue: list[list[Scalar]] = [[]]
    while queue:
        prefix = queue.pop()
        made: list[tuple[str, Scalar]] = []
        options: list[list[Scalar]] = []

        def decide(path: str, domain: Domain) -> Scalar:
            i = len(made)  # noqa: B023
            values = list(domain.samples())
            value = prefix[i] if i < len(prefix) else values[0]  # noqa: B023
            made.append((path, value))  # noqa: B023
            options.append(values)  # noqa: B023
            return value

        draw(space, decide)
        found.add(tuple(made))
        for i in range(len(prefix), len(made)):
            for other in options[i][1:]:
                queue.append([value for _, value in made[:i]] + [other])
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("interaction: cros_net_v2", "line 1: interaction: no block 'cros_net_v2'. Did you mean"),
        ("interaction: {mlp: {widht: 3}}", "has no knob 'widht'. Did you mean 'width'?"),
        ("interaction: {mlp: {width: 99999}}", "must be a whole number from 1 to 4096"),
        ("interaction: {mlp: {width: {int: [64, 32]}}}", "low <= high must hold"),
        ("interaction: {mlp: {width: {log: [0, 32]}}}", "above 0"),
        ("interaction: {mlp: {width: [64, 64]}}", "must not repeat"),
        ("interaction: [fm, mlp]", "Write choose: [...], stack: [...] or parallel: [...]."),
        ("interaction: {choose: []}", "takes a list of expressions"),
        ("interaction: {some_of: [fm, cin], min: 3}", "0 <= min <= max <= 2"),
        ("interaction: {some_of: [fm, cin], max: 1.5}", "0 <= min <= max <= 2"),
        ("interaction: {repeat: mlp, times: 99}", "from 1 to 16"),
        ("interaction: {choose: [fm], max: 2}", "unknown key 'max' beside choose"),
        ("gate: fm\ninteraction: mlp", "gate: no block 'fm'"),
        ("name: x", "needs an interaction"),
        ("interaction: mlp\nlimits: {latency_ms: -1}", "above 0"),
        ("interaction: mlp\nlimit: {}", "Did you mean 'limits'?"),
    ],
)
def test_a_fault_of_form_says_place_rule_and_value(text: str, words: str) -> None:
    with pytest.raises(SpaceError) as caught:
        from_text(text)
    assert words in str(caught.value)


def test_all_faults_of_a_file_come_at_once() -> None:
    with pytest.raises(SpaceError) as caught:
        from_text("interaction: {parallel: [nothing, {mlp: {width: 0}}]}\nfoo: 1\n")
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("interaction: {stack: [mlp, fm]}", "interaction.stack[1]"),
        ("interaction: {stack: [fm, mlp]}", "interaction.stack[0]"),
        ("interaction: {stack: [linear, mlp]}", "interaction.stack[0]"),
        ("interaction: {stack: [{choose: [cross_net_v2, fm]}, mlp]}", "interaction.stack[0]"),
        ("interaction: {stack: [{parallel: [fm, {optional: mlp}]}, mlp]}", "interaction.stack[0]"),
        ("interaction: {stack: [mlp, {parallel: [cin, mlp]}]}", "interaction.stack[1].parallel[0]"),
        ("interaction: mlp\ntasks: {some_of: [mmoe, shared_bottom]}", "tasks"),
        ("interaction: mlp\ngate: {some_of: [senet, {senet: {reduction: 2}}]}", "gate"),
        ("interaction: mlp\nhistory: {parallel: [din, none]}", "history.parallel"),
        ("interaction: mlp\nloss: {stack: [bce, bce]}", "loss"),
        ("interaction: {parallel: [mlp, cin], merge: {optional: sum}}", "interaction.merge"),
        ("interaction: {some_of: [{optional: cin}]}", "interaction"),
        (
            "interaction: {parallel: [{optional: linear}, {some_of: [fm, {optional: cin}]}]}",
            "interaction.parallel",
        ),
        (
            "interaction: {parallel: [{optional: linear}, {some_of: [fm, cin], min: 0}]}",
            "interaction.parallel",
        ),
    ],
)
def test_wiring_that_fails_under_some_choice_is_found(text: str, path: str) -> None:
    document = parse_document(text)
    with pytest.raises(SpaceError) as caught:
        Space.read(document)
    assert path in [fault.path for fault in caught.value.faults]
    assert all(fault.line for fault in caught.value.faults)


@pytest.mark.parametrize(
    "text",
    [
        "interaction: {stack: [{parallel: [linear, mlp]}, mlp]}",  # logits inside leave
        "interaction: {stack: [senet, {parallel: [mlp, cin]}, mlp]}",
        "interaction: {stack: [{parallel: [linear, {some_of: [cin, autoint], min: 1}]}, mlp]}",
        "interaction: {repeat: {choose: [cross_net_v2, mlp]}, times: 3}",
        "interaction: {choose: [linear, fm, mlp]}",
    ],
)
def test_wiring_that_always_works_is_accepted(text: str) -> None:
    assert not from_text(text).faults()


def test_a_default_space_leaves_out_what_the_schema_lacks() -> None:
    bare = Schema(tasks=(Task("y"),), features=synthetic_schema().features[2:4])
    space = fit_to(Space.read(shipped()["ctr"]), bare)
    names = {leaf.block for _, node in space.stages() for leaf in leaves(node)}
    assert (
        names.isdisjoint({"din", "mean_pool", "ppnet", "scenario_towers", "mmoe"})
        or "ppnet" in names
    )  # page is marked as context
    needs_met(space, bare)
    with pytest.raises(SpaceError, match="no history column"):
        needs_met(Space(interaction=use("mlp"), history=use("din")), bare)


@pytest.mark.parametrize("statistics", [None, TargetStatistics()])
def test_rates_need_columns_that_have_them(statistics: TargetStatistics | None) -> None:
    schema = Schema((Task("y"),), synthetic_schema().features[2:4], statistics=statistics)
    space = fit_to(Space.read(shipped()["ctr"]), schema)
    assert [leaf.block for leaf in leaves(space.statistics)] == ["none"]
    for block in ("rate_fields", "rate_logit"):
        with pytest.raises(SpaceError, match=f"{block} cannot be used: .* has no statistics"):
            needs_met(Space(statistics=use(block), interaction=use("mlp")), schema)


def test_a_space_may_narrow_but_never_widen() -> None:
    assert use("mlp", width=[7]).domains["width"].samples() == (7,)
    with pytest.raises(ValueError, match="must be a whole number from 0 to 8"):
        use("mlp", depth={"int": [0, 9]})


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_every_draw_of_the_default_space_has_one_form(seed: int) -> None:
    """Drawn, printed, read again: equal, with the same fingerprint."""
    drawn = draw(fit_to(Space.read(shipped()["ctr"]), synthetic_schema()), random_decide(seed))
    again = Architecture.read(parse_document(drawn.to_yaml()).data)  # type: ignore[arg-type]
    assert again == drawn
    assert again.fingerprint == drawn.fingerprint
    assert drawn.summary


def test_the_same_decisions_give_the_same_architecture() -> None:
    space = in_python()
    a, b = (draw(space, random_decide(3)) for _ in range(2))
    assert a == b
    assert a.fingerprint == b.fingerprint


def arch(text: str) -> Architecture:
    return Architecture.read(parse_document("architecture: a\n" + text).data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "interaction: {parallel: [fm, linear, mlp]}",
            "interaction: {parallel: [mlp, linear, fm]}",
        ),
        ("interaction: {stack: [mlp]}", "interaction: mlp"),
        ("interaction: {parallel: [mlp]}", "interaction: mlp"),
        ("interaction: {stack: [senet, {stack: [mlp]}]}", "interaction: {stack: [senet, mlp]}"),
        (
            "interaction: {parallel: [fm, {parallel: [cin, mlp]}]}",
            "interaction: {parallel: [mlp, fm, cin]}",
        ),
        ("interaction: mlp\ntower: {mlp: {depth: 0, width: 7}}", "interaction: mlp\ntower: none"),
        ("interaction: linear\ngate: senet\nembedding: {dim: 64}", "interaction: linear"),
        ("interaction: fm\ntower: mlp", "interaction: fm"),
        ("interaction: mlp\ntraining: {dropout: 0.2}", "interaction: {mlp: {dropout: 0.2}}"),
        (
            "interaction: {parallel: [linear, fm], merge: sum}",
            "interaction: {parallel: [linear, fm]}",
        ),
        ("interaction: {repeat: cross_net_v2, times: 1}", "interaction: cross_net_v2"),
        (
            "interaction: {parallel: [{parallel: [linear, fm]}, mlp], merge: sum}",
            "interaction: {parallel: [linear, fm, mlp], merge: sum}",
        ),
        (
            "interaction: {bridge: {regulation: false, temperature: 2.0}}",
            "interaction: {bridge: {regulation: false}}",
        ),
    ],
)
def test_what_computes_the_same_has_one_fingerprint(one: str, other: str) -> None:
    assert arch(one).fingerprint == arch(other).fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    list(
        itertools.combinations(
            [
                "interaction: mlp",
                "interaction: {mlp: {width: 64}}",
                "interaction: {parallel: [mlp, mlp]}",
                "interaction: mlp\nembedding: {dim: 8}",
                "interaction: mlp\ntraining: {learning_rate: 0.01}",
                "interaction: {stack: [mlp, mlp]}",
                "interaction: mlp\ngate: senet",
                "interaction: {parallel: [mlp], merge: sum}",
            ],
            2,
        )
    ),
)
def test_what_differs_has_another_fingerprint(one: str, other: str) -> None:
    assert arch(one).fingerprint != arch(other).fingerprint


def test_an_architecture_leaves_nothing_open() -> None:
    with pytest.raises(SpaceError, match=r"interaction\.mlp\.width: .*nothing to choose"):
        Architecture.read({"name": "a", "interaction": "mlp"})


def test_expressions_close_and_hash() -> None:
    inner = parallel("fm", choose(stack("senet", "mlp"), repeat("mlp", 2)))
    assert isinstance(hash(inner), int)
    assert isinstance(choose(inner, "mlp"), Choose)
    assert isinstance(use("mlp"), Leaf)


SEARCHED = ("ctr", "interactions", "sequence", "multitask", "scenario")


def offered(name: str) -> dict[str, Leaf]:
    """The blocks that a shipped space names."""
    return {
        leaf.block: leaf
        for _, node in Space.read(shipped()[name]).stages()
        for leaf in leaves(node)
    }


@pytest.mark.parametrize(
    ("names", "families"),
    [
        (("interactions",), ("interaction", "merge", "statistics")),
        (("multitask", "scenario"), ("tasks", "scenario", "tower", "balance")),
    ],
)
def test_shipped_spaces_offer_every_block_of_their_families(
    names: tuple[str, ...], families: tuple[str, ...]
) -> None:
    known = {block for name in names for block in offered(name)}
    for family in families:
        assert set(BLOCKS.of(family)) - {"none"} <= known, family


def test_sequence_offers_every_history_encoder() -> None:
    encoders = set(BLOCKS.of("history")) - {"none"}
    assert "dien" in encoders
    assert encoders <= set(offered("sequence"))


def test_without_times_the_sequence_space_has_no_encoder_that_reads_them() -> None:
    schema = synthetic_schema()
    untimed = tuple(
        dataclasses.replace(f, time=None) if isinstance(f, HistoryFeature) else f
        for f in schema.features
    )
    space = Space.read(shipped()["sequence"])
    timed, blind = (
        {leaf.block for leaf in leaves(fit_to(space, s).history)}
        for s in (schema, dataclasses.replace(schema, features=untimed))
    )
    assert timed - blind == {"bst", "dsin"}


@pytest.mark.parametrize("name", SEARCHED)
def test_no_shipped_space_searches_batch_norm(name: str) -> None:
    """What a space does not name is searched: it must say false."""
    assert offered(name)["training"].domains["batch_norm"].samples() == (False,)
