"""Models made here with both Keras versions and as SavedModel: light readers agree with the opened model, and the
converted files with the source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources_tools import convert_and_run, distance, entry, write_feeds

from packager.core.errors import ConvertError, ModelError
from packager.core.samples import Arrays, read_samples
from packager.registry import Catalog

pytestmark = pytest.mark.heavy

CATALOG = Catalog()


def two_in_three_out(keras: Any) -> Any:
    """Outputs of equal shape, declared in another order than made; one output is one number."""
    photo, meta = keras.Input((8, 8, 3), name="photo"), keras.Input((5,), name="meta")
    x = keras.layers.Conv2D(4, 3, activation="relu")(photo)
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling2D()(x), meta])
    classes = keras.layers.Dense(4, activation="softmax", name="classes")(x)
    box, score = keras.layers.Dense(4, name="box")(x), keras.layers.Dense(1, activation="sigmoid", name="score")(x)
    return keras.Model([photo, meta], [box, classes, score])


def bidirectional(keras: Any, mask: bool = False) -> Any:
    """Both kinds of bidirectional layers."""
    start = keras.Input((4, 4), name="seq")
    x = keras.layers.Masking(0.0)(start) if mask else start
    x = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True))(x)
    x = keras.layers.Bidirectional(keras.layers.GRU(3))(x)
    return keras.Model(start, keras.layers.Dense(2, activation="softmax", name="end")(x))


def masked(keras: Any) -> Any:
    """The same with steps that count for nothing."""
    return bidirectional(keras, mask=True)


def long(keras: Any) -> Any:
    """More steps than are unrolled."""
    start = keras.Input((260, 2), name="seq")
    return keras.Model(start, keras.layers.Dense(2, name="end")(keras.layers.GRU(2)(start)))


def strided(keras: Any) -> Any:
    """Few steps, made of more of a length that the model leaves free."""
    start = keras.Input((None, 2), name="seq")
    rows = keras.layers.Conv1D(2, 8, strides=8, padding="same")(start)
    return keras.Model(start, keras.layers.Dense(2, name="end")(keras.layers.GRU(2)(rows)))


def words(keras: Any) -> Any:
    """Integer input."""
    ids = keras.Input((7,), dtype="int32", name="ids")
    x = keras.layers.LSTM(4)(keras.layers.Embedding(20, 6)(ids))
    return keras.Model(ids, keras.layers.Dense(2, name="end")(x))


def save(build: Any, form: str, folder: Path) -> tuple[Path, str]:
    """The model in one of the forms; (path, source format)."""
    import keras
    import tensorflow as tf
    import tf_keras

    tf.keras.utils.set_random_seed(3)
    version, _, kind = form.partition("-")
    library = keras if version == "keras3" else tf_keras
    model = build(library)
    if kind == "savedmodel":
        path = folder / "saved"
        if version == "keras3":
            model.export(path, verbose=False)
        else:
            tf.saved_model.save(model, str(path))
        return path, "savedmodel"
    path = folder / f"m.{kind}"
    model.save(path)
    blob = folder / "blob"  # files in a cache have no suffix
    path.rename(blob)
    return blob, {"h5": "keras_h5", "keras": "keras"}[kind]


def samples_for(info: Any, count: int = 3) -> list[Arrays]:
    """Random inputs; sequences end in zeros, which are masked."""
    generator = np.random.default_rng(5)
    made = []
    for _ in range(count):
        sample: Arrays = {}
        for spec in info.inputs:
            shape = [size or 1 for size in spec.shape]
            if spec.dtype == "int32":
                sample[spec.name] = generator.integers(0, 20, shape).astype(np.int32)
            else:
                sample[spec.name] = generator.standard_normal(shape).astype(np.float32)
        if "seq" in sample:
            sample["seq"][:, 3:] = 0
        made.append(sample)
    return made


ALL = ["keras2-h5", "keras2-keras", "keras2-savedmodel", "keras3-h5", "keras3-keras", "keras3-savedmodel"]
CELLS = [(form, "tflite") for form in ALL] + [
    (form, runtime) for form in ("keras2-h5", "keras3-savedmodel") for runtime in ("onnx", "coreml")
]


@pytest.mark.parametrize(("form", "runtime"), CELLS)
def test_several_inputs_and_outputs(tmp_path: Path, form: str, runtime: str) -> None:
    check(tmp_path, two_in_three_out, form, runtime)


@pytest.mark.parametrize(
    ("form", "runtime"),
    [
        ("keras2-h5", "tflite"),
        ("keras3-keras", "tflite"),
        ("keras2-savedmodel", "tflite"),
        ("keras3-savedmodel", "tflite"),
        ("keras2-h5", "onnx"),
        ("keras3-keras", "onnx"),
        ("keras2-h5", "coreml"),
        ("keras3-keras", "coreml"),
    ],
)
def test_masked_bidirectional_layers(tmp_path: Path, form: str, runtime: str) -> None:
    check(tmp_path, masked, form, runtime)


@pytest.mark.parametrize(("form", "build"), [("keras2-h5", "bidirectional"), ("keras3-keras", "words")])
def test_recurrent_layers_in_core_ml(tmp_path: Path, form: str, build: str) -> None:
    check(tmp_path, {"bidirectional": bidirectional, "words": words}[build], form, "coreml")


def check(tmp_path: Path, build: Any, form: str, runtime: str) -> None:
    path, kind = save(build, form, tmp_path)
    module = CATALOG.sources[kind]
    assert [name for name, other in CATALOG.sources.items() if other.detect(path)] == [kind]
    info = module.inspect(path, {})
    assert info.unseen == ()
    source = entry(module.OPEN)(request={}, inputs={"model": path})
    assert [port.name for port in source.inputs] == [spec.name for spec in info.inputs]
    assert [port.name for port in source.outputs] == [spec.name for spec in info.outputs]
    assert [port.spec.dtype for port in source.inputs] == [spec.dtype for spec in info.inputs]
    assert [port.spec.shape for port in source.outputs] == [(1, *spec.shape[1:]) for spec in info.outputs]
    samples = samples_for(info)
    feeds = write_feeds(tmp_path / "feeds", samples)
    entry(module.RUN)(request={}, inputs={"model": path, "feeds": feeds}, out=tmp_path / "want")
    wanted = list(read_samples(tmp_path / "want"))
    _, got = convert_and_run(CATALOG.runtimes[runtime], "float32", tmp_path / "out", samples, source=source)
    for outputs in got.values():
        assert distance(wanted, outputs) < 2e-5


def test_activations_of_a_saved_model_are_found_through_its_functions(tmp_path: Path) -> None:
    path, _ = save(two_in_three_out, "keras2-savedmodel", tmp_path)
    info = CATALOG.sources["savedmodel"].inspect(path, {})
    assert {name: end.kind for name, end in info.activations.items()} == {"classes": "softmax", "score": "sigmoid"}


def test_batch_of_the_manifest(tmp_path: Path) -> None:
    path, _ = save(two_in_three_out, "keras3-keras", tmp_path)
    shapes = {"photo": [2, 8, 8, 3], "meta": [2, 5]}
    source = entry(CATALOG.sources["keras"].OPEN)(request={"shapes": shapes}, inputs={"model": path})
    assert source.outputs[0].spec.shape == (2, 4)


def test_open_dimension_must_be_given(tmp_path: Path) -> None:
    def build(keras: Any) -> Any:
        start = keras.Input((None, 4), name="free")
        return keras.Model(start, keras.layers.Dense(2)(start))

    path, _ = save(build, "keras3-keras", tmp_path)
    with pytest.raises(ModelError, match="'free' leaves dimensions open") as caught:
        entry(CATALOG.sources["keras"].OPEN)(request={}, inputs={"model": path})
    assert "shapes" in caught.value.findings[0].hint
    shapes = {"free": [1, 6, 4]}
    source = entry(CATALOG.sources["keras"].OPEN)(request={"shapes": shapes}, inputs={"model": path})
    assert source.outputs[0].spec.shape == (1, 6, 2)


@pytest.mark.parametrize("form", ["keras3-savedmodel", "keras2-h5"])
def test_loops_that_stay_are_refused_before_anything_crashes(tmp_path: Path, form: str) -> None:
    path, kind = save(masked if form.endswith("savedmodel") else long, form, tmp_path)
    info = CATALOG.sources[kind].inspect(path, {})
    source = entry(CATALOG.sources[kind].OPEN)(request={}, inputs={"model": path})
    feeds = write_feeds(tmp_path / "feeds", samples_for(info))
    for runtime, precision in (("tflite", "int8"), ("coreml", "float32")):
        module = CATALOG.runtimes[runtime]
        assert any("loop" in reason for reason in module.check(info, precision))
        with pytest.raises(ConvertError, match="has a loop"):
            entry(module.CONVERT)(
                request={"precision": precision}, inputs={"calibration": feeds}, out=tmp_path, source=source
            )


@pytest.mark.parametrize("form", ["keras3-keras", "keras2-h5"])
def test_layers_are_unrolled_by_the_steps_that_reach_them(tmp_path: Path, form: str) -> None:
    path, kind = save(strided, form, tmp_path)
    shapes = {"seq": [1, 400, 2]}
    info = CATALOG.sources[kind].inspect(path, {"seq": (1, 400, 2)})
    assert not CATALOG.runtimes["coreml"].check(info, "float32")
    source = entry(CATALOG.sources[kind].OPEN)(request={"shapes": shapes}, inputs={"model": path})
    assert not {op.type for op in source.function.graph.get_operations()} & {"While", "StatelessWhile"}


def test_text_operations_and_python_functions_are_refused(tmp_path: Path) -> None:
    import tensorflow as tf

    class Text(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, text: Any) -> Any:
            return {"n": tf.strings.to_number(tf.strings.lower(text))}

    class Python(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
        def __call__(self, x: Any) -> Any:
            return {"y": tf.numpy_function(lambda value: value, [x], tf.float32)}

    for name, module, expected in (("t", Text(), "StringLower"), ("p", Python(), "PyFunc")):
        tf.saved_model.save(module, str(tmp_path / name))
        with pytest.raises(ModelError) as caught:
            CATALOG.sources["savedmodel"].inspect(tmp_path / name, {})
        assert any(expected in finding.what for finding in caught.value.findings)


def test_saved_model_without_weights(tmp_path: Path) -> None:
    path, _ = save(two_in_three_out, "keras2-savedmodel", tmp_path)
    for file in (path / "variables").iterdir():
        file.unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        CATALOG.sources["savedmodel"].inspect(path, {})


@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
@pytest.mark.parametrize(("build", "form"), [(masked, "keras2-savedmodel"), (bidirectional, "keras2-h5")])
def test_loops_converted_twice_give_the_same_bytes(tmp_path: Path, build: Any, form: str, runtime: str) -> None:
    """TensorFlow names the functions of loops by a counter of the process, and tf2onnx keeps the name of any of the
    equal nodes of unrolled ones; the files must show neither.
    """
    path, kind = save(build, form, tmp_path)
    found = []
    for turn in ("first", "second"):
        (tmp_path / turn).mkdir()
        source = entry(CATALOG.sources[kind].OPEN)(request={}, inputs={"model": path})
        request = {"precision": "float32", "name": "m"}
        made = entry(CATALOG.runtimes[runtime].CONVERT)(request=request, inputs={}, out=tmp_path / turn, source=source)
        found.append((tmp_path / turn / made["path"]).read_bytes())
    assert found[0] == found[1]
