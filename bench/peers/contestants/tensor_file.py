"""f32 tensors in safetensors files, without further packages."""
import json
import struct

import torch


def read_tensors(path):
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        flat = torch.frombuffer(data, dtype=torch.float32, count=(end - first) // 4, offset=first)
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors


def write_tensors(path, tensors):
    header, chunks, first = {}, [], 0
    for name, value in tensors.items():
        chunk = value.contiguous().float().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [first, first + len(chunk)]}
        chunks.append(chunk)
        first += len(chunk)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for chunk in chunks:
            file.write(chunk)
