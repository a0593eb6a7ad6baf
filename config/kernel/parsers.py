"""JSON bodies with a stated limit, refused before more than that is read into memory."""

import json
from io import BytesIO
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status
from rest_framework.parsers import JSONParser

MAX_BODY_BYTES = 4 * 1024 * 1024


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The body is larger than 4 MiB; send it in parts.")
    default_code = "too_large"


class LimitedJSONParser(JSONParser):
    """Strict JSON (no NaN, Infinity or half characters) of at most MAX_BODY_BYTES, also where no length is named."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge
        try:
            document = super().parse(BytesIO(body), media_type=media_type, parser_context=parser_context)
            if b"\\ud" in body or b"\\uD" in body:  # half of a surrogate pair cannot be written anywhere
                json.dumps(document, ensure_ascii=False).encode()
        except RecursionError as exc:
            raise exceptions.ParseError(_("The body is nested too deeply.")) from exc
        except UnicodeError as exc:
            raise exceptions.ParseError(_("The body holds half a character (a lone surrogate).")) from exc
        return document
