"""One LSTM for all series with a negative binomial head (DeepAR: Salinas, Flunkert, Gasthaus & Januschowski 2020).

An optional extra: PyTorch (requirements/neural.txt) is imported only when this method is used. Each series is divided
by its own mean; unknown periods are masked, in the input and in the loss; known covariates enter a step ahead, past
ones a step behind, categories as an embedding. Bounded work: at most 2,000 series a pass and 15 passes, stopped when
the newest horizon, held out in time, no longer improves. Seeded, one thread: the same numbers each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.engine.methods.base import Forecaster, checked, observed_rates, quantiles_of
from forecasting.engine.methods.neural_inputs import Inputs, inputs_of
from forecasting.engine.types import FloatArray, IntArray, Panel

CONTEXT_SEASONS = {"H": 168, "D": 84, "W": 52, "M": 36, "Q": 16, "Y": 10}
CELLS = 4_000_000
EMBEDDING = 4
RATE = 0.01
LEAST_BATCHES = 20


def load_torch() -> Any:
    """PyTorch, or one clear error that names the extra."""
    try:
        import torch
    except ImportError as missing:
        raise ImportError("method lstm needs PyTorch: pip install -r requirements/neural.txt") from missing
    return torch


@dataclass(frozen=True)
class Lstm:
    """hidden cells of the one layer; paths drawn a series; passes, series a batch, series a pass at most; patience in
    passes without improvement."""

    name: str = "lstm"
    rank: int = 20
    words: str = "one recurrent network (LSTM) for all series, negative binomial"
    hidden: int = 32
    samples: int = 200
    passes: int = 15
    batch: int = 64
    series: int = 2000
    patience: int = 3
    seed: int = 0

    def fit_predict(self, panel: Panel, horizon: int, quantiles: Sequence[float]) -> FloatArray:
        """(n, horizon, q) quantiles of single steps."""
        levels = checked(horizon, quantiles)
        return self._read(panel, horizon, lambda paths: np.moveaxis(quantiles_of(paths, levels), 0, -1))

    def window_quantiles(self, panel: Panel, windows: Sequence[int], quantiles: Sequence[float]) -> FloatArray:
        """(n, w, q) quantiles of the SUM over the first windows[j] steps, read off the same paths."""
        if not windows:
            raise ValueError("windows must name at least one")
        levels, ends = checked(min(windows), quantiles), np.array(windows, dtype=np.int64) - 1

        def read(paths: FloatArray) -> FloatArray:
            return np.moveaxis(quantiles_of(paths.cumsum(axis=2)[:, :, ends], levels), 0, -1)

        return self._read(panel, int(max(windows)), read)

    def _read(self, panel: Panel, horizon: int, reader: Any) -> FloatArray:
        torch = load_torch()
        inputs = inputs_of(panel, observed_rates(panel), horizon)
        known = np.flatnonzero(inputs.scale > 0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                net = self.trained(torch, inputs, known, horizon, CONTEXT_SEASONS[panel.freq])
                return self.sampled(torch, net, inputs, known, horizon, reader, CONTEXT_SEASONS[panel.freq])
            finally:
                torch.set_num_threads(threads)

    def trained(self, torch: Any, inputs: Inputs, known: IntArray, horizon: int, context: int) -> Any:
        """The network of the pass with the least loss on the newest horizon, which it never learns from."""
        net = network(torch, inputs.features.shape[2] + 2, inputs.kinds, self.hidden)
        last = inputs.rates.shape[1]
        split = max(last - horizon, last // 2)
        rng = np.random.default_rng(self.seed)
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
        best, kept, waited = np.inf, {k: v.clone() for k, v in net.state_dict().items()}, 0
        length = min(context + horizon, last)
        for _ in range(self.passes if len(known) else 0):
            for rows in drawn_batches(rng, known, self.series, self.batch):
                end = int(rng.integers(min(length, split), split + 1))
                loss = nll(torch, net, inputs, rows, max(end - length, 0), end, 0)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
            score = self.held_out(torch, net, inputs, known, split, context)
            waited = 0 if score < best - 1e-4 else waited + 1
            if score < best - 1e-4:
                best, kept = score, {k: v.clone() for k, v in net.state_dict().items()}
            if waited >= self.patience:
                break
        net.load_state_dict(kept)
        return net

    def held_out(self, torch: Any, net: Any, inputs: Inputs, known: IntArray, split: int, context: int) -> float:
        """Mean loss of the periods after the split, after a warm-up of one context."""
        begin = max(split - context, 0)
        with torch.no_grad():
            loss = nll(torch, net, inputs, known[: self.series], begin, inputs.rates.shape[1], split - begin)
        return float(loss)

    def sampled(
        self, torch: Any, net: Any, inputs: Inputs, known: IntArray, horizon: int, reader: Any, context: int
    ) -> FloatArray:
        """Quantiles of all series, a few at a time; NaN for those that never sold or were never seen."""
        out = np.full((len(inputs.scale), *reader(np.zeros((1, 2, horizon))).shape[1:]), np.nan)
        step = max(1, CELLS // (self.samples * max(horizon, self.hidden)))
        for begin in range(0, len(known), step):
            rows = known[begin : begin + step]
            with torch.no_grad():
                out[rows] = reader(rollout(torch, net, inputs, rows, horizon, self.samples, context))
        return out


def drawn_batches(rng: np.random.Generator, known: IntArray, most: int, batch: int) -> list[IntArray]:
    """One pass: at most `most` series, each once; a small panel is gone through again until there are 20 batches."""
    again = max(1, -(-LEAST_BATCHES * batch // max(len(known), 1))) if len(known) < most else 1
    chosen = np.concatenate([rng.permutation(known)[:most] for _ in range(again)])
    return [chosen[i : i + batch] for i in range(0, len(chosen), batch)][: max(LEAST_BATCHES, -(-most // batch))]


def network(torch: Any, width: int, kinds: tuple[int, ...], hidden: int) -> Any:
    """LSTM over (value, mask, features, embeddings) → ln mean and ln inverse size of the next period; the inputs reach
    the head directly too, so that a promotion need not pass through the memory."""

    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tables = torch.nn.ModuleList([torch.nn.Embedding(k + 1, EMBEDDING) for k in kinds])
            inside = width + EMBEDDING * len(kinds)
            self.cell = torch.nn.LSTM(inside, hidden, batch_first=True)
            self.head = torch.nn.Linear(hidden + inside, 2)

        def forward(self, x: Any, codes: Any, state: Any = None) -> tuple[Any, Any, Any]:
            parts = [table(codes[:, j])[:, None].expand(-1, x.shape[1], -1) for j, table in enumerate(self.tables)]
            whole = torch.cat([x, *parts], dim=2)
            hidden_states, state = self.cell(whole, state)
            raw = self.head(torch.cat([hidden_states, whole], dim=2))
            return torch.clamp(raw[..., 0], -8.0, 5.0), torch.clamp(raw[..., 1], -6.0, 5.0), state

    return Net()


def tensors(torch: Any, inputs: Inputs, rows: IntArray, begin: int, end: int) -> tuple[Any, Any, Any, Any, Any]:
    """Inputs (b, L, ·) for the periods begin … end − 1, what was sold, what is known, scales and codes."""
    value = inputs.rates[rows][:, max(begin - 1, 0) : end - 1] / inputs.scale[rows][:, None]
    if begin == 0:
        value = np.concatenate([np.full((len(rows), 1), np.nan), value], axis=1)
    seen = np.isfinite(value)
    x = np.concatenate(
        [np.log1p(np.where(seen, value, 0.0))[:, :, None], seen[:, :, None], inputs.features[rows, begin:end]], axis=2
    )
    truth = inputs.rates[rows][:, begin:end]
    known = np.isfinite(truth)
    made = [torch.as_tensor(a, dtype=torch.float32) for a in (x, np.where(known, truth, 0.0), known)]
    scale = torch.as_tensor(inputs.scale[rows], dtype=torch.float32)
    return made[0], made[1], made[2], scale, torch.as_tensor(inputs.codes[rows], dtype=torch.long)


def nll(torch: Any, net: Any, inputs: Inputs, rows: IntArray, begin: int, end: int, skip: int) -> Any:
    """Mean negative binomial loss −ln P(y) of the known periods from begin + skip on."""
    x, truth, known, scale, codes = tensors(torch, inputs, rows, begin, end)
    level, spread, _ = net(x, codes)
    mean = torch.exp(level) * scale[:, None]
    size = torch.exp(-spread)
    chance = (
        torch.lgamma(truth + size)
        - torch.lgamma(size)
        - torch.lgamma(truth + 1.0)
        + size * (torch.log(size) - torch.log(size + mean))
        + truth * (torch.log(mean) - torch.log(size + mean))
    )
    weight = known[:, skip:]
    return -(chance[:, skip:] * weight).sum() / torch.clamp(weight.sum(), min=1.0)


def rollout(
    torch: Any, net: Any, inputs: Inputs, rows: IntArray, horizon: int, samples: int, context: int
) -> FloatArray:
    """(b, S, H) futures: every step is drawn from the mixture gamma × Poisson and fed back as the next input."""
    last = inputs.rates.shape[1]
    x, _, _, scale, codes = tensors(torch, inputs, rows, max(last - context, 0), last)
    _, _, state = net(x, codes)
    state = tuple(s.repeat_interleave(samples, dim=1) for s in state)
    codes, scale = codes.repeat_interleave(samples, dim=0), scale.repeat_interleave(samples)
    ahead = torch.as_tensor(inputs.features[rows, last:], dtype=torch.float32).repeat_interleave(samples, dim=0)
    value = inputs.rates[rows, last - 1] / inputs.scale[rows]
    seen = torch.as_tensor(np.isfinite(value), dtype=torch.float32).repeat_interleave(samples)
    value = torch.as_tensor(np.nan_to_num(value), dtype=torch.float32).repeat_interleave(samples)
    out = torch.zeros((len(rows) * samples, horizon))
    for h in range(horizon):
        x = torch.cat([torch.stack([torch.log1p(value), seen], dim=1), ahead[:, h]], dim=1)[:, None]
        level, spread, state = net(x, codes, state)
        size = torch.exp(-spread[:, 0])
        mixed = torch.distributions.Gamma(size, size / (torch.exp(level[:, 0]) * scale)).sample()
        out[:, h] = torch.poisson(mixed)
        value, seen = out[:, h] / scale, torch.ones_like(seen)
    return np.asarray(out.numpy().reshape(len(rows), samples, horizon), dtype=float)


FORECASTERS: tuple[Forecaster, ...] = (Lstm(),)
