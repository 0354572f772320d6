"""What draws the images that ship; see data/README.md. Nothing of the product imports it."""
