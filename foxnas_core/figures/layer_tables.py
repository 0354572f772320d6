"""One subnet's layers and blocks in numbers: what each computes, takes and brings."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from foxnas_core.profiling.result import Layer, LayerProfile, ProfileRow
from foxnas_core.table.metrics import KNOWN

REST = "the rest"
BLOCK, LAYER, NO_LAYER, PROFILER = "block", "layer", "of no layer", "the profiler's work"
TIME = "time (ms)"
_TIMES = (TIME, "low (ms)", "high (ms)")


class Piece(NamedTuple):
    """Layers that have one time, in order of computation, and what runs them."""

    layers: tuple[Layer, ...]
    row: ProfileRow | None

    @property
    def blocks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layer.block for layer in self.layers))

    @property
    def name(self) -> str:
        """The parts, or the whole names where they lie in several blocks."""
        several = len(self.blocks) > 1
        return " + ".join(layer.name if several else layer.part for layer in self.layers)

    @property
    def macs(self) -> float:
        return sum(layer.macs for layer in self.layers)

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)


def pieces_of(layers: Sequence[Layer], profile: LayerProfile | None) -> list[Piece]:
    """The layers, those together that have one time."""
    if profile is None:
        return [Piece((layer,), None) for layer in layers]
    by_name = {layer.name: layer for layer in layers}
    return [Piece(tuple(by_name[n] for n in row.layers), row) for row in profile.rows if row.layers]


def by_block(pieces: Sequence[Piece]) -> list[tuple[str, list[Piece]]]:
    """Pieces by block, in order; blocks that a piece runs together are one."""
    found: list[tuple[set[str], list[Piece]]] = []
    for piece in pieces:
        own = set(piece.blocks)
        joined = [entry for entry in found if entry[0] & own]
        for entry in joined[1:]:
            joined[0][0].update(entry[0])
            joined[0][1].extend(entry[1])
            found.remove(entry)
        if joined:
            joined[0][0].update(own)
            joined[0][1].append(piece)
        else:
            found.append((own, [piece]))
    named = []
    for _, members in found:
        names = dict.fromkeys(block for piece in members for block in piece.blocks)
        named.append((" + ".join(names), members))
    return named


def graph_table(
    layers: Sequence[Layer],
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """A row a block, with what a regression says of it, and below it a row for each of its layers.

    Rows of layers, of operators of no layer and of the profiler's own work add up to what the
    profiler told. `effects` are tables of `block_prices` by the target's column: the effect of a
    block that several slots make stands beside each of them, `… of` names it.
    """
    effects = effects or {}
    rows: list[dict[str, object]] = []
    for block, members in by_block(pieces_of(layers, profile)):
        whole = {
            "row": BLOCK, "block": block, "layer": "", "kind": "",
            "input": shape_text(members[0].layers[0].input_shape),
            "output": shape_text(members[-1].layers[-1].output_shape),
            "parameters": sum(m.parameters for m in members),
            "MACs": sum(m.macs for m in members),
        }  # fmt: skip
        own = {block for member in members for block in member.blocks}
        rows.append(whole | _block_times(members) | effects_of(own, effects))
        rows += [
            {
                "row": LAYER, "block": block, "layer": member.name,
                "kind": "; ".join(dict.fromkeys(layer.kind for layer in member.layers)),
                "input": shape_text(member.layers[0].input_shape),
                "output": shape_text(member.layers[-1].output_shape),
                "parameters": member.parameters, "MACs": member.macs,
            } | _row_times(member.row)
            for member in members
        ]  # fmt: skip
    if profile is not None:
        rows += [{"row": NO_LAYER} | _row_times(row) for row in profile.rows if not row.layers]
        rows.append({"row": PROFILER, TIME: profile.profiler_ms})
    texts = ["row", "block", "layer", "kind", "input", "output"]
    names = [*texts, "parameters", "MACs", *_TIMES, "run as"]
    names += [name for column in effects for name in _effect_columns(column)]
    table = pd.DataFrame(rows).reindex(columns=names)
    for name in names:
        if name in (*texts, "run as") or name.endswith((" of", " against")):
            table[name] = table[name].astype(object).where(table[name].notna(), "")
        else:
            table[name] = table[name].astype("Int64" if name in ("parameters", "MACs") else float)
    return table


def _row_times(row: ProfileRow | None) -> dict[str, object]:
    if row is None or not row.operators:
        return {}
    low, high = min(row.ms, *row.rounds_ms), max(row.ms, *row.rounds_ms)
    return {**dict(zip(_TIMES, (row.ms, low, high), strict=True)), "run as": run_as(row)}


def run_as(row: ProfileRow) -> str:
    counts = Counter(row.operators)
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in counts.items())


def _block_times(members: Sequence[Piece]) -> dict[str, float]:
    rows = [member.row for member in members if member.row is not None]
    if not rows:
        return {}
    rounds = np.sum([row.rounds_ms for row in rows], axis=0)
    ms = sum(row.ms for row in rows)
    ends = min(ms, float(rounds.min())), max(ms, float(rounds.max()))
    return dict(zip(_TIMES, (ms, *ends), strict=True))


def _effect_columns(column: str) -> list[str]:
    return [f"{column} effect", *(f"{column} {end}" for end in ("low", "high", "of", "against"))]


def effects_of(blocks: Collection[str], effects: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """The cells of blocks; empty where they are several that a regression tells apart."""
    found: dict[str, object] = {}
    for column, table in effects.items():
        own = [row for row in table.to_dict("records") if set(blocks) & set(row["slots"])]
        if len(own) == 1:
            cells = [own[0][name] for name in ("value", "low", "high", "block", "against")]
            found |= dict(zip(_effect_columns(column), cells, strict=True))
    return found


def account_table(profile: LayerProfile) -> pd.DataFrame:
    """What the latency without the profiler is made of, and what the profiler adds: part, time
    (ms), share of the latency (%), in words."""
    parts = [
        ("layers", profile.layers_ms, "operators of layers, less the profiler's own work"),
        (NO_LAYER, profile.elsewhere_ms, "changes of layout and of the image's numbers"),
        (
            "not attributed", profile.unattributed_ms,
            "the way from one operator to the next"
            if profile.unattributed_ms >= 0
            else "what the profiler adds beyond its known work",
        ),
        ("latency", profile.latency_ms, "the whole, measured without the profiler"),
        (PROFILER, profile.profiler_ms, "in each operator's time"),
        ("sum of all operators", profile.profiled_ms, "as the profiler told"),
    ]  # fmt: skip
    table = pd.DataFrame(parts, columns=["part", TIME, "in words"])
    table.insert(2, "share of the latency (%)", 100 * table[TIME] / profile.latency_ms)
    return table


def views_table(
    layers: Sequence[Layer], profile: LayerProfile, prices: pd.DataFrame
) -> pd.DataFrame:
    """Two views of what each block takes that a subnet can be without: block, view ("profiler",
    "regression"), ms, low, high, share (%); last what every subnet has.

    `prices` are the `block_prices` of a latency; shares are of each view's whole.
    """
    blocks = {name: _block_times(own) for name, own in by_block(pieces_of(layers, profile))}
    predicted = float(prices.loc[prices["whole"], "value"].sum() + prices["value"].iloc[-1])
    rest = {"profiler": profile.latency_ms, "regression": predicted}
    bounds = [float(prices[end].iloc[-1]) for end in ("low", "high")]
    rows: list[tuple[object, ...]] = []
    for price in prices[prices["whole"]].to_dict("records"):
        own = [blocks[slot] for slot in price["slots"] if blocks.get(slot)]
        if len(own) < len(price["slots"]):
            bounds = [np.nan, np.nan]  # it runs together with other blocks, so it is of the rest
            continue
        ms, low, high = (sum(times[name] for times in own) for name in _TIMES)
        rows.append((price["block"], "profiler", ms, low, high, 100 * ms / profile.latency_ms))
        share = 100 * price["value"] / predicted
        rows.append(
            (price["block"], "regression", price["value"], price["low"], price["high"], share)
        )
        rest["profiler"] -= ms
        rest["regression"] -= price["value"]
    for view, total in (("profiler", profile.latency_ms), ("regression", predicted)):
        ends = bounds if view == "regression" else [np.nan, np.nan]
        rows.append((REST, view, rest[view], *ends, 100 * rest[view] / total))
    return pd.DataFrame(rows, columns=["block", "view", "ms", "low", "high", "share (%)"])


def times_table(prices: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What each block that a subnet can be without takes by `block_prices` of a latency, by view,
    and last what every subnet has; columns as in `views_table`."""
    rows = []
    for view, own in prices.items():
        whole = own[own["whole"]]
        total = float(whole["value"].sum() + own["value"].iloc[-1])
        for row in pd.concat([whole, own.tail(1)]).to_dict("records"):
            ends = row["value"], row["low"], row["high"]
            rows.append((row["block"] or REST, view, *ends, 100 * row["value"] / total))
    return pd.DataFrame(rows, columns=["block", "view", "ms", "low", "high", "share (%)"])


def time_text(ms: float) -> str:
    """A time as it is read, in the unit of all times of a page."""
    return KNOWN["latency_ms"].value_text(ms)


def shape_text(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def percent_text(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "0 %"
