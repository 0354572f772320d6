"""How well each form predicts held-out subnets, beside other regressors on the same folds.

    python -m benchmarks.predictors [--study data/demo] [--published CSV] [--targets ...]

One table for each dataset and target: 10-fold cross-validation that keeps the rows of one
architecture together, R² about the mean, RMSE in the target's unit and Kendall's tau, each
averaged over seeds that deal the folds; seconds are those of one cross-validation.

Ours are the forms of `regression.features` with and without the saturating link. How many
interactions a form gets is decided on the folds it is reported on; "auto" is honest about all such
choices: form, interactions and link are picked on each fold's training rows alone. The rivals:

- ridge: its penalty by leave-one-out, on standardised columns;
- lasso-quadratic: choices as numbers, their squares and all products, the penalty by 5 folds;
- gradient boosting: scikit-learn's histogram trees;
- MLP: OFA's accuracy predictor (Cai et al., arXiv 1908.09791), three layers of 400 units, with
  early stopping and the weight decay that suits so few rows;
- EBM: boosted trees of one decision and of 10 pairs (Lou et al., KDD 2013).
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.regressors import RIVALS, Regressor, Rival
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import ceiling, fit
from foxnas_core.regression.assessment import Data, agreement, assess
from foxnas_core.regression.features import build_form, form_for, forms_to_ask_for
from foxnas_core.regression.leastsquares import FoldedRows, clearly_above, deal_folds
from foxnas_core.regression.link import Link
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.importing import read_file
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

STUDY = Path("data/demo")
PUBLISHED = Path("../shared/data/foxnas_cpu_256.csv")
TARGETS = ("accuracy", "latency_ms", "latency_ms:int8")
# What is asked of the published table: RMSE in points and in ms.
LIMITS = {"accuracy": 0.22, "latency_ms": 0.7}


@dataclass(frozen=True, eq=False)
class Run:
    """The held-out predictions (seeds, rows) of one model."""

    model: str
    link: str
    ours: bool
    coding: str
    y: np.ndarray
    held_out: np.ndarray
    seconds: float
    parameters: float = np.nan
    picked: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> np.ndarray:
        """Squared errors (rows,), the mean over seeds."""
        return ((self.y - self.held_out) ** 2).mean(axis=0)

    @property
    def scores(self) -> dict[str, float]:
        """R², RMSE and tau, the means over seeds."""
        r2, rmse, tau = np.mean(
            [(a.r2, a.rmse, a.tau) for a in (agreement(self.y, own) for own in self.held_out)],
            axis=0,
        )
        return {"R²": r2, "RMSE": rmse, "tau": tau}


def links_of(target: str) -> tuple[str, ...]:
    return ("none", "saturating") if target == "accuracy" else ("none",)


def compare(
    table: MeasurementTable,
    target: str,
    *,
    seeds: Sequence[int],
    rivals: Mapping[str, Rival] = RIVALS,
) -> list[Run]:
    """Every model on the folds that each seed deals: ours, "auto", then the rivals."""
    data = Data.of(table, target)
    runs = []
    names = forms_to_ask_for(table.space, ordered=data.ordered)
    for name in [n for n in names if form_for(n, table.space, metric_of(target)) == n]:
        for link in links_of(target):
            try:
                runs.append(run_form(data, table.space, name, link, seeds))
            except InvalidInput as error:
                tell(f"{target}: no {name}: {error}")
    runs.append(run_auto(table, data, seeds))
    folds = [deal(data, table.space, seed) for seed in seeds]
    for name, rival in rivals.items():
        x, coding = best_input(name, rival, table.space, data, folds[0])
        for link in links_of(target):
            runs.append(told(run_rival(name, rival.regressor, coding, link, data.y, x, folds)))
    return runs


def run_form(data: Data, space: SearchSpace, name: str, link: str, seeds: Sequence[int]) -> Run:
    begin = time.perf_counter()
    found = [assess(data, build_form(name, space, data.target), link, seed=s) for s in seeds]
    return told(
        Run(
            name, link, True, "", data.y,
            np.stack([own.held_out for own in found]),
            (time.perf_counter() - begin) / len(seeds),
            float(np.mean([own.form.parameters for own in found])),
        )
    )  # fmt: skip


def run_auto(table: MeasurementTable, data: Data, seeds: Sequence[int]) -> Run:
    """What `fit` makes of each fold's training rows when form and link are left to it."""
    measured = table.rows(usable(table, data.target))
    begin = time.perf_counter()
    held_out = np.empty((len(seeds), len(data.y)))
    picked: Counter[str] = Counter()
    parameters = []
    for own, seed in zip(held_out, seeds, strict=True):
        fold = deal_folds(data.members, seed)
        for number in np.unique(fold):
            held = fold == number
            predictor = fit(measured.rows(~held), data.target, seed=seed)
            own[held] = predictor.predict_codes(data.codes[held])["value"]
            saturates = not predictor.link.is_identity
            picked[predictor.form.name + (", saturating" if saturates else "")] += 1
            parameters.append(predictor.parameters)
    seconds = (time.perf_counter() - begin) / len(seeds)
    mean = float(np.mean(parameters))
    return told(Run("auto", "auto", True, "", data.y, held_out, seconds, mean, picked))


class Dealt(NamedTuple):
    """One seed's fold (n,) of each row, and for each fold the link its other rows speak for."""

    seed: int
    fold: np.ndarray
    links: Mapping[int, Link]


def deal(data: Data, space: SearchSpace, seed: int) -> Dealt:
    fold = deal_folds(data.members, seed)
    links = {}
    if data.target == "accuracy":
        name = "per_layer" if data.ordered else "choice_counts"
        x = build_form(name, space, data.target).matrix(data.codes)
        for number in np.unique(fold).tolist():
            kept = fold != number
            rows = FoldedRows.of(x[kept], np.zeros(kept.sum(), dtype=int))
            links[number] = ceiling.estimate(rows, data.y[kept], seed=seed)[0]
    return Dealt(seed, fold, links)


def best_input(
    name: str, rival: Rival, space: SearchSpace, data: Data, dealt: Dealt
) -> tuple[np.ndarray, str]:
    """The input (n, columns) of least error, and what it is called."""
    codings = {**rival.codings, **({} if data.ordered else rival.counts)}
    inputs = [(own(space, data.codes), coding) for coding, own in codings.items()]
    if len(inputs) == 1:
        return inputs[0]

    def error(named: tuple[np.ndarray, str]) -> float:
        x, coding = named
        run = run_rival(name, rival.regressor, coding, "none", data.y, x, [dealt])
        tell(f"  {name} from {coding}: RMSE {run.scores['RMSE']:.4g}")
        return run.scores["RMSE"]

    return min(inputs, key=error)


def run_rival(
    name: str,
    regressor: Regressor,
    coding: str,
    link: str,
    y: np.ndarray,
    x: np.ndarray,
    folds: Sequence[Dealt],
) -> Run:
    begin = time.perf_counter()
    held_out = np.empty((len(folds), len(y)))
    for own, dealt in zip(held_out, folds, strict=True):
        for number in np.unique(dealt.fold).tolist():
            held = dealt.fold == number
            scale = dealt.links[number] if link == "saturating" else Link()
            response = scale.forward(y[~held])
            own[held] = scale.inverse(regressor(x[~held], response, x[held], dealt.seed))
    seconds = (time.perf_counter() - begin) / len(folds)
    return Run(name, link, False, coding, y, held_out, seconds)


def table_of(runs: Sequence[Run]) -> pd.DataFrame:
    """One row a run: model, link, input, parameters, R², RMSE, tau, seconds."""
    return pd.DataFrame(
        [
            {
                "model": run.model,
                "link": run.link,
                "input": run.coding,
                "parameters": run.parameters,
                **run.scores,
                "seconds": run.seconds,
            }
            for run in runs
        ]
    )


def text_of(table: pd.DataFrame) -> str:
    """The table with aligned columns and the best of each marked by *."""
    shown = table.copy().astype(object)
    shown["parameters"] = [f"{p:.0f}" if np.isfinite(p) else "-" for p in table["parameters"]]
    # Four significant digits of the smallest error.
    fine = max(4, 3 - int(np.floor(np.log10(table["RMSE"].min()))))
    for column, digits, better in (
        ("R²", 4, max), ("RMSE", fine, min), ("tau", 4, max), ("seconds", 2, min),
    ):  # fmt: skip
        written = [f"{value:.{digits}f}" for value in table[column]]
        best = f"{better(table[column]):.{digits}f}"
        shown[column] = [value + ("*" if value == best else " ") for value in written]
    for column in ("model", "link", "input"):
        width = max(len(column), *map(len, shown[column]))
        shown[column] = shown[column].str.ljust(width)
        shown = shown.rename(columns={column: column.ljust(width)})
    return shown.to_string(index=False)


def verdict(runs: Sequence[Run]) -> str:
    """The best rival beside the best form and "auto"; clearly: by more than 2 standard errors of
    the mean difference of squared errors."""

    def best(chosen: list[Run]) -> Run:
        return min(chosen, key=lambda run: run.errors.mean())

    def named(run: Run) -> str:
        link = ", saturating" if run.link == "saturating" else ""
        return f"{run.model}{link} {run.scores['RMSE']:.4g}"

    auto = next(run for run in runs if run.model == "auto")
    form = best([run for run in runs if run.ours and run is not auto])
    rival = best([run for run in runs if not run.ours])
    lines = [f"best rival: {named(rival)}"]
    for own in (form, auto):
        ahead = own.errors.mean() < rival.errors.mean()
        better, worse = (own, rival) if ahead else (rival, own)
        clear = "clearly " if clearly_above(worse.errors, better.errors) else "not clearly "
        lines.append(f"  {named(own)}: {clear}{'better' if ahead else 'worse'} than it")
    picks = ", ".join(f"{name} {count}" for name, count in auto.picked.most_common())
    return "\n".join([*lines, f"auto picked, of {auto.picked.total()} times: {picks}"])


def limits(target: str, runs: Sequence[Run]) -> list[str]:
    """Whether what is asked of the published table is kept, by "auto" and by the best form."""
    if target not in LIMITS:
        return []
    auto = next(run for run in runs if run.model == "auto")
    forms = [run for run in runs if run.ours and run is not auto]
    best = min(forms, key=lambda run: run.scores["RMSE"])
    limit = LIMITS[target]
    lines = []
    for run in (auto, best):
        rmse = run.scores["RMSE"]
        name = run.model + (f" ({run.link})" if run is best else "")
        sign, kept = ("<=", "kept") if rmse <= limit else (">", "missed")
        lines.append(f"{target} RMSE of {name} {rmse:.3f} {sign} {limit:g}: {kept}")
    return lines


def report(
    name: str, table: MeasurementTable, targets: Sequence[str], seeds: Sequence[int]
) -> list[str]:
    """Print a table for each target that there is; says whether the published limits are kept."""
    known = {target.column for target in table.targets}
    outcome = []
    for target in [t for t in targets if t in known]:
        tell(f"{name}: {target}")
        runs = compare(table, target, seeds=seeds)
        y = runs[0].y
        print(f"{name}: {target}, {len(y)} rows, standard deviation {y.std():.4g}")
        print(text_of(table_of(runs)), verdict(runs), sep="\n", end="\n\n", flush=True)
        if not table.ordered:
            outcome += limits(target, runs)
    return outcome


def told(run: Run) -> Run:
    scores = " ".join(f"{name} {value:.4g}" for name, value in run.scores.items())
    tell(f"  {run.model}, {run.link} {run.coding}: {scores}, {run.seconds:.1f} s")
    return run


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=STUDY, help="a study's folder")
    parser.add_argument("--published", type=Path, default=PUBLISHED, help="FOX-NAS's CSV")
    parser.add_argument("--targets", nargs="+", default=TARGETS)
    parser.add_argument("--seeds", type=int, default=3, help="how many deals of the folds")
    options = parser.parse_args(arguments)
    study = open_study(options.study)
    tables = {study.name: study.table()}
    if options.published.exists():
        tables["FOX-NAS, as published"] = read_file(options.published).table(None)
    else:
        tell(f"No published table at {options.published}; it is left out.")
    outcome = []
    for name, table in tables.items():
        outcome += report(name, table, options.targets, range(options.seeds))
    print(f"10 folds, means over {options.seeds} seeds; * the best of a column; seconds of one")
    print(
        "cross-validation. Rivals read raw decisions, so no resolution scales their latency; where"
    )
    print("the order of blocks is unknown they also get counts. Their best input is shown.")
    print("\n".join(outcome))


if __name__ == "__main__":
    main()
