"""Scoring of requests by a trained model: in torch, or as an ONNX graph."""

RUNTIMES = ("torch", "onnxruntime")
