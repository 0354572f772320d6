import json
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect
from serving import wait_until_drawn

from foxnas_core.storage import Study


def download(page: Page, key: str, folder: Path) -> bytes:
    with page.expect_download() as started:
        page.locator(f".st-key-{key} button").first.click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path.read_bytes()


def test_the_downloaded_onnx_file_runs_and_classifies(page: Page, demo: Study, tmp_path: Path):
    import onnxruntime

    from foxnas_core.supernet.images import to_batch

    # A subnet that was measured already need not be measured again.
    measured = demo.table().architectures()[0]
    page.goto(f"/Export?{urlencode({'architecture': json.dumps(measured.to_dict())})}")
    wait_until_drawn(page)
    page.locator(".st-key-build button").first.click()
    expect(page.locator(".st-key-file-model-onnx")).to_be_visible()
    expect(page.get_by_text("Predicted and measured")).to_be_visible()
    model = download(page, "file-model-onnx", tmp_path)
    preprocessing = json.loads(download(page, "file-preprocessing-json", tmp_path))

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    held_out = demo.images()[1].take(slice(0, 1000))
    batch = to_batch(
        held_out.images, preprocessing["height"], preprocessing["mean"], preprocessing["std"]
    )
    [logits] = session.run(None, {preprocessing["input"]: batch.numpy()})
    assert logits.shape == (1000, 10)
    assert np.mean(logits.argmax(1) == held_out.labels) > 0.8
