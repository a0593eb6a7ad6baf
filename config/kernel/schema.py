"""What the OpenAPI document says of every operation alike: the errors it may answer with, as problem documents."""

from typing import Any

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and meant for programs, `detail` for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "example": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "example": 422},
        "detail": {"type": "string"},
        "code": {"type": "string", "example": "invalid"},
        "fields": {
            "type": "object",
            "description": "Of a wrong body: each wrong field with its faults.",
            "additionalProperties": {},
        },
        "items": {
            "type": "array",
            "description": "Every fault of a document at once, e.g. with its line, field and message.",
            "items": {"type": "object", "additionalProperties": {}},
        },
        "constraint": {"type": "string", "description": "The rule of the data that was broken."},
    },
}
_ALWAYS = {
    "400": "The request is malformed; `fields` says where.",
    "401": "No token, or one that is not valid.",
    "403": "The role does not allow it.",
}
_MISSING = {"404": "There is none, or you may not know that there is."}
_WRITING = {
    "409": "The state forbids it now, or another request with this Idempotency-Key is still running.",
    "413": "The body is larger than 4 MiB.",
    "415": "The body is not application/json.",
    "422": "Well-formed, but wrong in itself, or the Idempotency-Key was used with another body.",
}


def document_problems(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """A post-processing hook of drf-spectacular."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            said = _ALWAYS | (_MISSING if "{" in path or method == "post" else {})
            said = said | (_WRITING if method != "get" else {})
            for status, description in said.items():
                operation["responses"].setdefault(status, _answer(description))
            operation["responses"].setdefault("default", _answer("Anything else that went wrong."))
    return result


def _answer(description: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": reference}}}
