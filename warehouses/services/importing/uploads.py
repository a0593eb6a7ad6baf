"""A file of sales that came through the browser: kept under a name of our own until a worker has imported it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from config.kernel.errors import Conflict, NotFound, ValidationFailed
from config.kernel.jobs import queue_job, send_to_worker
from config.kernel.models import Job
from warehouses.models import Warehouse

IMPORT_SALES = "import_sales"
"""The kind of the job. Its task (settings.JOB_TASKS) is forecasting's, which refreshes demand afterwards."""
ENDINGS = (".csv.gz", ".csv", ".gz", ".parquet")
MAX_BYTES = 200 * 1024 * 1024
_LONGEST_NAME = 200


class IncomingFile(Protocol):
    """What Django hands over for an uploaded file."""

    @property
    def name(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    def chunks(self) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A kept file. The name the user gave is only ever shown; the path comes from `id` and one of ENDINGS."""

    id: UUID
    ending: str
    shown_name: str

    @property
    def path(self) -> Path:
        return imports_folder() / f"{self.id}{self.ending}"

    @property
    def rejects_path(self) -> Path:
        return rejects_path(self.id)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


def imports_folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "imports"


def rejects_path(upload_id: UUID) -> Path:
    """Where the rejected lines of this upload are, if there are any."""
    return imports_folder() / f"{upload_id}.rejects.csv"


def queue_file_import(
    file: IncomingFile, *, channel_code: str, warehouse_code: str = "", key: str, actor: Any
) -> tuple[Job, bool]:
    """Keep the file and queue its import; (job, True), or (the job queued with this key before, False).

    Raises ValidationFailed for a file of another kind, an empty one or one above MAX_BYTES (nothing is kept then) and
    for a channel code that cannot be one; NotFound for a warehouse that is not there; Conflict when the job queued with
    this key is of another file, channel or warehouse.
    """
    run_key = f"{IMPORT_SALES}:{key}"
    if not key or len(run_key) > 120:
        raise ValidationFailed(_("The form was incomplete; load the page again."))
    if known := Job.objects.filter(run_key=run_key).first():
        asked = {"channel_code": channel_code, "warehouse_code": warehouse_code, "sha256": _sha256(file)}
        return _same(known, asked), False
    if not channel_code or len(channel_code) > 32 or not channel_code.isprintable():
        raise ValidationFailed(_("The channel's code must have 1 to 32 characters."))
    if warehouse_code and not Warehouse.objects.filter(code=warehouse_code).exists():
        raise NotFound(_("There is no warehouse %(code)s.") % {"code": warehouse_code})
    upload, sha256 = _keep(file)
    parameters = {
        "upload": str(upload.id),
        "ending": upload.ending,
        "file_name": upload.shown_name,
        "channel_code": channel_code,
        "warehouse_code": warehouse_code,
        "sha256": sha256,
    }
    try:
        with transaction.atomic():
            job = queue_job(IMPORT_SALES, run_key=run_key, parameters=parameters, actor=actor)
            if job is not None:
                send_to_worker(job)
    except BaseException:
        if not Job.objects.filter(run_key=run_key).exists():
            upload.forget()
        raise
    if job is None:  # a twin with the same key was faster
        upload.forget()
        return _same(Job.objects.get(run_key=run_key), parameters), False
    return job, True


def _same(job: Job, asked: Mapping[str, str]) -> Job:
    """The job, if it is the one that is asked for again. Raises Conflict."""
    told = job.parameters
    names = [name for name in ("channel_code", "warehouse_code", "sha256") if name in told]
    if any(told[name] != asked[name] for name in names):
        raise Conflict(
            _("This form queued the import of “%(file)s” already; load the page again to import something else.")
            % {"file": told["file_name"]},
            code="key_of_another_request",
        )
    return job


def _sha256(file: IncomingFile) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def upload_of(job: Job) -> Upload:
    told = job.parameters
    if told["ending"] not in ENDINGS:
        raise ValidationFailed(_("This is no file of sales: %(file)s.") % {"file": told["file_name"]})
    return Upload(UUID(told["upload"]), told["ending"], told["file_name"])


def _keep(file: IncomingFile) -> tuple[Upload, str]:
    """Chunk by chunk, with its SHA-256; what turns out too large is thrown away again."""
    name = file.name or ""
    ending = next((ending for ending in ENDINGS if name.lower().endswith(ending)), None)
    shown = "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable())[-_LONGEST_NAME:]
    if ending is None:
        raise ValidationFailed(
            _("“%(file)s” is no CSV (plain or gzipped) and no Parquet file. Export it as CSV.") % {"file": shown}
        )
    if (file.size or 0) > MAX_BYTES:
        raise _too_large(shown)
    upload = Upload(uuid4(), ending, shown)
    imports_folder().mkdir(parents=True, exist_ok=True)
    try:
        sha256 = _write(file, upload)
    except BaseException:
        upload.forget()
        raise
    return upload, sha256


def _write(file: IncomingFile, upload: Upload) -> str:
    written, digest = 0, hashlib.sha256()
    with upload.path.open("xb") as target:
        for chunk in file.chunks():
            written += len(chunk)
            if written > MAX_BYTES:
                raise _too_large(upload.shown_name)
            target.write(chunk)
            digest.update(chunk)
    if not written:
        raise ValidationFailed(_("“%(file)s” is empty.") % {"file": upload.shown_name})
    return digest.hexdigest()


def _too_large(name: str) -> ValidationFailed:
    return ValidationFailed(
        _("“%(file)s” is larger than %(most)d MB. Split it, or use “manage.py import_sales”.")
        % {"file": name, "most": MAX_BYTES // 1024 // 1024}
    )
