"""What ONNX Runtime gives for a picture made by a formula: the numbers in
shared/import/tests/vectors/packs.json.

    ROLLCALL_ONNX=DIR cargo test -p import --test packs -- --ignored
    python3 bench/packs.py DIR/*.onnx ../shared/models/*.onnx > shared/import/tests/vectors/packs.json

Needs onnxruntime and numpy.
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime

NAMES = {"face_detection_yunet_2023mar": "yunet", "mobilefacenet_128": "mobilefacenet128"}
KEPT = 64


def picture(rows, columns):
    y, x, c = np.meshgrid(range(rows), range(columns), range(3), indexing="ij")
    return (((x * x + 3 * y + 50 * c) % 256 - 127.5) / 128).astype(np.float32)


def numbers(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    rows, columns = (n if isinstance(n, int) else m for n, m in zip(given.shape[2:], (160, 128)))
    pixels = picture(rows, columns).transpose(2, 0, 1)[None]
    outputs = []
    for output in session.run(None, {given.name: pixels}):
        flat = output.ravel().astype(np.float64)
        step = -(-len(flat) // KEPT)
        rms = float(np.sqrt((flat**2).mean()))
        outputs.append({
            "count": len(flat),
            "rms": rms,
            "unit": bool(abs(rms * len(flat) ** 0.5 - 1) < 1e-4),
            "values": [round(float(v), 7) for v in flat[::step]],
        })
    return {"side": [rows, columns], "outputs": outputs}


found = {}
for path in sys.argv[1:]:
    stem = pathlib.Path(path).stem
    found[NAMES.get(stem, stem)] = numbers(path)
print(json.dumps(found))
