"""How often intervals hold, on simulated truths of a study's own space and rows.

    python -m benchmarks.coverage [STUDY] [--published CSV] [--runs 300]

STUDY is data/demo where none is named; a CSV as FOX-NAS published it is simulated beside it.

A truth is a form's fit to a table; each run draws new residuals of the fitted size, fits the same
form anew and asks how often the truth lies within: coefficients (all four kinds of interval) and
predictions of architectures that were not measured. Accuracy is simulated without a ceiling and
below one. Nominal 95 % should cover 93 to 97 %.

    python -m benchmarks.coverage [STUDY] --averages [--runs 25]
    python -m benchmarks.coverage [STUDY] --edits
    python -m benchmarks.coverage [STUDY] --steps [--runs 10]

The first asks the same of average effects, under truths that no sum over stages holds
(`benchmarks.truths`); the second holds the intervals of an edit against the study's own nearest
pairs of subnets, by fits that saw neither; the third asks it of single effects of the form `steps`,
whose terms are shrunk, on random subnets, the truths being its fits to the study's latencies.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.truths import Truth as Simulated
from foxnas_core.explanation.averages import average_effects
from foxnas_core.explanation.coefficients import KEYS
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.inference import KINDS, inference
from foxnas_core.regression.link import Link
from foxnas_core.regression.pairs import differing
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.importing import read_file
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

_NOISE = 0.015  # of measurements of costs, as a share
# Fits by which pairs of subnets are told.
_PARTS = 10
# The ceiling of a truth that saturates is so many standard deviations above the highest value.
CLEARANCE = 1.0


@dataclass(frozen=True, eq=False)
class Truth:
    """A fit taken for the truth, and the table whose rows it is simulated on."""

    predictor: Predictor
    table: MeasurementTable

    @classmethod
    def of(
        cls, table: MeasurementTable, target: str, form: str, *, saturates: bool = False
    ) -> "Truth":
        """The fit of a form, on the scale of a link with a known ceiling where it saturates."""
        table = table.rows(usable(table, target))
        predictor = fit(table, target, form, "none")
        if not saturates:
            return cls(predictor, table)
        y = table.values(target)
        center = float(y.mean())
        link = Link(center, 1 / (float(y.max()) + CLEARANCE * float(y.std()) - center))
        x, eta = predictor.form.matrix(table.codes), link.forward(y)
        estimates, rss, *_ = np.linalg.lstsq(x, eta, rcond=None)
        variance = float(rss[0]) / predictor.residual_df
        return cls(
            replace(predictor, link=link, estimates=estimates, residual_variance=variance), table
        )

    def simulate(self, seed: int) -> MeasurementTable:
        """The table with the target's values drawn anew."""
        eta = self.predictor.form.matrix(self.table.codes) @ self.predictor.estimates
        noise = np.random.default_rng(seed).normal(
            0, np.sqrt(self.predictor.residual_variance), len(eta)
        )
        column = self.predictor.target.column
        values = self.predictor.link.inverse(eta + noise)
        frame = self.table.frame[list(self.table.space.by_name)].assign(**{column: values})
        return table_from_frame(self.table.space, frame, ordered=self.table.ordered)

    def effects(self, center: float) -> np.ndarray:
        """True shown coefficients (terms,), for a link that touches the target's scale there."""
        link = self.predictor.link
        stretch = 1.0 if link.is_identity else (link.ceiling - center) * link.rate
        return self.predictor.form.shown @ self.predictor.estimates * stretch


def coverage(truth: Truth, kinds: Sequence[str], *, runs: int, seed: int = 0) -> pd.DataFrame:
    """Share of intervals that hold the truth: one row a kind, and one for predictions."""
    form, link = truth.predictor.form, truth.predictor.link
    codes = form.space.random_codes(300, seed=seed + 1)
    true_values = link.inverse(form.matrix(codes) @ truth.predictor.estimates)
    held: dict[str, list[float]] = {kind: [] for kind in [*kinds, "prediction", "one measurement"]}
    # The intercept is no effect of a choice.
    effects = slice(1, None)
    rng = np.random.default_rng(seed + 2)
    for run in range(runs):
        table = truth.simulate(seed + 10 + run)
        name = "saturating" if not link.is_identity else "none"
        predictor = fit(table, truth.predictor.target.column, form, name)
        true = truth.effects(predictor.link.center)
        for kind in kinds:
            found = inference(predictor, kind, table=table, seed=run).intervals(form.shown)
            inside = ((found["low"] <= true) & (true <= found["high"])).to_numpy()[effects]
            # All at once is a promise about the whole family.
            held[kind].append(float(inside.all() if kind == "simultaneous" else inside.mean()))
        predicted = predictor.predict_codes(codes)
        held["prediction"].append(
            float(((predicted["low"] <= true_values) & (true_values <= predicted["high"])).mean())
        )
        eta = link.forward(true_values)
        measured = link.inverse(
            eta + rng.normal(0, np.sqrt(truth.predictor.residual_variance), len(eta))
        )
        inside = (predicted["prediction_low"] <= measured) & (
            measured <= predicted["prediction_high"]
        )
        held["one measurement"].append(float(inside.mean()))
    return pd.DataFrame(
        [
            {
                "interval": KINDS.get(kind, kind),
                "coverage": np.mean(shares),
                "std_error": np.std(shares) / np.sqrt(runs),
            }
            for kind, shares in held.items()
        ]
    )


def true_averages(truth: Simulated, keys: pd.DataFrame, *, seed: int) -> dict[str, np.ndarray]:
    """The average effect (rows of `keys`,) of each choice, by target: what the same subnets differ
    in with the one choice and with the other, over subnets drawn at random."""
    space, rng = truth.space, np.random.default_rng(seed)
    drawn = np.stack(
        [
            rng.choice(len(d.choices), 4000, p=space.shares(d, "balanced")).astype(np.int16)
            for d in space.decisions
        ],
        axis=1,
    )

    def means(decision: Decision, choice: Value) -> tuple[np.ndarray, np.ndarray]:
        codes, place = drawn.copy(), space.decisions.index(decision)
        codes[:, place] = decision.choices.index(choice)
        for column, other in enumerate(space.decisions):
            codes[:, column] = np.where(space.active(codes, other), codes[:, column], -1)
        return codes[:, place] >= 0, np.stack(truth.means(codes))

    found = []
    for row in keys.to_dict("records"):
        decision = space.by_name[row["decision"]]
        (active, with_it), (_, without) = (means(decision, row[c]) for c in ("choice", "reference"))
        found.append((with_it - without)[:, active].mean(axis=1))
    return dict(zip(("accuracy", "latency_ms"), np.transpose(found), strict=True))


def average_coverage(space: SearchSpace, rows: int, *, runs: int, seed: int = 0) -> pd.DataFrame:
    """How often intervals of average effects hold the true ones: a row a kind of truth and
    target."""
    told = []
    for number, (kind, truth) in enumerate(Simulated.kinds(space, seed).items()):
        held: dict[tuple[str, str], list[float]] = {}
        true: dict[str, np.ndarray] = {}
        for run in range(runs):
            first = 1000 * number + 10 * run + seed
            codes = space.random_codes(rows, seed=first, by="balanced")
            table = truth.measure(codes, first + 1)
            for target in ("accuracy", "latency_ms"):
                found = average_effects(table, target).table
                true = true or true_averages(truth, found[KEYS], seed=first + 2)
                inside = (found["low"] <= true[target]) & (true[target] <= found["high"])
                held.setdefault((kind, target), []).append(float(inside.mean()))
        told += [
            {"truth": kind, "target": target, "coverage": np.mean(shares),
             "std_error": np.std(shares) / np.sqrt(runs)}
            for (kind, target), shares in held.items()
        ]  # fmt: skip
    return pd.DataFrame(told)


def edit_coverage(table: MeasurementTable, target: str, *, pairs: int = 400) -> pd.Series:
    """How often the two intervals of an edit hold the measured difference of the table's nearest
    pairs of subnets, by fits that saw neither: this_edit, average_edit."""
    table = table.rows(usable(table, target))
    form, y, subnets = fit(table, target).form, table.values(target), table.architectures()
    first, second = np.triu_indices(len(y), 1)
    distance, apart = differing(table.space, table.codes[first], table.codes[second])
    nearest = np.argsort(distance + apart, kind="stable")[:pairs]
    part = np.random.default_rng(0).integers(0, _PARTS, len(nearest))
    held = []
    for number in range(_PARTS):
        own = [(first[i], second[i]) for i in nearest[part == number]]
        seen = np.ones(len(y), dtype=bool)
        seen[np.ravel(own)] = False
        predictor = fit(table.rows(seen), target, form)
        for one, other in own:
            found, gap = edit_effects(predictor, subnets[one], subnets[other]), y[other] - y[one]
            average = found.average_low <= gap <= found.average_high
            held.append((found.low <= gap <= found.high, average))
    return pd.Series(np.mean(held, axis=0), ["this_edit", "average_edit"])


def step_coverage(
    table: MeasurementTable, target: str, rows: int, *, runs: int, seed: int = 0
) -> float:
    """How often intervals of single effects of the form `steps` hold those of its fit to a table's
    costs, on so many random subnets that are measured with relative errors of 1.5 %."""
    truth = fit(table, target, "steps", "none")
    form, space = truth.form, truth.space
    true, held = form.shown @ truth.estimates, []
    for run in range(runs):
        codes = space.random_codes(rows, seed=seed + run)
        noise = np.random.default_rng(seed + run).normal(0, _NOISE, rows)
        values = form.matrix(codes) @ truth.estimates * (1 + noise)
        frame = pd.DataFrame([a.to_dict() for a in space.decode(codes)]).assign(**{target: values})
        drawn = table_from_frame(space, frame.reindex(columns=[*space.by_name, target]))
        found = inference(fit(drawn, target, form, "none")).intervals(form.shown)
        inside = (found["low"] <= true) & (true <= found["high"])
        held.append(float(inside[1:].mean()))  # the intercept is no effect of a choice
    return float(np.mean(held))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/demo"))
    parser.add_argument("--published", type=Path, help="a CSV as FOX-NAS published it")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--averages", action="store_true", help="of average effects alone")
    parser.add_argument("--edits", action="store_true", help="of edits alone")
    parser.add_argument("--steps", action="store_true", help="of single effects of steps alone")
    options = parser.parse_args(arguments)
    study = open_study(options.study)
    if options.averages:
        for rows in (150, 300, 600):
            found = average_coverage(study.space, rows, runs=options.runs)
            print(f"{rows} rows, {options.runs} runs a truth")
            print(found.to_string(index=False, float_format="{:.3f}".format), flush=True)
            print(
                found.groupby("target")["coverage"].mean().to_string(float_format="{:.3f}".format)
            )
    if options.edits:
        for target in ("accuracy", "latency_ms", "latency_ms:int8"):
            print(target, edit_coverage(study.table(), target).to_dict(), flush=True)
    if options.steps:
        for rows in (150, 200, 300, 600):
            for target in ("latency_ms", "latency_ms:int8", "latency_ms:openvino"):
                held = step_coverage(study.table(), target, rows, runs=options.runs)
                print(f"{rows} rows, {target}: {held:.3f}", flush=True)
    if options.averages or options.edits or options.steps:
        return
    _report(study.name, study.table(), options.runs)
    if options.published:
        _report(options.published.name, read_file(options.published).table(None), options.runs)


def _report(name: str, table: MeasurementTable, runs: int) -> None:
    form = "per_layer" if table.ordered else "choice_counts"
    for target, saturates in (("accuracy", False), ("accuracy", True), ("latency_ms", False)):
        truth = Truth.of(table, target, form, saturates=saturates)
        below = f", ceiling {truth.predictor.link.ceiling:.1f}" if saturates else ""
        print(
            f"{name}: {target}{below}, form {form}, {truth.predictor.rows} rows, "
            f"{truth.predictor.parameters} parameters, {runs} runs"
        )
        found = coverage(truth, list(KINDS), runs=runs)
        print(found.to_string(index=False, float_format="{:.4f}".format), flush=True)


if __name__ == "__main__":
    main()
