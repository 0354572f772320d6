"""Whether all that a study has can be read."""

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.study.files import about, check_description
from foxnas_core.study.parts import MIXTURE, collections, kinds
from foxnas_core.study.siblings import sibling_of
from foxnas_core.study.study import Study
from foxnas_core.table.files import check_bounds
from foxnas_core.tasks.dataset import check_packed


def check_weights(study: Study) -> None:
    """Raise as `Study.load_checkpoint` for what the head of the file tells, without torch."""
    if not study.checkpoint_file.exists():
        study.load_checkpoint()  # which says what to do
    study.training_record()


def check_parts(study: Study) -> None:
    """Read whatever the study has, as the pages will, without its weights and pictures themselves.

    Raises `InvalidInput` naming the file that is damaged, of another space or too large.
    """
    from foxnas_core.supernet.header import checkpoint_space

    try:
        told = about(study.folder)
        check_description(told.get("name", study.name), told.get("description", ""))
        tables = {
            study.table_file: study.table,
            study.optima_file: study.optima,
            study.blocks_file: study.blocks,
        }
        for path, read in tables.items():
            if path.exists():
                check_bounds(path)
                read()
        for kind in kinds():
            study.record(kind)
        for many in collections():
            for record_id in study.ids(many):
                study.kept(many, record_id)
        sibling_of(study.folder)
        if study.images_file.exists():
            check_packed(study.images_file, {"calibration", "held_out"})
        for file in (study.checkpoint_file, study.folder / MIXTURE):
            if not file.exists():
                continue
            own = checkpoint_space(file)
            if own.fingerprint != study.space.fingerprint:
                raise InvalidInput(
                    f"{file} was trained on space {own.name!r} "
                    f"({own.fingerprint}), not on {study.space.name!r} "
                    f"({study.space.fingerprint}); use the checkpoint of this study."
                )
    except FoxnasError:
        raise
    except Exception as error:  # what somebody wrote to break a reader
        raise InvalidInput(f"{study.folder} is damaged; make the file again.") from error
