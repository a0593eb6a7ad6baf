"""Whether a real Celery worker listens: `bin/test` starts one and says so in the environment."""

import os

import pytest

needs_worker = pytest.mark.skipif(
    os.environ.get("ENTREPOT_TEST_WORKER") != "1",
    reason="no Celery worker listens here; bin/test starts one",
)
