"""Whether the study holds: its supernet's ranking, and what its regressions claim."""

from pages.shared.views import show_views

show_views(
    "Trust",
    {
        "ranking": "Ranking of the supernet",
        "verify": "Claims verified",
    },
)
