import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadPage } from './static.ts';

let dir: string;
let server: Server;
let url: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-page-'));
  await mkdir(join(dir, 'dist/assets'), { recursive: true });
  await writeFile(join(dir, 'secret.txt'), 'secret');
  await writeFile(join(dir, 'dist/index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(dir, 'dist/assets/app-1a2b.js'), 'export {};');
  server = createServer(await loadPage(join(dir, 'dist'))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(dir, { recursive: true, force: true });
});

test('the page is at / and at its own addresses, under a strict policy', async () => {
  for (const path of ['/', '/sessions/abc', '/sessions/run-1.2', '/index.html?x']) {
    const response = await fetch(url + path);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /<title>page/);
    assert.match(response.headers.get('content-type')!, /^text\/html/);
    const policy = response.headers.get('content-security-policy')!;
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers.get('cache-control'), 'no-cache');
  }
});

test('assets are immutable, missing ones are missing', async () => {
  const found = await fetch(`${url}/assets/app-1a2b.js`);
  assert.match(found.headers.get('cache-control')!, /immutable/);
  assert.match(found.headers.get('content-type')!, /^text\/javascript/);
  assert.equal((await fetch(`${url}/assets/app-gone.js`)).status, 404);
});

test('no path reaches outside', async () => {
  for (const path of [
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/%2e%2e/secret.txt',
  ]) {
    const text = await (await fetch(url + path)).text();
    assert.doesNotMatch(text, /secret/);
  }
});

test('only reading is allowed', async () => {
  assert.equal((await fetch(url, { method: 'POST' })).status, 405);
  assert.equal(await (await fetch(url, { method: 'HEAD' })).text(), '');
});

test('a page that is not built says how to build it', async () => {
  const page = createServer(await loadPage(join(dir, 'nothing'))).listen(0, '127.0.0.1');
  await once(page, 'listening');
  const text = await (await fetch(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`)).text();
  page.close();
  page.closeAllConnections();
  assert.match(text, /vite build web/);
});
