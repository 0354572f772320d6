"""Numbers as people write them in cells: decimal commas, thousands apart, units behind them.

What a cell says is read where the file leaves it one meaning; else a sentence asks.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import MISSING_TEXT
from foxnas_core.table.importing.mapping import ColumnMapping, unit_option
from foxnas_core.table.importing.plain import is_missing
from foxnas_core.table.metrics import STD_ERROR, is_metric, metric_of, units_of

MARKS = {"comma": ",", "point": "."}
# What stands for nothing where a number belongs.
_GAPS = {*MISSING_TEXT, "N/A", "n/a", "#N/A", "<NA>", "NULL", "none", "-", "–", "—", "?"}
_SPACES = "\u00a0\u202f\u2009 '\u2019"  # between thousands
_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?")
_WRITTEN = re.compile(
    rf"(?P<number>[-+−]?[\d.,{_SPACES}]*\d[.,]?(?:[eE][-+−]?\d+)?)\s*(?P<unit>[^\d\s.,].*)?"
)
# What units are called in cells, and here.
_UNITS = {
    "%": "percent", "pct": "percent", "msec": "ms", "milliseconds": "ms", "sec": "s",
    "seconds": "s", "µs": "us", "μs": "us", "usec": "us", "microseconds": "us", "K": "k",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Numbers:
    """A frame whose columns of numbers hold numbers; `units` by target, where its cells told them,
    and in sentences what its marks were `told` for."""

    frame: pd.DataFrame
    units: Mapping[str, str]
    told: tuple[str, ...] = ()


def with_numbers(
    frame: pd.DataFrame, space: SearchSpace, mapping: ColumnMapping, source: str, row_word: str
) -> Numbers:
    """The frame, whose columns have this product's names, with numbers where its texts are some,
    in their target's own unit where they tell theirs.

    A text that is no number stays, to be refused as such. Raises `InvalidInput` where a mark may
    stand before decimals or thousands, where some cells of a column have a unit and others none,
    and where theirs is another than the `mapping` says.
    """
    frame = frame.assign(**{n: _without_gaps(frame[n], space) for n in _own(frame, space)})
    texts = {name: _texts(frame[name]) for name in frame.columns if _is_number(name, space)}
    if all(_PLAIN.fullmatch(text) for own in texts.values() for text in own):
        return Numbers(frame, {})
    decimal, told = _decimal(source, [t for own in texts.values() for t in own], mapping.decimal)
    changed, units = {}, {}
    for name, own in texts.items():
        read = {text: found for text in own if (found := _read(text, decimal))}
        target = name.removesuffix(STD_ERROR)
        factors, where = _factors(target), f"{source}, {row_word}"
        if any(not unit for _, unit in read.values()):
            # An odd one among bare numbers is no number.
            read = {t: (n, u) for t, (n, u) in read.items() if not u or u in factors}
        if any(unit for _, unit in read.values()):
            _check_units(frame[name], read, target, mapping, where)
            read = {t: (n * factors[u], u) for t, (n, u) in read.items() if u in factors}
            if target in frame and units_of(target):
                units[target] = next(iter(factors))
        numbers = {text: number for text, (number, _) in read.items()}
        changed[name] = [
            numbers.get(cell, cell) if isinstance(cell, str) else cell
            for cell in frame[name].tolist()
        ]
    series = {n: pd.Series(c, index=frame.index, dtype=object) for n, c in changed.items()}
    return Numbers(frame.assign(**series), units, told)


def _own(frame: pd.DataFrame, space: SearchSpace) -> list[str]:
    names = [n for n in frame.columns if n in space.by_name or is_metric(n.removesuffix(STD_ERROR))]
    return [n for n in names if _is_text(frame[n])]


def _is_text(cells: pd.Series) -> bool:
    return cells.dtype == object or pd.api.types.is_string_dtype(cells)


def _is_number(name: str, space: SearchSpace) -> bool:
    decision = space.by_name.get(name)
    if decision is not None:
        return not isinstance(decision.choices[0], str)
    return is_metric(name.removesuffix(STD_ERROR))


def _texts(cells: pd.Series) -> set[str]:
    return {cell for cell in cells.tolist() if isinstance(cell, str)} if _is_text(cells) else set()


def _without_gaps(cells: pd.Series, space: SearchSpace) -> pd.Series:
    """The cells, missing where a text stands for nothing and is no choice."""
    decision: Decision | None = space.by_name.get(str(cells.name))
    words = decision is not None and isinstance(decision.choices[0], str)
    gaps = (set(MISSING_TEXT) if words else _GAPS) - set(decision.choices if decision else ())
    found = [isinstance(cell, str) and cell.strip() in gaps for cell in cells.tolist()]
    return cells.mask(np.array(found), None) if any(found) else cells


def _decimal(source: str, texts: Sequence[str], asked: str) -> tuple[str, tuple[str, ...]]:
    """The mark before decimals, and what to say of it where it is a comma or stands for thousands.

    Texts tell it by what can only be decimals ("4,07") or only thousands ("1,234,567").
    """
    signs: dict[str, str] = {}  # the first text that shows that a mark stands before decimals
    groups: dict[str, str] = {}  # and that it stands between thousands
    either: dict[str, str] = {}
    for text in sorted(texts):
        found = _WRITTEN.fullmatch(text.strip())
        number = re.split("[eE]", found["number"])[0] if found else ""
        marks = [sign for sign in number if sign in ".,"]
        if not marks:
            continue
        last = marks[-1]
        whole, _, decimals = number.rpartition(last)
        if len(set(marks)) == 2 or (len(marks) == 1 and not _may_be_thousands(whole, decimals)):
            signs.setdefault(last, text)
            if len(set(marks)) == 2:
                groups.setdefault(marks[0], text)
        elif len(marks) > 1:
            groups.setdefault(last, text)
        else:
            either.setdefault(last, text)
    if asked:
        return MARKS[asked], ()
    if len(signs) == 2 or set(signs) & set(groups):
        one, other = [*signs.values(), *groups.values()][:2]
        raise InvalidInput(
            f"{source} has both {one!r} and {other!r}, whose decimals stand after different marks; "
            "write all numbers with a decimal point."
        )
    comma = "," in signs or ("." in groups and "," not in groups)
    point = "." in signs or "," in groups
    mark = "," if "," in either and not (comma or point) else ""
    if comma and "." in either and "." not in groups:
        mark = "."
    if mark:
        text = either[mark]
        name = next(name for name, sign in MARKS.items() if sign == mark)
        plain, pointed = text.replace(mark, ""), text.replace(mark, ".")
        raise InvalidInput(
            f"{source} has the number {text!r}, in which the {name} may stand before decimals "
            f"({pointed}) or between thousands ({plain}); say which mark stands before decimals "
            "(--decimal comma or --decimal point)."
        )
    if comma:
        return ",", ("Its numbers have decimal commas.",)
    commas = groups.get(",") or either.get(",")
    return ".", (f"Commas stand between thousands, as in {commas!r}.",) if commas else ()


def _may_be_thousands(whole: str, decimals: str) -> bool:
    digits = whole.lstrip("-+−")
    return len(decimals) == 3 and 1 <= len(digits) <= 3 and not digits.startswith("0")


def _read(text: str, decimal: str) -> tuple[float, str] | None:
    """The number that a text holds, and the unit behind it; None where it holds none."""
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        return None
    other = re.escape("," if decimal == "." else ".")
    mark, number = re.escape(decimal), found["number"].replace("−", "-")
    grouped = rf"[-+]?\d{{1,3}}([{other}{_SPACES}]\d{{3}})+({mark}\d*)?"
    plain = rf"[-+]?(\d+({mark}\d*)?|{mark}\d+)([eE][-+]?\d+)?"
    if not re.fullmatch(f"{grouped}|{plain}", number):
        return None
    digits = re.sub(rf"[{other}{_SPACES}]", "", number).replace(decimal, ".")
    unit = (found["unit"] or "").strip()
    return float(digits), _UNITS.get(unit, unit)


def _factors(target: str) -> dict[str, float]:
    """The units that a target's cells may have behind their numbers, its own first."""
    if not is_metric(target):
        return {}
    metric = metric_of(target)
    return dict(metric.units) or {metric.unit: 1.0}


def _check_units(
    cells: pd.Series,
    read: Mapping[str, tuple[float, str]],
    target: str,
    mapping: ColumnMapping,
    where: str,
) -> None:
    """Raises `InvalidInput` where some cells have no unit, one that is none of the target's, or
    another than is told."""
    factors, told = _factors(target), mapping.units.get(target)
    for number, cell in zip(cells.index, cells.tolist(), strict=True):
        if is_missing(cell) or (isinstance(cell, str) and cell not in read):
            continue  # nothing, or no number, which is refused as such
        unit = read[cell][1] if isinstance(cell, str) else ""
        if not unit:
            problem = "without a unit, which other cells of the column have; give all of them one"
        elif unit not in factors:
            allowed = ", ".join(filter(None, factors)) or "none"
            problem = f"in {unit!r:.40}, which is no unit of {target}; allowed: {allowed}"
        elif told and unit != told:
            problem = f"which is not in {told}, as was told; leave {unit_option(target, told)} out"
        else:
            continue
        raise InvalidInput(f"{where} {number}, has {cells.name} = {cell}, {problem}.")
