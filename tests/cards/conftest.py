"""Studies of every kind that an analysis may meet."""

import shutil
from collections.abc import Iterator

import pytest
from conftest import DEMO
from trials import claim_of, trial_of

from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.evidence.verification.claims import CLAIMS, Trials
from foxnas_core.profiling import profile
from foxnas_core.search.annealing import search
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import Study, create_study, file_hash, open_study


@pytest.fixture(scope="session")
def full_study(tmp_path_factory) -> Study:
    """A copy of the demo, which has most of what a study may have, and claims, some measured."""
    folder = tmp_path_factory.mktemp("full") / "demo"
    shutil.copytree(DEMO, folder)
    shutil.copy(DEMO.parent / "demo-rounds" / "rounds.json", folder)
    study = open_study(folder)
    weights = file_hash(study.checkpoint_file)
    stated = [claim_of(), claim_of("difference", "latency_ms", 0.01, 0.002)]
    trials = (
        trial_of(study.space, "one", stated, [80.2, 0.02], checkpoint=weights),
        trial_of(study.space, "two", stated, checkpoint=weights),
    )
    study.save(CLAIMS, Trials(trials))
    problem = Quest(Given(study)).problem
    study.keep(SEARCHES, search(problem, AnnealingSettings(steps=500, chains=1, restarts=0)))
    return study


@pytest.fixture(scope="session")
def full(full_study) -> Iterator[Given]:
    """Shared by all tests, which compute much of it once; profiled in few runs."""
    with pytest.MonkeyPatch.context() as patch:
        for constant in ("_RUNS", "_PROFILED_RUNS"):
            patch.setattr(profile, constant, 12)
        yield Given(full_study)


@pytest.fixture
def empty(full_study, tmp_path) -> Given:
    """A space and nothing else."""
    return Given(create_study(tmp_path / "empty", full_study.space, name="Empty"))


@pytest.fixture
def broken(full_study, tmp_path) -> Given:
    """All of whose files are damaged."""
    study = create_study(tmp_path / "broken", full_study.space, name="Broken")
    study.table_file.write_bytes(b"PAR1 nonsense")
    study.optima_file.write_bytes(b"PAR1 nonsense")
    for file in (study.file(TRUST), study.file(ROUNDS), study.file(CLAIMS), study.file(HANDMADE)):
        file.write_text("{")
    return Given(study)
