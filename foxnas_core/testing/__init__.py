"""What every member of a kind must keep: suites that ours run, and that yours can.

Each function takes what it checks, raises `AssertionError` with a sentence, and needs no test
framework.
"""
