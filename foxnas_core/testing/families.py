"""What every `Family` keeps, on any space of it."""

import json
import pkgutil
from collections.abc import Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, register_family, space_from_dict
from foxnas_core.families.family import Family, Graph
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.parts import sample_codes
from foxnas_core.space.editing.cells import cells_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.additive import AdditiveTable, blocks_of
from foxnas_core.table.metrics import COUNTABLE
from foxnas_core.testing.analyses import check_sentence

_BLOCKS = 50  # about so many are built of a space's


def check_family(family: Family, space: SearchSpace, *, count: int = 20, seed: int = 0) -> None:
    """Everything below, on the family's landmarks and `count` architectures drawn from `space`."""
    register_family(family)
    assert family_of(space) is family, f"{space.name} is of another family than {family.name}"
    check_document(space)
    drawn = space.sample(min(count, space.size), seed=seed)
    architectures = [*check_landmarks(family, space), *drawn]
    check_ids(space, architectures)
    check_notation(family, space, architectures)
    check_canonical(family, space, architectures)
    for architecture in architectures:
        for graph in family.graphs(space, architecture):
            check_graph(space, graph)
    if layout := family.layout(space):
        placed = [name for row in layout.rows for name, _ in row.places]
        assert sorted(placed) == sorted(c.name for c in cells_of(space) if c.slot)
        for row in layout.rows:
            columns = [column for _, column in row.places]
            assert len(set(columns)) == len(columns) and max(columns) <= len(layout.columns)
    check_forms(family, space)
    if family.supernet:
        assert callable(pkgutil.resolve_name(family.supernet)), f"{family.supernet} builds nothing"
    check_mixture_of(family, space)
    check_counts(family, space)
    if family.network:
        from foxnas_core.testing.supernets import check_network

        for architecture in architectures[:3]:
            check_network(space, architecture)
            check_counted(family, space, architecture)
        check_places(family, space, architectures[:3])


def check_document(space: SearchSpace) -> None:
    """A space is JSON from which the same space is read again."""
    again = space_from_dict(json.loads(json.dumps(space.to_dict(), allow_nan=False)))
    assert again == space, f"{space.name} is read back as another space"
    assert again.fingerprint == space.fingerprint


def check_landmarks(family: Family, space: SearchSpace) -> list[Architecture]:
    """Those to start from, the reference among them, are of the space; returns them."""
    extremes = family.extremes(space)
    assert set(extremes) in (set(), {"smallest", "largest"}), f"{family.name} lacks an extreme"
    if extremes and space.size > 1:
        assert extremes["smallest"] != extremes["largest"]
    found = [*family.landmarks(space).values(), family.reference(space)]
    assert len(found) > 1, f"{family.name} offers nothing to start from"
    for architecture in found:
        assert space.is_member(architecture), f"{architecture.to_dict()} is not of {space.name}"
    return found


def check_ids(space: SearchSpace, architectures: Sequence[Architecture]) -> None:
    """Equal architectures have equal ids, however they are written."""
    codes = space.encode(architectures)
    assert space.decode(codes) == list(architectures)
    assert space.ids(codes) == [a.id for a in architectures]
    for architecture in architectures:
        # What is off is trimmed, so it tells nothing apart.
        everything = {d.name: d.choices[-1] for d in space.decisions} | architecture.to_dict()
        assert space.architecture(everything) == architecture


def check_notation(
    family: Family, space: SearchSpace, architectures: Sequence[Architecture]
) -> None:
    """What `write` writes, on one line, `read` reads; all else is refused in a sentence."""
    for architecture in architectures:
        text = family.write(space, architecture)
        assert bool(text) == bool(family.notation), f"{family.name} has a notation, or it has none"
        assert text.isprintable(), f"{text!r} is no line of text"
        if text:
            assert family.read(space, text) == architecture, f"{text} is read as another"
            assert family.read(space, f" {text}\n") == architecture
        number = family.number(space, architecture)
        assert number is None or family.read(space, str(number)) == architecture
    for wrong in ("", "no architecture", "|", "-1", "9" * 5000, "{}", "[" * 5000):
        try:
            family.read(space, wrong)
        except InvalidInput as error:
            check_sentence(str(error), family.name)
            assert len(str(error)) < 1000, f"{family.name} repeats what it can't read"
        else:
            raise AssertionError(f"{family.name} reads {wrong[:20]!r} as an architecture")


def check_canonical(
    family: Family, space: SearchSpace, architectures: Sequence[Architecture]
) -> None:
    """The key, where there is one, says the same of the same architecture, and what it groups has
    one live graph; many at once have the same."""
    keys = family.keys(space, space.encode(architectures))
    for architecture, own in zip(architectures, keys, strict=True):
        key = family.canonical(space, architecture)
        assert key == own
        assert key != "" and key == family.canonical(
            space, space.decode(space.encode([architecture]))[0]
        )
        graphs = family.graphs(space, architecture)
        if not graphs:
            continue
        for other in space.neighbours(architecture)[:40]:
            if _living(family.graphs(space, other)) == _living(graphs):
                assert family.canonical(space, other) == key, f"a dead edge matters in {key}"


def _living(graphs: Sequence[Graph]) -> list[list[tuple[int, int, str]]]:
    return [[(e.source, e.target, e.operation) for e in own.edges if e.live] for own in graphs]


def check_graph(space: SearchSpace, graph: Graph) -> None:
    """Edges run forward, each is a cell of the editor, and those said to be live are."""
    assert len(graph.nodes) > 1 and len(set(graph.nodes)) == len(graph.nodes)
    cells = [edge.cell for edge in graph.edges]
    assert set(cells) <= {cell.name for cell in cells_of(space)}, "an edge that can't be edited"
    assert len(set(cells)) == len(cells), "two edges are decided by one cell"
    last = len(graph.nodes) - 1
    computing = [e for e in graph.edges if not e.is_none]
    reached = set(range(graph.inputs))
    needed = set(range(last + 1 - graph.outputs, last + 1))
    for _ in graph.nodes:
        reached |= {e.target for e in computing if e.source in reached}
        needed |= {e.source for e in computing if e.target in needed}
    for edge in graph.edges:
        assert 0 <= edge.source < edge.target <= last, f"{edge.cell} runs backwards"
        assert edge.operation, f"{edge.cell} computes nothing that has a name"
        on_path = not edge.is_none and edge.source in reached and edge.target in needed
        assert edge.live == on_path, f"{edge.cell} is said to be {'live' if edge.live else 'dead'}"


def check_mixture_of(family: Family, space: SearchSpace) -> None:
    """Where its supernet mixes, decisions take one of the operations, or the edges that stay."""
    mixture = family.mixture(space)
    if mixture is None:
        return
    for edge in mixture.edges:
        assert space.by_name[edge.name].choices == edge.operations, f"{edge.name} mixes others"
        assert set(edge.mixed_only) < set(edge.operations)
    for junction in mixture.junctions:
        assert set(space.by_name[junction.name].choices) == set(junction.options)
        assert set(junction.edges) <= {edge.name for edge in mixture.edges}


def check_counts(family: Family, space: SearchSpace) -> None:
    """What is counted are whole numbers, of one group and the context in each part."""
    codes = sample_codes(space)
    for column in COUNTABLE:
        for part in family.counts(space, column):
            read = [space.decisions[position] for position in part.positions]
            groups = {d.group for d in read if d.group not in space.context}
            assert len(part.terms) == 1, f"{family.name} counts several things in one part"
            assert len(groups) < 2, f"{family.name} counts {groups} together"
            values = part.columns(codes)
            assert (values >= 0).all() and (values == np.rint(values)).all()


def check_counted(family: Family, space: SearchSpace, architecture: Architecture) -> None:
    """What is counted of an architecture is what its network has."""
    from foxnas_core.measurement.cost import cost_of
    from foxnas_core.supernet.building import build_network

    costs = cost_of(build_network(space, architecture, seed=0))
    for column in COUNTABLE:
        totals = family.totals(space, space.encode([architecture]).astype(np.intp), column)
        found = costs[column] if totals is None else float(totals[0])
        assert found == costs[column], f"{found} {column} counted of {costs[column]}"


def check_places(family: Family, space: SearchSpace, architectures: Sequence[Architecture]) -> None:
    """Where networks are chains of blocks, those of an architecture are the parts of its network,
    and what has one name is one block wherever it stands."""
    places = family.places(space)
    if not places:
        return
    from foxnas_core.measurement.cost import cost_of
    from foxnas_core.supernet.building import blocks_in, build_blocks, build_network

    for place in places:
        read = [space.by_name[name] for name in place.decisions]
        groups = {d.group for d in read} - set(space.context)
        assert len(groups) < 2, f"{place.name} reads {groups} together"
    names = blocks_of(places)
    assert all(map(str.isprintable, names))
    # Of thousands some, and what the architectures have.
    some = dict.fromkeys(names[:: -(-len(names) // _BLOCKS)])
    filled = {one for a in architectures for place in places if (one := place.block(a))}
    every = build_blocks(space, seed=0, names=[*some, *(filled - some.keys())])
    costs = {name: cost_of(block) for name, block in every.items()}
    for architecture in architectures:
        network = build_network(space, architecture, seed=1)
        for name, block in blocks_in(network, architecture, places).items():
            assert block.input_shape == every[name].input_shape, f"{name} is of several shapes"
            assert cost_of(block) == costs[name], f"{name} stands for several blocks"
        total = AdditiveTable(
            space, places, {c: {n: own[c] for n, own in costs.items()} for c in COUNTABLE}
        ).of(architecture)
        assert total == cost_of(network), f"the blocks of {architecture.id} are not its network"


def check_forms(family: Family, space: SearchSpace) -> None:
    """Each of the family's forms gives finite columns with names of their own, each of which reads
    some decision."""
    codes = sample_codes(space)
    for name, form in family.forms.items():
        assert name.isidentifier() and form.title.strip(), f"{name} is no form's name"
        for quality in (True, False):
            terms = []
            for group in space.additive_groups:
                for part in form.parts(space, group, quality):
                    terms += [term.name for term in part.terms]
                    read = {space.decisions[position].group for position in part.positions}
                    assert group in read, f"{name} reads nothing of group {group}"
                    columns = part.columns(codes)
                    assert columns.shape == (len(codes), len(part.terms))
                    assert np.isfinite(columns).all(), f"{name} has numbers that are none"
            assert len(set(terms)) == len(terms) > 0, f"{name} names two terms alike"
