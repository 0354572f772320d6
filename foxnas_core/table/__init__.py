"""The measurement table: what was measured, of what kind, and how far it can be relied on."""
