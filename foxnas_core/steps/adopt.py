"""Studies begun with weights that were trained elsewhere: a supernet of one's own code, or one in
once-for-all's published layout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.steps.measure import CALIBRATION_IMAGES
from foxnas_core.study import Study, create_study, file_hash
from foxnas_core.tasks.dataset import (
    Dataset,
    ImageSet,
    has_fashion_mnist,
    load_dataset,
    unpack_images,
)


def adopt(
    folder: Path,
    space: SearchSpace,
    *,
    supernet: str,
    weights: Path,
    data: Path,
    part: str = "",
) -> Study:
    """The study of `folder` with a supernet of one's own; begun, where it is not there yet.

    `supernet` names the function that builds it (see `supernet.adapter.load_factory`), `part` the
    state dict of several in the file of `weights` (see `supernet.weights.load_weights`), `data` the
    images: an `images.npz` as studies have, Fashion-MNIST's folder or a folder of pictures. Both
    extremes are run before anything is written. Called again with the same weights, it changes
    nothing. Raises `InvalidInput` or `MissingPart` where something does not fit, also where the
    folder holds other weights.
    """
    from foxnas_core.supernet.adapter import build_supernet, check_supernet, load_factory
    from foxnas_core.supernet.checkpoint import load_tensors, save_adapted
    from foxnas_core.supernet.weights import load_weights

    factory = load_factory(supernet)
    tensors = load_weights(weights, part)
    study = Study(folder, folder.resolve().name, "", space, factory)
    if study.checkpoint_file.exists():
        if not _same(load_tensors(study.checkpoint_file)[0], tensors):
            raise InvalidInput(f"{folder} holds other weights than {weights}; name a new folder.")
        return study
    module = build_supernet(factory, tensors, space, {"input_shape": (1, 1, 1)}).module
    sides = [int(max(d.choices)) for d in space.decisions if d.role == "resolution"]
    side = sides[0] if sides else int(getattr(module, "resolution", 0))
    channels = int(getattr(module, "input_channels", 3))
    dataset = _dataset(data, side=side, channels=channels)
    images = dataset.held_out.images
    own = {
        name: _levels(getattr(module, name, level))
        for name, level in zip(("pixel_mean", "pixel_std"), dataset.pixel_statistics(), strict=True)
    }
    record = _record(dataset, weights) | own | {
        "resolution": side or images.shape[1],
        "input_channels": 1 if images.ndim == 3 else images.shape[-1],
        "supernet": supernet,
    }  # fmt: skip
    check_supernet(build_supernet(factory, tensors, space, record), [len(dataset.classes)])
    _begin(study, dataset)
    with study.writing():
        save_adapted(study.checkpoint_file, tensors, space, record, factory=supernet)
    return study


def import_once_for_all(
    folder: Path, space: SearchSpace, *, weights: Path, data: Path, part: str = ""
) -> Study:
    """A new study with weights in the layout of once-for-all's MobileNetV3 or ProxylessNAS
    supernets, of several state dicts in the file that called `part`.

    Raises as `load_weights`, `supernet_from_once_for_all` and `load_dataset`, and `InvalidInput`
    where the images do not suit the space or the folder holds weights already.
    """
    from foxnas_core.supernet.weights import load_weights

    study = Study(folder, folder.resolve().name, "", space)
    if study.checkpoint_file.exists():
        raise InvalidInput(f"{folder} holds weights already; name a new folder.")
    settings = settings_of(space)
    tensors = load_weights(weights, part)

    # Here and not above, as a file that is refused needs no torch.
    from foxnas_core.families.mbconv.once_for_all import (
        IMAGENET_MEAN,
        IMAGENET_STD,
        supernet_from_once_for_all,
    )
    from foxnas_core.supernet.checkpoint import save_checkpoint
    from foxnas_core.tasks.classification import Classification
    from foxnas_core.training.supernets import check_fits

    supernet = supernet_from_once_for_all(tensors, space)
    dataset = _dataset(data, side=settings.resolutions[-1], channels=settings.input_channels)
    check_fits(supernet, Classification.of(dataset), dataset)
    pixels: dict[str, Any] = dict(
        zip(("pixel_mean", "pixel_std"), dataset.pixel_statistics(), strict=True)
    )
    if settings.input_channels == 3:
        pixels = {"pixel_mean": list(IMAGENET_MEAN), "pixel_std": list(IMAGENET_STD)}
    _begin(study, dataset)
    with study.writing():
        save_checkpoint(study.checkpoint_file, supernet, _record(dataset, weights) | pixels)
    return study


def _dataset(data: Path, *, side: int, channels: int) -> Dataset:
    if data.suffix != ".npz":
        if not side and not has_fashion_mnist(data):
            raise InvalidInput(
                "Pictures are resized to the supernet's resolution, which it does not say; give "
                "the module an attribute 'resolution' (pixels), or the space such a decision."
            )
        return load_dataset(data, side=side, channels=channels)
    if not data.exists():
        raise MissingPart(f"There are no images at {data}; name another file or folder.")
    parts = unpack_images(data)
    if set(parts) != {"calibration", "held_out"}:
        raise InvalidInput(f"{data} lacks calibration or held-out images.")
    classes = 1 + max(int(part.labels.max(initial=0)) for part in parts.values())
    return Dataset(
        f"{data.resolve().parent.name}/{data.name}",
        "as the images' owner says",
        tuple(map(str, range(classes))),
        parts["calibration"],
        parts["held_out"],
    )


def _record(dataset: Dataset, weights: Path) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "licence": dataset.licence,
        "classes": list(dataset.classes),
        "weights": f"{weights.name} ({file_hash(weights)})",
    }


def _begin(study: Study, dataset: Dataset) -> None:
    """Write what a study has beside its weights, which are written last."""
    if not (study.folder / "space.json").exists():
        create_study(study.folder, study.space, name=study.name)
    if not study.images_file.exists():
        study.save_images(_spread(dataset.training), dataset.held_out)


def _spread(images: ImageSet) -> ImageSet:
    """Images for recalibration from the whole of a set, which may lie class after class."""
    count = min(CALIBRATION_IMAGES, len(images))
    # A fixed shuffle, as batches and calibration take their images from the front.
    return images.take(np.random.default_rng(0).permutation(len(images))[:count])


def _levels(value: Any) -> Any:
    """Pixel levels of a module (a number, a sequence or a tensor) as JSON holds them."""
    return np.asarray(value, dtype=float).ravel().tolist() if np.ndim(value) else float(value)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two state dicts hold the same tensors."""
    return one.keys() == other.keys() and all(one[n].equal(other[n]) for n in one)
