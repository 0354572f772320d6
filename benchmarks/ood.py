"""What three ways select on a toy with a known answer: pictures whose hues tell their class in seen
domains only, and two networks, one that sees hues and one that is blind to them.

    python -m benchmarks.ood [--seeds 3] [--epochs 12] [--images 3600]

Pictures are Fashion-MNIST's five classes of upper bodies at 14 px. Hues agree with the class at .97
and .9 in the domains trained on, at .2 (chance) in the one held out for selection and outside, and
at .5, .7 and .9 in three others, by which one might select as well. All seeds are shown; the
numbers are theirs alone, not the machine's.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foxnas_core.errors import Collapsed
from foxnas_core.families import register_family
from foxnas_core.methods import Question, adversarial
from foxnas_core.methods.ood import Outside
from foxnas_core.study import create_study
from foxnas_core.tasks.dataset import Dataset, ImageSet, fashion_mnist
from foxnas_core.tasks.domain_split import DOMAINS
from tests.hues import AGREEMENT, SPLIT, Hues, dataset_of

UPPER = (0, 2, 3, 4, 6)
OTHERS = {f"agrees-{share}": share for share in (0.5, 0.7, 0.9)}
TOY = replace(SPLIT, test=(*SPLIT.test, *OTHERS))
HELD_OUT = 3500


def upper_bodies(images: ImageSet, count: int) -> ImageSet:
    """The first pictures of the five classes, at half their size."""
    own = np.flatnonzero(np.isin(images.labels, UPPER))[:count]
    pixels = images.images[own].reshape(-1, 14, 2, 14, 2).mean((2, 4))
    return ImageSet(pixels.astype(np.uint8), np.searchsorted(UPPER, images.labels[own]))


def toy(count: int) -> Dataset:
    """With more domains in which hues agree so far, any of which may have been held out."""
    known = fashion_mnist()
    training, held_out = upper_bodies(known.training, count), upper_bodies(known.held_out, HELD_OUT)
    return dataset_of(training, held_out, TOY, AGREEMENT | OTHERS)


def played(folder: Path, method: Outside, data: Dataset, seed: int) -> pd.DataFrame | str:
    """One row a network: its accuracy on things of trained domains, on made images and in each
    other domain; or how the game collapsed."""
    study = create_study(
        folder, Hues().space("hues", {"side": 14, "classes": len(UPPER)}), name="Hues"
    )
    study.save(DOMAINS, TOY)
    adversarial.training_images = lambda *_: data  # type: ignore[assignment]
    try:
        course = method.run(study, Question("accuracy"), seed=seed).document["course"]
    except Collapsed as error:
        return str(error)
    print(f"seed {seed}:", *(f"{own['name']} {own['value']:.2f}" for own in course["lamps"]))
    return pd.DataFrame(
        {"network": own["architecture"]["input"]}
        | {name: v for name, v in own["scores"].items() if "error" not in name}
        for own in course["candidates"]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--images", type=int, default=3600)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    register_family(Hues())
    data, method = toy(asked.images), Outside(epochs=asked.epochs, images=asked.images)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(asked.seeds):
            table = played(Path(folder, str(seed)), method, data, seed)
            if isinstance(table, str):
                print(f"seed {seed}: {table}", flush=True)
                continue
            print(table.to_string(index=False))
            best = {way: table["network"][table[way].idxmax()] for way in table.columns[1:]}
            print("selected by", best, flush=True)


if __name__ == "__main__":
    main()
