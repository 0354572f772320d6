"""A predictor as bytes that hold numbers and text only, and run no code when they are read."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from foxnas_core.regression.ceiling import Ceiling
from foxnas_core.regression.features import build_form
from foxnas_core.regression.link import Link
from foxnas_core.regression.pairs import PairScatter
from foxnas_core.regression.predictor import CrossValidation, Predictor
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import metric_of

_DIGEST = hashlib.sha256().digest_size
_PLAIN = ("rows", "r2", "r2_adjusted", "warnings", "table_fingerprint", "residual_variance", "df",
          "left_out", "repeated", "err_together",
          "transferred")  # fmt: skip
_ARRAYS = ("estimates", "covariance", "held_out")
_ONLY_RELATIVE = ("weights", "penalty")
_ABOUT = "about"


def pack_predictor(predictor: Predictor, key: str) -> bytes:
    """The predictor under a key, to the last digit: a digest of what follows, then safetensors."""
    form, ceiling = predictor.form, predictor.ceiling
    about: dict[str, Any] = {
        "key": key,
        "target": predictor.target.column,
        "form": form.name,
        "terms": [term.name for term in form.terms],
        "pairs": [list(pair) for pair in form.pairs],
        "held": [list(own) for own in form.held],
        "link": asdict(predictor.link),
        "cv": asdict(predictor.cv),
        "pair_scatter": asdict(predictor.pair_scatter),
        "ceiling": ceiling and {k: v for k, v in vars(ceiling).items() if k != "pull"},
        **{name: getattr(predictor, name) for name in _PLAIN},
    }
    arrays = {name: getattr(predictor, name) for name in (*_ARRAYS, *_ONLY_RELATIVE)}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    if ceiling:
        arrays["pull"] = ceiling.pull
    tensors = {k: np.ascontiguousarray(v, dtype=float) for k, v in arrays.items()}
    text = np.frombuffer(json.dumps(about).encode(), dtype=np.uint8)
    content = save(tensors | {_ABOUT: text})
    return hashlib.sha256(content).digest() + content


def unpack_predictor(content: bytes, key: str, space: SearchSpace) -> Predictor:
    """The inverse of `pack_predictor`; raises `ValueError` where the bytes are damaged, foreign, or
    another key's."""
    digest, content = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("it is damaged")
    try:
        arrays = load(content)
        about = json.loads(arrays.pop(_ABOUT).tobytes())
        if about["key"] != key:
            raise ValueError("it is another fit")
        form = build_form(
            about["form"], space, about["target"], [(a, b) for a, b in about["pairs"]],
            tuple((name, choice) for name, choice in about["held"]),
        )  # fmt: skip
        terms = form.parameters
        if about["terms"] != [term.name for term in form.terms]:
            raise ValueError("its terms are others")
        shapes = {"estimates": (terms,), "covariance": (terms, terms), "pull": (terms,)}
        shapes |= {"penalty": (terms, terms), "weights": arrays["held_out"].shape}
        if any(arrays[n].dtype != float or arrays[n].ndim > 2 for n in arrays) or any(
            arrays[name].shape != shape for name, shape in shapes.items() if name in arrays
        ):
            raise ValueError("its arrays are of other shapes")
        ceiling = about["ceiling"] and Ceiling(**about["ceiling"], pull=arrays["pull"])
        known: dict[str, Any] = {name: about[name] for name in _PLAIN}
        known |= {name: arrays[name] for name in _ARRAYS}
        known |= {name: arrays[name] for name in _ONLY_RELATIVE if name in arrays}
        return Predictor(
            target=metric_of(about["target"]),
            form=form,
            link=Link(**about["link"]),
            ceiling=ceiling,
            cv=CrossValidation(**about["cv"]),
            pair_scatter=PairScatter(
                **{k: tuple((n, s) for n, s in v) for k, v in about["pair_scatter"].items()}
            ),
            **known | {"warnings": tuple(about["warnings"])},
        )
    except (SafetensorError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is no fit") from error
