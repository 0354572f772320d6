"""One cost on several devices, in int8, on this machine, and of networks designed by hand."""

from pages.shared.views import show_views

show_views(
    "Devices",
    {
        "compare": "Two devices",
        "all": "All devices",
        "order": "Order of subnets",
        "calibrate": "A new device",
        "machine": "This machine",
        "int8": "int8",
        "handmade": "Hand-designed",
    },
)
