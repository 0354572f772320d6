"""What the subnets that were trained alone tell of the supernet's ranking, in numbers and words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.errors import MissingPart
from foxnas_core.evidence.trust.agreement import (
    ALL,
    INHERITED,
    METHOD,
    TRAINED,
    WITHIN,
    Offset,
    RankAgreement,
    agreement_of,
    offset_of,
    reversals_of,
    subnet_table,
)
from foxnas_core.evidence.trust.noise import TrainingNoise, training_noise
from foxnas_core.evidence.trust.pairs import TrustPair
from foxnas_core.table.metrics import Metric, metric_of

# Of two subnets, three of four pairs in the same order.
ENOUGH = 0.5
FEW = 10  # below so many subnets there is no verdict
RESAMPLES = 10_000
_EACH = 3  # a subnet that was trained badly must not fill the list of reversals


@dataclass(frozen=True, eq=False)
class TrustReport:
    """What the pairs say.

    - `quality`: the metric that the subnets were scored by, in whose unit all scores and
      differences are.
    - `subnets`: one row a subnet: id, the context's choices, parameters, macs, the four scores and
      their standard errors, alone_offset, fine_tuned_offset.
    - `reversals`: for each of `TRAINED` the reversed pairs of subnets, the largest first: trained,
      preferred (id of the one that the supernet ranks higher), better (id of the one that is when
      trained), inherited_gap, trained_gap (both positive), certain (both gaps exceed twice
      the standard error of the difference), differs (from preferred to better).
    - `reversed_share`, `certain_share`: shares of all pairs of subnets, by `TRAINED`.
    - `regret`: by `TRAINED`, what taking the subnet of the highest inherited score gives up
      against the best of these when trained; `regret_high` is what it does in 95 % of resamples
      of the subnets at most.
    - `noise`: what the seed of a training changes; None where none was trained by two.
    - `recalibration_gain`: mean inherited score with less without recalibration.
    """

    agreements: tuple[RankAgreement, ...]
    offsets: tuple[Offset, ...]
    reversed_share: dict[str, float]
    certain_share: dict[str, float]
    regret: dict[str, float]
    regret_high: dict[str, float]
    noise: TrainingNoise | None
    recalibration_gain: float
    seed: int
    quality: Metric
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
        said = (
            f"Kendall's tau {main.tau:.2f} (95 % interval {main.low:.2f} to {main.high:.2f}, "
            f"{METHOD})"
        )
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
            f"Recalibrating batch norms {'raises' if self.recalibration_gain >= 0 else 'lowers'} "
            f"the mean inherited {self.quality.word} by "
            f"{self.quality.difference_text(abs(self.recalibration_gain))}"
        )
        if not np.isfinite([with_it.tau, without.tau]).all():
            return f"{said}."
        return f"{said} and takes tau from {without.tau:.2f} to {with_it.tau:.2f}."

    def noise_sentence(self) -> str:
        """What the seed of a training changes, and how much tau it leaves; "" where nobody
        knows."""
        if self.noise is None:
            return ""
        said = (
            "Trained by another seed, a subnet's score differs by a standard deviation of "
            f"{self.quality.difference_text(self.noise.std)} ({self.noise.subnets} subnets)"
        )
        parts = [
            f"{words} at {mean:.2f} ({low:.2f} to {high:.2f})"
            for scope, words in ((ALL, "tau"), (WITHIN, "within resolutions"))
            if scope in self.noise.ceilings
            for mean, low, high in [self.noise.ceilings[scope]]
        ]
        if not parts:
            return f"{said}."
        return f"{said}; were that all that came between, it would leave {', '.join(parts)}."

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
    pairs: Sequence[TrustPair],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    quality: Metric | None = None,
) -> TrustReport:
    """Compare what subnets inherit with what they reach when trained, both scored by `quality`, by
    default the accuracy.

    Intervals resample subnets with replacement by `seed`; those within resolutions resample each
    resolution's own. Raises `MissingPart` for no pairs.
    """
    if not pairs:
        raise MissingPart(
            "No subnet was trained alone yet; train some with 'python -m foxnas_core trust'."
        )
    table = subnet_table(pairs)
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
            offset_of(trained, scope, table[f"{trained}_offset"].to_numpy()[rows])
            for scope, rows in (
                (ALL, np.ones(len(pairs), dtype=bool)),
                *((name, scopes == name) for name in names),
            )
        ]
        for inherited in INHERITED:
            x, y = table[inherited].to_numpy(), table[trained].to_numpy()
            found = [agreement_of(inherited, trained, ALL, x, y, drawn)]
            if names:
                found.append(agreement_of(inherited, trained, WITHIN, x, y, within, same))
            for name in names:
                own = np.flatnonzero(scopes == name)
                indices = np.searchsorted(own, within[:, own])
                found.append(agreement_of(inherited, trained, name, x[own], y[own], indices))
            agreements += found
    reversals = pd.concat([reversals_of(pairs, table, trained) for trained in TRAINED])
    pairs_of = max(len(pairs) * (len(pairs) - 1) // 2, 1)
    own_rows = {t: reversals[reversals["trained"] == t] for t in TRAINED}
    every = ~np.eye(len(pairs), dtype=bool)
    counted = {ALL: every} | ({WITHIN: same & every} if names else {})
    return TrustReport(
        tuple(agreements),
        tuple(offsets),
        {t: len(rows) / pairs_of for t, rows in own_rows.items()},
        {t: float(rows["certain"].sum()) / pairs_of for t, rows in own_rows.items()},
        {t: float(_regrets(table, t, np.arange(len(pairs))[None])[0]) for t in TRAINED},
        {t: float(np.quantile(_regrets(table, t, drawn), 0.95)) for t in TRAINED},
        training_noise(pairs, counted, seed=seed),
        float((table["inherited"] - table["unrecalibrated"]).mean()),
        seed,
        quality or metric_of("accuracy"),
        subnets=table,
        reversals=reversals.reset_index(drop=True),
    )


def _regrets(table: pd.DataFrame, trained: str, drawn: np.ndarray) -> np.ndarray:
    """What the first choice of each resample (resamples, n) gives up against the best there."""
    inherited, reached = table["inherited"].to_numpy()[drawn], table[trained].to_numpy()[drawn]
    first = inherited.argmax(axis=1)
    return reached.max(axis=1) - reached[np.arange(len(drawn)), first]


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
        "interval": METHOD,
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
        "spearman": {
            trained: {
                scope: estimate(a.rho, a.rho_low, a.rho_high)
                for scope in scopes
                for a in [report.agreement(trained=trained, scope=scope)]
            }
            for trained in TRAINED
        },
        "kendall_tau_by_jackknife": {
            trained: {
                scope: estimate(a.tau, *a.jackknife)
                for scope in scopes
                for a in [report.agreement(trained=trained, scope=scope)]
            }
            for trained in TRAINED
        },
        "noise_of_training": None
        if report.noise is None
        else {
            "subnets": report.noise.subnets,
            "std": estimate(report.noise.std, report.noise.low, report.noise.high),
            "tau_at_most": {
                scope: estimate(*ceiling) for scope, ceiling in report.noise.ceilings.items()
            },
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
        "regret_at_most": report.regret_high,
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


def _counted(subnets: int) -> str:
    return "1 subnet" if subnets == 1 else f"{subnets} subnets"
