"""State what the regressions claim, measure it on this machine, and keep the score."""

import math
from collections.abc import Sequence
from importlib.util import find_spec

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.evidence.verification.claims import Claim, Trial
from foxnas_core.evidence.verification.edits import editable
from foxnas_core.evidence.verification.judging import claims_on
from foxnas_core.evidence.verification.scoreboard import scoreboard, trials_table
from foxnas_core.explanation.edits import changes
from foxnas_core.figures import verification as figures
from foxnas_core.measurement.runner import device_name
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.editing.bulk import set_choices
from foxnas_core.steps.trials import TARGETS, latency_device
from foxnas_core.steps.verify import LEVEL
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from pages.shared import cache, choices
from pages.shared.commands import shown_folder
from pages.shared.cost import cost_picker
from pages.shared.editor import architecture_picker, start_of
from pages.shared.frame import errors_as_cards, may_write, page
from pages.shared.panel import panel
from pages.shared.text import plain
from pages.shared.verifications import Verification

IMAGES = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
RANDOM = 10
ALONE, EDIT = "A subnet", "An edit"
WHAT_IF = "as edited on What-if"


def lacking(study: Study) -> str | None:
    """What keeps this study from measuring, and how to get it."""
    train = "train a supernet with 'python -m foxnas_core train', which stores both"
    if not study.checkpoint_file.exists():
        return (
            "This study has no supernet weights, so nothing can be measured here; "
            f"{train}, or copy yours to supernet.safetensors. What is claimed can be read all the "
            "same."
        )
    if not study.images_file.exists():
        return (
            "This study has no images, on which subnets are recalibrated and scored; "
            f"{train}, or copy its images.npz into the study."
        )
    if find_spec("torch") is None or find_spec("onnxruntime") is None:
        return (
            "torch and onnxruntime, which measuring needs, are not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


# What to test


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
    name = left.selectbox("Edit", names, index=first, key="edit-decision")
    if name == WHAT_IF:
        right.caption(plain(changes(list(study.space.by_name), start, architecture)))
        return start, architecture
    value: Value = right.selectbox(
        f"{architecture[name]} becomes", others[name], key=f"edit-value-{name}"
    )
    decision = study.space.by_name[name]
    return architecture, set_choices(study.space, architecture, [decision], value).architecture


def show_claims(predictors: Sequence[Predictor], subnets: Sequence[Architecture]) -> None:
    """What is claimed of the subnets, before anything is measured."""
    found = {p.target.column: claims_on(p, subnets, level=LEVEL) for p in predictors}
    kinds = {"value": f"Subnet {subnets[-1].id}"}
    if len(subnets) == 2:
        kinds = {"difference": "The edit changes", **kinds}
    lines = [f"| Claimed | {' | '.join(kinds.values())} |", "|---" * (len(kinds) + 1) + "|"]
    for column, claims in found.items():
        cells = {claim.kind: claim_text(claim) for claim in claims}
        named = plain(metric_of(column).label)
        lines.append(f"| {named} | {' | '.join(cells[kind] for kind in kinds)} |")
    with st.container(key="claimed"):
        st.markdown("\n".join(lines))
    st.caption(
        "With 95 % intervals: of the mean effect for what an edit changes, of one new measurement "
        "for the edited subnet."
        if len(subnets) == 2
        else "With 95 % prediction intervals."
    )


def claim_text(claim: Claim) -> str:
    """The claim with its interval, as Markdown."""
    target, signed = metric_of(claim.target), claim.kind == "difference"
    unit = target.difference_unit if signed else target.unit
    value, low, high = (
        plain(target.text(number, signed=signed)) for number in (claim.value, claim.low, claim.high)
    )
    return f"**{value}** {unit} ({low} to {high})"


def predictors_of(study: Study, columns: Sequence[str]) -> list[Predictor]:
    """The predictors of what is measured here; what can't be fitted is said."""
    found = []
    for column in columns:
        if column in TARGETS:
            try:
                found.append(cache.predictor_of(study, column))
            except FoxnasError as error:
                st.caption(plain(f"{metric_of(column).label}: {error}"))
    return found


def images_picker(study: Study) -> int:
    """Draw the choice of how many held-out images to score and return it."""
    total = cache.held_out_of(study)
    options = [*(n for n in IMAGES if n < total), total]
    return st.select_slider(
        "Held-out images to score", options, value=total,
        format_func=lambda n: f"all {n:,}" if n == total else f"{n:,}", key="images",
        help="Fewer are quicker and leave more open. Only rows that are scored on all of them join "
        "the table, whose accuracies are all of the same images.",
    )  # fmt: skip


def next_seed(trials: Sequence[Trial]) -> int:
    """The seed whose random claims are not all measured yet, or else one that was not used."""
    random = [trial for trial in trials if trial.chosen == "random"]
    waiting = [trial.seed for trial in random if not trial.done]
    return waiting[0] if waiting else max((trial.seed for trial in random), default=-1) + 1


# Measuring


def show_job(job: Verification) -> None:
    """How far it is, drawn again while it runs, and the page once it has ended."""

    @st.fragment(run_every=0.5)
    @errors_as_cards()
    def draw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.verifications().get(job.id, job.study)
        now, left = job.progress, job.seconds_left
        which = f"{now.done} of {now.total} done; " if now.total > 1 else ""
        stage = "stopping after what is being measured" if job.stopping else now.stage
        rest = (
            "" if math.isnan(left) or job.stopping else f", about {max(1, round(left)):,} s to go"
        )
        text = f"{which}{stage}{rest}"
        st.progress(now.done / now.total, text[0].upper() + text[1:])
        if job.ended:
            st.rerun()

    with st.container(border=True, key="verification"):
        draw()
        st.button("Stop", key="verification-stop", on_click=job.stop)


def show_buttons(
    study: Study,
    trials: Sequence[Trial],
    subnets: Sequence[Architecture],
    predictors: Sequence[Predictor],
) -> None:
    """How many images, and what starts a measurement."""
    if not may_write("no claim can be written down and tested"):
        return
    images = images_picker(study)
    home, here = latency_device(cache.table_of(study)), device_name()
    if home not in (None, here):
        st.caption(
            plain(
                f"The table's latencies are of {home or 'a device that it does not name'}, and "
                f"this is {here}: latencies measured here are shown, but do not count."
            )
        )
    known = {p.target.column: p for p in predictors}

    def start(**what: object) -> None:
        with errors_as_cards():
            cache.verifications().start(study, images=images, known=known, **what)
            choices.remember("shown-trial", None)
            st.rerun()

    st.button("Measure it now", key="measure-now", type="primary", on_click=choices.ask("measure"))
    if choices.asked("measure"):
        start(subnets=subnets)
    st.caption(
        "The claims are written down first. Then the subnets are recalibrated, scored in fp32 and "
        "int8, and timed in rounds that visit both: some ten seconds."
    )
    with st.container(border=True):
        st.markdown(
            "**Claims that nobody picked.** Random edits of random subnets, so that the scoreboard "
            "is not made of claims that looked good."
        )
        left, right = st.columns(2)
        count = left.number_input("How many", 1, 100, RANDOM, key="random-count")
        first = next_seed(trials)
        # A new key takes the new default.
        seed = right.number_input("Seed", 0, 2**31 - 1, first, key=f"random-seed-{first}")
        st.button(
            f"Test {count} random claims", key="measure-random", on_click=choices.ask("random")
        )
        if choices.asked("random"):
            start(count=count, seed=seed)
        st.caption("What was measured of a seed before is not measured again.")


def show_testing(study: Study, trials: Sequence[Trial]) -> None:
    """Pick, read the claims, measure."""
    table = cache.table_of(study)
    left, right = st.columns([1, 2], gap="large")
    with left:
        latency = cost_picker(study)
    architecture = architecture_picker(study, latency, right)
    left, right = st.columns([3, 2], gap="large")
    with left:
        subnets = edit_picker(study, architecture)
        predictors = predictors_of(study, [target.column for target in table.targets])
        if predictors:
            show_claims(predictors, subnets)
        rows = int(table.frame["id"].isin([a.id for a in subnets]).sum())
        if rows:
            st.caption(
                f"The table has {rows} row{'s' if rows > 1 else ''} of this already. The claim "
                "that is tested comes from a fit without, so it may differ a little from these."
            )
    with right:
        missing = lacking(study)
        job = cache.verifications().of(str(study.folder))
        if missing:
            st.info(plain(missing))
            st.code(
                f"python -m foxnas_core verify --study {shown_folder(study)} --random {RANDOM}",
                language="bash",
            )
            st.caption("On a machine that has both, this command does the same.")
        elif job is not None and not job.ended:
            show_job(job)
        else:
            if job is not None and job.failed:
                st.error(plain(job.note))
            elif job is not None and job.state == "stopped":
                st.info(
                    "Stopped. What was measured is kept; claims that were not measured stand, and "
                    "are measured when they are tested again."
                )
            show_buttons(study, trials, subnets, predictors)


# What came out


def show_result(trials: Sequence[Trial]) -> None:
    """One measured trial: figure, table and verdicts in words."""
    done = {trial.id: trial for trial in reversed(trials) if trial.done}
    if not done:
        st.info("Nothing was measured yet; press Measure it now, or test some random claims.")
        return
    shown = choices.remembered("shown-trial")
    choices.show("trial", shown if shown in done else next(iter(done)))
    picked = st.selectbox(
        "Test", list(done), format_func=lambda name: f"{done[name].title} ({done[name].chosen})",
        key="trial",
        on_change=choices.on_change("trial", lambda name: choices.remember("shown-trial", name)),
    )  # fmt: skip
    trial = done[picked]
    with st.container(key="verdicts"):
        for (_, verdict), sentence in zip(trial.judged, trial.sentences(), strict=True):
            mark = ":material/remove:" if verdict.reason else (
                ":material/check:" if verdict.inside else ":material/close:"
            )  # fmt: skip
            st.markdown(f"{mark} {plain(sentence)}")
    table = figures.verdict_table(trial)
    panel(
        "",
        "Above what was claimed: thick the stated interval, thin the one that the measurement is "
        "held against. Below what was measured, with its own interval; a red cross lies outside.",
        table,
        figures.verdict_figure(table),
        key="verdict",
    )
    how = trial.circumstances
    assert how is not None
    fits = {claim.target: claim.fit for claim in trial.claims}
    read = ", ".join(f"{metric_of(c).label} {fit.rows} rows" for c, fit in fits.items())
    joined = (
        f"{how.rows} row{'s' if how.rows > 1 else ''} joined the table."
        if how.rows
        else "No row joined the table, as not all images were scored."
    )
    st.caption(
        plain(
            f"Stated {at(trial.made)} by fits that read: {read}, and {trial.left_out} rows of "
            f"these subnets left out. Measured {at(how.measured)} on {how.images:,} of "
            f"{how.held_out:,} held-out images, on {how.device}. {joined}"
        )
    )


def at(moment: str) -> str:
    """A moment as one reads it, to the minute."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def show_board(trials: Sequence[Trial]) -> None:
    """The scoreboard and every claim behind it."""
    board = scoreboard(trials)
    with st.container(key="scoreboard"):
        for sentence in board.sentences():
            st.markdown(f"- {plain(sentence)}")
    if not trials:
        return
    table = figures.board_table(board)
    if board.tested:
        panel(
            "",
            "The share of claims that held, with its 95 % interval (Wilson). Where the dashed line "
            "crosses it, claims hold as often as stated.",
            table,
            figures.board_figure(table),
            key="board",
        )
    elif len(table):
        panel("", "What was measured does not count yet.", table, key="board")
    st.caption(
        "A subnet's value is held against its prediction interval. What an edit changes is held "
        "against the stated interval of the mean effect, widened by no more than the error of "
        "measuring both subnets on the same images and in the same rounds: a strict test, which "
        "fails where the effect depends on what else is chosen. *within scatter* counts those that "
        "at least differ no more than rows scatter about the fit. Latencies of another device than "
        "the table's, and those that failed a check, are not counted. Subnets picked by hand are "
        "kept apart: one that a search found is likely overrated."
    )
    with st.expander("Every claim"):
        panel("", "", trials_table(list(reversed(trials))), key="claims")


with page(
    "Verify",
    "Are the explanations true? State what the regressions claim of a subnet or an edit, measure "
    "it on this machine, and keep the score.",
) as chosen:
    kept = cache.trials_of(chosen)
    with errors_as_cards():
        show_testing(chosen, kept)
    st.header("What was measured", divider="grey")
    with errors_as_cards():
        show_result(kept)
    st.header("Scoreboard", divider="grey")
    with errors_as_cards():
        show_board(kept)
