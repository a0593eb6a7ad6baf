"""Named random streams: each part of the demo draws from its own, so that a new part never changes the others."""

import zlib

import numpy as np


def random_stream(seed: int, part: str) -> np.random.Generator:
    """A PCG64 generator that depends on the seed and the part's name alone (not on PYTHONHASHSEED or call order)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(part.encode())])))
