"""What pages compute, kept by the content it was computed from. The only user of `st.cache_*`.

Tables, predictors and fronts are frozen values that no page changes, so all sessions share one
copy of each instead of unpickling their own at every rerun.
"""

# What is imported here is what pages take from here.
# ruff: noqa: F401

from pages.shared.cache.fits import (
    measured_labels_of,
    middle_of,
)
from pages.shared.cache.given import (
    Cached,
    calibrations_of,
    front_of,
    looked_at,
    problem_of,
    searches_of,
)
from pages.shared.cache.records import (
    held_out_of,
    report_of,
)
from pages.shared.cache.running import works
from pages.shared.cache.uploads import Upload, foreign_of, imported_of
from pages.shared.cache.versions import (
    Shown,
    Stamp,
    TableChanged,
    Version,
    cached,
    drawn,
    export_stamp,
    on_disk,
    settle,
    table_of,
)
