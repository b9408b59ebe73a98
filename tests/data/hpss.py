#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""librosa.effects.hpss with numpy and scipy, step by step as librosa does it, a mask for each channel.

Usage: hpss.py IN OUT CHANNELS [WINDOW HOP KERNEL_H KERNEL_P MARGIN_H MARGIN_P POWER]
IN and OUT are raw interleaved float32; OUT holds harmonic, percussive and residual side by side.
"""
import sys

import numpy as np
from scipy.ndimage import median_filter

TINY = np.finfo(np.float32).tiny


def hann(n):
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)).astype(np.float32)


def stft(x, n, hop):
    padded = np.pad(x, n // 2)
    slots = 1 + (len(padded) - n) // hop
    frames = np.lib.stride_tricks.as_strided(padded, (slots, n), (padded.strides[0] * hop, padded.strides[0]))
    return np.fft.rfft(frames * hann(n)).astype(np.complex64).T


def istft(spectrum, n, hop, length):
    slots = spectrum.shape[1]
    frames = np.fft.irfft(spectrum.T, n).astype(np.float32) * hann(n)
    y, weight = np.zeros(n + hop * (slots - 1) + length, np.float32), np.zeros(n + hop * (slots - 1) + length, np.float32)
    for t in range(slots):
        y[t * hop:t * hop + n] += frames[t]
        weight[t * hop:t * hop + n] += hann(n) ** 2
    y[weight > TINY] /= weight[weight > TINY]
    return y[n // 2:n // 2 + length]


def softmask(x, ref, power, split_zeros):
    z = np.maximum(x, ref)
    bad = z < TINY
    z[bad] = 1
    if np.isfinite(power):
        mask, other = (x / z) ** power, (ref / z) ** power
        mask[~bad] /= mask[~bad] + other[~bad]
        mask[bad] = 0.5 if split_zeros else 0
        return mask
    return x > ref


def median(magnitude, size):
    """scipy 1.10 returns wrong values when the axis is much shorter than the kernel: mirrored beforehand there."""
    short = [(k, k) if n < k else (0, 0) for n, k in zip(magnitude.shape, size)]
    padded = median_filter(np.pad(magnitude, short, mode="symmetric"), size=size, mode="reflect")
    return padded[tuple(slice(before, before + n) for (before, _), n in zip(short, magnitude.shape))]


def hpss(x, window=2048, hop=512, kernel_h=31, kernel_p=31, margin_h=1.0, margin_p=1.0, power=2.0):
    spectrum = stft(x, window, hop)
    magnitude = np.abs(spectrum)
    harmonic = median(magnitude, (1, kernel_h))
    percussive = median(magnitude, (kernel_p, 1))
    split = margin_h == 1 and margin_p == 1
    h = spectrum * softmask(harmonic, percussive * margin_h, power, split)
    p = spectrum * softmask(percussive, harmonic * margin_p, power, split)
    return [istft(s, window, hop, len(x)) for s in (h, p)]


def main():
    source, target, channels = sys.argv[1], sys.argv[2], int(sys.argv[3])
    kinds = [int, int, int, int, float, float, float]
    options = [kind(text) for kind, text in zip(kinds, sys.argv[4:])]
    x = np.fromfile(source, np.float32).reshape(-1, channels)
    parts = [hpss(np.ascontiguousarray(x[:, c]), *options) for c in range(channels)]
    h, p = (np.stack([parts[c][i] for c in range(channels)], axis=1) for i in range(2))
    np.hstack([h, p, x - h - p]).astype(np.float32).tofile(target)


if __name__ == "__main__":
    main()
