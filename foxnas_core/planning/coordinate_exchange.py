"""D-optimal batches by coordinate exchange.

The batch that makes ln det (X'X + B'B) large, X the rows there are and B those to come, makes the
volume of the estimates' confidence ellipsoid small. From random batches on, each row is taken in
turn and one decision of it is changed to the best of its other choices, until no change helps
(Meyer and Nachtsheim, "The coordinate-exchange algorithm for constructing exact optimal
experimental designs", Technometrics 37, 1995); in a group of few options all of them are
tried. It needs no list of candidates, which the spaces of
supernets are too large for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.planning.information import Information, information_of
from foxnas_core.regression.features import Form
from foxnas_core.search.options import Neighbours, full_codes, group_columns, group_neighbours
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

STARTS = 4
LARGEST_BATCH = 500
# Sweeps over the batch; the last ones change a row or two.
_SWEEPS = 30
# Options of a group that are all tried at once; of larger groups those one edit away.
_SMALL_GROUP = 200
# The gain in ln det below which a change, and below which a whole sweep, is not worth another.
_LEAST_GAIN, _LEAST_SWEEP = 1e-9, 1e-3


@dataclass(frozen=True, eq=False)
class DesignBatch:
    """Architectures to measure next, the one that tells most first.

    - `codes` (rows, decisions): as in `SearchSpace.encode`.
    - `log_det`: ln det of the information of known rows and batch; `begun` that of the random
      batch which it was made from.
    - `known`: whether the rows there are tell all terms apart by themselves; where not, ln det
      includes `information.PRIOR` for each term.
    - `starts` (starts,): ln det that each random start came to.
    """

    form: Form
    codes: np.ndarray
    log_det: float
    begun: float
    known: bool
    seed: int
    starts: tuple[float, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def architectures(self) -> list[Architecture]:
        return self.form.space.decode(self.codes)


def next_batch(
    form: Form,
    measured: np.ndarray,
    count: int,
    *,
    seed: int = 0,
    starts: int = STARTS,
    taken: np.ndarray | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> DesignBatch:
    """The `count` architectures whose rows add most to those of `measured` (rows, decisions).

    None of `measured`, of `taken` (codes that must not be chosen either), or of the batch itself
    comes twice: accuracy does not change when it is measured again. `report` is called with the
    starts done and all. Raises `InvalidInput` for a count out of range.
    """
    space = form.space
    others = measured[:0] if taken is None else taken
    used_codes = np.unique(np.vstack([measured, others]), axis=0)
    used = {row.tobytes() for row in used_codes}
    left = space.size - len(used)
    if not 1 <= count <= min(LARGEST_BATCH, left):
        raise InvalidInput(
            f"A batch of {count} subnets can't be planned; ask for 1 to {min(LARGEST_BATCH, left)}."
        )
    matrix, known = information_of(form.matrix(measured))
    exclude = space.ids(used_codes)
    moves = _Moves(space)
    best: tuple[float, np.ndarray, float] | None = None
    reached = []
    for number in range(starts):
        drawn = space.sample(count, seed=start_seed(seed, number), exclude=exclude)
        codes = space.encode(drawn)
        begun, log_det = _exchange(form, matrix, codes, used, moves)
        reached.append(log_det)
        if best is None or log_det > best[0]:
            best = log_det, codes, begun
        report(number + 1, starts)
    assert best is not None
    codes = _most_telling_first(form, matrix, best[1])
    return DesignBatch(form, codes, best[0], best[2], known, seed, tuple(reached))


def start_seed(seed: int, number: int) -> int:
    """The seed of one random start, with which `SearchSpace.sample` gives its batch."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _exchange(
    form: Form, matrix: np.ndarray, codes: np.ndarray, used: set[bytes], moves: "_Moves"
) -> tuple[float, float]:
    """Improve a batch in place; ln det before and after."""
    rows = form.matrix(codes)
    information = Information(matrix + rows.T @ rows)
    begun = information.log_det
    taken = used | {row.tobytes() for row in codes}
    for _ in range(_SWEEPS):
        before = information.log_det
        for place in range(len(codes)):
            taken.discard(codes[place].tobytes())
            information.remove(rows[place])
            gain = float(information.gains(rows[place : place + 1])[0])
            for group, candidates in moves.of(codes[place]):
                free = [k for k, row in enumerate(candidates) if row.tobytes() not in taken]
                if not free:
                    continue
                candidates = candidates[free]
                values = moves.rows(form, group, candidates, rows[place])
                gains = information.gains(values)
                top = int(gains.argmax())
                if gains[top] > gain + _LEAST_GAIN:
                    codes[place], rows[place] = candidates[top], values[top]
                    gain = float(gains[top])
            information.add(rows[place])
            taken.add(codes[place].tobytes())
        # What rounding has added up over the sweep is dropped.
        gained = information.log_det - before
        information = Information(matrix + rows.T @ rows)
        if gained < _LEAST_SWEEP:
            break
    return begun, information.log_det


# Which options of a group are one edit apart, and where each stands among them.
_Near = tuple[Neighbours, dict[bytes, int]]


class _Moves:
    """Where a row may go, as codes, group by group: any option of a small group, of a large one
    those that are one edit away."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._groups: list[tuple[str, list[int], np.ndarray, _Near | None]] = []
        for group in space.groups:
            columns = group_columns(space, group)
            options = full_codes(space, group)[:, columns]
            near = None
            if len(options) > _SMALL_GROUP:
                places = {option.tobytes(): place for place, option in enumerate(options)}
                near = group_neighbours(space, group), places
            self._groups.append((group, columns, options, near))

    def of(self, code: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """For each group, the codes (moves, decisions) that a row may become, which is read anew
        each time, as it may have been changed in place meanwhile."""
        for group, columns, moves, near in self._groups:
            if near is not None:
                neighbours, places = near
                moves = moves[neighbours.of(places[code[columns].tobytes()])]
            if len(moves):
                candidates = np.repeat(code[np.newaxis], len(moves), axis=0)
                candidates[:, columns] = moves
                yield group, candidates

    def rows(self, form: Form, group: str, candidates: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Regression rows (neighbours, terms) of codes that differ in one group from those of
        `row` (terms,): a group's choices move its own terms only, those of the context all."""
        if group in self._space.context:
            return form.matrix(candidates)
        rows = np.repeat(row[np.newaxis], len(candidates), axis=0)
        own = {decision.name for decision in self._space.in_group(group)}
        for name in (group, *(n for n, read in form.couplings.items() if own & set(read))):
            rows[:, form.columns_of(name)] = form.matrix(candidates, name)
        return rows


def _most_telling_first(form: Form, matrix: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The batch in the order in which each row adds most to those before it, so that a batch
    that is stopped half way has told most."""
    rows = form.matrix(codes)
    information, left, order = Information(matrix), list(range(len(codes))), []
    while left:
        next_one = left.pop(int(information.gains(rows[left]).argmax()))
        information.add(rows[next_one])
        order.append(next_one)
    return codes[order]
