"""One subnet layer by layer: what it computes, and where its time goes in ONNX Runtime."""
