import base64
import json

import numpy as np
import pytest
from hand import hand_space, saturating_table

from foxnas_core.regression import fit
from foxnas_core.reporting.portable import embedded, portable_predictor, portable_space

SPACE = hand_space(resolutions=(12, 24))


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f8")


def test_a_predictor_keeps_its_numbers_to_the_last_digit():
    predictor = fit(saturating_table(SPACE, 120), "accuracy", "per_layer", "saturating")
    document = json.loads(json.dumps(portable_predictor(predictor)))
    np.testing.assert_array_equal(unpacked(document["estimates"]), predictor.estimates)
    np.testing.assert_array_equal(unpacked(document["ceiling"]["pull"]), predictor.ceiling.pull)
    n = predictor.parameters
    covariance = np.zeros((n, n))
    covariance[np.tril_indices(n)] = unpacked(document["covariance"])
    covariance = np.where(covariance == 0, covariance.T, covariance)
    np.testing.assert_allclose(covariance, predictor.covariance, rtol=1e-12, atol=1e-300)
    assert document["residual_variance"] == predictor.residual_variance
    assert document["link"] == {"center": predictor.link.center, "rate": predictor.link.rate}
    assert document["quantile"] == predictor.quantile()


def test_conditions_stand_as_positions_and_codes():
    document = portable_space(SPACE, {group: group.upper() for group in SPACE.groups})
    by_name = {d["name"]: d for d in document["decisions"]}
    depth = list(by_name).index("p_depth")
    assert by_name["p2_kernel"]["conditions"] == [[depth, [1]]]  # depth 2 is its second choice
    assert by_name["q1_kernel"]["conditions"] == []
    assert [group["title"] for group in document["groups"]] == ["INPUT", "P", "Q"]


@pytest.mark.parametrize(
    "text", ["</script>", "<!--", "]]>", "&lt;", "\u2028\u2029", "\ud800", "'\"\\", "é"]
)
def test_embedded_text_can_end_no_script_and_comes_back(text: str):
    written = embedded({"name": text})
    assert not set(written) & set("<>&\u2028\u2029") and written.isascii()
    assert json.loads(written) == {"name": text}


def test_what_is_not_finite_is_refused():
    with pytest.raises(ValueError):
        embedded([float("nan")])
