"""Networks designed by hand, beside those that were searched: same recipe, same meter."""
