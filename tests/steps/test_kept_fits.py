"""Fits that are kept: the same to the last digit, never stale, never trusted."""

import io
import os
import pickle
import shutil
import subprocess
import sys
import threading
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from conftest import REPOSITORY
from hand import hand_space, saturating_table, table_of

from foxnas_core.__main__ import main
from foxnas_core.regression.keeping import pack_predictor, unpack_predictor
from foxnas_core.steps import kept_fits as keeping
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import KeptFits, fit_key, kept_fits
from foxnas_core.study import create_study
from foxnas_core.study.library import rename, write_file

HAND = hand_space()
TABLE = saturating_table(HAND, 120)
ASKED = ("accuracy", "auto", "auto")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """What other tests fitted is not found here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def kept(tmp_path):
    return KeptFits((tmp_path / "fits",))


def files(kept):
    return sorted(kept.folders[0].glob("*.fit"))


def refused() -> None:
    raise AssertionError("it was fitted anew")


def assert_same(one, other):
    """Equal to the last bit, field by field, in values and in what they hold."""
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


@pytest.mark.parametrize("form", ["auto", "per_layer", "interactions", "choice_counts"])
@pytest.mark.parametrize("link", ["auto", "saturating"])
def test_what_is_kept_is_the_fit_to_the_last_bit(kept, form, link):
    made = fit_all(TABLE, form, link, targets=["accuracy", "latency_ms"], kept=kept)
    plain = fit_all(TABLE, form, link, targets=["accuracy", "latency_ms"])
    for column, asked_link in (("accuracy", link), ("latency_ms", "none")):
        again = kept.fitted(TABLE, (column, form, asked_link), refused)
        assert_same(again, made[column])
        assert_same(again, plain[column])
        codes = HAND.random_codes(20, seed=0)
        assert again.predict_codes(codes).equals(made[column].predict_codes(codes))
        assert again.coefficients().equals(made[column].coefficients())


def test_a_calibrated_latency_is_kept_too(kept):
    here = TABLE.values("latency_ms")
    other = np.full(len(here), np.nan)
    other[::20] = 2 * here[::20] + np.arange(6) % 2
    columns = {"accuracy": TABLE.values("accuracy"), "latency_ms:board": other}
    table = table_of(HAND, TABLE.codes, latency_ms=here, **columns)
    made = fit_all(table, targets=["latency_ms:board"], kept=kept)["latency_ms:board"]
    assert made.transferred
    assert_same(kept.fitted(table, ("latency_ms:board", "auto", "none"), refused), made)


def test_another_table_or_question_is_another_fit(monkeypatch):
    keys = {fit_key(TABLE, ASKED)}
    changed = TABLE.frame.copy()
    changed.loc[0, "accuracy"] += 1e-9
    for table, asked in (
        (replace(TABLE, frame=changed), ASKED),
        (TABLE.rows(np.arange(len(TABLE)) > 0), ASKED),
        (TABLE, ("latency_ms", "auto", "auto")),
        (TABLE, ("accuracy", "per_layer", "auto")),
        (TABLE, ("accuracy", "auto", "none")),
    ):
        keys.add(fit_key(table, asked))
    assert len(keys) == 6
    # Which rows count is not in the table's fingerprint.
    some = np.arange(len(TABLE)) > 3
    with monkeypatch.context() as patched:
        patched.setattr(keeping, "usable", lambda table, column: some)
        keys.add(fit_key(TABLE, ASKED))
    with monkeypatch.context() as patched:
        patched.setattr(type(TABLE), "of_origin", lambda table, origin: some)
        keys.add(fit_key(TABLE, ASKED))
    monkeypatch.setattr(keeping, "_made_with", lambda: "other code")
    keys.add(fit_key(TABLE, ASKED))
    assert len(keys) == 9


def test_damaged_and_foreign_files_are_made_again(kept):
    fit_all(TABLE, targets=["accuracy"], kept=kept)
    [path] = files(kept)
    sound = path.read_bytes()
    other = KeptFits((path.parent / "other",))
    fit_all(TABLE, "per_layer", targets=["accuracy"], kept=other)
    damaged = bytearray(sound)
    damaged[len(sound) // 2] ^= 1
    evil = io.BytesIO()
    pickle.dump({"a": 1}, evil)
    for content in (b"", sound[:100], sound[:-1], bytes(damaged), evil.getvalue(),
                    files(other)[0].read_bytes(), b"\0" * (keeping.MOST_BYTES + 1)):  # fmt: skip
        path.write_bytes(content)
        [found] = fit_all(TABLE, targets=["accuracy"], kept=kept).values()
        assert_same(found, fit_all(TABLE, targets=["accuracy"])["accuracy"])
        assert path.read_bytes() == sound


def test_a_file_with_a_right_digest_but_wrong_contents_is_refused():
    [predictor] = fit_all(TABLE, "per_layer", targets=["accuracy"]).values()
    for wrong in (
        replace(predictor, estimates=predictor.estimates[1:]),
        replace(predictor, covariance=predictor.covariance[1:]),
        replace(predictor, form=replace(predictor.form, name="nonsense")),
        replace(predictor, form=replace(predictor.form, terms=predictor.form.terms[1:])),
    ):
        with pytest.raises((ValueError, keeping.InvalidInput)):
            unpack_predictor(pack_predictor(wrong, "key"), "key", HAND)
    with pytest.raises(ValueError):
        unpack_predictor(pack_predictor(predictor, "key"), "another", HAND)


def test_writers_at_once_leave_one_whole_file(kept):
    found = []
    workers = [
        threading.Thread(
            target=lambda: found.append(fit_all(TABLE, targets=["latency_ms"], kept=kept))
        )
        for _ in range(6)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 6
    assert len(list(kept.folders[0].iterdir())) == 1
    assert_same(kept.fitted(TABLE, ("latency_ms", "auto", "none"), refused), found[0]["latency_ms"])


def test_no_more_than_so_many_are_kept_those_used_last(kept, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_FILES", 2)
    forms = ["per_layer", "choice_counts", "stage_counts"]
    for age, form in enumerate(forms):
        fit_all(TABLE, form, targets=["accuracy"], kept=kept)
        for path in files(kept):
            os.utime(path, (path.stat().st_atime, min(path.stat().st_mtime, 1000 + age)))
        kept.fitted(TABLE, ("accuracy", "per_layer", "auto"), refused)  # used again
    assert len(files(kept)) == 2
    kept.fitted(TABLE, ("accuracy", "stage_counts", "auto"), refused)


def test_where_the_study_cannot_be_written_the_users_cache_is(tmp_path, monkeypatch):
    study = create_study(tmp_path / "own", HAND, name="Own", table=TABLE)
    (study.folder / keeping.FOLDER).write_text("in the way")
    fit_all(TABLE, targets=["accuracy"], kept=kept_fits(study))
    assert len(list((tmp_path / "cache" / "foxnas" / "fits").iterdir())) == 1
    (study.folder / keeping.FOLDER).unlink()
    monkeypatch.setenv("FOXNAS_READ_ONLY", "1")
    fit_all(TABLE, targets=["latency_ms"], kept=kept_fits(study))
    assert not (study.folder / keeping.FOLDER).exists()
    assert len(list((tmp_path / "cache" / "foxnas" / "fits").iterdir())) == 2
    # Nowhere at all: the fit is made all the same.
    (tmp_path / "file").write_text("")
    nowhere = KeptFits((tmp_path / "file" / "fits",))
    assert fit_all(TABLE, targets=["accuracy"], kept=nowhere)


def test_a_study_that_was_renamed_meanwhile_is_not_made_anew(tmp_path):
    study = create_study(tmp_path / "own", HAND, name="Own", table=TABLE)
    rename(tmp_path, "own", "moved")
    fit_all(TABLE, targets=["latency_ms"], kept=kept_fits(study))
    assert not study.folder.exists()
    assert len(list((tmp_path / "cache" / "foxnas" / "fits").iterdir())) == 1


def test_no_export_packs_them(tmp_path):
    import zipfile

    study = create_study(tmp_path / "own", HAND, name="Own", table=TABLE)
    fit_all(TABLE, targets=["accuracy"], kept=kept_fits(study))
    assert list((study.folder / keeping.FOLDER).iterdir())
    write_file(study, tmp_path / "own.zip")
    with zipfile.ZipFile(tmp_path / "own.zip") as packed:
        assert not [name for name in packed.namelist() if "fit" in name]


@pytest.mark.parametrize("command", [["fit"], ["search", "--steps", "300", "--latency-budget"]])
def test_documents_are_the_same_bytes_whether_fits_were_kept_or_not(tmp_path, capsys, command):
    study = create_study(tmp_path / "own", HAND, name="Own", table=TABLE)
    if command[0] == "search":
        command = [*command, str(float(np.median(TABLE.values("latency_ms"))))]
    told = []
    for _ in range(2):
        assert main([*command, "--study", str(study.folder), "--json"]) == 0
        told.append(capsys.readouterr().out)
    before = {path: path.read_bytes() for path in (study.folder / keeping.FOLDER).iterdir()}
    assert told[0] == told[1] and len(before) == 2
    shutil.rmtree(study.folder / keeping.FOLDER)
    assert main([*command, "--study", str(study.folder), "--json"]) == 0
    assert capsys.readouterr().out == told[0]
    assert {p: p.read_bytes() for p in (study.folder / keeping.FOLDER).iterdir()} == before


def test_a_search_with_kept_fits_brings_no_package_that_only_fits(tmp_path, capsys):
    study = create_study(tmp_path / "own", HAND, name="Own", table=TABLE)
    budget = str(float(np.median(TABLE.values("latency_ms"))))
    search = ["search", "--study", str(study.folder), "--latency-budget", budget, "--steps", "9"]
    assert main([*search, "--json"]) == 0
    code = (
        "import sys\nfrom foxnas_core.__main__ import main\n"
        f"main({[*search, '--json']})\n"
        "sys.exit(1 if {'scipy.stats', 'statsmodels', 'rich', 'torch'} & set(sys.modules) else 0)"
    )
    warm = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True)
    assert warm.returncode == 0
    assert warm.stdout.decode() == capsys.readouterr().out
