"""Where the chains of an annealing run begin, and which chains there are."""

import json
from collections.abc import Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search.chain_state import Chain, ChainArrays
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.feasibility import feasible_tables
from foxnas_core.search.options import group_codes, group_columns
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import RANDOM, SIZES, AnnealingSettings
from foxnas_core.search.suggestion import limit_penalties
from foxnas_core.space.architecture import Architecture

# As a penalty so great that the least overshoot is never accepted; infinity times 0 is undefined.
REFUSED = 1e300


def begun_at(problem: SearchProblem, begin: str) -> list[np.ndarray] | None:
    """The options of each group (groups,), for each table, at which `AnnealingSettings.begin` has
    a chain begin; None for random ones. Of a subnet those of its depths where these are another
    table's differ in as few decisions as they can.

    Sizes are those of the first cost that is limited from above, else of an objective of which
    less is better. Raises `InvalidInput` where there is neither, or for what is no architecture of
    the space, and as `SearchProblem.position`.
    """
    if begin == RANDOM:
        return None
    if begin not in SIZES:
        try:
            architecture = problem.space.architecture(json.loads(begin))
        except (ValueError, TypeError, InvalidInput) as error:
            raise InvalidInput(f"A search can't begin at {begin!r:.80}. {error}") from error
        there = _nearest if problem.settled else _as_there
        return [there(problem, number, architecture) for number in range(len(problem.tables))]
    sized = [k for k, limit in enumerate(problem.limits) if limit.side == "at_most"]
    if not sized and problem.sign > 0:
        raise InvalidInput(
            f"No cost is limited here, so no subnet is the {begin}; begin at a {RANDOM} one."
        )
    turn = 1 if begin == "smallest" else -1
    found = []
    for table in problem.tables:
        # Of the objective scores are negated, so that the least cost has the highest.
        costs = [part[:, sized[0]] for part in table.limit_costs] if sized else [
            -part for part in table.scores
        ]  # fmt: skip
        found.append(np.array([int(np.argmin(turn * part)) for part in costs]))
    return found


def _as_there(problem: SearchProblem, table: int, architecture: Architecture) -> np.ndarray:
    """The options of an architecture, were its context that of the table."""
    context = problem.tables[table].context
    moved = problem.space.architecture({**architecture.to_dict(), **context})
    return problem.position(moved)[1]


def _nearest(problem: SearchProblem, table: int, architecture: Architecture) -> np.ndarray:
    """The options of a table with depths of its own that differ from an architecture's in the
    fewest decisions."""
    [codes] = problem.space.encode([architecture])
    listed = problem.tables[table].kept
    assert listed is not None, "what has settled depths lists options of its own"
    found = []
    for group, kept, own in zip(problem.groups, problem.options, listed, strict=True):
        options = group_codes(problem.grouped, group, problem.allowed)[kept][own]
        differ = options != codes[group_columns(problem.grouped, group)]
        found.append(int(np.argmin(differ.sum(axis=1))))
    return np.array(found)


def edits_of(problem: SearchProblem, tables: Sequence[ContextTable]) -> tuple[np.ndarray, ...]:
    """Which options of each table are one edit apart, of all groups, as `chain.run_chains` takes
    them; of a cell, in which depths are settled, those within it."""
    groups: list[list[int]] = []
    starts, targets = [np.zeros(1, np.int64)], [np.empty(0, np.int64)]
    place = edge = 0
    for table in tables if problem.settled else tables[:1]:
        groups.append([])
        for group, neighbours in enumerate(problem.neighbours):
            own = neighbours if table.kept is None else neighbours.among(table.kept[group])
            groups[-1].append(place)
            starts.append(edge + own.starts[1:])
            targets.append(own.targets)
            place, edge = place + len(own.starts) - 1, edge + len(own.targets)
    if not problem.settled:  # those of one are those of all
        groups *= len(tables)
    return np.array(groups, np.int64), np.concatenate(starts), np.concatenate(targets)


def _no_edits(tables: Sequence[ContextTable]) -> tuple[np.ndarray, ...]:
    return np.empty((len(tables), 0), np.int64), *(np.empty(0, np.int64),) * 2


def chains_of(
    problem: SearchProblem, settings: AnnealingSettings
) -> tuple[ChainArrays, list[Chain]]:
    """A chain or more for each context in which the limits can be met, which have not begun."""
    begun = begun_at(problem, settings.begin)
    walked: list[
        tuple[int, ContextTable, Sequence[np.ndarray] | None, np.ndarray, np.ndarray | None]
    ] = []
    penalties: list[np.ndarray] = []
    for context, found in feasible_tables(problem).items():
        table = problem.tables[context]
        own = limit_penalties(table, problem.budgets)
        if settings.penalty is not None:
            own[0] = settings.penalty
        first = None if begun is None else begun[context]
        if settings.mode == "teaching":
            own[:] = REFUSED
            walked.append((context, table, None, found, first))
        else:
            good = table.undominated_as_good
            walked.append(
                (
                    context, table.reduced, table.undominated, good(found),
                    None if first is None else good(first),
                )
            )  # fmt: skip
        penalties.append(own)
    limits = max(1, len(problem.limits))  # where there is none, one that everything is within
    tables = [table for _, table, *_ in walked]
    edits = edits_of(problem, tables) if settings.mode == "teaching" else _no_edits(tables)
    arrays = ChainArrays(tables, settings.chains, settings.levels, limits, edits)
    chains: list[Chain] = []
    for (context, table, kept, found, first), own in zip(walked, penalties, strict=True):
        for number in range(settings.chains):
            row = len(chains)
            arrays.penalties[row] = own
            chains.append(
                Chain(
                    context, number, table, kept, found, first, arrays.penalties[row],
                    arrays.temperatures[row], arrays.options[row], arrays.best[row],
                    arrays.now[row], arrays.met[row], arrays.counts[row],
                    arrays.random[row : row + 1], arrays.champions[row],
                    arrays.champion_totals[row],
                )
            )  # fmt: skip
    return arrays, chains


def begin(chain: Chain, seed: int, hard: np.ndarray | None) -> None:
    """Put a chain at the options of its next start, with random numbers of its own: where it was
    set to begin, else at a random architecture.

    Where its budgets are `hard`, (limits,), it begins at the cheapest instead, but where it was set
    to begin within them.
    """
    seeds = np.random.SeedSequence(
        [seed, chain.context, chain.number, chain.starts]
    ).generate_state(1 + len(chain.options), np.uint64)
    chain.random[:] = seeds[:1]
    if chain.first is not None:
        chain.options[:] = chain.first
    else:
        # The upper 32 bits, scaled to each group's options.
        sizes = np.array([len(scores) for scores in chain.table.scores], np.uint64)
        chain.options[:] = (seeds[1:] >> np.uint64(32)) * sizes >> np.uint64(32)
    chain.now[:] = sums_of(chain.table, chain.options)
    if hard is not None and (chain.first is None or not (chain.now[1:] <= hard).all()):
        chain.options[:] = chain.feasible
        chain.now[:] = sums_of(chain.table, chain.options)


def sums_of(table: ContextTable, options: np.ndarray) -> np.ndarray:
    """Score and costs, one of 0 where there is no limit."""
    score, paid = table.totals(options)
    return np.array([score, *(paid or (0.0,))])
