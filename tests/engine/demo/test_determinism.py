"""The same seed and end day tell the same story, to the bit, in any process."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np

from procurement.demo.streams import random_stream
from procurement.demo.world import DemoWorld, generate

ROOT = Path(__file__).resolve().parents[3]
PRINT_DIGEST = (
    "from datetime import date; from procurement.demo.world import generate; "
    "from tests.engine.demo.test_determinism import digest; print(digest(generate(7, date(2026, 11, 22))))"
)


def digest(demo: DemoWorld) -> str:
    whole = hashlib.sha256()
    for name in DemoWorld.__slots__:
        part = getattr(demo, name)
        whole.update(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode())
    return whole.hexdigest()


def test_another_process_with_another_hash_seed_builds_the_same_company(demo):
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT)}

    other = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert other.stdout.strip() == digest(demo)


def test_another_seed_builds_another_company(demo):
    other = generate(8, date(2026, 11, 22))

    assert digest(other) != digest(demo)
    assert len(other.skus) == 300


def test_the_stream_of_a_part_depends_on_its_name_alone():
    first = random_stream(7, "orders").integers(1_000_000, size=3).tolist()
    random_stream(7, "something new").integers(1_000_000, size=3)
    again = random_stream(7, "orders").integers(1_000_000, size=3).tolist()

    assert first == again
    assert random_stream(7, "returns").integers(1_000_000, size=3).tolist() != first
