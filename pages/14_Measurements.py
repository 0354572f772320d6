"""What was measured: to look through, how good it is, and what to measure next."""

from pages.shared.views import show_views

show_views(
    "Measurements",
    {
        "explore": "Explore",
        "quality": "Quality",
        "next": "What to measure next",
        "rounds": "Rounds",
    },
)
