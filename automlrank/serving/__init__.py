"""How a trained model scores one request: by torch, or as an ONNX graph."""
