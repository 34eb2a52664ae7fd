"""Laws of blocks as a pytest test class, run for every value of a block's knobs."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import pytest
import torch

from automlrank.blocks import BLOCKS
from automlrank.blocks.base import Block
from automlrank.blocks.ports import History
from automlrank.documents import dump, parse_document
from automlrank.testing.block_cases import (
    DEFAULTS,
    PORTS,
    Case,
    default_cases,
    has_var_positional,
    is_flow_block,
    knob_cases,
    map_tensors,
    shape,
    tensors,
)

Law = TypeVar("Law", bound=Callable[..., None])
Named = Sequence[tuple[str, object]]
Subjects = Callable[[Iterable[type[Block]]], Named]
PARTS = "automlrank.blocks.parts."
LISTS = ("keys", "mask", "age", "session", "key_ids")
SUBJECTS: dict[str, tuple[str, Subjects]] = {}
"""Parameter of each law by the law's name, and the labelled values that it is tried with."""


def tried_with(parameter: str, subjects: Subjects) -> Callable[[Law], Law]:
    """Return a decorator that tries a law with each of the ``subjects`` of the blocks."""

    def noted(law: Law) -> Law:
        SUBJECTS[law.__name__] = (parameter, subjects)
        return law

    return noted


def _labelled(cases: Iterable[Case]) -> Named:
    return [(case.label, case) for case in cases]


def _histories(cases: Iterable[Case]) -> Named:
    return _labelled(case for case in cases if isinstance(case.ports[0], History))


def _declarations(blocks: Iterable[type[Block]]) -> Named:
    return [(cls.name, cls) for cls in blocks]


every_knob = tried_with("case", lambda blocks: _labelled(knob_cases(blocks)))
every_block = tried_with("case", lambda blocks: _labelled(default_cases(blocks)))
every_history = tried_with("case", lambda blocks: _histories(knob_cases(blocks)))
every_encoder = tried_with("case", lambda blocks: _histories(default_cases(blocks)))
every_declaration = tried_with("cls", _declarations)
every_flow_block = tried_with("cls", lambda blocks: _declarations(filter(is_flow_block, blocks)))


class BlockConformance:
    """The laws of blocks; a subclass whose name begins with Test names the blocks to test.

    ::

        from automlrank.testing import BlockConformance

        class TestWukong(BlockConformance):
            blocks = (Wukong,)

    The laws build a block with every value of its knobs and examples of its ports; a reference
    test of its formula stays with its author.
    """

    blocks: ClassVar[Sequence[type[Block]]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Try each law with its subjects among ``blocks``."""
        if metafunc.function.__name__ in SUBJECTS:
            parameter, subjects = SUBJECTS[metafunc.function.__name__]
            found = subjects(self.blocks)
            metafunc.parametrize(
                parameter, [subject for _, subject in found], ids=[label for label, _ in found]
            )

    @pytest.fixture(autouse=True)
    def _one_thread(self) -> Iterator[None]:
        """Run with one thread: two tests side by side must not fight for the cores."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(before)

    @every_knob
    def test_declared_port_is_the_real_shape(self, case: Case) -> None:
        out = case.run(case.build().eval(), case.inputs(3))
        declared = case.block.out(*case.ports)
        expected = case.ports[0] if case.block.name == "none" else declared
        assert out.shape == (3, *shape(expected))

    @every_knob
    def test_batch_1_is_row_0_of_a_larger_batch(self, case: Case) -> None:
        """In double precision: the law is about rows, not about the order of sums."""
        module, inputs = case.trained().double().eval(), map_tensors(case.inputs(5), _double)
        whole = case.run(module, inputs)
        first = case.run(module, map_tensors(inputs, lambda tensor: tensor[:1]))
        assert first.shape == (1, *whole.shape[1:])
        torch.testing.assert_close(first, whole[:1], atol=1e-6, rtol=1e-6)

    @every_knob
    def test_a_gradient_reaches_every_parameter(self, case: Case) -> None:
        """In double precision, so that a cancelled parameter shows as 1e-14 and not as noise.

        One seed of three is enough: in a layer one unit wide, a relu may be closed by chance.
        """
        best: dict[str, float] = {}
        for seed in range(3):
            module, inputs = case.build(seed).train().double(), case.inputs(64, seed)
            out = case.run(module, map_tensors(inputs, _double))
            weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(7)).double()
            loss = (out * weights).sum()
            if loss.requires_grad:  # some blocks have no parameters
                torch.autograd.backward(loss)
            for name, parameter in module.named_parameters():
                assert parameter.grad is not None, name
                gradient = parameter.grad.to_dense()
                assert gradient.isfinite().all(), name
                best[name] = max(best.get(name, 0.0), gradient.abs().max().item())
        assert [name for name, size in best.items() if size < 1e-10] == []

    @every_history
    def test_what_the_mask_hides_changes_nothing(self, case: Case) -> None:
        """Neither outputs nor batch-norm statistics, in training as in serving."""
        inputs = case.inputs(16)
        hidden = ~inputs["mask"]
        other = {**inputs, "keys": inputs["keys"] + 5.0 * hidden.unsqueeze(2)}
        other |= {key: inputs[key] + 2 * hidden for key in ("age", "session", "key_ids")}
        results = []
        for seen in (inputs, other):
            module = case.trained().train()
            torch.manual_seed(3)
            trained = case.run(module, seen)
            results.append([trained, case.run(module.eval(), seen), *module.buffers()])
        for one, two in zip(*results, strict=True):
            assert torch.equal(one, two)

    @every_history
    def test_padding_further_changes_nothing(self, case: Case) -> None:
        inputs = case.inputs(16)
        width = inputs["mask"].shape[1]
        short, longer = dict(inputs), dict(inputs)
        for key in LISTS:
            short[key] = inputs[key][:, : width - 2]
            longer[key] = torch.cat([short[key], torch.zeros_like(inputs[key][:, :2])], dim=1)
        for training in (False, True) if not case.block.settings().get("dropout") else (False,):
            module = case.trained().train(training)
            one, two = (case.run(copy.deepcopy(module), seen) for seen in (short, longer))
            torch.testing.assert_close(one, two, atol=1e-6, rtol=1e-6)

    @every_encoder
    @pytest.mark.parametrize("length", [1, 2, 200])
    def test_a_history_of_any_length_is_encoded(self, case: Case, length: int) -> None:
        """A full row gives the same beside an empty one and beside a single behaviour."""
        long = dataclasses.replace(PORTS[History], length=length)
        case = Case(case.block, (long, *case.ports[1:]), case.label)
        inputs = tensors(3, port=long)
        inputs["mask"] = torch.arange(length) < torch.tensor([[length], [0], [1]])
        inputs |= {key: inputs[key] * inputs["mask"] for key in ("age", "session", "key_ids")}
        module = case.trained().double().eval()
        inputs = map_tensors({**inputs, "flow": []}, _double)
        whole = case.run(module, inputs)
        assert whole.isfinite().all()
        for row in range(3):
            alone = map_tensors(inputs, lambda tensor, row=row: tensor[row : row + 1])
            torch.testing.assert_close(case.run(module, alone), whole[row : row + 1])
        inputs["keys"].requires_grad_()
        trained = case.run(module.train(), inputs)
        torch.autograd.backward(trained.sum())
        assert trained.isfinite().all()
        assert inputs["keys"].grad is None or inputs["keys"].grad.isfinite().all()

    @every_history
    def test_an_empty_history_stays_finite(self, case: Case) -> None:
        inputs = case.inputs(4)
        inputs["mask"] = torch.zeros_like(inputs["mask"])
        inputs["keys"].requires_grad_()
        module = case.build().train()
        out = case.run(module, inputs)
        (out.sum() + 0.0 * inputs["keys"].sum()).backward()
        assert out.isfinite().all()
        for tensor in (inputs["keys"], *module.parameters()):
            assert tensor.grad is None or tensor.grad.isfinite().all()

    @every_block
    def test_the_same_seed_gives_the_same_weights(self, case: Case) -> None:
        one, two = case.build(5).state_dict(), case.build(5).state_dict()
        assert list(one) == list(two)
        assert all(torch.equal(one[name], two[name]) for name in one)

    @every_knob
    def test_zeros_stay_finite(self, case: Case) -> None:
        module = case.build().train()
        inputs = map_tensors(case.inputs(4), torch.zeros_like)
        assert case.run(module, inputs).isfinite().all()
        assert case.run(module.eval(), inputs).isfinite().all()

    @every_block
    def test_it_builds_on_its_own(self, case: Case) -> None:
        """Outside an architecture, what a block leaves open counts as off."""
        torch.manual_seed(0)
        alone = case.block.build(*case.ports).state_dict()
        assert {k: v.shape for k, v in alone.items()} == {
            k: v.shape for k, v in case.build().state_dict().items()
        }

    @every_block
    def test_it_can_be_counted_without_memory(self, case: Case) -> None:
        """On the meta device it has the parameters that it really has."""
        with torch.device("meta"):
            counted = case.build().state_dict()
        real = case.build().state_dict()
        assert {k: v.shape for k, v in counted.items()} == {k: v.shape for k, v in real.items()}

    @every_block
    @torch.no_grad()
    def test_no_shape_depends_on_the_data(self, case: Case) -> None:
        """A graph traced with one batch serves another with other values and more rows."""
        module = case.trained().eval()
        traced = case.arguments(module, case.inputs(4))
        other = case.arguments(module, case.inputs(7, seed=9))
        rows = tuple(map_tensors(list(traced), lambda _: {0: torch.export.Dim.DYNAMIC}))
        rows = (rows,) if has_var_positional(type(case.block)) else rows
        graph = torch.export.export(module, traced, dynamic_shapes=rows).module()
        torch.testing.assert_close(graph(*other), module(*other))

    @every_encoder
    @torch.no_grad()
    def test_no_length_depends_on_the_data(self, case: Case) -> None:
        """The whole encoder as a graph: the length of its lists is open."""

        class Whole(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.module = case.trained().eval()

            def forward(self, inputs: dict[str, Any]) -> Any:
                return case.run(self.module, {**inputs, "flow": []})

        read = {"target", "target_id", *LISTS}
        given = {key: value for key, value in case.inputs(4).items() if key in read}
        rows, length = torch.export.Dim("rows"), torch.export.Dim("length")
        torch.compiler.reset()  # of a loop traced with a fixed length
        axes = {key: {0: rows, **({1: length} if key in LISTS else {})} for key in given}
        whole = Whole()
        graph = torch.export.export(whole, (given,), dynamic_shapes=(axes,)).module()
        other = {key: v[:, :3] if key in LISTS else v for key, v in case.inputs(7, 9).items()}
        other = {key: value for key, value in other.items() if key in read}
        torch.testing.assert_close(graph(other), whole(other))

    @every_knob
    def test_the_canonical_form_computes_the_same(self, case: Case) -> None:
        block = case.block.inherited(DEFAULTS)
        canonical = block.canonical()
        assert canonical.canonical() == canonical
        inputs = case.inputs(3)
        twin = Case(canonical, case.ports, case.label)
        original = Case(block, case.ports, case.label)
        assert torch.equal(
            original.run(original.trained().eval(), inputs), twin.run(twin.trained().eval(), inputs)
        )

    @every_knob
    def test_arguments_are_plain(self, case: Case) -> None:
        """Numbers, words and tuples of numbers: what an exported program can be written with."""
        for value in case.block.inherited(DEFAULTS).arguments(*case.ports).values():
            for item in value if isinstance(value, tuple) else (value,):
                assert item is None or type(item) in (bool, int, float, str)

    @every_declaration
    def test_a_declaration_is_a_value(self, cls: type[Block]) -> None:
        block = cls()
        assert block == copy.deepcopy(block) == cls(**block.settings())
        assert hash(block) == hash(cls())
        assert BLOCKS[cls.name] is cls

    @every_declaration
    def test_an_illegal_value_is_named(self, cls: type[Block]) -> None:
        for knob in cls.knobs().values():
            with pytest.raises(
                ValueError, match=f"{cls.name}.{knob.name} must be .*but got 'no such"
            ):
                cls(**{knob.name: "no such value"})

    @every_declaration
    def test_settings_survive_yaml(self, cls: type[Block]) -> None:
        for knob in cls.knobs().values():
            for value in knob.legal.samples():
                block = cls(**{knob.name: value})
                read: Any = parse_document(dump(block.settings()) or "{}").data
                assert cls(**read) == block

    @every_declaration
    def test_what_is_searched_is_legal(self, cls: type[Block]) -> None:
        for knob in cls.knobs().values():
            assert knob.default in knob.legal or (knob.default is None and knob.inherit)
            if knob.default is not None:
                assert knob.search.within(knob.legal), knob.name

    @every_declaration
    def test_it_says_what_it_is(self, cls: type[Block]) -> None:
        assert cls.__doc__
        assert cls.__doc__.split("\n")[0].endswith((".", ":")), "a sentence on the first line"
        assert not cls.__doc__.startswith(f"{cls.__name__}("), "the docstring of dataclasses"
        assert cls.paper
        assert all(len(knob.help) > 3 for knob in cls.knobs().values())

    @every_flow_block
    def test_a_module_needs_torch_and_the_shared_parts_only(self, cls: type[Block]) -> None:
        """Its source names torch, blocks/parts and its own file only; types apart."""
        if not cls.module.__module__.startswith("torch"):
            _walk_sources(cls.module, cls.module.__module__, set())

    @every_flow_block
    def test_no_two_modules_share_a_name(self, cls: type[Block]) -> None:
        """An exported program holds the sources of several blocks in one file."""
        homes: dict[str, str] = {}
        for other in (cls, *filter(is_flow_block, BLOCKS.values())):
            home = other.module.__module__
            for name in _definitions(home):
                assert homes.setdefault(name, home) == home, name


@functools.cache
def _definitions(home: str) -> list[str]:
    """Return the names of the classes and functions that a module of blocks defines."""
    if home.startswith("torch."):
        return []
    nodes = ast.parse(inspect.getsource(sys.modules[home])).body
    return [node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)]


def _walk_sources(thing: Any, home: str, seen: set[object]) -> None:
    """Follow the names that a definition reads, in its file ``home`` and in the shared parts."""
    file = sys.modules[home]
    imported = {
        alias.asname or alias.name: node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.parse(inspect.getsource(file)).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        origin = imported.get(name)
        if origin is not None:
            allowed = ("typing", "collections.abc")
            assert origin in allowed or origin.startswith((PARTS, "torch.")) or origin == "torch"
        value = getattr(file, name, None)
        own = inspect.isclass(value) or inspect.isfunction(value)
        if own and value not in seen and value.__module__.startswith((home, "automlrank")):
            assert value.__module__ == home or value.__module__.startswith(PARTS), name
            seen.add(value)
            _walk_sources(value, value.__module__, seen)


def _double(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor
