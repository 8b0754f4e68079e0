"""From image bytes to an answer: preprocess, run the network as ONNX, decode. No torch needed."""
