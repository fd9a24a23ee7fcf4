"""JSON Schema (2020-12) of the manifest for editors, with the steps, runtimes and targets of this installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from packager.manifest.annotations import fields
from packager.manifest.names import FORM, LONGEST, RESERVED_NAMES
from packager.model.address import PackageFile
from packager.model.manifest import Evaluation, Expect, Gate, Header, Input, Manifest, Model, Output, Sample
from packager.model.target import OptionSpec, TargetSpec
from packager.registry import Catalog

Schema = dict[str, Any]

_ADDRESS = {"$ref": "#/$defs/Address"}


def json_schema(catalog: Catalog) -> Schema:
    """The schema of the YAML form. It is as strict as JSON Schema can be; checks across keys are the loader's."""
    defs: dict[str, Schema] = {}
    pairs = {name: tuple(module.precisions()) for name, module in catalog.runtimes.items()}
    properties = {
        **_model(Header, defs)["properties"],
        "model": {"$ref": "#/$defs/Model"},
        "inputs": _named(Input),
        "outputs": _named(Output),
        "samples": _samples(),
        "calibration": _calibration(),
        "evaluation": {"$ref": "#/$defs/Evaluation"},
        "gate": _gate(pairs),
        "formats": _formats(pairs),
        "targets": _targets(catalog.targets, pairs),
    }
    for key, value in properties.items():
        value["description"] = Manifest.model_fields[key].description
    for part in (Model, Input, Output, Expect, Evaluation, Gate):
        defs[part.__name__] = _model(part, defs)
    for part in (Input, Output):
        defs[part.__name__]["properties"]["steps"] = _steps(part)
    defs["Expect"]["properties"]["label"]["type"] = ["string", "number", "boolean"]
    defs["Expect"]["properties"]["label"].pop("anyOf", None)
    defs["Address"] = _address(catalog, defs)
    defs["Model"]["properties"]["source"] = _described(_ADDRESS, Model.model_fields["source"].description)
    data = Evaluation.model_fields["data"].description
    defs["Evaluation"]["properties"]["data"] = _described(_ADDRESS, data)
    defs["Step"] = _step(catalog, defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "packager manifest",
        "type": "object",
        "properties": properties,
        "required": [*Header.model_fields, "model", "inputs", "outputs"],
        "additionalProperties": False,
        "$defs": dict(sorted(defs.items())),
    }


def _model(model: type[BaseModel], defs: dict[str, Schema], prefix: str = "") -> Schema:
    """Schema of a pydantic model; what it refers to goes to `defs`, its names prefixed."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    for name, inner in schema.pop("$defs", {}).items():
        defs[prefix + name] = _untitled(inner)
    for key, info in fields(model).items():  # pydantic drops the description beside a reference
        if info.description:
            schema["properties"][key].setdefault("description", info.description)
    return dict(_untitled(schema))


def _untitled(value: Any) -> Any:
    """Without the titles that pydantic derives from names."""
    if isinstance(value, dict):
        return {
            key: _untitled(inner) for key, inner in value.items() if not (key == "title" and isinstance(inner, str))
        }
    return [_untitled(inner) for inner in value] if isinstance(value, list) else value


def _described(schema: Mapping[str, Any], description: str | None) -> Schema:
    return {**schema, "description": description} if description else dict(schema)


def _named(part: type[BaseModel]) -> Schema:
    """Mapping of inputs or outputs by the names that the app sees."""
    names: Schema = {"pattern": FORM, "maxLength": LONGEST, "not": {"enum": sorted(RESERVED_NAMES)}}
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": names,
        "additionalProperties": {"$ref": f"#/$defs/{part.__name__}"},
    }


def _address(catalog: Catalog, defs: dict[str, Schema]) -> Schema:
    defs["PackageFile"] = _model(PackageFile, defs)
    package = defs["PackageFile"]["properties"]["package"]
    package["pattern"] = package["pattern"].replace("[a-z]+", f"({'|'.join(catalog.package_registries)})", 1)
    path = {"type": "string", "minLength": 1, "description": "A path relative to the manifest, inside its folder."}
    return {"anyOf": [path, {"$ref": "#/$defs/PackageFile"}]}


def _steps(part: type[BaseModel]) -> Schema:
    items = {"type": "array", "items": {"$ref": "#/$defs/Step"}}
    return _described(items, part.model_fields["steps"].description)


def _step(catalog: Catalog, defs: dict[str, Schema]) -> Schema:
    """A step is its name, or its name over its parameters."""
    properties: dict[str, Schema] = {}
    bare: list[str] = []
    for name, module in catalog.steps.items():
        own = defs[f"step.{name}"] = _model(module.Params, defs, f"step.{name}.")
        own["description"] = module.SUMMARY
        reference: Schema = {"$ref": f"#/$defs/step.{name}"}
        if not any(info.is_required() for info in fields(module.Params).values()):
            bare.append(name)
            reference = {"anyOf": [reference, {"type": "null"}]}
        properties[name] = _described(reference, module.SUMMARY)
    mapping: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [mapping, {"enum": bare}]} if bare else mapping


def _samples() -> Schema:
    expect = {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Expect"},
        "description": "What the source model must answer, by output name.",
    }
    srgb = {"enum": ["convert", "ignore"], "description": Sample.model_fields["srgb"].description}
    edge = {"type": "integer", "minimum": 0}
    about = Sample.model_fields["region"].description
    region = {"type": "array", "items": edge, "minItems": 4, "maxItems": 4, "description": about}
    properties = {"expect": expect, "srgb": srgb, "region": region}
    item = {"type": "object", "properties": properties, "additionalProperties": _ADDRESS}
    return {"type": "array", "items": item}


def _calibration() -> Schema:
    files = {"anyOf": [_ADDRESS, {"type": "array", "minItems": 1, "items": _ADDRESS}]}
    return {"type": "object", "additionalProperties": files}


def _gate(pairs: Mapping[str, Iterable[str]]) -> Schema:
    precisions = dict.fromkeys(each for group in pairs.values() for each in group)
    names = [*precisions, *_pair_names(pairs)]
    return {
        "type": "object",
        "properties": {name: {"$ref": "#/$defs/Gate"} for name in names},
        "additionalProperties": False,
    }


def _formats(pairs: Mapping[str, Iterable[str]]) -> Schema:
    return {"type": "array", "items": {"enum": _pair_names(pairs)}, "uniqueItems": True}


def _pair_names(pairs: Mapping[str, Iterable[str]]) -> list[str]:
    return [f"{runtime}/{precision}" for runtime, group in pairs.items() for precision in group]


def _targets(targets: Mapping[str, TargetSpec], pairs: Mapping[str, tuple[str, ...]]) -> Schema:
    """Targets nested as in the manifest: a part of an id without a target of its own is a group."""
    top: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    for target_id, spec in targets.items():
        *groups, last = target_id.split(".")
        level = top
        for group in groups:
            empty = {"type": "object", "properties": {}, "additionalProperties": False}
            level = level["properties"].setdefault(group, empty)
        level["properties"][last] = _target(spec, pairs)
    return top


def _target(spec: TargetSpec, pairs: Mapping[str, tuple[str, ...]]) -> Schema:
    options = spec.options_schema
    runtime = {"enum": list(pairs), "description": "The runtime that runs the model."}
    rules = [
        {
            "if": {"properties": {"runtime": {"const": name}}},
            "then": {"properties": {"precision": _precision(precisions)}},
        }
        for name, precisions in pairs.items()
    ]
    return {
        "type": "object",
        "description": spec.summary,
        "properties": {
            "runtime": runtime,
            "precision": {"description": "One precision, or a list: the first that passes the gate is taken."},
            **{name: _option(option) for name, option in options.items()},
        },
        "required": ["runtime", "precision", *(name for name, option in options.items() if option.required)],
        "additionalProperties": False,
        "allOf": rules,
    }


def _precision(names: tuple[str, ...]) -> Schema:
    one = {"enum": list(names)}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}]}


def _option(option: OptionSpec) -> Schema:
    schema: Schema = {"type": option.type, "description": option.description}
    if option.default is not None:
        schema["default"] = option.default
    if option.pattern is not None:
        schema["pattern"] = f"^(?:{option.pattern})$"
    if option.choices is not None:
        schema["enum"] = list(option.choices)
    return schema
