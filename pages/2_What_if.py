"""One subnet: edited, explained."""

from pages.shared.views import show_views

show_views("What-if", {"editor": "Editor", "explained": "Explained"})
