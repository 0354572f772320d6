"""Views of What-if."""
