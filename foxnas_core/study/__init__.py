"""A study on disk: the only room that knows paths and formats."""

from foxnas_core.study.check import check_parts, check_weights
from foxnas_core.study.create import create_study, list_studies, new_study_folder, open_study
from foxnas_core.study.files import file_hash, parse_space, read_architecture, read_space
from foxnas_core.study.study import Study

__all__ = [
    "Study",
    "check_parts",
    "check_weights",
    "create_study",
    "file_hash",
    "list_studies",
    "new_study_folder",
    "open_study",
    "parse_space",
    "read_architecture",
    "read_space",
]
