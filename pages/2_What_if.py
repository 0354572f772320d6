"""One subnet: edited, asked what would have to change in it, explained, and layer by layer."""

from pages.shared.views import show_views

show_views(
    "What-if",
    {
        "editor": "Editor",
        "counterfactuals": "Counterfactuals",
        "explained": "Explained",
        "layers": "Layers",
    },
)
