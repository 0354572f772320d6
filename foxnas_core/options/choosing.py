"""Options of the commands that fit, explain and search."""

from pathlib import Path

from foxnas_core.options.shared import (
    ARCHITECTURE,
    Commands,
    a_choice,
    a_share,
    add_goals,
    add_limits,
    add_supernet,
    command,
    natural,
    pair,
    positive,
)


def fit(commands: Commands) -> None:
    fit = command(commands, "fit", "fit the regression of every target")
    fit.add_argument(
        "--form",
        default="auto",
        help="auto, per_layer, block_state, choice_counts, stage_counts, foxnas, interactions or "
        "count_interactions (default: auto)",
    )
    fit.add_argument(
        "--link",
        default="auto",
        help="of the accuracy: auto, none or saturating (default: auto)",
    )
    fit.add_argument("--target", metavar="COLUMN", help="of one target, with its coefficients")


def search(commands: Commands) -> None:
    search = command(commands, "search", "anneal under limits, beside the exact optimum")
    add_goals(search)
    search.add_argument(
        "--budget", "--latency-budget", type=float, metavar="X", help="the limit on the cost"
    )
    search.add_argument(
        "--rounds",
        type=positive,
        metavar="N",
        help="search, measure the finds on this machine and fit anew, until the study has N rounds",
    )
    search.add_argument(
        "--per-round", type=positive, metavar="K", help="finds of a round (default: 8)"
    )
    add_limits(search)
    search.add_argument(
        "--floor",
        "--accuracy-floor",
        type=float,
        metavar="X",
        help="look for the least cost at an objective as good as this, instead of the best one",
    )
    search.add_argument(
        "--guard",
        type=a_share,
        metavar="P",
        help="search under a smaller budget, so that the measured cost keeps the given one with "
        "this probability; needs 'calibrate' first",
    )
    search.add_argument("--steps", type=positive, help="proposals of a chain")
    search.add_argument("--chains", type=positive, help="chains for each resolution")
    search.add_argument("--restarts", type=natural, help="how often each chain begins anew")
    search.add_argument("--mode", help="full or teaching")
    search.add_argument("--start-temperature", type=float, help="in the objective's unit")
    search.add_argument("--end-temperature", type=float, help="in the objective's unit")
    search.add_argument("--schedule", help="geometric, linear, logarithmic or adaptive")
    search.add_argument("--seed", type=natural)
    search.add_argument("--save", action="store_true", help="keep the search with the study")
    add_supernet(search)


def select(commands: Commands) -> None:
    select = command(commands, "select", "select an architecture by a method, and say why")
    select.add_argument(
        "--method", metavar="NAME", help="such as regression or table (default: list them all)"
    )
    select.add_argument(
        "--objective", metavar="COLUMN", help="what is to be best (default: the study's objective)"
    )
    add_limits(select)
    select.add_argument("--seed", type=natural, default=0)
    select.add_argument(
        "--state", type=Path, metavar="FILE", help="kept while it runs, to go on from when stopped"
    )


def counterfactual(commands: Commands) -> None:
    counterfactual = command(
        commands, "counterfactual", "find the fewest and the cheapest edits that reach a goal"
    )
    counterfactual.add_argument(
        "--architecture", required=True, metavar="FILE|ID|TEXT", help=ARCHITECTURE
    )
    goal = counterfactual.add_mutually_exclusive_group(required=True)
    goal.add_argument("--save", type=float, metavar="X", help="so much less of the cost")
    goal.add_argument("--gain", type=float, metavar="X", help="so much better an objective")
    goal.add_argument(
        "--budget", "--latency-budget", type=float, metavar="X", help="at most this cost"
    )
    goal.add_argument(
        "--floor",
        "--accuracy-floor",
        type=float,
        metavar="X",
        help="an objective as good as this",
    )
    add_goals(counterfactual)
    counterfactual.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="DECISION",
        help="decisions of this name or pattern stay as they are, such as 's1*'",
    )
    counterfactual.add_argument(
        "--why-not",
        type=a_choice,
        metavar="DECISION=CHOICE",
        help="why the architecture does not have this choice, within --budget",
    )


def explain(commands: Commands) -> None:
    explain = command(commands, "explain", "tell what an analysis finds in a study")
    explain.add_argument(
        "--analysis", metavar="KEY", help="such as coefficients-choices (default: list them all)"
    )
    add_goals(explain)
    explain.add_argument(
        "--target", metavar="COLUMN", help="that is looked into alone (default: the objective)"
    )
    explain.add_argument(
        "--option",
        type=lambda text: pair(text, "NAME=VALUE"),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the analysis's own; as often as needed",
    )
    explain.add_argument("--form", default="auto", help="of the regression, as of fit")
    explain.add_argument(
        "--link", default="auto", choices=("auto", "none", "saturating"), help="as of fit"
    )
    explain.add_argument(
        "--intervals",
        default="ordinary",
        choices=("ordinary", "simultaneous", "hc3", "bootstrap"),
        help="how effects are bounded",
    )
    explain.add_argument("--budget", type=float, metavar="X", help="of the cost")
    explain.add_argument(
        "--architecture", help="the chosen one: a JSON file, or a measured subnet's id"
    )
    explain.add_argument("--beside", type=Path, metavar="STUDY", help="a second study's folder")
    explain.add_argument("--against", metavar="COLUMN", help="another device's, to compare with")
    explain.add_argument(
        "--campaign", metavar="NAME", help="whose rows are looked at (default: all of them)"
    )
