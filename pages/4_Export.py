"""What one takes away: a subnet as files that run, and the study as a report."""

from pages.shared.views import show_views

show_views("Export", {"files": "Files", "report": "Report"})
