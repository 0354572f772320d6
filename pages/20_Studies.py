"""The studies of this folder: to list, begin, bring in from elsewhere, and delete."""

from pages.shared.views import show_views

show_views(
    "Studies",
    {
        "list": "All studies",
        "bring": "Create or bring in",
        "table": "Import a table",
        "trash": "Trash",
    },
    without_study=True,
)
