"""Measuring subnets: meters for accuracy, latency and cost, and campaigns that resume."""
