// SPDX-License-Identifier: GPL-3.0-or-later
// The page of ap-serve --store in Chromium: it sends straight to the object store. Run by tests/cli/serve-store.sh with the
// link that signs in and the store's address; short.wav lies in the folder.
import {chromium} from 'playwright-core';

const [link, store] = process.argv.slice(2);
const WAIT = {timeout: Number(process.env.AP_WAIT || 60000)};
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage']});
const page = await (await browser.newContext()).newPage();
const sent = [], errors = [];
page.on('request', r => { if (r.method() === 'PUT' || r.method() === 'PATCH') sent.push(r.url()); });
page.on('console', m => { if (m.type() === 'error') errors.push(m.text()); });
const ready = () => page.waitForFunction(() => document.querySelector('#uploads').textContent.includes('ready'), null, WAIT);
try {
  await page.goto(link);
  await page.waitForSelector('#home', {state: 'visible', ...WAIT});
  await page.setInputFiles('#pick', ['short.wav']);
  await ready();
  if (sent.length !== 1 || !sent[0].startsWith(`${store}/`)) throw new Error(`sent to ${sent}`);
  await page.check('input[value="two"]', {force: true});
  await page.click('#start');
  await page.waitForFunction(() => document.querySelectorAll('#jobs .badge.done').length >= 1, null, WAIT);
  // the page may send there, and nowhere else
  const elsewhere = await page.evaluate(url => fetch(url).then(() => 'sent', () => 'blocked'), 'http://127.0.0.1:9/');
  if (elsewhere !== 'blocked') throw new Error('the page may send anywhere');
  console.log('done');
} catch (error) {
  console.error(error, errors);
  process.exitCode = 1;
}
await browser.close();
