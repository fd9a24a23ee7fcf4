"""Files of other kinds, and broken ones of every kind, are refused in words: what, where it shows, what to do."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from refusal_tools import CATALOG, check_snapshot, message, refusal, safetensors, zipped

from packager.core.errors import ModelError
from packager.stages import source

CAFFE_TEXT = b'name: "LeNet"\nlayer {\n  name: "conv1"\n  type: "Convolution"\n  bottom: "data"\n  top: "conv1"\n}\n'
CAFFE = message((1, b"LeNet"), (100, message((1, b"conv1"), (2, b"Convolution"))), (100, message((1, b"relu1"))))
CAFFE_OLD = message((1, b"LeNet"), (2, message((4, b"conv1"))))
CAFFE2 = message((1, b"net"), (2, message((1, b"data"), (2, b"conv1"), (3, b""), (4, b"Conv"))))
FROZEN = message((1, message((1, b"input"), (2, b"Placeholder"))), (1, message((1, b"conv"), (2, b"Conv2D"))))
COREML = message((1, 8), (2, message((1, message((1, b"image"))))), (502, b"\x08\x01"))
MXNET = {"nodes": [{"op": "null", "name": "data"}], "arg_nodes": [0], "heads": [[0, 0, 0]]}
KERAS = {"class_name": "Sequential", "config": {"layers": []}, "keras_version": "2.4.0"}
TFJS = {"modelTopology": {"class_name": "Model"}, "weightsManifest": [{"paths": ["a.bin"], "weights": []}]}

FILES: dict[str, tuple[str, bytes]] = {
    "caffe_prototxt": ("deploy.prototxt", CAFFE_TEXT),
    "caffe_weights": ("lenet.caffemodel", CAFFE),
    "caffe_weights_old": ("lenet.caffemodel", CAFFE_OLD),
    "caffe2": ("predict_net.pb", CAFFE2),
    "frozen_graph": ("frozen.pb", FROZEN),
    "mxnet_symbol": ("net-symbol.json", json.dumps(MXNET).encode()),
    "mxnet_params": ("net-0000.params", struct.pack("<QQ", 0x112, 0)),
    "coreml_mlmodel": ("net.mlmodel", COREML),
    "keras_architecture": ("model.json", json.dumps(KERAS).encode()),
    "tensorflow_js": ("model.json", json.dumps(TFJS).encode()),
    "safetensors": ("net.safetensors", safetensors()),
    "gguf": ("net.gguf", b"GGUF\x03\0\0\0"),
    "darknet": ("yolo.cfg", b"[net]\nwidth=416\n[convolutional]\nfilters=32\n"),
    "openvino": ("net.xml", b'<?xml version="1.0"?>\n<net name="net" version="11">\n<layers/>\n</net>\n'),
    "numpy": ("w.npy", b"\x93NUMPY\x01\0"),
    "git_lfs": ("net.onnx", b"version https://git-lfs\noid sha256:00\nsize 4\n"),
    "web_page": ("net.tflite", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"),
    "gzip": ("net.h5", b"\x1f\x8b\x08\0"),
    "encrypted_openssl": ("net.onnx", b"Salted__01234567"),
    "encrypted_pgp": ("net.onnx", b"-----BEGIN PGP MESSAGE-----\n"),
    "keras_encrypted": (
        "net.keras",
        zipped({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}, encrypted=True),
    ),
    "keras_bomb": (
        "net.keras",
        zipped({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": bytes(80 << 20)}, packed=True),
    ),
    "keras_cut": ("net.keras", zipped({"config.json": b"{}", "metadata.json": b"{}"})[:60]),
    "hdf5_cut": ("net.h5", b"\x89HDF\r\n\x1a\n\0\0"),
    "tflite_cut": ("net.tflite", b"\x1c\0\0\0TFL3\0\0"),
    "onnx_cut": ("net.onnx", b"\x08\x08\x12\x07pytorch\x3a\xff\x01\x0a"),
    "zip_of_a_model": ("net.zip", zipped({"readme.txt": b"", "net.onnx": b"\x08\x08"})),
    "zip_of_arrays": ("net.npz", zipped({"w.npy": b"\x93NUMPY", "b.npy": b"\x93NUMPY"})),
    "empty": ("net.onnx2", b""),
    "empty_onnx": ("net.onnx", b""),
    "unknown": ("net.bin", bytes(range(1, 200)) * 3),
}


@pytest.mark.parametrize("name", FILES)
def test_files(tmp_path: Path, name: str) -> None:
    file, data = FILES[name]
    path = tmp_path / file
    path.write_bytes(data)
    check_snapshot(name, refusal(path))


FOLDERS: dict[str, tuple[str, dict[str, bytes]]] = {
    "folder_mlpackage": ("net.mlpackage", {"Manifest.json": b'{"itemInfoEntries": {}}', "Data/model.mlmodel": COREML}),
    "folder_mlmodelc": ("net.mlmodelc", {"coremldata.bin": b"\0", "model.mil": b""}),
    "folder_mxnet": ("net", {"net-symbol.json": b"{}", "net-0000.params": b""}),
    "folder_caffe2": ("net", {"init_net.pb": CAFFE2, "predict_net.pb": CAFFE2}),
    "folder_checkpoint": ("net", {"checkpoint": b"", "net.ckpt.index": b"", "net.ckpt.data-00000-of-00001": b""}),
    "folder_variables": ("net", {"variables/variables.index": b""}),
    "folder_pbtxt": ("net", {"saved_model.pbtxt": b""}),
    "folder_with_a_model": ("net", {"README.md": b"", "net.tflite": b""}),
    "folder_other": ("net", {"README.md": b""}),
    "folder_empty": ("net", {}),
    "folder_saved_model_cut": ("net", {"saved_model.pb": b"\x08\x01\x12\xff\xff"}),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders(tmp_path: Path, name: str) -> None:
    folder, files = FOLDERS[name]
    path = tmp_path / folder
    path.mkdir()
    for file, data in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_bytes(data)
    check_snapshot(name, refusal(path))


def test_every_snapshot_has_its_case() -> None:
    from refusal_tools import SNAPSHOTS
    from test_torch_files import NEEDS, REFUSED

    assert {file.stem for file in SNAPSHOTS.glob("*.txt")} == {*FILES, *FOLDERS, *REFUSED, *NEEDS}


@pytest.mark.parametrize("name", ["caffe2", "caffe_weights", "frozen_graph", "coreml_mlmodel", "safetensors"])
def test_files_cut_anywhere_are_never_a_traceback(tmp_path: Path, name: str) -> None:
    file, data = FILES[name]
    path = tmp_path / file
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(ModelError):
            source.inspect(path, {}, CATALOG)
