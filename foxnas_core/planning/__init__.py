"""Which subnets to measure next, so that the effects become known best."""
