// SPDX-License-Identifier: GPL-3.0-or-later
// tus clients from npm against ap-serve: tus-js-client, and Uppy on top of it, each with one upload, one that outlives kill -9 of
// the server, and one of parallel parts. Run by tests/cli/serve-clients.sh in a folder of its own; prints "ok NAME" for each.
import {Upload} from 'tus-js-client';
import Uppy from '@uppy/core';
import Tus from '@uppy/tus';
import {spawn, execFileSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';

const bytes = randomBytes(3000017), RETRIES = Array(50).fill(100); // until the server is there again
let server, base, failures = 0;
const serve = where => new Promise((done, failed) => {
  server = spawn('ap-serve', ['--listen', where, '--run', '0', '--rate', '0'], {stdio: ['ignore', 'pipe', 'ignore']});
  server.on('error', failed);
  server.stdout.on('data', data => { base ??= String(data).match(/^http\S+/)[0]; done(); });
});
const end = signal => new Promise(done => { server.once('exit', done); server.kill(signal); });
await serve('127.0.0.1:0');
const headers = {Authorization: `Bearer ${execFileSync('ap-serve', ['token', 'add', 'npm']).toString().trim()}`};
const common = {endpoint: `${base}/v1/files`, headers, retryDelays: RETRIES, chunkSize: 200000};

const byTus = (options, progress) => new Promise((done, failed) => {
  const upload = new Upload(bytes, {...common, ...options, metadata: {filename: 'song.wav'}, onProgress: progress,
    onError: failed, onSuccess: () => done(upload.url)});
  upload.start();
});
const byUppy = async (options, progress) => {
  const uppy = new Uppy().use(Tus, {...common, ...options});
  uppy.on('upload-progress', (file, {bytesUploaded, bytesTotal}) => progress(bytesUploaded, bytesTotal));
  uppy.addFile({name: 'song.wav', data: bytes});
  const {successful, failed} = await uppy.upload();
  if (failed.length) throw new Error(failed[0].error);
  return successful[0].uploadURL;
};

const step = async (name, run, options, killed) => {
  let again = null;
  const progress = (sent, all) => {
    if (killed && !again && sent > 0.4 * all) again = end('SIGKILL').then(() => serve(base.slice(7)));
  };
  try {
    const url = await run(options, progress);
    if (killed && !again) throw new Error('the server was not killed');
    await again;
    const id = url.split('/').at(-1), kept = readFileSync(`${process.env.AUDIOPIPE_SPOOL}/.serve/files/${id}`);
    if (!kept.equals(bytes)) throw new Error(`${kept.length} bytes are there, or others`);
    console.log(`ok ${name}`);
  } catch (error) { failures++; console.log(`not ok ${name}`); console.error(error); }
};
for (const [name, run] of [['tus_js_client', byTus], ['uppy', byUppy]]) {
  await step(`${name}_uploads`, run, {});
  await step(`${name}_outlives_the_server`, run, {}, true);
  await step(`${name}_sends_parts_at_once`, run, {parallelUploads: 3});
}
await end('SIGTERM');
process.exit(failures ? 1 : 0);
