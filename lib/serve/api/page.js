/* SPDX-License-Identifier: GPL-3.0-or-later
 * page.js - the page: signing in, uploads, recipes, jobs as they go, one job. */
import {Upload, StoreUpload, fingerprint, unfinished, forget} from './upload.js';
import {Player, clock} from './player.js';

const $ = id => document.getElementById(id);
const make = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};
const STATES = {queued: 'Waiting', running: 'Running', done: 'Done', failed: 'Failed', cancelled: 'Cancelled'};
const AT_A_TIME = 2; /* uploads */

/* ---- words */

const bytes = n => {
  for (const unit of ['bytes', 'kB', 'MB', 'GB', 'TB']) {
    if (n < 1000 || unit === 'TB') return `${n < 10 && unit !== 'bytes' ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1000;
  }
};
const ago = text => {
  const s = (Date.now() - new Date(text)) / 1000;
  if (s < 60) return 'just now';
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return new Date(text).toLocaleDateString(undefined, {day: 'numeric', month: 'short', year: 'numeric'});
};
/* Names of recipes and settings, as a person writes them: 8d is 8D, period is Period, lufs is its unit LUFS. */
const titled = (name, unit) => name.toLowerCase() === unit?.toLowerCase() ? unit
  : (/^\d/.test(name) ? name.toUpperCase() : name[0].toUpperCase() + name.slice(1)) + (unit ? ` (${unit})` : '');
const say = (text, bad) => { $('said').textContent = text; if (bad) notice(text); };
let noticeTimer;
const notice = text => {
  $('offline').textContent = text;
  $('offline').hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { if (!offline) $('offline').hidden = true; }, 8000);
};

/* ---- the server */

class Problem extends Error {
  constructor(status, problem) { super(problem.detail || `the server answered ${status}`); this.status = status; this.field = problem.field; }
}
const call = async (path, options = {}) => {
  const answer = await fetch(path, options);
  if (answer.status === 401 && !path.endsWith('/session')) { signIn(); }
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
};
const post = (path, body, headers = {}) => call(path, {method: 'POST', body: body && JSON.stringify(body),
  headers: {'Content-Type': 'application/json', ...headers}});

/* ---- what is shown */

const only = id => { for (const s of ['loading', 'signin', 'home', 'job']) $(s).hidden = s !== id; };
const signIn = () => { events?.close(); only('signin'); $('who').hidden = true; $('token').focus(); };

$('signin-form').onsubmit = async event => {
  event.preventDefault();
  $('signin-error').textContent = '';
  try {
    await post('v1/session', {token: $('token').value.trim()});
    $('token').value = '';
    await start();
  } catch (error) { $('signin-error').textContent = error.status === 401 ? 'This token is not known.' : error.message; }
};
$('signout').onclick = async () => { await call('v1/session', {method: 'DELETE'}).catch(() => {}); location.hash = ''; location.reload(); };

/* ---- uploads */

const uploads = [];
let recipes = [], config = {};

const pump = () => {
  let busy = uploads.filter(u => u.state === 'sending' || u.state === 'lost').length;
  for (const u of uploads) if (u.state === 'waiting' && busy < AT_A_TIME) { busy++; u.run(); }
};

const uploadText = u => ({
  waiting: `${bytes(u.file.size)}, waiting`, sending: `${bytes(u.sent)} of ${bytes(u.file.size)}`,
  paused: `paused at ${bytes(u.sent)} of ${bytes(u.file.size)}`, lost: 'connection lost, trying again…',
  done: `${bytes(u.file.size)}, ready`, failed: u.reason}[u.state] || '');

const showUpload = u => {
  if (!u.li) {
    u.bar = make('progress', {max: u.file.size || 1});
    u.bar.setAttribute('aria-label', `Upload of ${u.file.name}`);
    u.what = make('span', {className: 'what'});
    u.pauser = make('button', {type: 'button', className: 'quiet', onclick: () => u.state === 'paused' || u.state === 'failed' ? u.run() : u.pause()});
    const remove = make('button', {type: 'button', className: 'quiet', textContent: 'Remove', onclick: () => { $('start-error').textContent = ''; u.remove(); drop(u); }});
    remove.setAttribute('aria-label', `Remove ${u.file.name}`);
    u.li = make('li', {}, make('div', {}, make('div', {className: 'name', textContent: u.file.name}), u.what),
      make('div', {className: 'row'}, u.pauser, remove), u.bar);
    $('uploads').append(u.li);
  }
  u.bar.value = u.sent;
  u.bar.hidden = u.state === 'done';
  u.what.textContent = uploadText(u);
  u.what.classList.toggle('bad', u.state === 'failed');
  u.pauser.hidden = u.state === 'done' || u.state === 'waiting';
  u.pauser.textContent = u.state === 'paused' ? 'Resume' : u.state === 'failed' ? 'Try again' : 'Pause';
  u.pauser.setAttribute('aria-label', `${u.pauser.textContent} ${u.file.name}`);
};
const drop = u => {
  uploads.splice(uploads.indexOf(u), 1);
  u.li.remove();
  pump();
  showStart();
};
const uploadChanged = u => {
  if (!uploads.includes(u)) return;
  showUpload(u);
  if (u.state === 'done' && u.told !== 'done') { u.told = 'done'; say(`${u.file.name} is uploaded`); submitReady(); }
  if (u.state !== 'sending') pump();
  showStart();
};
const add = files => {
  for (const file of files) {
    if (file.name.startsWith('.')) continue;
    if (!file.size) { say(`${file.name} is empty.`, true); continue; }
    if (uploads.some(u => u.print === fingerprint(file))) continue;
    const u = new (config.store ? StoreUpload : Upload)(file, uploadChanged);
    uploads.push(u);
    showUpload(u);
  }
  showUnfinished();
  pump();
  showStart();
};

/* Uploads that a reload has interrupted: their files have to be chosen again. */
const showUnfinished = () => {
  for (const li of document.querySelectorAll('#uploads .left')) li.remove();
  for (const entry of unfinished()) {
    if (uploads.some(u => u.print === entry.print)) continue;
    const remove = make('button', {type: 'button', className: 'quiet', textContent: 'Forget', onclick: () => { forget(entry.print); showUnfinished(); }});
    remove.setAttribute('aria-label', `Forget ${entry.name}`);
    $('uploads').append(make('li', {className: 'left'}, make('div', {}, make('div', {className: 'name', textContent: entry.name}),
      make('span', {className: 'what', textContent: `${bytes(entry.size)}, not finished: choose the file again and it goes on where it stopped`})), remove));
  }
};

/* Folders that are dropped, with all that is in them. */
const walk = async entry => {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader(), all = [];
  for (let some; (some = await new Promise((done, failed) => reader.readEntries(done, failed))).length;)
    for (const e of some) all.push(...await walk(e));
  return all;
};
const zone = $('drop');
zone.ondragover = event => { event.preventDefault(); zone.classList.add('over'); };
zone.ondragleave = () => zone.classList.remove('over');
zone.ondrop = async event => {
  event.preventDefault();
  zone.classList.remove('over');
  const entries = [...event.dataTransfer.items].map(i => i.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...event.dataTransfer.files];
  add(entries.length ? (await Promise.all(entries.map(walk))).flat() : plain);
};
for (const [button, input] of [['choose', 'pick'], ['choose-folder', 'pick-folder']]) {
  $(button).onclick = () => $(input).click();
  $(input).onchange = () => { add($(input).files); $(input).value = ''; };
}

/* ---- recipes */

const recipe = () => recipes.find(r => r.name === document.querySelector('input[name=recipe]:checked')?.value);

const showRecipes = () => {
  $('recipes').replaceChildren(...recipes.map((r, i) => make('label', {},
    make('input', {type: 'radio', name: 'recipe', value: r.name, checked: i === 0, onchange: showSettings}),
    make('strong', {textContent: titled(r.name)}), make('span', {textContent: r.title}))));
  showSettings();
};

const settingField = s => {
  const id = `set-${s.name}`;
  let field;
  if (s.type === 'choice') field = make('select', {}, ...s.choices.map(c => make('option', {value: c, textContent: c, selected: c === s.default})));
  else {
    field = make('input', {type: s.type === 'number' ? 'number' : 'text', value: s.default});
    if (s.type === 'number') field.step = 'any';
    if (s.min !== null) field.min = s.min;
    if (s.max !== null) field.max = s.max;
    field.required = true;
    if (s.type === 'text') { /* not the attribute: browsers read it by other rules than the recipe's */
      const form = new RegExp(`^(?:${s.pattern})$`);
      field.oninput = () => field.setCustomValidity(!field.value || form.test(field.value) ? '' : s.help);
    }
  }
  field.id = id;
  field.dataset.name = s.name;
  field.setAttribute('aria-describedby', `${id}-help`);
  return make('div', {}, make('label', {htmlFor: id, textContent: titled(s.name, s.unit)}), field,
    make('small', {id: `${id}-help`, textContent: s.help}));
};
const showSettings = () => {
  const r = recipe();
  $('start-error').textContent = '';
  $('settings').replaceChildren(...(r ? r.settings.map(settingField) : []));
  $('settings-box').hidden = !r || !r.settings.length;
  showStart();
};
const settings = () => {
  const r = recipe(), chosen = {};
  for (const field of document.querySelectorAll('#settings [data-name]')) {
    const s = r.settings.find(x => x.name === field.dataset.name);
    if (field.value !== s.default) chosen[s.name] = s.type === 'number' ? Number(field.value) : field.value;
  }
  return chosen;
};

/* ---- starting jobs: each file as soon as it is there; a recipe that takes many waits for all */

let plans = []; /* {recipe, settings, uploads, key} */

const showStart = () => {
  const free = uploads.filter(u => !u.plan && u.state !== 'failed'), r = recipe();
  const ready = free.filter(u => u.state === 'done').length;
  $('start').disabled = !free.length || !r;
  $('start').textContent = !r || r.many || free.length < 2 ? 'Start' : `Start ${free.length} jobs`;
  $('start-hint').textContent = !free.length ? 'Add a file first.' : ready < free.length ? 'It begins as soon as the upload is done.' : '';
};
$('recipe-form').onsubmit = event => {
  event.preventDefault();
  $('start-error').textContent = '';
  const r = recipe(), free = uploads.filter(u => !u.plan && u.state !== 'failed');
  const groups = r.many ? [free] : free.map(u => [u]);
  for (const group of groups) {
    const plan = {recipe: r.name, settings: settings(), uploads: group, key: crypto.randomUUID ? crypto.randomUUID() : String(Math.random())};
    for (const u of group) u.plan = plan;
    plans.push(plan);
  }
  showStart();
  submitReady();
};
const submitReady = () => {
  for (const plan of plans.filter(p => !p.busy && p.uploads.every(u => u.state === 'done'))) { plan.busy = true; submit(plan); }
};
const submit = async plan => {
  try {
    const job = await post('v1/jobs', {recipe: plan.recipe, files: plan.uploads.map(u => u.id), settings: plan.settings}, {'Idempotency-Key': plan.key});
    for (const u of plan.uploads) drop(u);
    put(job);
    say(`${job.name} is in the queue`);
  } catch (error) {
    for (const u of plan.uploads) u.plan = null;
    $('start-error').textContent = error.message;
    if (error.field?.startsWith('settings')) {
      $('settings-box').open = true;
      document.querySelector(`[data-name="${CSS.escape(error.field.slice(9))}"]`)?.focus();
    }
  }
  plans = plans.filter(p => p !== plan);
  showStart();
};

/* ---- jobs */

const jobs = new Map();
let cursor = null, events, offline = false, open = null, player = null, playing = null;

const matches = job => {
  const text = $('filter-text').value.trim().toLowerCase(), state = $('filter-state').value;
  return (!state || job.state === state) && (!text || job.name.toLowerCase().includes(text));
};
const jobWhat = job => {
  if (job.state === 'running') return [job.stage !== job.recipe && job.stage, job.eta === null || job.progress <= 0.05 ? '' : job.eta < 1 ? 'nearly done' : `${clock(job.eta)} left`].filter(Boolean).join(', ');
  if (job.state === 'done') return `${ago(job.ended)}, took ${clock((new Date(job.ended) - new Date(job.started)) / 1000 + 0.5)}`;
  return ago(job.created);
};
const badge = (element, job) => {
  element.className = `badge ${job.state}`;
  element.textContent = job.state === 'running' ? `${Math.min(99, Math.floor(100 * job.progress))} %` : STATES[job.state];
};
const progress = job => {
  const bar = make('progress', {max: 1, value: job.progress});
  bar.setAttribute('aria-label', `Progress of ${job.name}`);
  return bar;
};
const jobRow = job => {
  const state = make('span');
  badge(state, job);
  const a = make('a', {href: `#job=${job.id}`}, make('span', {className: 'name', textContent: job.name}), state,
    make('span', {className: 'what', textContent: [titled(job.recipe), jobWhat(job)].filter(Boolean).join(' · ')}));
  if (job.state === 'running') a.append(progress(job));
  if (job.state === 'failed' && job.error) a.append(make('span', {className: 'why bad', textContent: job.error.reason}));
  return make('li', {}, a);
};
let drawing;
const showJobs = () => {
  if (drawing) return;
  drawing = requestAnimationFrame(() => {
    drawing = null;
    const shown = [...jobs.values()].filter(matches).sort((a, b) => a.id < b.id ? 1 : -1);
    const focused = document.activeElement?.closest?.('#jobs a')?.getAttribute('href');
    $('jobs').replaceChildren(...shown.map(jobRow));
    if (focused) document.querySelector(`#jobs a[href="${focused}"]`)?.focus({preventScroll: true});
    $('jobs-empty').hidden = shown.length > 0;
    $('jobs-empty').textContent = jobs.size ? 'No job is like that.' : 'Nothing here yet. What you start appears here, live.';
    $('jobs').hidden = !shown.length;
  });
};
const put = job => {
  const before = jobs.get(job.id);
  jobs.set(job.id, job);
  if (before && before.state !== job.state) say(`${job.name}: ${STATES[job.state]}`);
  showJobs();
  if (open === job.id) showJob(job);
};
const loadJobs = async more => {
  const query = new URLSearchParams({limit: 50});
  if ($('filter-text').value.trim()) query.set('q', $('filter-text').value.trim());
  if ($('filter-state').value) query.set('state', $('filter-state').value);
  if (more && cursor) query.set('cursor', cursor);
  const answer = await call(`v1/jobs?${query}`);
  for (const job of answer.jobs) jobs.set(job.id, job);
  cursor = answer.next;
  $('more').hidden = !cursor;
  showJobs();
};
$('more').onclick = () => loadJobs(true).catch(error => say(error.message, true));
$('filter').onsubmit = event => event.preventDefault();
let typing;
$('filter').oninput = () => { showJobs(); clearTimeout(typing); typing = setTimeout(() => loadJobs().catch(() => {}), 250); };

const listenAgain = () => setTimeout(() => call('v1/config').then(listen, error => error.status === 401 || listenAgain()), 3000);
const listen = () => {
  events?.close();
  events = new EventSource('v1/events');
  events.addEventListener('job', event => put(JSON.parse(event.data)));
  events.addEventListener('gone', event => {
    const {id} = JSON.parse(event.data);
    jobs.delete(id);
    showJobs();
    if (open === id) location.hash = '';
  });
  events.onopen = () => { if (offline) { offline = false; $('offline').hidden = true; loadJobs().catch(() => {}); } };
  events.onerror = () => {
    if (!offline) { offline = true; $('offline').textContent = 'The server does not answer. What you see is what was known last; this page goes on by itself.'; $('offline').hidden = false; }
    if (events.readyState === EventSource.CLOSED) listenAgain(); /* a proxy answered: the browser does not try again */
  };
};

/* ---- one job */

const facts = job => [titled(job.recipe), Object.entries(job.settings).map(([k, v]) => `${k} ${v}`).join(', '), job.inputs[0]?.duration ? clock(job.inputs[0].duration) : '',
  bytes(job.inputs.reduce((sum, i) => sum + (i.size || 0), 0)), jobWhat(job), config.admin ? job.owner : ''].filter(Boolean).join(' · ');

const action = (text, run, kind = '') => make('button', {type: 'button', className: kind, textContent: text,
  onclick: () => run().catch(error => say(error.message, true))});
const link = (text, href, kind = 'button') => make('a', {className: kind, href, textContent: text});

const ask = text => new Promise(done => {
  const box = $('ask');
  $('ask-text').textContent = text;
  box.onclose = () => done(box.returnValue === 'yes');
  box.returnValue = 'no';
  box.showModal();
});
const remove = async job => {
  if (!await ask(`Delete ${job.name} and all that was made of it?`)) return;
  await call(job.links.self, {method: 'DELETE'});
  jobs.delete(job.id);
  location.hash = '';
  showJobs();
};

const showActions = job => {
  const list = [];
  if (job.state === 'done') list.push(link('Download all (zip)', job.links.zip, 'button primary'));
  if (job.state === 'failed' || job.state === 'cancelled') list.push(action('Try again', async () => put(await post(`${job.links.self}/retry`)), 'primary'));
  if (job.state === 'done' || job.state === 'failed') list.push(make('a', {className: 'button', href: job.links.report, target: '_blank', rel: 'noopener', textContent: 'Report'}));
  if (job.state === 'queued' || job.state === 'running') list.push(action('Cancel', async () => put(await post(`${job.links.self}/cancel`))));
  else list.push(action('Delete', () => remove(job), 'danger'));
  $('job-actions').replaceChildren(...list);
};

const track = (file, original, job) => ({name: file.name, href: file.href, seconds: file.duration, loudness: file.loudness, original,
  peaks: file.href.replace(original ? '/inputs/' : '/outputs/', '/peaks/') + (original ? '?of=inputs' : ''),
  picture: file.href.replace(original ? '/inputs/' : '/outputs/', '/picture/') + (original ? '?of=inputs' : ''), job: job.id});

const showOutputs = async job => {
  const {outputs} = await call(job.links.outputs);
  if (open !== job.id || playing === job.id) return;
  playing = job.id;
  const sounds = outputs.filter(o => o.type.startsWith('audio/'));
  const originals = job.inputs.length === 1 && job.inputs[0].type.startsWith('audio/') ? job.inputs : [];
  $('player').hidden = !sounds.length;
  if (sounds.length) player = new Player($('player'), [...originals.map(f => track(f, true, job)), ...sounds.map(f => track(f, false, job))], say);
  $('videos').replaceChildren(...outputs.filter(o => o.type.startsWith('video/')).map(o => make('video', {src: o.href, controls: true, preload: 'metadata'})));
  $('files').replaceChildren(...outputs.filter(o => !o.type.startsWith('audio/')).map(o => make('div', {className: 'file'},
    make('span', {className: 'name', textContent: o.name}), make('span', {className: 'dim', textContent: bytes(o.size)}), link('Get', `${o.href}?download=1`))));
};

const showJob = job => {
  $('job-name').textContent = job.name;
  document.title = `${job.name}: audiopipe`;
  $('job-facts').textContent = facts(job);
  badge($('job-state'), job);
  const going = job.state === 'running' || job.state === 'queued';
  $('job-progress').replaceChildren(...(going ? [progress(job), make('p', {textContent: job.state === 'queued' ? (job.error ? `It failed and will be tried again: ${job.error.reason}` : 'Waiting for its turn') : jobWhat(job)})] : []));
  $('job-error').hidden = !(job.state === 'failed' && job.error);
  $('job-error').textContent = job.error ? `${job.error.stage ? `${job.error.stage}: ` : ''}${job.error.reason}` : '';
  if ($('job-actions').dataset.state !== job.id + job.state) { $('job-actions').dataset.state = job.id + job.state; showActions(job); }
  if (job.state === 'done' && playing !== job.id) showOutputs(job).catch(error => say(error.message, true));
};
$('job-log-box').ontoggle = async () => {
  if (!$('job-log-box').open || !open) return;
  const answer = await fetch(`v1/jobs/${open}/log`).catch(() => null);
  $('job-log').textContent = answer?.ok ? await answer.text() || 'Nothing was said.' : 'The log cannot be read.';
};
const closeJob = () => {
  player?.close();
  player = playing = open = null;
  for (const id of ['player', 'videos', 'files']) $(id).replaceChildren();
  $('player').hidden = true;
  $('job-log-box').open = false;
  document.title = 'audiopipe';
};

/* ---- where we are */

const route = async () => {
  const id = location.hash.match(/^#job=([0-9a-f-]+)$/)?.[1];
  closeJob();
  if (!id) { only('home'); return; }
  open = id;
  only('job');
  try {
    const job = jobs.get(id) || await call(`v1/jobs/${id}`);
    jobs.set(id, job);
    showJob(job);
    $('main').focus({preventScroll: true});
    scrollTo(0, 0);
  } catch (error) {
    if (error.status === 401) return;
    say(error.status === 404 ? 'There is no such job.' : error.message, true);
    location.hash = '';
  }
};

const start = async () => {
  config = await call('v1/config');
  recipes = (await call('v1/recipes')).recipes;
  $('owner').textContent = config.owner;
  $('who').hidden = false;
  $('signout').hidden = !config.sign_in;
  $('formats').textContent = `Songs, recordings, videos, pictures; up to ${bytes(config.limits.size)} each`;
  showRecipes();
  showUnfinished();
  await loadJobs();
  listen();
  addEventListener('hashchange', route);
  await route();
};

const key = location.hash.match(/^#key=([\w-]+)$/)?.[1];
if (key) {
  history.replaceState(null, '', location.pathname);
  await post('v1/session', {token: key}).catch(() => {});
}
start().catch(error => {
  if (error.status === 401) return;
  only('loading');
  $('loading').querySelector('h1').textContent = 'The server does not answer. Trying again…';
  setTimeout(() => location.reload(), 3000);
});
