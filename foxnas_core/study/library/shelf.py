"""The studies of a folder: what each holds, and copies and new names of them."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study, create_study, list_studies, new_study_folder, open_study
from foxnas_core.study.goals import NO_GOALS, Goals
from foxnas_core.study.library.placing import fill, new_folder, place
from foxnas_core.study.locks import alone, is_in_use
from foxnas_core.study.parts import opened_parts, parts_of
from foxnas_core.table.files import count_rows


@dataclass(frozen=True)
class Entry:
    """A study as its folder's list shows it, read without its table, weights or images.

    `size` is in bytes, `changed` in seconds since 1970. `problem` is the sentence that says why it
    can't be opened, if it can't; what can't be told then is "" or 0.
    """

    folder: Path
    name: str
    description: str
    space: str
    rows: int
    has_weights: bool
    has_images: bool
    size: int
    changed: float
    in_use: bool
    problem: str = ""


def shelf(studies: Path) -> list[Entry]:
    """The studies of a folder by the names of their folders, damaged ones included."""
    return [entry_of(folder) for folder in list_studies(studies)]


def entry_of(folder: Path) -> Entry:
    """What a study's folder holds."""
    name, description, space, rows, problem = folder.name, "", "", 0, ""
    try:
        study = open_study(folder)
        name, description, space = study.name, study.description, study.space.name
        rows = count_rows(study.table_file)
    except FoxnasError as error:
        problem = str(error)
    size, changed, names = 0, 0.0, set()
    for path in parts_of(folder).values():
        with suppress(OSError):  # not there, or gone meanwhile
            status = path.stat()
            size, changed = size + status.st_size, max(changed, status.st_mtime)
            names.add(path.name)
    return Entry(
        folder,
        name,
        description,
        space,
        rows,
        "supernet.safetensors" in names,
        "images.npz" in names,
        size,
        changed,
        is_in_use(folder),
        problem,
    )


def study_at(studies: Path, name: str) -> Path:
    """The folder of the study that is called so; raises `MissingPart` naming those there are."""
    # Looked up in the list, so that no name can be a path.
    folders = {folder.name: folder for folder in list_studies(studies)}
    if name not in folders:
        known = ", ".join(folders) or "none"
        raise MissingPart(f"There is no study {name!r} in {studies}; there are: {known}.")
    return folders[name]


def create(
    studies: Path, name: str, space: SearchSpace, *, description: str = "", goals: Goals = NO_GOALS
) -> Study:
    """A new study without rows, weights or images; raises as `new_study_folder` and `writing`."""
    folder = new_study_folder(studies, name)
    return create_study(folder, space, name=name, description=description, goals=goals)


def duplicate(studies: Path, name: str, new: str, *, shown: str | None = None) -> Study:
    """A copy of a study as it is at one moment, called `shown` on its pages if given.

    Raises as `study_at`, `open_study`, `new_study_folder` and `writing`.
    """
    study = open_study(study_at(studies, name))
    with new_folder(studies, new) as folder, opened_parts(study.folder) as files:
        for part, file in files.items():
            fill(folder / part, file.read)
            changed = os.fstat(file.fileno()).st_mtime_ns
            os.utime(folder / part, ns=(changed, changed))  # kept searches are listed by it
        if shown is not None:
            copy = open_study(folder)
            copy.describe(name=shown, description=copy.description)
    return open_study(studies / new)


def rename(studies: Path, name: str, new: str) -> Study:
    """The study under another folder's name, and under another shown one where both were alike.

    Raises as `study_at`, `open_study`, `new_study_folder`, and `NotWritable` where somebody uses
    it.
    """
    folder = study_at(studies, name)
    target = new_study_folder(studies, new)
    study = open_study(folder)
    with alone(folder):
        place(folder, target)
    renamed = open_study(target)
    if study.name == name:
        renamed.describe(name=new, description=study.description)
    return open_study(target)
