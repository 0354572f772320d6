"""The searches that a study keeps: opened again, compared, deleted."""

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from foxnas_core.cards import search as cards
from foxnas_core.cards.finds import KEPT_SEARCHES
from foxnas_core.cards.search import EQUAL, label_of
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.figures import live
from foxnas_core.figures import search as tables
from foxnas_core.search.limits import noun_of
from foxnas_core.search.result import SEARCHES, SearchResult
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from foxnas_core.study.locks import is_read_only
from foxnas_core.table.metrics import metric_of
from pages.shared import cache, choices
from pages.shared.cards import given_of, show
from pages.shared.frame import errors_as_cards
from pages.shared.panel import panel
from pages.shared.picture import show_architecture
from pages.shared.search_text import SearchRun
from pages.shared.text import plain
from pages.shared.theme import vega_chart
from pages.shared.watching import show_run, show_watched

MOST_COMPARED = 8


def show_kept(study: Study, search_id: str) -> Architecture:
    """A search that was kept with the study; returns its best."""
    result = study.kept(SEARCHES, search_id)
    table = cache.table_of(study)
    if result.fingerprints["space"] != study.space.fingerprint:
        raise InvalidInput(f"Search {search_id} is of another space than the study's; delete it.")
    if result.fingerprints[result.objective] != table.fingerprint:
        st.info(
            "The measurements have changed since this search: its values are those of the older "
            "regression, the intervals and the front those of the present one."
        )
    if drawable(study, result):
        front = cache.front_of(study, cost_of(study, result), tuple(result.allowed.items()))
        run = SearchRun.of_result(result, study)
        show_watched(
            study, front, run.first_bound, run.exact,
            lambda spans: show_run(study, front, run, spans), least_cost=run.least_cost,
        )  # fmt: skip
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


def drawable(study: Study, result: SearchResult) -> bool:
    """Whether it weighed the objective against a cost, which is what the charts show."""
    objective = study.objective
    if not result.limits:
        return False
    (first, _), side = result.limits[0], result.sides[0]
    if result.objective == objective.column:
        return side == "at_most"
    return first == objective.column and (side == "at_least") == (objective.sign > 0)


def cost_of(study: Study, result: SearchResult) -> str:
    """The column that a drawable search weighed the objective against."""
    own = result.objective == study.objective.column
    return result.limits[0][0] if own else result.objective


def kept_picker(study: Study, chosen: str | None) -> None:
    """Reopen one of the searches that the study holds."""
    ids = list(cache.searches_of(study))
    if not ids:
        return
    key = f"kept-{chosen or 'none'}"
    with st.container(key="kept"):
        st.selectbox(
            "Kept searches", ids, index=ids.index(chosen) if chosen in ids else None,
            placeholder=f"Open one of {len(ids)} …", format_func=labelled(study), key=key,
            on_change=choices.on_change(key, lambda s: choices.update(search=s)),
        )  # fmt: skip


def show_kept_searches(study: Study) -> None:
    """All kept searches in a table, to compare some of them or to delete them."""
    kept, ids = cache.searches_of(study), study.ids(SEARCHES)[:KEPT_SEARCHES]
    if not ids:
        return
    if kept:
        show(cards.kept, given_of(study))
    wanted = (choices.current().compare or "").split(",")
    if unknown := [w for w in wanted if w and w not in ids]:
        st.warning(f"Not kept with this study, and left aside: {plain(', '.join(unknown)[:200])}.")
    known = [w for w in dict.fromkeys(wanted) if w in ids][:MOST_COMPARED]
    choices.show("compare", known)
    st.multiselect(
        "Searches to compare or to delete", ids, key="compare", format_func=labelled(study),
        max_selections=MOST_COMPARED, placeholder="Choose two or more to compare …",
        on_change=choices.on_change(
            "compare", lambda chosen: choices.update(compare=",".join(chosen) or None)
        ),
    )  # fmt: skip
    if known:
        delete_button(study, known)
    found = {i: kept[i] for i in known if i in kept}
    if len(found) > 1:
        [first, *_] = found.values()
        compared = {i: r for i, r in found.items() if r.objective == first.objective}
        if len(compared) < len(found):
            st.info(
                f"{len(found) - len(compared)} of the chosen searches look for something else than "
                f"{search_noun(first)} and are left out of the comparison."
            )
        if len(compared) > 1:
            show_comparison(compared)


def labelled(study: Study) -> Callable[[str], str]:
    """What a kept search is called in a list, where equal names would be taken for one."""
    kept = cache.searches_of(study)
    return lambda key: f"{label_of(kept[key])} · {key}" if key in kept else f"{key} (damaged)"


def search_noun(result: SearchResult) -> str:
    """What a search looks for, within a sentence."""
    target = metric_of(result.objective)
    return f"the {'least' if target.direction == 'min' else 'best'} {noun_of(target)}"


def show_comparison(compared: dict[str, SearchResult]) -> None:
    """Several kept searches on one chart."""
    st.header("Compared")
    gaps = [result.gap for result in compared.values() if result.gap is not None]
    exact = sum(gap < EQUAL for gap in gaps)
    st.write(
        f"The best so far of {len(compared)} searches; dashed, the exact optimum of each. "
        f"{exact} of {len(compared)} found it."
    )
    lengths = [result.proposals for result in compared.values()]
    table = tables.comparison_table(compared)
    objective = metric_of(next(iter(compared.values())).objective)
    spec = live.comparison_spec(objective, list(compared), max(lengths) > 10 * min(lengths))
    vega_chart(table[["search", "proposals", "best_value", "exact"]], spec, key="comparison-chart")
    panel("", "", tables.searches_table(compared), key="compared")
    with st.expander("Courses"):
        panel("", "", table, key="comparison")


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
