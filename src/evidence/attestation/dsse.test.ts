// Envelopes and statements: the standard's own example, a round trip, and what must not pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AttestationInvalid,
  ed25519Signer,
  IN_TOTO,
  openStatement,
  parseEnvelope,
  parseStatement,
  preAuthEncoding,
  signEnvelope,
  statementText,
} from './dsse.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const CI = ed25519Signer('ci', new Uint8Array(32).fill(1));
const LEAD = ed25519Signer('lead', new Uint8Array(32).fill(2));
const STATEMENT = {
  subject: [{ name: 'tree', digest: { gitTree: 'a94a8fe5ccb19ba61c4c0873d391e987982fbbd3' } }],
  predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
  predicate: { result: 'PASSED', configuration: [] },
};
const signed = (signers = [CI], type = IN_TOTO) =>
  signEnvelope(type, bytes(statementText(STATEMENT)), signers);

test('what is signed, by the example of the standard', () => {
  assert.equal(
    new TextDecoder().decode(preAuthEncoding('http://example.com/HelloWorld', bytes('hello world'))),
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
  // Lengths are bytes.
  assert.equal(new TextDecoder().decode(preAuthEncoding('é', bytes('ü'))), 'DSSEv1 2 é 2 ü');
});

test('a statement comes back to who knows the key', async () => {
  const { by, ...opened } = openStatement(await signed(), [LEAD.key, CI.key]);
  assert.deepEqual(opened, STATEMENT);
  assert.deepEqual(by, [CI.key]);
});

test('keys are counted, not signatures, and no keyid is believed', async () => {
  const twice = await signed([CI, CI]);
  assert.throws(
    () => openStatement(twice, [CI.key, LEAD.key], 2),
    /1 known keys have signed this; 2 are needed/,
  );
  assert.equal(openStatement(await signed([CI, LEAD]), [CI.key, LEAD.key], 2).by.length, 2);
  const renamed = (await signed()).replace('"keyid":"ci"', '"keyid":"lead"');
  assert.deepEqual(openStatement(renamed, [LEAD.key, CI.key]).by, [CI.key]);
  assert.throws(() => openStatement(renamed, [LEAD.key]), AttestationInvalid);
});

test('both alphabets of base64 are read', async () => {
  const text = await signed();
  const urlSafe = text.replace(
    /"sig":"([^"]+)"/,
    (_, sig: string) => `"sig":"${sig.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}"`,
  );
  assert.deepEqual(openStatement(urlSafe, [CI.key]).subject, STATEMENT.subject);
});

test('a type that was changed is another message', async () => {
  const text = await signed([CI], 'application/x-other');
  assert.throws(() => openStatement(text.replace('application/x-other', IN_TOTO), [CI.key]), /0 known keys/);
  assert.throws(() => openStatement(text, [CI.key]), /the payload is application\/x-other/);
});

test('law: no change of the payload or of a signature passes', async () => {
  const text = await signed();
  const { payload, payloadType, signatures } = JSON.parse(text) as {
    payload: string;
    payloadType: string;
    signatures: { sig: string }[];
  };
  const raw = [Buffer.from(payload, 'base64'), Buffer.from(signatures[0]!.sig, 'base64')];
  fc.assert(
    fc.property(fc.nat(1), fc.nat(), fc.nat(7), (which, at, bit) => {
      const [body, sig] = raw.map((one) => Buffer.from(one));
      const of = [body!, sig!][which]!;
      of[at % of.length]! ^= 1 << bit;
      const other = JSON.stringify({
        payload: body!.toString('base64'),
        payloadType,
        signatures: [{ keyid: 'ci', sig: sig!.toString('base64') }],
      });
      assert.throws(() => openStatement(other, [CI.key]), AttestationInvalid);
    }),
    { numRuns: 300 },
  );
});

test('what is no envelope and no statement is told with its place', () => {
  for (const [text, why] of [
    ['[]', /JSON object/],
    ['{', /JSON object/],
    ['{"payload":"!","payloadType":"a","signatures":[{"sig":"AA=="}]}', /\/payload is base64/],
    ['{"payload":"","payloadType":"","signatures":[{"sig":"AA=="}]}', /\/payloadType/],
    ['{"payload":"","payloadType":"a","signatures":[]}', /\/signatures are 1 to 64/],
    ['{"payload":"","payloadType":"a","signatures":[null]}', /\/signatures\/0/],
  ] as const)
    assert.throws(
      () => parseEnvelope(text),
      (error) => error instanceof AttestationInvalid && why.test(error.message),
      text,
    );
  const with_ = (change: object) =>
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', ...STATEMENT, ...change });
  assert.deepEqual(parseStatement(with_({})), STATEMENT);
  for (const [change, why] of [
    [{ _type: 'https://in-toto.io/Statement/v0.1' }, /\/_type/],
    [{ subject: [] }, /\/subject has/],
    [{ subject: [{ name: 'x' }] }, /\/subject\/0\/digest/],
    [{ subject: [{ digest: {} }] }, /\/subject\/0\/digest/],
    [{ predicateType: '' }, /\/predicateType/],
    [{ predicate: [] }, /\/predicate is/],
  ] as const)
    assert.throws(() => parseStatement(with_(change)), why);
});
