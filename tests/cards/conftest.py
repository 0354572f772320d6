"""Studies of every kind that an analysis may meet."""

import shutil
from collections.abc import Iterator

import pytest
from conftest import DEMO
from trials import claim_of, trial_of

from foxnas_core.cards import strategies
from foxnas_core.cards.given import Given
from foxnas_core.cards.quest import Quest
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.trust.pairs import TRUST
from foxnas_core.evidence.verification.claims import CLAIMS, Trials
from foxnas_core.explanation import second_opinion
from foxnas_core.profiling import profile
from foxnas_core.search import stability
from foxnas_core.search.annealing import search
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import Study, create_study, file_hash, open_study


@pytest.fixture(scope="session")
def full_study(tmp_path_factory) -> Study:
    """A copy of the demo, which has most of what a study may have, and claims, some measured; with
    few of its images, on all of which networks take seconds to calibrate."""
    folder = tmp_path_factory.mktemp("full") / "demo"
    shutil.copytree(DEMO, folder)
    shutil.copy(DEMO.parent / "demo-rounds" / "rounds.json", folder)
    study = open_study(folder)
    calibration, held_out = study.images()
    study.save_images(calibration.take(slice(0, 200)), held_out.take(slice(0, 1000)))
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


# Each is shared by all tests, which compute much of it once.


@pytest.fixture(scope="session")
def quickly() -> Iterator[None]:
    """Networks are profiled in few runs, strategies raced to few evaluations, trees boosted in few
    bags, and fronts resampled a few times."""
    with pytest.MonkeyPatch.context() as patch:
        for constant in ("_RUNS", "_PROFILED_RUNS"):
            patch.setattr(profile, constant, 12)
        patch.setattr(strategies, "_QUICK", 200)
        patch.setitem(stability.resampled_fronts.__kwdefaults__, "draws", 20)
        patch.setattr(second_opinion, "BAGS", 2)
        patch.setattr(second_opinion, "_BAGS_HELD_OUT", 1)
        yield


@pytest.fixture(scope="session")
def full(full_study, quickly) -> Given:
    return Given(full_study)


@pytest.fixture(scope="session")
def empty(tiny_space, quickly, tmp_path_factory) -> Given:
    """A space and nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "empty"
    return Given(create_study(folder, tiny_space, name="Empty"))


@pytest.fixture(scope="session")
def broken(tiny_space, quickly, tmp_path_factory) -> Given:
    """All of whose files are damaged."""
    folder = tmp_path_factory.mktemp("broken") / "broken"
    study = create_study(folder, tiny_space, name="Broken")
    study.table_file.write_bytes(b"PAR1 nonsense")
    study.optima_file.write_bytes(b"PAR1 nonsense")
    for file in (study.file(TRUST), study.file(ROUNDS), study.file(CLAIMS), study.file(HANDMADE)):
        file.write_text("{")
    return Given(study)
