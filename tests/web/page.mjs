// SPDX-License-Identifier: GPL-3.0-or-later
// The page of ap-serve in Chromium: sign in, upload, kill -9 and go on, listen, download. Run by tests/cli/serve-page.sh
// in a folder of its own, with songs a.wav, b.wav and long.wav in it; prints "ok NAME" for each step.
import {chromium} from 'playwright-core';
import axe from 'axe-core';
import {spawn, execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';

const WAIT = {timeout: Number(process.env.AP_WAIT || 60000)};
let server, base, link;

const serve = where => new Promise((done, failed) => {
  server = spawn('ap-serve', ['--listen', where, '--run', '1', '--rate', '0'], {stdio: ['ignore', 'pipe', 'ignore']});
  let said = '';
  server.on('error', failed);
  server.stdout.on('data', data => {
    said += data;
    const found = said.match(/^(http\S+)\n.*?(http\S+#key=\S+)/s);
    if (found) { [, base, link] = found; done(); }
  });
});
const end = signal => new Promise(done => { server.once('exit', done); server.kill(signal); });
const ready = async () => { while (!await fetch(`${base}/readyz`).then(a => a.ok, () => false)) await new Promise(r => setTimeout(r, 100)); };

let failures = 0;
const step = async (name, run) => {
  try { await run(); console.log(`ok ${name}`); }
  catch (error) { failures++; console.log(`not ok ${name}`); console.error(error); }
};
const must = (condition, what) => { if (!condition) throw new Error(what); };

await serve('127.0.0.1:0');
const browser = await chromium.launch({executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage']});
const context = await browser.newContext({viewport: {width: 1200, height: 900}, acceptDownloads: true, bypassCSP: true, reducedMotion: 'reduce'});
const page = await context.newPage();
const errors = [];
page.on('pageerror', error => errors.push(error.message));
page.on('console', said => { if (said.type() === 'error' && !said.text().startsWith('Failed to load resource')) errors.push(said.text()); });

const accessible = async where => {
  await page.evaluate(source => { (0, eval)(source); }, axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const {violations} = await page.evaluate(runOnly => window.axe.run(document, {runOnly}), tags);
  const nameless = await page.evaluate(() => [...document.querySelectorAll('progress, meter')].filter(e => !e.ariaLabel).length);
  must(!violations.length, `${where}: ${violations.map(v => `${v.id} ${v.nodes.map(n => n.target)}`).join('; ')}`);
  must(!nameless, `${where}: ${nameless} bars without a name`);
};
const shown = (selector, state = 'visible') => page.waitForSelector(selector, {state, ...WAIT});
const all = (selector, count) => page.waitForFunction(([s, n]) => document.querySelectorAll(s).length === n, [selector, count], WAIT);

await step('it_says_that_it_loads', async () => {
  const never = () => {};
  await page.route('**/v1/config', never);
  await page.goto(base);
  await accessible('loading').finally(() => page.unroute('**/v1/config', never));
});

await step('a_stranger_is_asked_for_a_token', async () => {
  await page.goto(base);
  await shown('#signin');
  await page.fill('#token', 'nonsense');
  await page.press('#token', 'Enter');
  await page.waitForFunction(() => document.querySelector('#signin-error').textContent.includes('not known'), null, WAIT);
  await accessible('sign-in');
});

await step('the_link_signs_in_once', async () => {
  await page.goto('about:blank');
  await page.goto(link);
  await shown('#home');
  must(!page.url().includes('key='), 'the key stays in the address');
  const again = await fetch(`${base}/v1/session`, {method: 'POST', body: JSON.stringify({token: link.split('key=')[1]})});
  must(again.status === 401, 'the link works twice');
  await accessible('empty');
});

const upload = 'long.wav', size = readFileSync(upload).length;
const throttle = async rate => {
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', {offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: rate});
};
await step('uploads_outlive_the_server', async () => {
  await throttle(size / 6);
  await page.setInputFiles('#pick', ['a.wav', 'b.wav', upload]);
  await all('#uploads li', 3);
  await page.waitForFunction(() => { const bar = [...document.querySelectorAll('#uploads progress')].at(-1); return bar.value > 0.4 * bar.max; }, null, WAIT);
  await end('SIGKILL');
  await page.waitForFunction(() => document.querySelector('#uploads').textContent.includes('connection lost'), null, WAIT);
  await accessible('connection lost');
  await serve(base.replace('http://', ''));
  await throttle(-1);
  await page.waitForFunction(() => [...document.querySelectorAll('#uploads .what')].filter(e => e.textContent.includes('ready')).length === 3, null, WAIT);
  await accessible('uploaded');
});

await step('an_upload_goes_on_after_a_reload', async () => {
  await throttle(size / 10);
  execFileSync('cp', [upload, 'other.wav']);
  await page.setInputFiles('#pick', ['other.wav']);
  await page.waitForFunction(() => { const bar = [...document.querySelectorAll('#uploads progress')].at(-1); return bar.value > 0.2 * bar.max; }, null, WAIT);
  await page.reload();
  await shown('#uploads .left');
  await throttle(-1);
  const offsets = [];
  page.on('request', r => { if (r.method() === 'PATCH') offsets.push(Number(r.headers()['upload-offset'])); });
  await page.setInputFiles('#pick', ['other.wav']);
  await page.waitForFunction(() => document.querySelector('#uploads').textContent.includes('ready'), null, WAIT);
  must(offsets.length && offsets[0] > 0, `it began at ${offsets[0]}`);
});

await step('a_pause_before_the_first_answer_is_kept', async () => {
  const sent = [], see = request => { if (['PATCH', 'DELETE'].includes(request.method())) sent.push(request.method()); };
  const held = [], hold = route => { if (route.request().method() === 'POST') held.push(route); else route.continue(); };
  const row = name => `#uploads li:has-text("${name}")`;
  const answer = () => Promise.all([page.waitForResponse(a => a.url().endsWith('/v1/files') && a.status() === 201, WAIT), held.shift().continue()]);
  page.on('request', see);
  await page.route('**/v1/files', hold);
  execFileSync('cp', ['b.wav', 'held.wav']);
  await page.setInputFiles('#pick', ['held.wav']);
  await page.click(`${row('held.wav')} button:has-text("Pause")`);
  await answer();
  await page.waitForTimeout(300);
  must(!sent.length, `paused, and it sent ${sent}`);
  await page.click(`${row('held.wav')} button:has-text("Resume")`);
  await page.waitForFunction(() => document.querySelector('#uploads').textContent.includes('ready'), null, WAIT);
  await page.click(`${row('held.wav')} button:has-text("Remove")`);
  sent.length = 0;
  await page.setInputFiles('#pick', ['held.wav']); // and what is removed then does not stay on the server
  await page.click(`${row('held.wav')} button:has-text("Remove")`);
  const gone = page.waitForRequest(request => request.method() === 'DELETE', WAIT);
  await answer();
  await gone;
  must(sent.join() === 'DELETE', `removed, and it sent ${sent}`);
  must(await page.evaluate(() => !(localStorage.getItem('audiopipe-uploads') || '').includes('held.wav')), 'it is remembered');
  await page.unroute('**/v1/files', hold);
  page.off('request', see);
});

await step('a_job_runs_live', async () => {
  await page.setInputFiles('#pick', ['a.wav']);
  await page.waitForFunction(() => [...document.querySelectorAll('#uploads .what')].filter(e => e.textContent.includes('ready')).length === 2, null, WAIT);
  await page.check('input[value="stems"]', {force: true});
  await page.click('#settings-box summary');
  await page.fill('#set-model', '../x');
  must(await page.evaluate(() => !document.querySelector('#set-model').checkValidity()), 'a name of a model that is none');
  await page.fill('#set-model', 'my-model.2');
  must(await page.evaluate(() => document.querySelector('#set-model').checkValidity()), 'a name of a model');
  await page.check('input[value="8d"]', {force: true});
  await page.selectOption('#set-format', 'wav');
  await page.click('#start');
  await all('#jobs .badge.done', 2);
  await accessible('jobs');
});

await step('mistakes_are_said', async () => {
  await page.setInputFiles('#pick', ['words.txt']);
  await page.waitForFunction(() => document.querySelector('#uploads').textContent.includes('ready'), null, WAIT);
  await page.click('#start');
  await page.waitForFunction(() => document.querySelector('#start-error').textContent.includes("'words.txt' is text"), null, WAIT);
  await accessible('mistake');
});

await step('stems_play_on_one_clock', async () => {
  await page.click('#jobs a:has-text("a.wav")');
  await shown('#player .play');
  await page.click('#player .play');
  const time = () => page.evaluate(() => Number(document.querySelector('#player').dataset.time || 0));
  await page.waitForFunction(() => Number(document.querySelector('#player').dataset.time) > 0.3, null, WAIT);
  const before = await time();
  await page.waitForFunction(t => Number(document.querySelector('#player').dataset.time) > t, before, WAIT);
  await page.click('#player button:has-text("Solo")');
  must(await page.getAttribute('#player button:has-text("Solo")', 'aria-pressed') === 'true', 'solo');
  await page.click('#player button:has-text("Hear the original")');
  must(await page.evaluate(() => document.querySelectorAll('.track')[1].classList.contains('silent')), 'A/B');
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('a');
  must(await page.evaluate(() => document.querySelectorAll('.track')[0].classList.contains('silent')), 'A/B by key');
  await page.keyboard.press(' ');
  await page.waitForFunction(() => document.querySelector('.play').ariaLabel === 'Play', null, WAIT);
  await page.click('#player button:has-text("Spectrum")');
  await page.waitForFunction(() => document.querySelector('.track img')?.naturalWidth > 0, null, WAIT);
  await page.click('#job-log-box summary');
  await accessible('job');
});

await step('several_results_are_as_loud_as_the_original', async () => {
  const levels = await page.evaluate(async () => {
    const {Player} = await import('./player.js');
    const of = tracks => tracks.map(t => {
      const player = Object.assign(Object.create(Player.prototype), {tracks: tracks.map(x => ({volume: 1, ...x}))});
      return 20 * Math.log10(player.level(player.tracks[tracks.indexOf(t)]));
    });
    const original = {original: true, loudness: -14}, a = {loudness: -17}, b = {loudness: -17};
    return [of([original, {loudness: -10}]), of([original, a, b]), of([original, {...a, volume: 0.5}, {...b, mute: true}]),
      of([original, {...a, solo: true}, b]), of([original, {loudness: null}, a]), of([{original: true, loudness: null}, a])];
  });
  // two of -17 LUFS are together as loud as one of -14; a half is -6 dB
  const want = [[0, -4], [0, 0, 0], [-9.02, 0, 0], [-3, 0, 0], [-3, 0, 0], [0, 0]];
  levels.forEach((of, i) => of.forEach((level, k) => must(Math.abs(level - want[i][k]) < 0.02, `${i} ${k}: ${level} dB`)));
});

await step('downloads_are_what_was_made', async () => {
  const [download] = await Promise.all([page.waitForEvent('download', WAIT), page.click('.track:nth-of-type(3) a:has-text("Get")')]);
  const got = createHash('sha256').update(readFileSync(await download.path())).digest('hex');
  const id = page.url().split('#job=')[1];
  const {outputs} = await page.evaluate(i => fetch(`v1/jobs/${i}/outputs`).then(a => a.json()), id);
  must(outputs[0].sha256 === got, `${outputs[0].sha256} ${got}`);
});

await step('keyboard_reaches_everything', async () => {
  await page.goto('about:blank'); // focus begins at the top again
  await page.goto(`${base}/`);
  await shown('#jobs a');
  const reached = [];
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => { const e = document.activeElement; return e.id || e.className || e.name || e.tagName; }));
  }
  const order = ['skip', 'brand', 'signout', 'choose', 'choose-folder', 'recipe'].map(name => reached.indexOf(name));
  must(order.every((place, i) => place >= 0 && (i === 0 || place > order[i - 1])), reached.join(' '));
});

await step('little_is_loaded', async () => {
  const cdp = await context.newCDPSession(page);
  let sum = 0;
  cdp.on('Network.loadingFinished', loaded => { sum += loaded.encodedDataLength; });
  await cdp.send('Network.enable');
  await cdp.send('Network.setCacheDisabled', {cacheDisabled: true});
  await page.reload();
  await shown('#jobs a');
  await page.waitForTimeout(500);
  await cdp.detach();
  must(sum > 10000 && sum < 60000, `${sum} bytes on the wire`);
});

await step('another_owner_sees_nothing', async () => {
  const token = execFileSync('ap-serve', ['token', 'add', 'stranger']).toString().trim();
  const {jobs} = await page.evaluate(() => fetch('v1/jobs').then(a => a.json()));
  const answer = await fetch(`${base}${jobs[0].links.self}`, {headers: {Authorization: `Bearer ${token}`}});
  must(answer.status === 404, `status ${answer.status}`);
});

await step('a_proxy_that_answers_for_the_server_is_waited_for', async () => {
  const events = '**/v1/events', config = '**/v1/config', broken = route => route.fulfill({status: 502, body: ''});
  await page.route(events, broken);
  await page.route(config, broken);
  await end('SIGTERM');
  await page.waitForFunction(() => document.querySelector('#offline').textContent.includes('does not answer'), null, WAIT);
  await page.waitForResponse(answer => answer.url().endsWith('/v1/config') && answer.status() === 502, WAIT);
  await accessible('offline');
  await serve(base.replace('http://', ''));
  await page.waitForResponse(answer => answer.url().endsWith('/v1/config') && answer.status() === 502, WAIT);
  await page.unroute(events);
  await page.unroute(config);
  await shown('#offline', 'hidden');
});

await step('narrow_pages_fit', async () => {
  for (const width of [360, 800, 3840]) {
    await page.setViewportSize({width, height: 900});
    for (const hash of ['#home', `#job=${(await page.evaluate(() => fetch('v1/jobs').then(a => a.json()))).jobs[0].id}`]) {
      await page.goto(`${base}/${hash}`);
      await page.waitForTimeout(200);
      must(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${hash} is too wide at ${width}`);
    }
  }
});

await step('nothing_went_wrong_on_the_way', async () => must(!errors.length, errors.join('; ')));

await browser.close();
await end('SIGTERM');
process.exit(failures ? 1 : 0);
