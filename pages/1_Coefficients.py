"""What each choice costs and buys, what to make smaller, and where predictions come from."""

from pages.shared.views import show_views

show_views(
    "Coefficients",
    {"effects": "Effects", "shrink": "Save and shrink", "explanations": "Explanations"},
)
