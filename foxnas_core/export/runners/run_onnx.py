"""Says what a picture shows: `python run_onnx.py PICTURE [MODEL]`.

Once: `pip install onnxruntime numpy pillow`. MODEL is model.onnx or model_int8.onnx.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

here = Path(__file__).parent
how = json.loads((here / "preprocessing.json").read_text(encoding="utf-8"))
if not sys.argv[1:]:
    sys.exit(__doc__)
try:
    picture = Image.open(sys.argv[1]).convert(how["mode"])
except OSError as error:
    sys.exit(f"{sys.argv[1]!r} can't be read as a picture ({error}); name a PNG or JPEG file.")
picture = ImageOps.fit(picture, tuple(how["fit"]))
size, bilinear = (how["width"], how["height"]), Image.Resampling.BILINEAR
bands = [np.asarray(band.convert("F").resize(size, bilinear)) for band in picture.split()]
mean, std = (np.reshape(how[name], (-1, 1, 1)).astype(np.float32) for name in ("mean", "std"))
image = ((np.stack(bands) / 255 - mean) / std)[None].astype(np.float32)
options = onnxruntime.SessionOptions()
# Processors without VNNI add int8 products up in 16 bits, which overflow, unless told not to.
options.add_session_config_entry("session.x64quantprecision", "1")
session = onnxruntime.InferenceSession(here / [*sys.argv[2:], "model.onnx"][0], options)
logits = session.run(None, {how["input"]: image})[0][0]
shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
labels = (here / "labels.txt").read_text(encoding="utf-8").splitlines()
print(f"{labels[shares.argmax()]} {100 * shares.max():.1f} %")
