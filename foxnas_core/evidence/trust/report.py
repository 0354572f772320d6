"""How far the order of inherited accuracies is that of subnets trained alone.

Agreement is Kendall's tau-b, by which supernets are commonly judged (Yu et al., "Evaluating the
Search Phase of Neural Architecture Search", arXiv 1902.08142): 1 for the same order, 0 for none in
common. Of two subnets without ties, a share of (1 + tau) / 2 stands in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.trust.pairs import SCORES, TrustPair
from foxnas_core.explanation.edits import changes

INHERITED = {"inherited": "with recalibration", "unrecalibrated": "without recalibration"}
TRAINED = {"alone": "trained from scratch", "fine_tuned": "fine-tuned"}
# Scopes of an agreement beside each resolution's own.
ALL, WITHIN = "all", "within resolutions"
# Of two subnets, three of four pairs in the same order.
ENOUGH = 0.5
FEW = 10  # below so many subnets there is no verdict
_LEAST = 3
RESAMPLES = 10_000
_EACH = 3  # a subnet that was trained badly must not fill the list of reversals


@dataclass(frozen=True)
class RankAgreement:
    """Kendall's tau-b of an inherited accuracy and one of subnets trained alone.

    `inherited` is one of `INHERITED`, `trained` one of `TRAINED`; `scope` is `ALL` pairs of
    subnets, those `WITHIN` one resolution, or a resolution. `low` to `high` is the 95 % percentile
    interval over resampled subnets. NaN where fewer than three subnets, or ties alone, leave no
    order.
    """

    inherited: str
    trained: str
    scope: str
    subnets: int
    tau: float
    low: float
    high: float

    @property
    def same_order(self) -> float:
        """The share of pairs of subnets in the same order, without ties."""
        return (1 + self.tau) / 2


@dataclass(frozen=True)
class Offset:
    """Mean of trained less inherited (recalibrated) accuracy, in points, and its 95 % interval by
    Student's t; NaN where one subnet gives none."""

    trained: str
    scope: str
    subnets: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class TrustReport:
    """What the pairs say.

    - `subnets`: one row a subnet: id, the context's choices, parameters, macs, the four accuracies
      and their standard errors (percent), alone_offset, fine_tuned_offset (points).
    - `reversals`: for each of `TRAINED` the reversed pairs of subnets, the largest first: trained,
      preferred (id of the one that the supernet ranks higher), better (id of the one that is when
      trained), inherited_gap, trained_gap (points, both positive), certain (both gaps exceed twice
      the standard error of the difference), differs (from preferred to better).
    - `reversed_share`, `certain_share`: shares of all pairs of subnets, by `TRAINED`.
    - `regret`: by `TRAINED`, what taking the subnet of the highest inherited accuracy gives up
      against the best of these when trained (points).
    - `recalibration_gain`: mean inherited accuracy with less without recalibration (points).
    """

    agreements: tuple[RankAgreement, ...]
    offsets: tuple[Offset, ...]
    reversed_share: dict[str, float]
    certain_share: dict[str, float]
    regret: dict[str, float]
    recalibration_gain: float
    seed: int
    subnets: pd.DataFrame = field(repr=False)
    reversals: pd.DataFrame = field(repr=False)

    @property
    def count(self) -> int:
        return len(self.subnets)

    def agreement(
        self, inherited: str = "inherited", trained: str = "alone", scope: str = ALL
    ) -> RankAgreement:
        wanted = inherited, trained, scope
        return next(a for a in self.agreements if (a.inherited, a.trained, a.scope) == wanted)

    def offset(self, trained: str = "alone", scope: str = ALL) -> Offset:
        return next(o for o in self.offsets if (o.trained, o.scope) == (trained, scope))

    def scopes(self) -> list[str]:
        """The scopes that there are agreements of."""
        return list(dict.fromkeys(a.scope for a in self.agreements))

    def verdict(self) -> str:
        """ "holds", "open" or "fails": whether the interval of tau against training from scratch
        lies above, spans or lies below `ENOUGH`; "few" for fewer than `FEW` subnets."""
        main = self.agreement()
        if self.count < FEW or not np.isfinite([main.low, main.high]).all():
            return "few"
        if main.low >= ENOUGH:
            return "holds"
        return "fails" if main.high < ENOUGH else "open"

    def sentence(self) -> str:
        """The verdict in words, and what follows from it."""
        main = self.agreement()
        if not np.isfinite(main.tau):
            return (
                f"{_counted(self.count)} so far, which give no order to compare; train at least "
                f"{FEW} for a verdict."
            )
        said = f"Kendall's tau {main.tau:.2f} (95 % interval {main.low:.2f} to {main.high:.2f})"
        verdict = self.verdict()
        if verdict == "few":
            said = f"Kendall's tau {main.tau:.2f}"
            return (
                f"{said} over {_counted(self.count)}: too few for a verdict; train {FEW} or more."
            )
        odds = f"about {100 * main.same_order:.0f} of 100 pairs stand in the same order"
        if verdict == "holds":
            return (
                f"{said}: {odds}, so the supernet's ranking can be searched by; train the subnet "
                "that is chosen by itself for its final accuracy."
            )
        if verdict == "open":
            return (
                f"{said}: {odds}, but {self.count} subnets leave open whether the ranking is good "
                "enough to search by; train more subnets for a narrower interval, and train the "
                "best few of a search by themselves before one is chosen."
            )
        return (
            f"{said}: {odds}, too few to search by; mend the supernet before its ranking is "
            "believed, and take what a search finds as candidates to train, not as a choice."
        )

    def recalibration_sentence(self) -> str:
        """What recalibration does to level and order."""
        with_it, without = self.agreement(), self.agreement("unrecalibrated")
        said = (
            f"Recalibrating batch norms raises the mean inherited accuracy by "
            f"{self.recalibration_gain:.2f} points"
            if self.recalibration_gain >= 0
            else f"Recalibrating batch norms lowers the mean inherited accuracy by "
            f"{-self.recalibration_gain:.2f} points"
        )
        if not np.isfinite([with_it.tau, without.tau]).all():
            return f"{said}."
        return f"{said} and takes tau from {without.tau:.2f} to {with_it.tau:.2f}."

    def resolution_sentence(self) -> str:
        """Whether the order holds among subnets of one resolution too; "" for a single one."""
        if WITHIN not in self.scopes():
            return ""
        within, overall = self.agreement(scope=WITHIN), self.agreement()
        if not np.isfinite([within.tau, overall.tau]).all():
            return ""
        said = f"Among subnets of one resolution tau is {within.tau:.2f}"
        if np.isfinite(within.low):
            said += f" ({within.low:.2f} to {within.high:.2f})"
        if overall.low >= ENOUGH > within.low:
            return (
                f"{said}: the supernet tells resolutions apart better than it ranks subnets of one."
            )
        if within.low >= ENOUGH > overall.low:
            return (
                f"{said}: it ranks subnets of one resolution better than those of several, so "
                "that resolutions, not blocks, are what it misjudges."
            )
        return f"{said}."

    def advice(self) -> list[str]:
        """What raises the agreement; empty where the ranking holds, within resolutions too, and
        where there is no verdict."""
        verdict = self.verdict()
        holds = verdict == "holds" and (
            WITHIN not in self.scopes() or self.agreement(scope=WITHIN).tau >= ENOUGH
        )
        if holds or verdict == "few":
            return []
        said = []
        if verdict == "open":
            said.append(
                f"Train more subnets: the interval of tau narrows with the root of their number, "
                f"so {4 * self.count} have half of this one's width."
            )
        said += [
            "Give the subnets between the extremes more of the training: a smaller "
            "--largest-share and --smallest-share, or more --random-subnets a step.",
            "Train the supernet for more --epochs: subnets whose weights were seldom drawn are "
            "underrated.",
            "Let the largest subnet teach the others (distillation, which the recipe has at a "
            "weight of 0.5 unless it says otherwise).",
            "Shrink progressively: train kernels, then depths, then expand ratios elastic, each "
            "from the weights before (Cai et al., arXiv 1908.09791).",
        ]
        gap = self.agreement().tau - self.agreement("unrecalibrated").tau
        if np.isfinite(gap) and gap > 0:
            said.append(
                "Recalibrate batch norms whenever a subnet is scored, as this product does: "
                f"without, tau is {gap:.2f} lower; more images than the study's make it steadier."
            )
        fine, alone = self.agreement(trained="fine_tuned"), self.agreement()
        if fine.tau > alone.tau:
            said.append(
                "Fine-tune what is chosen instead of training it anew: that order agrees better "
                f"(tau {fine.tau:.2f}), in part because both begin from the same weights."
            )
        return said


def trust_report(
    pairs: Sequence[TrustPair], *, seed: int, resamples: int = RESAMPLES
) -> TrustReport:
    """Compare what subnets inherit with what they reach when trained.

    Intervals resample subnets with replacement by `seed`; those within resolutions resample each
    resolution's own. Raises `MissingPart` for no pairs.
    """
    if not pairs:
        raise MissingPart(
            "No subnet was trained alone yet; train some with 'python -m foxnas_core trust'."
        )
    table = _subnet_table(pairs)
    said = [str(p.architecture.get("resolution", "")) for p in pairs]
    scopes = np.array(said)
    names = sorted(set(said), key=float) if all(said) else []
    if len(names) < 2:
        names = []
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(pairs), (resamples, len(pairs)))
    within = drawn.copy()
    for name in names:
        own = np.flatnonzero(scopes == name)
        within[:, own] = own[rng.integers(0, len(own), (resamples, len(own)))]
    same = scopes[:, None] == scopes[None, :]
    agreements, offsets = [], []
    for trained in TRAINED:
        offsets += [
            _offset(trained, scope, table[f"{trained}_offset"].to_numpy()[rows])
            for scope, rows in (
                (ALL, np.ones(len(pairs), dtype=bool)),
                *((name, scopes == name) for name in names),
            )
        ]
        for inherited in INHERITED:
            x, y = table[inherited].to_numpy(), table[trained].to_numpy()
            found = [_agreement(inherited, trained, ALL, x, y, drawn)]
            if names:
                found.append(_agreement(inherited, trained, WITHIN, x, y, within, same))
            for name in names:
                own = np.flatnonzero(scopes == name)
                indices = np.searchsorted(own, within[:, own])
                found.append(_agreement(inherited, trained, name, x[own], y[own], indices))
            agreements += found
    reversals = pd.concat([_reversals(pairs, table, trained) for trained in TRAINED])
    pairs_of = max(len(pairs) * (len(pairs) - 1) // 2, 1)
    own_rows = {t: reversals[reversals["trained"] == t] for t in TRAINED}
    best = int(table["inherited"].to_numpy().argmax())
    return TrustReport(
        tuple(agreements),
        tuple(offsets),
        {t: len(rows) / pairs_of for t, rows in own_rows.items()},
        {t: float(rows["certain"].sum()) / pairs_of for t, rows in own_rows.items()},
        {t: float(table[t].max() - table[t].iloc[best]) for t in TRAINED},
        float((table["inherited"] - table["unrecalibrated"]).mean()),
        seed,
        subnets=table,
        reversals=reversals.reset_index(drop=True),
    )


def report_document(report: TrustReport) -> dict[str, Any]:
    """What the command line prints of a report; see docs/command-line.md."""

    def estimate(value: float, low: float, high: float) -> dict[str, float | None]:
        ends = {"value": value, "low": low, "high": high}
        return {name: float(v) if np.isfinite(v) else None for name, v in ends.items()}

    scopes = report.scopes()
    return {
        "verdict": report.verdict(),
        "sentence": report.sentence(),
        "advice": report.advice(),
        "recalibration_gain": report.recalibration_gain,
        "kendall_tau": {
            trained: {
                inherited: {
                    scope: estimate(a.tau, a.low, a.high)
                    for scope in scopes
                    for a in [report.agreement(inherited, trained, scope)]
                }
                for inherited in INHERITED
            }
            for trained in TRAINED
        },
        "offset": {
            trained: {
                o.scope: estimate(o.mean, o.low, o.high)
                for o in report.offsets
                if o.trained == trained
            }
            for trained in TRAINED
        },
        "reversed": report.reversed_share,
        "reversed_beyond_noise": report.certain_share,
        "regret": report.regret,
        "reversals": {
            trained: largest_reversals(report, trained).drop(columns="trained").to_dict("records")
            for trained in TRAINED
        },
        "seed": report.seed,
    }


def largest_reversals(report: TrustReport, trained: str, most: int = 10) -> pd.DataFrame:
    """The largest of the report's reversals, each subnet in three of them at most."""
    taken: dict[str, int] = {}
    kept: list[int] = []
    rows = report.reversals[report.reversals["trained"] == trained]
    for place, row in enumerate(rows.to_dict("records")):
        ends = str(row["preferred"]), str(row["better"])
        if len(kept) < most and all(taken.get(end, 0) < _EACH for end in ends):
            kept.append(place)
            taken |= {end: taken.get(end, 0) + 1 for end in ends}
    return rows.iloc[kept].reset_index(drop=True)


def _subnet_table(pairs: Sequence[TrustPair]) -> pd.DataFrame:
    rows = []
    for pair in pairs:
        scores = {name: getattr(pair, name) for name in SCORES}
        context = {"resolution": pair.architecture.get("resolution")}
        rows.append(
            {"id": pair.architecture.id}
            | {name: value for name, value in context.items() if value is not None}
            | {"parameters": pair.parameters, "macs": pair.macs}
            | {name: score.value for name, score in scores.items()}
            | {f"{name}_std_error": score.std_error for name, score in scores.items()}
            | {f"{t}_offset": scores[t].value - scores["inherited"].value for t in TRAINED}
        )
    return pd.DataFrame(rows)


def _agreement(
    inherited: str,
    trained: str,
    scope: str,
    x: np.ndarray,
    y: np.ndarray,
    drawn: np.ndarray,
    counted: np.ndarray | None = None,
) -> RankAgreement:
    """Tau-b over the pairs of subnets (n, n) that are `counted`, and over resamples of indices
    (resamples, n)."""
    n = len(x)
    one, other = (np.sign(v[:, None] - v[None, :]) for v in (x, y))
    if counted is not None:
        one, other = one * counted, other * counted
    weights = np.zeros((len(drawn), n))
    np.add.at(weights, (np.arange(len(drawn))[:, None], drawn), 1.0)
    tau = float(_tau(one, other, np.ones((1, n)))[0]) if n >= _LEAST else np.nan
    taus = _tau(one, other, weights)
    taus = taus[np.isfinite(taus)]
    low, high = (np.nan, np.nan)
    if np.isfinite(tau) and len(taus):
        low, high = (float(q) for q in np.quantile(taus, [0.025, 0.975]))
    return RankAgreement(inherited, trained, scope, n, tau, low, high)


def _tau(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Tau-b (resamples,) of subnets that stand in the resample as often as `weights`
    (resamples, n) say, by the signs (n, n) of their differences; NaN for ties alone."""
    concordance, first, second = (
        ((weights @ signs) * weights).sum(axis=1)
        for signs in (one * other, np.abs(one), np.abs(other))
    )
    untied = np.sqrt(first * second)
    return np.divide(concordance, untied, out=np.full(len(weights), np.nan), where=untied > 0)


def _offset(trained: str, scope: str, differences: np.ndarray) -> Offset:
    from scipy import stats

    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Offset(trained, scope, n, mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / np.sqrt(n))
    return Offset(trained, scope, n, mean, mean - half, mean + half)


def _reversals(pairs: Sequence[TrustPair], table: pd.DataFrame, trained: str) -> pd.DataFrame:
    x, y = table["inherited"].to_numpy(), table[trained].to_numpy()
    errors = [table[f"{name}_std_error"].to_numpy() for name in ("inherited", trained)]
    i, j = np.triu_indices(len(pairs), 1)
    swapped = (x[i] - x[j]) * (y[i] - y[j]) < 0
    i, j = i[swapped], j[swapped]
    preferred, better = np.where(x[i] > x[j], i, j), np.where(x[i] > x[j], j, i)
    gaps = x[preferred] - x[better], y[better] - y[preferred]
    certain = np.ones(len(i), dtype=bool)
    for gap, error in zip(gaps, errors, strict=True):
        certain &= gap > 2 * np.hypot(error[preferred], error[better])
    # The gap that both orders grant: a near tie in either is no large reversal.
    order = np.argsort(-np.minimum(*gaps), kind="stable")
    names = list(dict.fromkeys(n for pair in pairs for n in pair.architecture))
    return pd.DataFrame(
        {
            "trained": trained,
            "preferred": table["id"].to_numpy()[preferred],
            "better": table["id"].to_numpy()[better],
            "inherited_gap": gaps[0],
            "trained_gap": gaps[1],
            "certain": certain,
            "differs": [
                changes(names, pairs[p].architecture, pairs[b].architecture)
                for p, b in zip(preferred, better, strict=True)
            ],
        }
    ).iloc[order]


def _counted(subnets: int) -> str:
    return "1 subnet" if subnets == 1 else f"{subnets} subnets"
