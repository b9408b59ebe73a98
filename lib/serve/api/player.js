/* SPDX-License-Identifier: GPL-3.0-or-later
 * player.js - the sounds of a job on one clock: solo, mute, volume, and the original to compare with at the
 * same loudness.
 *
 * Sounds that fit into memory are decoded, and start at one moment of one clock, exact to a sample. Longer ones
 * are played by the browser's own players, which are kept together. */

const BUDGET = 400e6; /* bytes of decoded sound */
const APART_S = 0.03; /* players that are further apart are brought together */
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export const clock = s => {
  s = Math.max(0, Math.floor(s || 0));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
};

const make = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  for (const [k, v] of Object.entries(props)) if (k.includes('-')) e.setAttribute(k, v);
  e.append(...children);
  return e;
};
const icon = path => `<svg viewBox="0 0 24 24" aria-hidden="true"><path fill="currentColor" d="${path}"/></svg>`;
const PLAY = icon('M8 5v14l11-7z'), PAUSE = icon('M7 5h4v14H7zM13 5h4v14h-4z');

export class Player {
  /* tracks: {name, href, peaks, picture, seconds, loudness, original} */
  constructor(box, tracks, say) {
    this.box = box;
    this.say = say;
    /* the stems recipe's "main" and its halves are sums of the others: heard when they are asked for */
    const parts = tracks.filter(t => !t.original && !/^main(_|\.)/.test(t.name)).length;
    this.tracks = tracks.map(t => ({...t, mute: parts > 0 && !t.original && /^main(_|\.)/.test(t.name), solo: false, volume: 1}));
    this.length = Math.max(...tracks.map(t => t.seconds || 0), 0);
    this.whole = this.tracks.length * this.length * 48000 * 8 <= BUDGET;
    this.at = 0;
    this.loudest = 255;
    this.playing = false;
    this.original = false;
    this.hear = this.tracks.some(t => t.original) && this.tracks.some(t => !t.original);
    this.build();
    this.keys = event => this.key(event);
    addEventListener('keydown', this.keys);
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(box);
  }

  close() {
    removeEventListener('keydown', this.keys);
    this.resized.disconnect();
    this.stop();
    cancelAnimationFrame(this.frame);
    for (const t of this.tracks) { t.media?.pause(); t.media?.removeAttribute('src'); }
    this.context?.close();
    this.box.replaceChildren();
  }

  /* ---- what is seen */

  build() {
    this.button = make('button', {type: 'button', className: 'primary play', innerHTML: PLAY, onclick: () => this.toggle()});
    this.button.setAttribute('aria-label', 'Play');
    this.seek = make('input', {type: 'range', min: 0, max: this.length || 1, step: 0.1, value: 0,
      oninput: () => this.go(Number(this.seek.value))});
    this.seek.setAttribute('aria-label', 'Position');
    this.time = make('span', {className: 'time', textContent: `0:00 / ${clock(this.length)}`});
    const transport = make('div', {className: 'transport'}, this.button, this.time, this.seek);
    if (this.hear) {
      this.compare = make('button', {type: 'button', textContent: 'Hear the original', onclick: () => this.swap(), 'aria-pressed': 'false'});
      transport.append(this.compare);
    }
    this.box.append(transport, ...this.tracks.map((t, i) => this.row(t, i)), this.help());
    this.apply();
  }

  help() {
    const p = make('p', {className: 'dim keys'});
    p.innerHTML = '<kbd>space</kbd> play, <kbd>←</kbd> <kbd>→</kbd> five seconds, <kbd>1</kbd>…<kbd>9</kbd> solo' +
      (this.hear ? ', <kbd>a</kbd> original or result, equally loud' : '');
    return p;
  }

  toggleButton(text, label, pressed) {
    const b = make('button', {type: 'button', textContent: text, title: label, onclick: () => pressed()});
    b.setAttribute('aria-label', label);
    return b;
  }

  row(t, i) {
    t.canvas = make('canvas', {onclick: e => this.go(e.offsetX / t.canvas.clientWidth * this.length), 'aria-hidden': 'true'});
    t.muteButton = this.toggleButton('Mute', `Mute ${t.name}`, () => { t.mute = !t.mute; this.apply(); });
    t.soloButton = this.toggleButton('Solo', `Solo ${t.name}`, () => { t.solo = !t.solo; this.apply(); });
    t.fader = make('input', {type: 'range', min: 0, max: 1.5, step: 0.01, value: 1, oninput: () => { t.volume = Number(t.fader.value); this.apply(); }});
    t.fader.setAttribute('aria-label', `Volume of ${t.name}`);
    const picture = this.toggleButton('Spectrum', `Spectrogram of ${t.name}`, () => this.togglePicture(t));
    const load = make('a', {className: 'button', href: t.href + '?download=1', textContent: 'Get', download: ''});
    load.setAttribute('aria-label', `Download ${t.name}`);
    t.pictureButton = picture;
    picture.setAttribute('aria-pressed', 'false');
    const mix = make('div', {className: 'mix'}, ...(t.original ? [] : [t.soloButton, t.muteButton, t.fader]), picture, load);
    t.row = make('div', {className: 'track'},
      make('div', {}, make('div', {className: 'name', textContent: t.original ? `Original: ${t.name}` : t.name}), mix), t.canvas);
    t.row.setAttribute('role', 'group');
    t.row.setAttribute('aria-label', t.original ? `Original: ${t.name}` : `Track ${i + 1}: ${t.name}`);
    fetch(t.peaks).then(a => a.ok ? a.json() : null).then(p => { t.data = p?.data; this.measure(); this.draw(); }).catch(() => {});
    return t.row;
  }

  /* All on one scale, which the loudest fills. */
  measure() {
    this.loudest = 32;
    for (const t of this.tracks)
      for (let i = 0; t.data && i < t.data.length; i += 2) this.loudest = Math.max(this.loudest, t.data[i + 1] - t.data[i]);
  }

  togglePicture(t) {
    if (t.image) { t.image.remove(); t.image = null; }
    else t.row.append(t.image = make('img', {src: t.picture, alt: `Waveform and spectrogram of ${t.name}`}));
    t.pictureButton.setAttribute('aria-pressed', String(!!t.image));
  }

  draw() {
    const style = getComputedStyle(document.documentElement);
    const done = style.getPropertyValue('--accent'), left = style.getPropertyValue('--wave');
    for (const t of this.tracks) {
      const ratio = devicePixelRatio || 1, w = Math.round(t.canvas.clientWidth * ratio), h = Math.round(t.canvas.clientHeight * ratio);
      if (!w) continue;
      if (t.canvas.width !== w || t.canvas.height !== h) { t.canvas.width = w; t.canvas.height = h; }
      const c = t.canvas.getContext('2d'), part = this.length ? this.at / this.length : 0;
      const share = this.length && t.seconds ? t.seconds / this.length : 1;
      c.clearRect(0, 0, w, h);
      const step = 3 * ratio, count = Math.max(1, Math.floor(w / step)), pairs = t.data ? t.data.length / 2 : 0;
      for (let i = 0; i < count; i++) {
        const from = Math.floor(i / count / share * pairs), to = Math.max(from + 1, Math.floor((i + 1) / count / share * pairs));
        let low = 0, high = 0;
        for (let k = from; k < to && k < pairs; k++) { low = Math.min(low, t.data[2 * k]); high = Math.max(high, t.data[2 * k + 1]); }
        const size = Math.max(2 * ratio, (high - low) / this.loudest * h);
        if (from >= pairs && pairs) continue;
        c.fillStyle = i / count < part ? done : left;
        c.beginPath();
        c.roundRect(i * step, (h - size) / 2, 2 * ratio, size, ratio);
        c.fill();
      }
    }
  }

  tick() {
    if (!this.playing) return;
    this.at = this.now();
    if (this.at >= this.length) { this.stop(); this.at = 0; }
    else if (!this.whole) this.together();
    this.show();
    this.frame = requestAnimationFrame(() => this.tick());
  }

  show() {
    this.seek.value = this.at;
    this.seek.setAttribute('aria-valuetext', `${clock(this.at)} of ${clock(this.length)}`);
    this.time.textContent = `${clock(this.at)} / ${clock(this.length)}`;
    this.box.dataset.time = this.at.toFixed(3);
    if (!still() || !this.playing || this.drawn !== Math.floor(this.at)) { this.drawn = Math.floor(this.at); this.draw(); }
  }

  /* ---- what is heard */

  async load() {
    this.context ||= new AudioContext();
    await this.context.resume();
    await Promise.all(this.tracks.map(async t => {
      t.gain ||= this.gainNode();
      if (this.whole && !t.buffer) {
        const answer = await fetch(t.href);
        if (!answer.ok) throw new Error(`${t.name} cannot be read`);
        t.buffer = await this.context.decodeAudioData(await answer.arrayBuffer());
      } else if (!this.whole && !t.media) {
        t.media = make('audio', {src: t.href, preload: 'auto'});
        this.context.createMediaElementSource(t.media).connect(t.gain);
      }
    }));
    this.apply();
  }

  gainNode() {
    const gain = this.context.createGain();
    gain.connect(this.context.destination);
    return gain;
  }

  /* Where the clock is. */
  now() {
    return this.whole ? this.at0 + this.context.currentTime - this.started : this.master().currentTime;
  }

  master() { return this.tracks.find(t => !t.original)?.media || this.tracks[0].media; }

  together() {
    const at = this.master().currentTime;
    for (const t of this.tracks) if (Math.abs(t.media.currentTime - at) > APART_S && at < t.media.duration) t.media.currentTime = at;
  }

  start() {
    this.playing = true;
    this.at0 = this.at;
    if (this.whole) {
      this.started = this.context.currentTime + 0.05;
      for (const t of this.tracks) {
        t.source = this.context.createBufferSource();
        t.source.buffer = t.buffer;
        t.source.connect(t.gain);
        if (this.at < t.buffer.duration) t.source.start(this.started, this.at);
      }
    } else for (const t of this.tracks) { t.media.currentTime = this.at; t.media.play(); }
    this.button.innerHTML = PAUSE;
    this.button.setAttribute('aria-label', 'Pause');
    this.tick();
  }

  stop() {
    this.playing = false;
    for (const t of this.tracks) {
      try { t.source?.stop(); } catch { /* it has not started: the sound is shorter */ }
      t.source = null;
      t.media?.pause();
    }
    this.button.innerHTML = PLAY;
    this.button.setAttribute('aria-label', 'Play');
  }

  async toggle() {
    if (this.playing) { this.at = Math.max(0, this.now()); return this.stop(); }
    this.button.disabled = true;
    try { await this.load(); this.start(); }
    catch (error) { this.say(`This cannot be played: ${error.message}`, true); }
    this.button.disabled = false;
  }

  go(seconds) {
    const on = this.playing;
    if (on) this.stop();
    this.at = Math.min(Math.max(0, seconds), this.length);
    if (on) this.start();
    this.show();
  }

  swap() {
    this.original = !this.original;
    this.compare.setAttribute('aria-pressed', String(this.original));
    this.compare.classList.toggle('on', this.original);
    this.compare.textContent = this.original ? 'Hear the result' : 'Hear the original';
    this.say(this.original ? 'Original' : 'Result');
    this.apply();
  }

  isOn(t) {
    const solo = this.tracks.some(x => x.solo && !x.original);
    return t.original || (!t.mute && (!solo || t.solo));
  }

  /* The louder of the original and what is heard of the results is turned down to the other. Parts of a song add up by
   * their powers, as sounds do that are not alike; one result alone is matched exactly. */
  level(t) {
    const original = this.tracks.find(x => x.original);
    const heard = this.tracks.filter(x => !x.original && x.loudness != null && this.isOn(x));
    const power = heard.reduce((sum, x) => sum + x.volume ** 2 * 10 ** (x.loudness / 10), 0);
    if (!original || original.loudness == null || !power) return 1;
    const results = 10 * Math.log10(power);
    return Math.min(1, 10 ** ((t.original ? results - original.loudness : original.loudness - results) / 20));
  }

  apply() {
    for (const t of this.tracks) {
      const on = this.isOn(t) && (!this.hear || !!t.original === this.original);
      t.row.classList.toggle('silent', !on);
      t.muteButton.setAttribute('aria-pressed', String(t.mute));
      t.soloButton.setAttribute('aria-pressed', String(t.solo));
      if (t.gain) t.gain.gain.setTargetAtTime(on ? t.volume * (this.hear ? this.level(t) : 1) : 0, this.context.currentTime, 0.01);
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, button, a, summary, dialog')) return;
    const results = this.tracks.filter(t => !t.original), number = Number(event.key);
    if (event.key === ' ') this.toggle();
    else if (event.key === 'ArrowLeft') this.go(this.at - 5);
    else if (event.key === 'ArrowRight') this.go(this.at + 5);
    else if (event.key === 'a' && this.hear) this.swap();
    else if (number >= 1 && number <= results.length) { results[number - 1].solo = !results[number - 1].solo; this.apply(); }
    else return;
    event.preventDefault();
  }
}
