"""Job schema: the JSON Schema of a job file, made of the key tables.

Editors complete and check by it. It knows forms and words; what a value means
(sizes, durations, patterns) only `reconcile config check` can tell.
"""

from collections.abc import Sequence

from reconcile.decide.job_file import NAME, VERSION
from reconcile.decide.job_keys import ENDPOINT_KEYS, JOB_KEYS, TOP_KEYS, VERSION_KEYS, Form, Key

Json = dict[str, object]


def job_schema() -> Json:
    """The schema, without its dialect."""
    job: Json = {"$ref": "#/$defs/job"}
    return {
        "title": "A job file of reconcile: reconcile.toml",
        "type": "object",
        "additionalProperties": False,
        "required": ["version"],
        "properties": {
            "version": {"const": VERSION, "description": TOP_KEYS[0].meaning},
            "include": _property(TOP_KEYS[1]),
            "defaults": {**job, "description": "Keys for every job that does not say them."},
            "job": _named(job),
            "endpoint": _named({"$ref": "#/$defs/endpoint"}),
        },
        "$defs": {
            "job": _object(JOB_KEYS),
            "endpoint": {**_object(ENDPOINT_KEYS), "required": ["url"]},
        },
    }


def _named(each: Json) -> Json:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": each,
    }


def _object(keys: Sequence[Key]) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _property(key) for key in keys},
    }


def _property(key: Key) -> Json:
    return {"description": key.meaning, **_form(key)}


def _form(key: Key) -> Json:
    text: Json = {"type": "string"}
    match key.form:
        case Form.TEXT:
            return {"enum": list(key.choices)} if key.choices else text
        case Form.SWITCH:
            return {"type": "boolean"}
        case Form.AMOUNT:
            return {"anyOf": [{"type": "integer", "minimum": 0}, text]}
        case Form.LIST:
            return {"anyOf": [text, {"type": "array", "items": text}]}
        case Form.SIDES:
            sides = {"left": text, "right": text}
            return {"type": "object", "additionalProperties": False, "properties": sides}
        case Form.VERSIONS:
            return {"anyOf": [{"type": "boolean"}, _object(VERSION_KEYS)]}
        case Form.RUNS:
            return {"type": "integer"}
