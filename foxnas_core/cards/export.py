"""What a subnet can be written as, and whether what was written is right."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.export.formats import FORMATS, formats_of
from foxnas_core.families import family_of
from foxnas_core.figures.export import checks_table

if TYPE_CHECKING:
    from foxnas_core.export.written import ExportedModel


def no_files(given: Given) -> str | None:
    """What keeps a study from exporting files."""
    if not given.study.checkpoint_file.exists():
        return (
            "This study has no supernet weights, so there are no files to build; train a supernet "
            "with 'python -m foxnas_core train', or copy yours to supernet.safetensors. The "
            "architecture can be downloaded all the same, and with random weights, to measure what "
            "it costs ('python -m foxnas_core export --random-weights')."
        )
    if not given.study.images_file.exists():
        return given.study.no_images("on which batch norms are recalibrated and files checked")
    return _no_tools()


def no_untrained(given: Given) -> str | None:
    """What keeps a study from exporting its networks with random weights."""
    if not family_of(given.study.space).network:
        return (
            f"Architectures of family {given.study.space.family!r} can't be built as networks, so "
            "there is no file to write of them."
        )
    return _no_tools()


def _no_tools() -> str | None:
    if find_spec("torch") is None or find_spec("onnxruntime") is None:
        return (
            "torch and onnxruntime, which exporting needs, are not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


@analysis("Export", "formats", "Formats that can be written here", no_files)
def formats(given: Given) -> Card:
    here = [own.name for own in formats_of(None)[0]]
    return Card(
        sentence=f"{len(here)} of {len(FORMATS)} formats can be written here.",
        points=tuple(
            f"{own.title}: for {own.suits}."
            + (
                ""
                if own.name in here
                else f" Not installed here; 'make runtime-{own.runtime.name}' installs it into an "
                "environment of its own."
            )
            for own in FORMATS.values()
        ),
        table=pd.DataFrame(
            {
                "format": own.name,
                "title": own.title,
                "file": own.file,
                "suits": own.suits,
                "here": own.name in here,
            }
            for own in FORMATS.values()
        ),
    )


def checks_card(exported: "ExportedModel") -> Card:
    """How far the answers of each written file lie from its subnet's."""
    return Card(
        key="checks",
        title="Checks",
        sentence="Each model file was read back and run on real held-out images by its own "
        "runtime, and its answers compared with those of the subnet it came from; those of int8 "
        "with the fp32 file.",
        table=checks_table(exported.checks),
    )
