/* SPDX-License-Identifier: GPL-3.0-or-later
 * upload.js - one file to the server by tus 1.0: goes on after a lost connection, a dead server, a reload. */

const VERSION = {'Tus-Resumable': '1.0.0'};
const KEPT = 'audiopipe-uploads';

/* What is under way, by file: fingerprint -> URL. A browser does not keep files over a reload, but the same
 * file, chosen again, goes on where it stopped. */
const kept = () => { try { return JSON.parse(localStorage.getItem(KEPT)) || {}; } catch { return {}; } };
const keep = (print, entry) => {
  const all = kept();
  if (entry) all[print] = entry; else delete all[print];
  try { localStorage.setItem(KEPT, JSON.stringify(all)); } catch { /* then it starts anew */ }
};
export const fingerprint = file => [file.name, file.size, file.lastModified].join('/');
export const unfinished = () => Object.entries(kept()).map(([print, entry]) => ({print, ...entry}));
export const forget = print => keep(print, null);

const base64 = text => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const sleep = ms => new Promise(done => setTimeout(done, ms));

export class Upload {
  constructor(file, changed) {
    this.file = file;
    this.print = fingerprint(file);
    this.changed = changed;
    this.sent = 0;
    this.state = 'waiting'; /* waiting, sending, paused, lost, done, failed */
    this.url = kept()[this.print]?.url;
  }

  get id() { return this.url && this.url.split('/').pop(); }

  set(state, reason) {
    this.state = state;
    this.reason = reason;
    this.changed(this);
  }

  async run() {
    const turn = this.turn = {}; /* who pauses and resumes while an answer is on its way starts another */
    const goesOn = () => this.turn === turn && (this.state === 'sending' || this.state === 'lost');
    this.set('sending');
    for (let tries = 0; goesOn();) {
      try {
        const before = this.sent;
        if (await this.step(goesOn)) return this.finish();
        tries = this.sent > before ? 0 : tries;
      } catch (error) {
        if (!goesOn()) return;
        if (error.final) return this.set('failed', error.message);
        this.set('lost');
        await sleep(Math.min(5000, 500 * 2 ** tries++));
        if (goesOn()) this.set('sending');
      }
    }
  }

  finish() {
    keep(this.print, null);
    this.sent = this.file.size;
    this.set('done');
  }

  /* Until the end or an error, or until goesOn says that it was paused. */
  async step(goesOn) {
    if (!this.url) await (this.creating ||= this.create().finally(() => { this.creating = null; }));
    if (this.state === 'removed') return this.remove();
    const offset = await this.offset();
    if (!goesOn()) return false;
    if (offset === null) { /* it is not there any more */
      this.url = null;
      keep(this.print, null);
      return false;
    }
    this.sent = offset;
    this.changed(this);
    if (offset < this.file.size) await this.send(offset);
    return this.sent >= this.file.size;
  }

  async fail(answer) {
    const problem = await answer.json().catch(() => ({}));
    const error = new Error(problem.detail || `the server answered ${answer.status}`);
    error.final = ![408, 409, 423, 429].includes(answer.status) && answer.status < 500 || answer.status === 507;
    throw error;
  }

  async create() {
    const name = this.file.name, answer = await fetch('v1/files', {
      method: 'POST', headers: {...VERSION, 'Upload-Length': this.file.size,
        'Upload-Metadata': `filename ${base64(name)},filetype ${base64(this.file.type || 'application/octet-stream')}`}});
    if (answer.status !== 201) await this.fail(answer);
    this.url = new URL(answer.headers.get('Location')).pathname;
    keep(this.print, {url: this.url, name, size: this.file.size});
  }

  async offset() {
    const answer = await fetch(this.url, {method: 'HEAD', headers: VERSION, cache: 'no-store'});
    if (answer.status === 404 || answer.status === 410) return null;
    if (!answer.ok) await this.fail(answer);
    return Number(answer.headers.get('Upload-Offset'));
  }

  send(offset) {
    return new Promise((done, failed) => {
      const x = this.request = new XMLHttpRequest();
      x.open('PATCH', this.url);
      x.setRequestHeader('Tus-Resumable', '1.0.0');
      x.setRequestHeader('Upload-Offset', offset);
      x.setRequestHeader('Content-Type', 'application/offset+octet-stream');
      x.upload.onprogress = event => { this.sent = offset + event.loaded; this.changed(this); };
      x.onload = () => {
        if (x.status === 204) {
          this.sent = Number(x.getResponseHeader('Upload-Offset'));
          return done();
        }
        this.fail({status: x.status, json: async () => JSON.parse(x.responseText)}).catch(failed);
      };
      x.onerror = x.onabort = () => failed(new Error('the connection is lost'));
      x.send(this.file.slice(offset));
    });
  }

  pause() {
    this.set('paused');
    this.request?.abort();
  }

  async remove() {
    this.state = 'removed';
    this.request?.abort();
    keep(this.print, null);
    if (this.url) await fetch(this.url, {method: 'DELETE', headers: VERSION}).catch(() => {});
  }
}

/* One file to an object store, by one PUT to a signed URL; what was interrupted begins anew. */
export class StoreUpload extends Upload {
  constructor(file, changed) {
    super(file, changed);
    this.url = null;
  }

  async post(where, body) {
    const answer = await fetch(where, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});
    if (answer.ok) return answer.json();
    return this.fail(answer);
  }

  async step(goesOn) {
    if (!this.ticket || Date.parse(this.ticket.expires) < Date.now()) {
      this.ticket = await this.post('v1/uploads', {name: this.file.name, size: this.file.size});
      this.url = `v1/files/${this.ticket.id}`;
      this.there = false;
    }
    if (!goesOn()) return false;
    if (!this.there) await this.put();
    this.there = true;
    try {
      await this.post(`v1/uploads/${this.ticket.id}/complete`);
    } catch (error) {
      this.there = false;
      throw error;
    }
    return true;
  }

  put() {
    return new Promise((done, failed) => {
      const x = this.request = new XMLHttpRequest();
      x.open('PUT', this.ticket.url);
      x.upload.onprogress = event => { this.sent = event.loaded; this.changed(this); };
      x.onload = () => x.status >= 200 && x.status < 300 ? done() :
        this.fail({status: x.status, json: async () => ({detail: `the object store answered ${x.status}`})}).catch(failed);
      x.onerror = x.onabort = () => failed(new Error('the connection is lost'));
      x.send(new Blob([this.file])); /* without a type, which is not signed */
    });
  }
}
