#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""RoFormers and MDX23C in numpy, from descriptions of them: shares nothing with lib/plugins/neural.

    msst.py make KIND SEED PATH              writes PATH.ckpt and PATH.yaml with random weights
    msst.py check KIND PATH MIX FOLDER...    compares the stems in each folder with what it makes of each mix
    msst.py kinds                            prints the kinds
    msst.py many STEMS PATH                  a BS-RoFormer of so many stems: 13,000 tensors with 53
"""
import collections
import io
import os
import pickle
import sys
import types
import warnings
import zipfile

import numpy as np
import scipy.io.wavfile
import scipy.special

LIMIT = 2e-5  # of the peak; a right float32 implementation differs by a few 1e-6

# ---- the kinds: settings of other sizes than any published model has, one for each branch

KINDS = {
    # PolarFormer: its places, no rotation
    "polar": dict(net="bs", half=False, dim=10, depth=2, heads=3, dim_head=6, nfft=256, hop=64, time=1, freq=1,
                  hidden=1, factor=2, bands=[1, 2, 4, 8, 16, 32, 66], pope=True, skip=False, stereo=True,
                  chunk=6000, overlap=2, stems=["vocals", "other"]),
    # a transform of no power of two, a hop that does not divide it, no hidden layer, chunks of an odd length
    "bs": dict(net="bs", half=True, dim=6, depth=1, heads=2, dim_head=4, nfft=600, hop=130, time=1, freq=3, hidden=0,
               factor=4, bands=[3, 7, 30, 61, 200], pope=False, skip=True, stereo=True, chunk=7777, overlap=3,
               stems=["left", "right", "rest"], zero_dc=False, wrap="state_dict"),
    # one channel, the length of the chunk kept, a target
    "mel": dict(net="mel", half=False, dim=8, depth=3, heads=1, dim_head=12, nfft=1024, hop=256, time=2, freq=1,
                hidden=2, factor=1, mel=13, pope=False, skip=True, stereo=False, chunk=9001, overlap=4,
                stems=["speech", "music", "effects"], target="speech", match=True, wrap="model_state_dict"),
    # stereo, 16 bits, the whole track normalised
    "mel2": dict(net="mel", half=True, dim=12, depth=1, heads=4, dim_head=2, nfft=512, hop=128, time=1, freq=1,
                 hidden=1, factor=3, mel=31, pope=False, skip=False, stereo=True, chunk=8192, overlap=1,
                 stems=["dry", "wet"], normalize=True, wrap="state"),
    "mdx": dict(net="mdx", half=True, nfft=512, hop=64, bins=192, sub=2, scales=2, blocks=1, c=6, growth=5,
                bottleneck=3, act="relu", chunk=64 * 127, overlap=2, stems=["a", "b"], normalize=True),
    "mdx2": dict(net="mdx", half=False, nfft=400, hop=100, bins=200, sub=5, scales=3, blocks=3, c=4, growth=0,
                 bottleneck=2, act="gelu", chunk=100 * 63, overlap=5, stems=["kick", "snare", "toms"], target="toms"),
}


# ---- bands

def mel_bands(number, nfft, rate):
    """Lists of bins of triangles on Slaney's scale."""
    top = 1000 / (200 / 3) + np.log(rate / 2 / 1000) * 27 / np.log(6.4)
    mels = np.linspace(0, top, number + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.arange(nfft // 2 + 1) * rate / nfft
    bands = [list(np.nonzero((bins > edges[b]) & (bins < edges[b + 2]))[0]) for b in range(number)]
    bands[0] = sorted(set(bands[0]) | {0})
    bands[-1] = sorted(set(bands[-1]) | {nfft // 2})
    return bands


def bands_of(k):
    if k["net"] == "mel":
        return mel_bands(k["mel"], k["nfft"], 44100)
    ends = np.cumsum([0] + k["bands"])
    return [list(range(a, b)) for a, b in zip(ends[:-1], ends[1:])]


# ---- weights

def roformer_shapes(k, outputs):
    dim, inner, c = k["dim"], k["heads"] * k["dim_head"], 2 if k["stereo"] else 1
    shapes = collections.OrderedDict()
    for b, bins in enumerate(bands_of(k)):
        n = 2 * c * len(bins)
        shapes[f"band_split.to_features.{b}.0.gamma"] = (n,)
        shapes[f"band_split.to_features.{b}.1.weight"] = (dim, n)
        shapes[f"band_split.to_features.{b}.1.bias"] = (dim,)
        for s in range(outputs):
            width = [dim] + k["hidden"] * [dim * k["factor"]] + [2 * n]
            for i in range(len(width) - 1):
                name = f"mask_estimators.{s}.to_freqs.{b}.0.{2 * i}"
                shapes[name + ".weight"], shapes[name + ".bias"] = (width[i + 1], width[i]), (width[i + 1],)
    for i in range(k["depth"]):
        for t, count in enumerate((k["time"], k["freq"])):
            for j in range(count):
                a, f = f"layers.{i}.{t}.layers.{j}.0", f"layers.{i}.{t}.layers.{j}.1.net"
                if k["pope"]:
                    shapes[a + ".pope_embed.inv_freqs"] = (k["dim_head"],)
                    shapes[a + ".pope_embed.bias"] = (k["heads"], k["dim_head"])
                else:
                    shapes[a + ".rotary_embed.freqs"] = (k["dim_head"] // 2,)
                shapes.update({a + ".norm.gamma": (dim,), a + ".to_qkv.weight": (3 * inner, dim),
                               a + ".to_gates.weight": (k["heads"], dim), a + ".to_gates.bias": (k["heads"],),
                               a + ".to_out.0.weight": (dim, inner), f + ".0.gamma": (dim,),
                               f + ".1.weight": (4 * dim, dim), f + ".1.bias": (4 * dim,),
                               f + ".4.weight": (dim, 4 * dim), f + ".4.bias": (dim,)})
            if k["net"] == "mel":
                shapes[f"layers.{i}.{t}.norm.gamma"] = (dim,)
    if k["net"] == "bs":
        shapes["final_norm.gamma"] = (dim,)
    return shapes


def mdx_shapes(k, outputs):
    shapes = collections.OrderedDict()
    planes, c, f = 4 * k["sub"], k["c"], k["bins"] // k["sub"]

    def norm(name, channels):
        shapes[name + ".weight"] = shapes[name + ".bias"] = (channels,)

    def blocks(name, cin, cout, freq):
        for i in range(k["blocks"]):
            p, low = f"{name}.blocks.{i}", freq // k["bottleneck"]
            norm(p + ".tfc1.0", cin)
            shapes[p + ".tfc1.2.weight"] = (cout, cin, 3, 3)
            norm(p + ".tdf.0", cout)
            shapes[p + ".tdf.2.weight"] = (low, freq)
            norm(p + ".tdf.3", cout)
            shapes[p + ".tdf.5.weight"] = (freq, low)
            norm(p + ".tfc2.0", cout)
            shapes[p + ".tfc2.2.weight"] = (cout, cout, 3, 3)
            shapes[p + ".shortcut.weight"] = (cout, cin, 1, 1)
            cin = cout

    shapes["first_conv.weight"] = (c, planes, 1, 1)
    for i in range(k["scales"]):
        blocks(f"encoder_blocks.{i}.tfc_tdf", c, c, f)
        norm(f"encoder_blocks.{i}.downscale.conv.0", c)
        shapes[f"encoder_blocks.{i}.downscale.conv.2.weight"] = (c + k["growth"], c, 2, 2)
        c, f = c + k["growth"], f // 2
    blocks("bottleneck_block", c, c, f)
    for i in range(k["scales"]):
        norm(f"decoder_blocks.{i}.upscale.conv.0", c)
        shapes[f"decoder_blocks.{i}.upscale.conv.2.weight"] = (c, c - k["growth"], 2, 2)
        c, f = c - k["growth"], f * 2
        blocks(f"decoder_blocks.{i}.tfc_tdf", 2 * c, c, f)
    shapes["final_conv.0.weight"] = (c, c + planes, 1, 1)
    shapes["final_conv.2.weight"] = (outputs * planes, c, 1, 1)
    return shapes


def random_weights(k, seed):
    rng = np.random.default_rng(seed)
    outputs = 1 if k.get("target") else len(k["stems"])
    weights = collections.OrderedDict()
    for name, shape in (mdx_shapes if k["net"] == "mdx" else roformer_shapes)(k, outputs).items():
        if name.endswith("freqs"):
            w = 10000.0 ** (-np.arange(shape[0]) / shape[0])
        elif name.endswith("pope_embed.bias"):
            w = rng.uniform(-8, 2, shape)  # also what has to be clamped
        elif "gamma" in name or (len(shape) == 1 and name.endswith("weight")):
            w = rng.normal(1, 0.3, shape)
        elif len(shape) == 1:
            w = rng.normal(0, 0.3, shape)
        else:
            w = rng.normal(0, 1.5 / np.sqrt(np.prod(shape[1:])), shape)
        weights[name] = w.astype("f2" if k["half"] else "f4")
    return weights


# ---- files: a torch archive without torch

def torch_archive(path, state, wrap=None):
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild():
        pass
    rebuild.__module__, rebuild.__name__, rebuild.__qualname__ = "torch._utils", *2 * ["_rebuild_tensor_v2"]
    utils._rebuild_tensor_v2 = rebuild
    for name in ("FloatStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    torch._utils = utils
    sys.modules.update({"torch": torch, "torch._utils": utils})

    class Storage:
        def __init__(self, key, array):
            self.id = ("storage", torch.HalfStorage if array.dtype == "f2" else torch.FloatStorage, str(key), "cpu",
                       array.size)

    class Tensor:
        def __init__(self, key, array):
            strides = tuple(s // array.itemsize for s in array.strides)
            self.made_of = (Storage(key, array), 0, array.shape, strides, False, collections.OrderedDict())

        def __reduce__(self):
            return rebuild, self.made_of

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return obj.id if isinstance(obj, Storage) else None

    tensors = collections.OrderedDict((name, Tensor(i, a)) for i, (name, a) in enumerate(state.items()))
    text = io.BytesIO()
    Pickler(text, 2).dump({"epoch": 3, wrap: tensors} if wrap else tensors)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        for i, a in enumerate(state.values()):
            archive.writestr(f"archive/data/{i}", a.tobytes())


def write_yaml(path, k):
    def flag(key, default=False):
        return str(k.get(key, default)).lower()
    out = ["# random weights", "audio:", f"  chunk_size: {k['chunk']}", "  num_channels: 2", "  sample_rate: 44100"]
    if k["net"] == "mdx":
        out += [f"  n_fft: {k['nfft']}", f"  hop_length: {k['hop']}", f"  dim_f: {k['bins']}", "model:",
                f"  act: {k['act']}", "  norm: InstanceNorm", f"  bottleneck_factor: {k['bottleneck']}",
                f"  growth: {k['growth']}", f"  num_blocks_per_scale: {k['blocks']}", f"  num_channels: {k['c']}",
                f"  num_scales: {k['scales']}", f"  num_subbands: {k['sub']}", "  scale: [2, 2]"]
    else:
        out += ["model:", f"  dim: {k['dim']}", f"  depth: {k['depth']}", f"  heads: {k['heads']}",
                f"  dim_head: {k['dim_head']}", f"  stereo: {flag('stereo')}", f"  skip_connection: {flag('skip')}",
                f"  num_stems: {1 if k.get('target') else len(k['stems'])}", f"  time_transformer_depth: {k['time']}",
                f"  freq_transformer_depth: {k['freq']}", f"  stft_n_fft: {k['nfft']}", f"  stft_win_length: {k['nfft']}",
                f"  stft_hop_length: {k['hop']}", f"  zero_dc: {flag('zero_dc', True)}",
                f"  match_input_audio_length: {flag('match')}", "  ff_dropout: 0.1", "  flash_attn: true"]
        if k["pope"]:
            out += ["  use_pope: true"]
        if k["net"] == "mel":
            out += [f"  num_bands: {k['mel']}", "  sample_rate: 44100"]
        else:
            out += ["  freqs_per_bands: !!python/tuple"] + [f"    - {n}" for n in k["bands"]]
    out += ["training:", "  instruments:"] + [f"  - {s}" for s in k["stems"]]
    out += [f"  target_instrument: {k.get('target', 'null')}", "inference:", f"  num_overlap: {k['overlap']}",
            f"  normalize: {flag('normalize')}"]
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")


# ---- the transform

def window(n):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def stft(x, nfft, hop):
    x = np.pad(x, ((0, 0), (nfft // 2, nfft // 2)), "reflect")
    starts = range(0, x.shape[1] - nfft + 1, hop)
    return np.stack([np.fft.rfft(x[:, s:s + nfft] * window(nfft)) for s in starts], -1)


def istft(z, nfft, hop, length):
    y = np.zeros((z.shape[0], nfft + hop * (z.shape[2] - 1)))
    total = np.zeros(y.shape[1])
    for t in range(z.shape[2]):
        y[:, t * hop:t * hop + nfft] += np.fft.irfft(z[:, :, t], nfft) * window(nfft)
        total[t * hop:t * hop + nfft] += window(nfft) ** 2
    y = y[:, nfft // 2:nfft // 2 + length] / total[nfft // 2:nfft // 2 + length]
    return np.pad(y, ((0, 0), (0, length - y.shape[1])))


# ---- RoFormers

def rms(x, gamma):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) * np.sqrt(x.shape[-1]) * gamma


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + scipy.special.erf(x / np.sqrt(2)))


def places(q, keys, w, name):
    """q and k of [sequence][head][place][dh] with their places in them."""
    at = np.arange(q.shape[2])[:, None]
    if name + ".rotary_embed.freqs" in w:
        angle = at * w[name + ".rotary_embed.freqs"]
        cos, sin = np.cos(angle), np.sin(angle)

        def turn(x):
            a, b = x[..., 0::2], x[..., 1::2]
            return np.stack([a * cos - b * sin, b * cos + a * sin], -1).reshape(x.shape)
        return turn(q), turn(keys)
    angle = at * w[name + ".pope_embed.inv_freqs"]
    bias = np.clip(w[name + ".pope_embed.bias"], -2 * np.pi, 0)[:, None, :]
    q, keys = np.log1p(np.exp(q)), np.log1p(np.exp(keys))
    return (np.concatenate([q * np.cos(angle), q * np.sin(angle)], -1),
            np.concatenate([keys * np.cos(angle + bias), keys * np.sin(angle + bias)], -1))


def transformer(x, w, name, count, k):
    heads, dh = k["heads"], k["dim_head"]
    for j in range(count):
        a, f = f"{name}.layers.{j}.0", f"{name}.layers.{j}.1.net"
        y = rms(x, w[a + ".norm.gamma"])
        qkv = (y @ w[a + ".to_qkv.weight"].T).reshape(*y.shape[:2], 3, heads, dh).transpose(2, 0, 3, 1, 4)
        q, keys = places(qkv[0], qkv[1], w, a)
        scores = q @ keys.swapaxes(-1, -2) / np.sqrt(dh)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        out = scores / scores.sum(-1, keepdims=True) @ qkv[2]
        gates = sigmoid(y @ w[a + ".to_gates.weight"].T + w[a + ".to_gates.bias"])
        out = out * gates.transpose(0, 2, 1)[..., None]
        x = x + out.transpose(0, 2, 1, 3).reshape(*y.shape[:2], heads * dh) @ w[a + ".to_out.0.weight"].T
        y = gelu(rms(x, w[f + ".0.gamma"]) @ w[f + ".1.weight"].T + w[f + ".1.bias"])
        x = x + y @ w[f + ".4.weight"].T + w[f + ".4.bias"]
    return rms(x, w[name + ".norm.gamma"]) if k["net"] == "mel" else x


def masks_of(x, w, s, bands, k, shape):
    """x: [time][band][dim] -> complex [channel][bin][time]"""
    mask, times = np.zeros(shape, complex), np.zeros(shape[1])
    for b, bins in enumerate(bands):
        y = x[:, b]
        for i in range(k["hidden"] + 1):
            name = f"mask_estimators.{s}.to_freqs.{b}.0.{2 * i}"
            y = y @ w[name + ".weight"].T + w[name + ".bias"]
            y = np.tanh(y) if i < k["hidden"] else y
        half = y.shape[1] // 2
        y = (y[:, :half] * sigmoid(y[:, half:])).reshape(len(y), len(bins), shape[0], 2)
        mask[:, bins] += (y[..., 0] + 1j * y[..., 1]).transpose(2, 1, 0)
        times[bins] += 1
    return mask / np.maximum(times, 1)[:, None]


def run_roformer(chunk, w, k, outputs):
    z, bands = stft(chunk, k["nfft"], k["hop"]), bands_of(k)
    v = np.stack([z.real, z.imag], -1).transpose(2, 1, 0, 3)  # [time][bin][channel][part]
    x = np.stack([rms(v[:, bins].reshape(len(v), -1), w[f"band_split.to_features.{b}.0.gamma"])
                  @ w[f"band_split.to_features.{b}.1.weight"].T + w[f"band_split.to_features.{b}.1.bias"]
                  for b, bins in enumerate(bands)], 1)
    earlier = []
    for i in range(k["depth"]):
        if k["skip"]:
            x = x + sum(earlier)
        x = transformer(x.swapaxes(0, 1), w, f"layers.{i}.0", k["time"], k).swapaxes(0, 1)
        x = transformer(x, w, f"layers.{i}.1", k["freq"], k)
        earlier.append(x)
    if k["net"] == "bs":
        x = rms(x, w["final_norm.gamma"])
    stems = []
    for s in range(outputs):
        y = z * masks_of(x, w, s, bands, k, z.shape)
        if k.get("zero_dc", True):
            y[:, 0] = 0
        stems.append(istft(y, k["nfft"], k["hop"], chunk.shape[1]))
    return np.stack(stems)


# ---- MDX23C

def convolve(x, w, stride=1):
    """x [c][time][freq]; 3x3 with a border of zeros, or kernels as large as the stride."""
    size = w.shape[2]
    if size == 3:
        x = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    t, f = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    return sum(np.einsum("oi,itf->otf", w[:, :, a, b], x[:, a:a + t * stride:stride, b:b + f * stride:stride])
               for a in range(size) for b in range(size))


def run_mdx(chunk, w, k, outputs):
    act = gelu if k["act"] == "gelu" else (lambda x: np.maximum(x, 0))

    def norm(x, name):
        mean, var = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
        return act((x - mean) / np.sqrt(var + 1e-5) * w[name + ".weight"][:, None, None] + w[name + ".bias"][:, None, None])

    def blocks(x, name):
        for i in range(k["blocks"]):
            p = f"{name}.blocks.{i}"
            s = convolve(x, w[p + ".shortcut.weight"])
            x = convolve(norm(x, p + ".tfc1.0"), w[p + ".tfc1.2.weight"])
            y = norm(norm(x, p + ".tdf.0") @ w[p + ".tdf.2.weight"].T, p + ".tdf.3") @ w[p + ".tdf.5.weight"].T
            x = convolve(norm(x + y, p + ".tfc2.0"), w[p + ".tfc2.2.weight"]) + s
        return x

    def up(x, name):
        x, m = norm(x, name + ".conv.0"), w[name + ".conv.2.weight"]
        y = np.zeros((m.shape[1], 2 * x.shape[1], 2 * x.shape[2]))
        for a in range(2):
            for b in range(2):
                y[:, a::2, b::2] = np.einsum("io,itf->otf", m[:, :, a, b], x)
        return y

    z, sub, low = stft(chunk, k["nfft"], k["hop"]), k["sub"], k["bins"] // k["sub"]
    planes = np.stack([z[0].real, z[0].imag, z[1].real, z[1].imag])[:, :k["bins"]]
    planes = planes.reshape(4 * sub, low, -1).swapaxes(1, 2)
    first = x = convolve(planes, w["first_conv.weight"])
    saved = []
    for i in range(k["scales"]):
        x = blocks(x, f"encoder_blocks.{i}.tfc_tdf")
        saved.append(x)
        name = f"encoder_blocks.{i}.downscale.conv"
        x = convolve(norm(x, name + ".0"), w[name + ".2.weight"], 2)
    x = blocks(x, "bottleneck_block")
    for i in range(k["scales"]):
        x = blocks(np.concatenate([up(x, f"decoder_blocks.{i}.upscale"), saved.pop()]), f"decoder_blocks.{i}.tfc_tdf")
    x = np.concatenate([planes, x * first])
    x = convolve(act(convolve(x, w["final_conv.0.weight"])), w["final_conv.2.weight"])
    x = x.swapaxes(1, 2).reshape(outputs, 4, k["bins"], -1)
    out = np.zeros((outputs, 2, k["nfft"] // 2 + 1, x.shape[3]), complex)
    out[:, :, :k["bins"]] = x[:, 0::2] + 1j * x[:, 1::2]
    return np.stack([istft(y, k["nfft"], k["hop"], chunk.shape[1]) for y in out])


# ---- the track

def demix(mix, run, k, outputs):
    size, step = k["chunk"], k["chunk"] // k["overlap"]
    fade, border, frames = size // 10, size - size // k["overlap"], mix.shape[1]
    ends = frames > 2 * border > 0
    x = np.pad(mix, ((0, 0), (border, border)), "reflect") if ends else mix
    total, weights = np.zeros((outputs, *x.shape)), np.zeros(x.shape[1])
    for start in range(0, x.shape[1], step):
        part = x[:, start:start + size]
        n, missing = part.shape[1], size - part.shape[1]
        part = np.pad(part, ((0, 0), (0, missing)), "reflect" if n > size // 2 else "constant")
        ramp = np.ones(size)
        if start > 0:
            ramp[:fade] = np.linspace(0, 1, fade)
        if start == 0 or start + step < x.shape[1]:
            ramp[-fade:] = np.linspace(1, 0, fade)
        total[:, :, start:start + n] += (run(part) * ramp)[:, :, :n]
        weights[start:start + n] += ramp[:n]
    y = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)
    return y[:, :, border:border + frames] if ends else y


def separate(mix, w, k):
    outputs = 1 if k.get("target") else len(k["stems"])
    w = {name: a.astype(float) for name, a in w.items()}
    mix = mix if k.get("stereo", True) else mix.mean(0, keepdims=True)
    mean, deviation = (mix.mean(0).mean(), mix.mean(0).std()) if k.get("normalize") else (0, 1)
    net = run_mdx if k["net"] == "mdx" else run_roformer
    y = demix((mix - mean) / deviation, lambda part: net(part, w, k, outputs), k, outputs) * deviation + mean
    if not k.get("target"):
        return dict(zip(k["stems"], y))
    rest = next(s for s in k["stems"] if s != k["target"])
    return {k["target"]: y[0], rest: mix - y[0]}


def read(path):
    """[channel][frame] of a WAV file; not by sox, which rounds to 32 bits and clips."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about chunks that it does not know
        x = scipy.io.wavfile.read(path)[1]
    x = x / 32768 if x.dtype == "i2" else x.astype(float)
    return x.reshape(len(x), -1).T


def load(path, k):
    with zipfile.ZipFile(path + ".ckpt") as archive:
        shapes = (mdx_shapes if k["net"] == "mdx" else roformer_shapes)(k, 1 if k.get("target") else len(k["stems"]))
        kind = "f2" if k["half"] else "f4"
        return {n: np.frombuffer(archive.read(f"archive/data/{i}"), kind).reshape(s) for i, (n, s) in enumerate(shapes.items())}


def main(verb, *arguments):
    if verb == "kinds":
        print(*KINDS)
    elif verb == "make":
        kind, seed, path = arguments
        torch_archive(path + ".ckpt", random_weights(KINDS[kind], int(seed)), KINDS[kind].get("wrap"))
        write_yaml(path + ".yaml", KINDS[kind])
    elif verb == "many":
        stems, path = arguments
        k = dict(KINDS["polar"], half=True, dim=2, depth=1, heads=1, dim_head=2, factor=1, pope=False, nfft=128, hop=64,
                 bands=[1] * 60 + [2, 3], stems=[f"stem {i}" for i in range(int(stems))], overlap=1, chunk=1024)
        torch_archive(path + ".ckpt", random_weights(k, 1))
        write_yaml(path + ".yaml", k)
    else:
        kind, path, *pairs = arguments
        k, weights = KINDS[kind], load(path, KINDS[kind])
        for mix, folder in zip(pairs[::2], pairs[1::2]):
            want = separate(read(mix), weights, k)
            peak = max(abs(y).max() for y in want.values())
            assert peak > 0 and sorted(os.listdir(folder)) == sorted(s + ".wav" for s in want), os.listdir(folder)
            worst = max(abs(read(f"{folder}/{s}.wav") - y).max() for s, y in want.items()) / peak
            print(f"{kind}, {mix}: {worst:.2g} of the peak {peak:.2g}")
            assert worst <= LIMIT


main(*sys.argv[1:])
