"""Images in domains as studies keep them."""

from pathlib import Path

from foxnas_core.files import write_atomically
from foxnas_core.tasks.dataset import ImageSet, pack_images
from foxnas_core.tasks.domain_split import DOMAINS, DomainSplit


def write_dataset(folder: Path, training: ImageSet, held_out: ImageSet, split: DomainSplit) -> None:
    """Write `images.npz` and `domains.json`."""
    packed = pack_images({"calibration": training, "held_out": held_out})
    write_atomically(folder / "images.npz", packed)
    write_atomically(folder / DOMAINS.file, DOMAINS.text(split))
    print(f"{len(training)} to train on, {len(held_out)} held out, {len(packed) / 1e6:.2f} MB")
