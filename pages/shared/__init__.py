"""What the pages share: frame, choices, cache, panels, running searches."""
