"""What three ways select on a toy with a known answer: pictures whose hues tell their class in seen
domains only, and two networks, one that sees hues and one that is blind to them.

    python -m benchmarks.ood [--seeds 3] [--epochs 12] [--images 3600]

Pictures are Fashion-MNIST's five classes of upper bodies at 14 px. Hues agree with the class at .97
and .9 in the domains trained on, at .2 (chance) outside, and in the domain held out for selection
as far as each row says. All seeds are shown. The numbers are of the seeds alone, not of the
machine.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from foxnas_core.errors import Collapsed
from foxnas_core.families import register_family
from foxnas_core.methods import Question, adversarial
from foxnas_core.methods.ood import Outside
from foxnas_core.study import Study, create_study
from foxnas_core.tasks.dataset import Dataset, ImageSet, fashion_mnist
from foxnas_core.tasks.domain_split import DOMAINS
from tests.hues import AGREEMENT, SPLIT, Hues, dataset_of

UPPER = (0, 2, 3, 4, 6)
AGREEMENTS = (0.2, 0.5, 0.7, 0.9)
HELD_OUT = 1600


def upper_bodies(images: ImageSet, count: int) -> ImageSet:
    """The first pictures of the five classes, at half their size."""
    own = np.flatnonzero(np.isin(images.labels, UPPER))[:count]
    pixels = images.images[own].reshape(-1, 14, 2, 14, 2).mean((2, 4))
    return ImageSet(pixels.astype(np.uint8), np.searchsorted(UPPER, images.labels[own]))


def dataset(count: int, agreement: float) -> Dataset:
    """The toy whose held-out domain has hues that agree so far."""
    known = fashion_mnist()
    return dataset_of(
        upper_bodies(known.training, count), upper_bodies(known.held_out, HELD_OUT),
        AGREEMENT | {"held": agreement},
    )  # fmt: skip


def study_in(folder: Path) -> Study:
    space = Hues().space("hues", {"side": 14, "classes": len(UPPER)})
    made = create_study(folder, space, name="Hues")
    made.save(DOMAINS, SPLIT)
    return made


def selected(study: Study, method: Outside, data: Dataset, seed: int) -> list[dict[str, object]]:
    """One row a way: what it selects, and what that has in each domain."""
    adversarial.training_images = lambda *_: data  # type: ignore[assignment]
    try:
        course = method.run(study, Question("accuracy"), seed=seed).document["course"]
    except Collapsed as error:
        return [{"seed": seed, "way": "made", "selects": str(error)}]
    known = {own["id"]: own for own in course["candidates"]}
    return [
        {"seed": seed, "way": way, "selects": known[own]["architecture"]["input"]}
        | {name: v for name, v in known[own]["scores"].items() if "error" not in name}
        for way, own in course["by"].items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--images", type=int, default=3600)
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    register_family(Hues())
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        study = study_in(Path(folder, "hues"))
        for seed in range(asked.seeds):
            for agreement in AGREEMENTS:
                # Only the domain that is held out differs: the game is the same for all.
                plays = "on" if agreement == AGREEMENTS[0] else "off"
                method = Outside(generator=plays, epochs=asked.epochs, images=asked.images)
                found = selected(study, method, dataset(asked.images, agreement), seed)
                kept = [own for own in found if own["way"] == "selection" or plays == "on"]
                rows += [{"agreement": agreement} | own for own in kept]
                print(pd.DataFrame(rows[-len(kept) :]).to_string(index=False), flush=True)
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
