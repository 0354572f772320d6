"""The scripts that go with an export: each alone with one runtime, numpy and pillow."""

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Runner:
    """One script: how its runtime is installed and imported, and the lines that make `logits`
    (classes, …) of `image` (1, channels, …); `takes` a second argument, as `note` says.
    """

    script: str
    install: str
    imports: str
    run: str
    takes: str = ""
    note: str = ""

    def text(self, template: str = "runner.txt") -> str:
        """The whole script, by the file that has what stands around the runner's own lines."""
        found = (files(__package__) / template).read_text("utf-8")
        for name in ("script", "install", "imports", "takes", "note", "run"):
            found = found.replace(f"<{name}>", getattr(self, name))
        return found


ONNX = Runner(
    "run_onnx.py",
    "pip install onnxruntime numpy pillow",
    "import onnxruntime",
    """\
options = onnxruntime.SessionOptions()
# Processors without VNNI add int8 products up in 16 bits, which overflow, unless told not to.
options.add_session_config_entry("session.x64quantprecision", "1")
session = onnxruntime.InferenceSession(here / [*sys.argv[2:], "model.onnx"][0], options)
logits = session.run(None, {how["input"]: image})[0][0]""",
    " [MODEL]",
    " MODEL is model.onnx or model_int8.onnx.",
)
TORCH = Runner(
    "run_torch_export.py",
    "pip install torch==2.13.0 numpy pillow",
    "import torch",
    """\
program = torch.export.load(here / "model.pt2").module()
logits = program(torch.from_numpy(image)).detach().numpy()[0]""",
)
EXECUTORCH = Runner(
    "run_executorch.py",
    "pip install executorch==1.5.1 torch==2.13.0 numpy pillow",
    "import torch\nfrom executorch.runtime import Runtime",
    """\
method = Runtime.get().load_program(here / "model.pte").load_method("forward")
logits = method.execute([torch.from_numpy(image)])[0].numpy()[0]""",
)
LITERT = Runner(
    "run_litert.py",
    "pip install ai-edge-litert numpy pillow",
    "from ai_edge_litert.interpreter import Interpreter",
    """\
model = Interpreter(model_path=str(here / "model.tflite"))
model.allocate_tensors()
model.set_tensor(model.get_input_details()[0]["index"], image)
model.invoke()
logits = model.get_tensor(model.get_output_details()[0]["index"])[0]""",
)
