"""The searches that a study keeps: listed, opened again, compared, deleted."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import streamlit as st

from foxnas_core.cards import course as courses
from foxnas_core.cards import search as cards
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import drawable, label_of, quest_of
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.search.limits import noun_of
from foxnas_core.search.result import SEARCHES, SearchResult, forms_in
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.study.locks import is_read_only
from foxnas_core.table.metrics import metric_of
from pages.shared import cache, choices
from pages.shared.cards import draw, given_of, show
from pages.shared.frame import errors_as_cards
from pages.shared.jobs import Job
from pages.shared.panel import panel
from pages.shared.picture import show_architecture
from pages.shared.text import plain
from pages.shared.theme import vega_chart
from pages.shared.watching import run_of_kept, show_pictures, show_run, show_watched

MOST_COMPARED = 8


def show_kept(study: Study, search_id: str) -> Architecture:
    """A search that was kept with the study; returns its best."""
    if search_id.startswith(f"{Job.name}-"):
        raise MissingPart(
            "The search that this address names is not under way any more, and nothing of it was "
            "kept: it was stopped, or the server that ran it has ended. Start it again."
        )
    result = study.kept(SEARCHES, search_id)
    if result.fingerprints["space"] != study.space.fingerprint:
        raise InvalidInput(f"Search {search_id} is of another space than the study's; delete it.")
    if result.fingerprints[result.objective] != cache.table_of(study).fingerprint:
        st.info(
            "The measurements have changed since this search: its values are those of the older "
            "regression, the intervals and the front those of the present one."
        )
    if drawable(study, result):
        quest: Quest = quest_of(given_of(study), result)
        now = forms_in(quest.problem)
        if result.forms not in ({}, now):
            st.info(
                "This search read another form of the regression than the one that is chosen: its "
                "values are those of that, the intervals and the front those of the present one."
            )
        run = run_of_kept(study, result, search_id)
        show_watched(quest, run.bound, run.exact, lambda spans: show_run(quest, run, spans))
        show_pictures(quest, run)
    else:
        limits = [
            f"{metric_of(column).named} {side.replace('_', ' ')} {bound:.6g}"
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
        ]
        st.write(
            f"Search for the best {metric_of(result.objective).label} with {', '.join(limits)}. "
            f"{result.certificate}"
        )
        show_architecture(study.space, result.best.architecture, key="best-chart")
    show(cards.trace, given_of(study), search=search_id)
    return result.best.architecture


def pick_kept(study: Study) -> list[str]:
    """Draw the picker of the kept searches that are overlaid, or deleted; returns their ids."""
    ids = study.ids(SEARCHES)[: cards.KEPT_SEARCHES]
    if not ids:
        return []
    wanted = (choices.current().compare or "").split(",")
    if unknown := [w for w in wanted if w and w not in ids]:
        st.warning(f"Not kept with this study, and left aside: {plain(', '.join(unknown)[:200])}.")
    known = [w for w in dict.fromkeys(wanted) if w in ids][:MOST_COMPARED]
    choices.show("compare", known)
    st.multiselect(
        "Searches to overlay, or to delete", ids, key="compare", format_func=labelled(study),
        max_selections=MOST_COMPARED, placeholder="Choose one or more …",
        on_change=choices.on_change(
            "compare", lambda chosen: choices.update(compare=",".join(chosen) or None)
        ),
    )  # fmt: skip
    return known


def compare(study: Study, ids: list[str]) -> None:
    """The chosen searches on one chart, those that look for the same; a point tells its details."""
    kept = cache.searches_of(study)
    found = {i: kept[i] for i in ids if i in kept}
    if not found:
        return
    [first, *_] = found.values()
    compared = {i: r for i, r in found.items() if r.objective == first.objective}
    if len(compared) < len(found):
        st.info(
            f"{len(found) - len(compared)} of the chosen searches look for something else than "
            f"{search_noun(first)} and are left out of the comparison."
        )
    card, table, spec = courses.comparison(compared)
    draw(card, study, tabled=False)
    picked = vega_chart(
        table, spec, key="comparison-chart", on_select="rerun", selection_mode=courses.PICKED
    )
    show_point(study, compared, picked)
    panel("", "", card.table, key="compared")
    with st.expander("Courses"):
        panel("", "", table, key="comparison")


def show_point(study: Study, compared: dict[str, SearchResult], picked: Any) -> None:
    """What a search had found at the point that was clicked, and ways on."""
    point = courses.picked_point(picked)
    search_id = point.get("search")
    if search_id not in compared:
        st.caption("Click a point of a course for its details.")
        return
    with st.container(border=True, key="point"):
        result = compared[search_id]
        draw(courses.point_card(search_id, result, point.get("proposals")), study, header=False)
        show_architecture(study.space, result.best.architecture, key="point-chart")
        if st.button("Open it live", key="open-point"):
            choices.update(search=search_id, view="live")
            choices.choose_view("Search", "live")
            st.rerun()


def labelled(study: Study) -> Callable[[str], str]:
    """What a kept search is called in a list, where equal names would be taken for one."""
    kept = cache.searches_of(study)
    return lambda key: f"{label_of(kept[key])} · {key}" if key in kept else f"{key} (damaged)"


def search_noun(result: SearchResult) -> str:
    """What a search looks for, within a sentence."""
    target = metric_of(result.objective)
    return f"the {'least' if target.direction == 'min' else 'best'} {noun_of(target)}"


def delete_button(study: Study, ids: list[str]) -> None:
    """Delete kept searches, after asking; not where nothing may be changed."""
    if is_read_only():
        return

    def delete() -> None:
        choices.remember("deleting", None)
        with errors_as_cards():
            for search_id in ids:
                with suppress(MissingPart):  # deleted elsewhere
                    study.forget(SEARCHES, search_id)
        gone = choices.current().search in ids
        choices.update(compare=None, **({"search": None} if gone else {}))

    what = f"{len(ids)} search{'es' if len(ids) > 1 else ''}"
    with st.container(key="delete"):
        if choices.remembered("deleting") != ids:
            st.button(
                f"Delete {what} …", key="ask-delete",
                on_click=lambda: choices.remember("deleting", ids),
            )  # fmt: skip
            return
        st.warning(f"Delete {what} ({', '.join(ids)}) for good? Nothing brings them back.")
        left, right, _ = st.columns([1, 1, 3])
        left.button(
            f"Delete {what}", key="delete-now", type="primary", width="stretch", on_click=delete
        )
        right.button(
            "Keep", key="delete-not", width="stretch",
            on_click=lambda: choices.remember("deleting", None),
        )  # fmt: skip
