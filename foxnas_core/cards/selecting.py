"""How an architecture may be selected: which methods there are, and what each needs."""

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given


@analysis("Select", "methods", "What each method needs")
def methods(given: Given) -> Card:
    """Every method, what it selects by, and what this study lacks for it."""
    from foxnas_core.methods import methods as known

    needs = {method: method.needs(given.study) for method in known()}
    rows = [
        {
            "method": method.title,
            "rests on": "the supernet" if method.on_supernet else "the measurements",
            "short name": method.name,
            "in words": sentence or "Can run on this study.",
        }
        for method, sentence in needs.items()
    ]
    ready = [method for method, sentence in needs.items() if sentence is None]
    return Card(
        sentence=f"{len(ready)} of {len(rows)} methods can run on this study; the command line "
        "knows each by its short name.",
        table=pd.DataFrame(rows),
        command=f"select --study {given.folder} --method {ready[0].name}" if ready else "",
        light=bool(ready) and not ready[0].on_supernet,
    )
