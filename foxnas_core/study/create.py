"""Opening, creating and listing studies."""

import json
from pathlib import Path

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.files import write_atomically
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study.files import about, check_description, read_space
from foxnas_core.study.goals import NO_GOALS, Goals
from foxnas_core.study.locks import MARK, writing
from foxnas_core.study.names import check_name
from foxnas_core.study.parts import check_regular, file_limits
from foxnas_core.study.study import Study
from foxnas_core.table.files import to_parquet_bytes
from foxnas_core.table.measurements import MeasurementTable


def open_study(folder: Path) -> Study:
    """The study in `folder`; raises `MissingPart` or `InvalidInput` naming the file at fault."""
    if not (folder / MARK).exists():
        raise MissingPart(
            f"There is no study at {folder} (no space.json); create one with 'python -m "
            "foxnas_core train' or 'import', or name another folder."
        )
    check_regular(folder / name for name in file_limits())
    space = read_space(folder / MARK)
    told = about(folder)
    name = str(told.get("name", folder.name))
    try:
        goals = Goals.from_dict(told)
    except InvalidInput as error:
        raise InvalidInput(f"{folder / 'study.json'}: {error}") from error
    return Study(folder, name, str(told.get("description", "")), space, goals=goals)


def create_study(
    folder: Path,
    space: SearchSpace,
    *,
    name: str,
    description: str = "",
    table: MeasurementTable | None = None,
    goals: Goals = NO_GOALS,
) -> Study:
    """A new study, with the rows of `table` where given.

    Raises `InvalidInput` where `folder` holds a study already, where its name or description can't
    be one, or where it can't be written, in which case nothing is left behind.
    """
    check_description(name, description)
    study = Study(folder, name, description, space, goals=goals)
    taken = f"{folder} holds a study already; name a new folder."
    if (folder / MARK).exists():
        raise InvalidInput(taken)
    told = {"format": 1, "name": name, "description": description} | goals.to_dict()
    written: list[Path] = []

    def write(path: Path, content: bytes | str) -> None:
        write_atomically(path, content)
        written.append(path)

    with writing(folder):
        is_new = not folder.exists()
        if is_new:
            try:
                folder.mkdir(parents=True)
            except FileExistsError as error:  # somebody else was quicker
                raise InvalidInput(taken) from error
        try:
            if table is not None:
                write(study.table_file, to_parquet_bytes(table))
            write(folder / "study.json", json.dumps(told, indent=2) + "\n")
            # The last: it is what makes a folder a study.
            write(folder / MARK, json.dumps(space.to_dict(), indent=2) + "\n")
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            if is_new:
                folder.rmdir()
            raise
    return study


def new_study_folder(parent: Path, name: str) -> Path:
    """The folder of a study that is to be created in `parent` under a name that somebody typed.

    Raises `InvalidInput` where the name is not a plain one, or taken.
    """
    check_name(name)
    # Where capitals do not count, two folders can't differ in them alone.
    if name.lower() in (path.name.lower() for path in parent.glob("*")):
        raise InvalidInput(f"There is a {name!r} in {parent} already; take another name.")
    return parent / name


def list_studies(folder: Path) -> list[Path]:
    """Folders directly below `folder` that hold a study, by name; hidden ones do not count."""
    found = (path.parent for path in folder.glob(f"*/{MARK}"))
    return sorted(path for path in found if not path.name.startswith("."))
