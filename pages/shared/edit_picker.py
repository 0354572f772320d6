"""The picker of a subnet, or of an edit of it, that is to be measured."""

import streamlit as st

from foxnas_core.evidence.verification.edits import editable
from foxnas_core.explanation.edits import changes
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.editing.bulk import set_choices
from foxnas_core.study import Study
from foxnas_core.table.headings import heading_of
from pages.shared.starting_points import start_of
from pages.shared.text import plain

ALONE, EDIT = "A subnet", "An edit"
WHAT_IF = "as edited on What-if"


def edit_picker(study: Study, architecture: Architecture) -> tuple[Architecture, ...]:
    """Draw the choice of a subnet alone or of an edit, and return what is to be measured."""
    what = st.segmented_control(
        "What to test", [ALONE, EDIT], default=EDIT, required=True, key="what",
        help="An edit measures two subnets beside each other: what changes between them, and the "
        "edited one's own values.",
    )  # fmt: skip
    if what == ALONE:
        return (architecture,)
    start = start_of(architecture, study.space)
    others = editable(study.space, architecture)
    names = ([WHAT_IF] if start != architecture else []) + list(others)
    if not names:
        st.info("This space leaves nothing to edit, so only the subnet itself can be tested.")
        return (architecture,)
    left, right = st.columns(2)
    # A block's choice is the usual question; it may be that nothing was edited, and no block there.
    block = (n for n, name in enumerate(names) if name in others and study.space.by_name[name].slot)
    first = 0 if names[0] == WHAT_IF else next(block, 0)
    name = left.selectbox("Edit", names, index=first, format_func=heading_of, key="edit-decision")
    if name == WHAT_IF:
        right.caption(plain(changes(list(study.space.by_name), start, architecture)))
        return start, architecture
    value: Value = right.selectbox(
        f"{architecture[name]} becomes", others[name], key=f"edit-value-{name}"
    )
    decision = study.space.by_name[name]
    return architecture, set_choices(study.space, architecture, [decision], value).architecture
