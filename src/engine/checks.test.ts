// Checks as an agent meets them: through the SDK, with a real command, a real server and real signatures.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { evidenceGetter } from '../checks/evidence.ts';
import { Interlock, StepDenied } from '../sdk/index.ts';
import { call, problemCode, temporaryDirectory, withEngine } from './testing/engine.ts';

const ed = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: typeof ed.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();

function spec(port: number) {
  return {
    interlock: 1,
    name: 'checked',
    tools: { merge: { effect: 'write' }, pay: { effect: 'write' }, deploy: { effect: 'write' } },
    checks: {
      tests: { command: [process.execPath, '-e', TESTS, '--', '{{ subject }}'], timeout: '5s' },
      slow: { command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'], timeout: '200ms' },
      posted: {
        get: `http://127.0.0.1:${port}/p/{{ subject }}`,
        pass: 'status == 200 && body.state == "posted"',
      },
      built: {
        attestation: { type: 'https://example/build/v1', keys: [pem(ed.publicKey), pem(ec.publicKey)] },
        pass: 'predicate.builder == "ci"',
      },
    },
    rules: [
      { id: 'tested', on: 'call merge', check: { name: 'tests', subject: 'args.commit' } },
      { id: 'posted', on: 'call pay', check: { name: 'posted', subject: 'args.id' } },
      { id: 'built', on: 'call deploy', check: { name: 'built', subject: 'args.digest' } },
    ],
  };
}
/** Passes when the workspace has a file of the subject's name. */
const TESTS = "process.exit(require('fs').existsSync(process.argv[1]) ? 0 : 1)";

function envelope(key: typeof ed.privateKey, statement: object) {
  const payload = Buffer.from(JSON.stringify(statement));
  const type = 'application/vnd.in-toto+json';
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const sig = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', signed, key).toString('base64');
  return { payloadType: type, payload: payload.toString('base64'), signatures: [{ keyid: '', sig }] };
}
const statement = (more = {}) => ({
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://example/build/v1',
  subject: [{ name: 'image', digest: { sha256: 'abc' } }],
  predicate: { builder: 'ci' },
  ...more,
});

test('checks are made by Interlock, recorded, and what rests on them follows', async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url!);
    if (request.url === '/p/away') response.writeHead(302, { location: '/p/P1' }).end();
    else if (request.url === '/p/broken')
      response.writeHead(200, { 'content-type': 'application/json' }).end('{');
    else {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ state: request.url === '/p/P1' ? 'posted' : 'open' }));
    }
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  const workspace = join(temporaryDirectory(t), 'work');
  mkdirSync(workspace);
  const interlock = await Interlock.open({ spec: spec((server.address() as AddressInfo).port), workspace });
  t.after(() => interlock.close());
  const session = await interlock.session({ agent: { name: 'a' } });
  const ran: string[] = [];
  const tool = (name: string) => ({ name, execute: () => ran.push(name) });

  await t.test('a command, in the workspace', async () => {
    const merge = session.guard(tool('merge'), { onMissingCheck: 'run' });
    await assert.rejects(session.guard(tool('merge'))({ commit: 'c1' }), (error) => {
      assert.ok(error instanceof StepDenied);
      assert.deepEqual(error.decision?.rules[0]?.fixes, [{ t: 'run-check', check: 'tests', subject: 'c1' }]);
      return true;
    });
    await assert.rejects(merge({ commit: 'c1' }), StepDenied);
    writeFileSync(join(workspace, 'c1'), '');
    await merge({ commit: 'c1' });
    assert.deepEqual(ran, ['merge']);
    assert.equal(await session.check('tests', { subject: '--eval' }), false);
    assert.equal(await session.check('tests', { subject: 'x; touch owned' }), false);
    assert.ok(!existsSync(join(workspace, 'owned')));
    assert.equal(await session.check('slow'), false);
  });

  await t.test('an address', async () => {
    const pay = session.guard(tool('pay'), { onMissingCheck: 'run' });
    await pay({ id: 'P1' });
    await assert.rejects(pay({ id: 'P2' }), StepDenied);
    for (const subject of ['away', 'broken', '..', null]) {
      assert.equal(await session.check('posted', { subject }), false);
    }
    assert.equal(await session.check('posted', { subject: '../P1?x#y' }), false);
    assert.ok(seen.includes('/p/..%2FP1%3Fx%23y') && !seen.includes('/'));
  });

  await t.test('an attestation', async () => {
    const deploy = session.guard(tool('deploy'));
    const hand = (attestation: object, subject = 'sha256:abc') =>
      session.check('built', { subject, attestation: attestation as never });
    await assert.rejects(deploy({ digest: 'sha256:abc' }), StepDenied);
    assert.equal(await session.check('built', { subject: 'sha256:abc' }), false);
    const good = envelope(ed.privateKey, statement());
    const stranger = generateKeyPairSync('ed25519').privateKey;
    assert.equal(await hand(envelope(stranger, statement())), false);
    assert.equal(await hand(envelope(ed.privateKey, statement({ predicateType: 'other' }))), false);
    assert.equal(await hand(envelope(ed.privateKey, statement({ predicate: { builder: 'me' } }))), false);
    assert.equal(await hand(good, 'sha256:def'), false);
    assert.equal(await hand({ ...good, payload: Buffer.from('{}').toString('base64') }), false);
    assert.equal(await hand({ ...good, payloadType: 'text/plain' }), false);
    await assert.rejects(deploy({ digest: 'sha256:abc' }), StepDenied);
    assert.equal(await hand(envelope(ec.privateKey, statement())), true);
    assert.equal(await hand(good), true);
    await deploy({ digest: 'sha256:abc' });
    assert.ok(ran.includes('deploy'));
  });
});

test('nobody can say how a check came out, and none is made that is not declared or possible', async (t) => {
  const { engine } = await withEngine(t, { getEvidence: evidenceGetter() });
  const { id } = await engine.openSession({ agent: { name: 'agent' } });
  const forged = { kind: 'check', name: 'tests', result: { passed: true } } as const;
  await assert.rejects(engine.decide(id, forged), problemCode('invalid'));
  const request = { name: 'tests', subject: null, attestation: null };
  await assert.rejects(engine.check(id, request), problemCode('invalid'));
  await assert.rejects(engine.check('none', request), problemCode('unknown-session'));
  await engine.decide(id, call('a'));

  const interlock = await Interlock.open({ spec: spec(1) });
  t.after(() => interlock.close());
  const session = await interlock.session({ agent: { name: 'a' } });
  assert.equal(await session.check('tests', { subject: 'c1' }), false);
  await assert.rejects(session.check('test'), /Did you mean tests/);
});
