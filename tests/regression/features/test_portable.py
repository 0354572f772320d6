"""The plain values of a form are read here by a second reader, written from their description."""

import json
import math

import numpy as np
import pytest
from conftest import tiny_document
from hand import choice_space, hand_space

from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression.features import BASES, build_form, candidate_pairs, forms_of

TINY = space_from_dict(tiny_document())
SPACES = {
    "hand": hand_space(resolutions=(12, 24)),
    "tiny": TINY,
    "operations": choice_space({f"edge{i}": ("a", "b", "c") for i in range(3)}),
    "cells": load_shipped("nasbench201"),
}
CASES = [
    (space, form, target)
    for space in SPACES
    for form in forms_of(SPACES[space])
    for target in ("accuracy", "latency_ms")
]


def paths(part: dict, codes: list[int], start: int = 0) -> list[list[tuple[int, int]]]:
    """Paths of edges that are not `none` to the last node, each as edges and their operations."""
    if start == max(target for _, target in part["nodes"]):
        return [[]]
    found = []
    for edge, (source, target) in enumerate(part["nodes"]):
        code = codes[part["edges"][edge]]
        if source == start and code > 0:
            found += [[(edge, code), *rest] for rest in paths(part, codes, target)]
    return found


def of_edges(part: dict, codes: list[int]) -> list[float]:
    if part["counting"] == "reached":
        ends: set[int] = {0}
        counting = set()
        for edge, (source, target) in enumerate(part["nodes"]):  # in the order of their targets
            if source in ends and codes[part["edges"][edge]] > 0:
                ends.add(target)
                counting.add(edge)
    else:
        starts = (0,) if part["counting"] == "live" else {source for source, _ in part["nodes"]}
        counting = {edge for s in starts for path in paths(part, codes, s) for edge, _ in path}
    counted = list(codes)
    for edge, position in enumerate(part["edges"]):
        counted[position] = codes[position] if edge in counting else 0
    return columns(part["inner"], counted)


def columns(part: dict, codes: list[int]) -> list[float]:
    if part["kind"] == "of_edges":
        return of_edges(part, codes)
    if part["kind"] == "on_paths":
        lengths = [sum(part["weights"][c] for _, c in path) for path in paths(part, codes)]
        length = (max if part["most"] else min)(lengths, default=0)
        return [float(length >= bound) for bound in part["bounds"]]
    if part["kind"] == "lookup":
        total = [0.0] * len(part["table"][0])
        for read in part["reads"]:
            row = 0
            for position, size in zip(read, part["sizes"], strict=True):
                row = row * (size + 1) + codes[position] + 1
            total = [a + b for a, b in zip(total, part["table"][row], strict=True)]
        return total
    if part["kind"] == "product":
        left, right = (
            [a - b for a, b in zip(columns(part[side], codes), part[f"{side}_center"], strict=True)]
            for side in ("left", "right")
        )
        products = [a * b for a in left for b in right]
        return [products[k] for k in part["kept"]]
    kernels, expands = (
        [part[name][i][codes[pair[k]]] for i, pair in enumerate(part["slots"])]
        for k, name in enumerate(("kernels", "expands"))
    )
    depth = sum(codes[kernel] >= 0 for kernel, _ in part["slots"])
    rest = max(depth - 1, 1)
    values = {
        "depth": depth,
        "mean_expand": sum(expands[1:]) / rest,
        "mean_kernel": sum(kernels[1:]) / rest,
        "transition_expand": expands[0],
        "transition_kernel": kernels[0],
        "total_expand": sum(expands[1:]),
    }
    return [math.prod(values[factor] for factor in name.split("*")) for name in part["names"]]


@pytest.mark.parametrize(("space", "form", "target"), CASES)
def test_rows_follow_from_the_plain_values_alone(space: str, form: str, target: str):
    pairs = ()
    if form in BASES:
        pairs = tuple(candidate_pairs(form, SPACES[space], target))[:3]
    built = build_form(form, SPACES[space], target, pairs)
    document = json.loads(json.dumps(built.portable(), allow_nan=False))
    codes = SPACES[space].random_codes(40, seed=1)
    rows = []
    for own in codes.tolist():
        scale = document["scale"]
        factor = scale["factors"][own[scale["position"]]] if scale else 1.0
        rows.append(
            [
                value * (factor if part["scaled"] else 1.0)
                for part in document["parts"]
                for value in columns(part, own)
            ]
        )
    np.testing.assert_allclose(np.array(rows, dtype=float), built.matrix(codes), rtol=1e-12)
