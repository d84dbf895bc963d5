"""Metrics of forecasts of frames, by lead time: errors of pixels, likeness of structure, and hits of amounts.

Where nothing is known, a metric is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Inputs
from rnncli.metrics.metric import Better, Terms, ratio

WINDOW, SIGMA = 11, 1.5  # pixels of the side of SSIM's window, and the deviation of its weights
K1, K2 = 0.01, 0.03  # of SSIM's constants
ZEROS = 0.2  # share of values that are 0 where they are amounts, such as rain
_AXES = (-3, -2, -1)  # of a frame


@dataclass(frozen=True)
class Forecast:
    """Forecast frames beside what came true, both [N, K, height, width, channels], NaN where a pixel is not known.

    `span` is the largest less the smallest value that pixels can have; `thresholds` are amounts that matter.
    """

    actual: Floats
    forecast: Floats
    span: float
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True)
class FrameMetric:
    """A registered metric of frames.

    `terms` gives, for each name of a column, numerator and denominator of every frame [N, K]. The value over some of
    them is `of` the sum of their numerators over that of their denominators. `better` says which values are.
    """

    terms: Callable[[Forecast], dict[str, Terms]]
    better: Better
    of: Callable[[Floats], Floats] = np.asarray


def squared_error_terms(frames: Forecast) -> dict[str, Terms]:
    """Sum of (f - y)^2 over the known pixels of each frame, and their number."""
    return {"mse": _over_pixels(frames, (frames.forecast - frames.actual) ** 2)}


def absolute_error_terms(frames: Forecast) -> dict[str, Terms]:
    """Sum of |f - y| over the known pixels of each frame, and their number."""
    return {"mae": _over_pixels(frames, np.abs(frames.forecast - frames.actual))}


def psnr_terms(frames: Forecast) -> dict[str, Terms]:
    """Terms of the squared error over the squared span, of which PSNR is the logarithm."""
    return {"psnr": _over_pixels(frames, ((frames.forecast - frames.actual) / frames.span) ** 2)}


def decibels(share: Floats) -> Floats:
    """PSNR = 10 log10(L^2 / MSE), with L the span of pixels; it is that of the mean squared error of all frames, for of
    single ones that are met exactly it would be infinite.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(-10 * np.log10(share))


def ssim_terms(frames: Forecast) -> dict[str, Terms]:
    """The structural similarity of each frame, the mean of its windows (Wang et al. 2004, "Image Quality Assessment"),
    and 1 where there is any window without a missing pixel.
    """
    found = ssim_map(frames.forecast, frames.actual, frames.span)
    known = ~np.isnan(found)
    value = ratio(np.where(known, found, 0.0).sum(axis=_AXES), known.sum(axis=_AXES).astype(np.float64))
    there = ~np.isnan(value)
    return {"ssim": (np.where(there, value, 0.0), there.astype(np.float64))}


def ssim_map(x: Floats, y: Floats, span: float) -> Floats:
    """SSIM of the windows of two frames [..., height, width, channels] -> [..., height - 10, width - 10, channels].

    SSIM = (2 mu_x mu_y + C1) (2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (sigma_x^2 + sigma_y^2 + C2)), the moments
    weighted in windows of 11 x 11 pixels by a Gaussian of deviation 1.5, C1 = (.01 L)^2 and C2 = (.03 L)^2. In frames
    that are smaller, the window is as large as fits.
    """
    c1, c2 = (K1 * span) ** 2, (K2 * span) ** 2
    mu_x, mu_y = _weighted(x), _weighted(y)
    xx, yy, xy = _weighted(x * x) - mu_x**2, _weighted(y * y) - mu_y**2, _weighted(x * y) - mu_x * mu_y
    return np.asarray((2 * mu_x * mu_y + c1) * (2 * xy + c2) / ((mu_x**2 + mu_y**2 + c1) * (xx + yy + c2)), np.float64)


def _weighted(values: Floats) -> Floats:
    for axis in (-3, -2):
        values = _along(values, axis)
    return values


def _along(values: Floats, axis: int) -> Floats:
    """Gaussian means along an axis, of whole windows alone."""
    side = values.shape[axis]
    size = min(WINDOW, side - (side + 1) % 2)
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * SIGMA**2))
    weights /= weights.sum()
    moved = np.moveaxis(values, axis, 0)
    found = sum(weight * moved[place : place + side - size + 1] for place, weight in enumerate(weights.tolist()))
    return np.moveaxis(np.asarray(found), 0, axis)


def csi_terms(frames: Forecast) -> dict[str, Terms]:
    """For each threshold, the pixels of a frame in which both forecast and truth reach it, and those in which either
    does: hits / (hits + misses + false alarms), the critical success index.
    """
    known = _known(frames)
    found = {}
    for threshold in frames.thresholds:
        said, came = known & (frames.forecast >= threshold), known & (frames.actual >= threshold)
        found[f"csi_{threshold:g}"] = (_count(said & came), _count(said | came))
    return found


def _known(frames: Forecast) -> Bools:
    return ~(np.isnan(frames.actual) | np.isnan(frames.forecast))


def _count(pixels: Bools) -> Floats:
    return np.asarray(pixels.sum(axis=_AXES), np.float64)


def _over_pixels(frames: Forecast, losses: Floats) -> Terms:
    known = _known(frames)
    return np.asarray(np.where(known, losses, 0.0).sum(axis=_AXES), np.float64), _count(known)


def thresholds_of(values: Floats | Inputs) -> tuple[float, ...]:
    """Amounts that matter among values of pixels, NaN where they are missing: the median and the ninth decile of those
    above 0, to one digit. None where values are no amounts, which are at least 0, and 0 for a fifth of them or more.
    """
    known = values[~np.isnan(values)]
    if not known.size or known.min() < 0 or np.count_nonzero(known == 0) < ZEROS * known.size or not known.any():
        return ()
    found = np.quantile(known[known > 0], (0.5, 0.9))
    return tuple(dict.fromkeys(float(f"{value:.0e}") for value in found.tolist()))


MSE = FrameMetric(squared_error_terms, better="lower")
MAE = FrameMetric(absolute_error_terms, better="lower")
SSIM = FrameMetric(ssim_terms, better="higher")
PSNR = FrameMetric(psnr_terms, better="higher", of=decibels)
CSI = FrameMetric(csi_terms, better="higher")
