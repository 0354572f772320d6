import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from playwright.sync_api import Page, expect
from serving import PATIENCE, download_by, wait_until_drawn

from foxnas_core.study import Study


def address(architecture) -> str:
    return f"/Export?{urlencode({'architecture': json.dumps(architecture.to_dict())})}"


def test_an_export_goes_on_elsewhere_and_its_files_run_and_classify(
    page: Page, demo: Study, tmp_path: Path
):
    import onnxruntime

    from foxnas_core.tasks.images import to_batch

    # The quickest of those that were measured already, which need not be measured again.
    table = demo.table()
    measured = table.architectures()[int(table.values("macs").argmin())]
    page.goto(address(measured))
    wait_until_drawn(page)
    # torch.export, the last one, takes as long as the others together.
    page.locator(".st-key-formats input").press("Backspace")
    page.locator(".st-key-formats input").press("Escape")
    expect(page.locator(".st-key-formats")).not_to_contain_text("torch.export")
    wait_until_drawn(page)
    page.locator(".st-key-build button").first.click()
    expect(page.locator(".st-key-export-stop")).to_be_visible()
    # It goes on while another page is looked at, and is found again.
    page.get_by_role("link", name="Studies").click()
    wait_until_drawn(page)
    page.goto(address(measured))
    expect(page.locator(".st-key-file-model-onnx")).to_be_visible(timeout=4 * PATIENCE)
    expect(page.get_by_text("Predicted and measured")).to_be_visible()
    started = download_by(page, ".st-key-file-zip button")
    with zipfile.ZipFile(io.BytesIO(Path(started.path()).read_bytes())) as archive:
        archive.extractall(tmp_path)
    [out] = tmp_path.iterdir()
    how = json.loads((out / "preprocessing.json").read_text())
    held_out = demo.images()[1].take(slice(0, 1000))
    batch = to_batch(held_out.images, how["height"], how["mean"], how["std"]).numpy()
    for name in ("model.onnx", "model_int8.onnx"):
        session = onnxruntime.InferenceSession(out / name, providers=["CPUExecutionProvider"])
        [logits] = session.run(None, {how["input"]: batch})
        assert logits.shape == (1000, 10)
        assert np.mean(logits.argmax(1) == held_out.labels) > 0.75
    said = subprocess.run(
        [sys.executable, out / "run_onnx.py", out / "sample.png"], capture_output=True, text=True
    ).stdout.strip()
    assert f"of it the fp32 files say: {said}." in (out / "model_card.md").read_text()


def test_an_export_is_stopped(page: Page, demo: Study):
    page.goto(address(demo.table().architectures()[1]))
    wait_until_drawn(page)
    page.locator(".st-key-build button").first.click()
    page.locator(".st-key-export-stop button").click()
    expect(page.get_by_text("Stopped; nothing of it is kept.")).to_be_visible()
    expect(page.locator(".st-key-build")).to_be_visible()
    expect(page.locator(".st-key-file-zip")).to_have_count(0)
