"""Several latency columns of one table beside each other: how devices differ, which subnets swap
their order between them, and how few measurements of a new one suffice."""
