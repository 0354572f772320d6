"""Does the supernet rank subnets as training each of them alone does?

    python -m benchmarks.ranking --study data/demo --count 8 --epochs 10

Trains sampled subnets alone, by the supernet's own recipe but for the number of epochs, and
compares their accuracy with the inherited one by Kendall's tau and its bootstrap interval. The
pairs are kept in ranking.json of the study, so a stopped run goes on.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau

from foxnas_core.dataset import load_dataset
from foxnas_core.files import write_atomically
from foxnas_core.storage import open_study
from foxnas_core.supernet.training import Recipe, accuracy_of, train


def tau_with_interval(
    inherited: np.ndarray, alone: np.ndarray, *, seed: int = 0, resamples: int = 10_000
) -> tuple[float, float, float]:
    """Kendall's tau-b and its 95 % percentile bootstrap interval over subnets."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(alone), (resamples, len(alone)))
    taus = [kendalltau(inherited[i], alone[i]).statistic for i in drawn]
    low, high = np.nanquantile(taus, [0.025, 0.975])
    return float(kendalltau(inherited, alone).statistic), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    study = open_study(options.study)
    checkpoint = study.load_checkpoint()
    settings = checkpoint.supernet.settings
    dataset = load_dataset(
        options.data, side=settings.resolutions[-1], channels=settings.input_channels
    )
    pixels = {"mean": checkpoint.record["pixel_mean"], "std": checkpoint.record["pixel_std"]}
    out = options.study / "ranking.json"
    state = options.study / "ranking-state.safetensors"
    pairs: list[dict[str, Any]] = json.loads(out.read_text())["pairs"] if out.exists() else []
    for architecture in study.space.sample(options.count, seed=options.seed):
        if architecture.id in {pair["id"] for pair in pairs}:
            continue
        recipe = Recipe(
            **{
                **checkpoint.record["recipe"],
                "epochs": options.epochs,
                "alone": architecture.to_dict(),
            }
        )
        trained = train(study.space, dataset, recipe, state_file=state)
        pairs.append(
            {
                "id": architecture.id,
                "architecture": architecture.to_dict(),
                "inherited": accuracy_of(checkpoint.supernet, architecture, dataset, **pixels),
                "alone": accuracy_of(trained.supernet, architecture, dataset, **pixels),
            }
        )
        document = {"epochs": options.epochs, "seed": options.seed, "pairs": pairs}
        if len(pairs) > 2:
            columns = [np.array([p[key] for p in pairs]) for key in ("inherited", "alone")]
            tau, low, high = tau_with_interval(*columns)
            document["kendall_tau"] = {"value": tau, "low": low, "high": high}
        write_atomically(out, json.dumps(document, indent=2) + "\n")
        print({k: v for k, v in pairs[-1].items() if k != "architecture"}, flush=True)
    state.unlink(missing_ok=True)
    print(json.loads(out.read_text()).get("kendall_tau"))


if __name__ == "__main__":
    main()
