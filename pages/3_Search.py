"""One problem, searched and looked at: the annealer live, the front, other strategies, and the
searches that were kept."""

from pages.shared.views import show_views

show_views(
    "Search",
    {
        "live": "Live",
        "front": "Front",
        "strategies": "Strategies",
        "kept": "Kept searches",
    },
)
