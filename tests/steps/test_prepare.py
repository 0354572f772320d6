from foxnas_core.search.annealing import Annealer
from foxnas_core.steps.kept_fits import FOLDER
from foxnas_core.steps.prepare import prepare


def test_fits_are_kept_and_the_loop_is_compiled(measured_study, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where nothing is kept yet
    compiled = []
    monkeypatch.setattr(Annealer, "prepare", lambda annealer: compiled.append(annealer))
    assert prepare(measured_study) and len(compiled) == 1
    kept = list((measured_study.folder / FOLDER).glob("*.fit"))
    assert kept and {"accuracy", "latency_ms"} == {
        compiled[0].problem.objective.target.column,
        *(limit.column for limit in compiled[0].problem.limits),
    }


def test_a_study_without_rows_has_nothing_to_prepare(tiny_study):
    assert not prepare(tiny_study)
