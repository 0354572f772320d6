"""The options of the command line: what each command takes, by subject."""

import argparse
import sys
from pathlib import Path

from foxnas_core.options import choosing, measuring, taking

# In the order in which help and the reference tell them.
_COMMANDS = (
    measuring.train,
    measuring.measure,
    choosing.fit,
    measuring.calibrate,
    choosing.search,
    choosing.select,
    choosing.counterfactual,
    measuring.trust,
    measuring.verify,
    measuring.handmade,
    taking.export,
    taking.profile,
    measuring.fine_tune,
    choosing.explain,
    taking.report,
    taking.import_table,
    measuring.weights,
    taking.study,
    taking.app,
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; the reference in docs/command-line.md follows it."""
    parser = argparse.ArgumentParser(
        prog="foxnas" if Path(sys.argv[0]).stem == "foxnas" else "python -m foxnas_core",
        description="Choose a subnet of a weight-sharing supernet for a device, and know why.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser
