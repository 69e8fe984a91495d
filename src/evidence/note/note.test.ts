// Notes, keys, checkpoints, proofs in one file and policies: the standards' own examples, what they say must be refused, and laws.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Frontier } from '../merkle/frontier.ts';
import { leafHash } from '../merkle/hash.ts';
import {
  checkpointText,
  encodeLogProof,
  openCheckpoint,
  parseCheckpoint,
  parseLogProof,
  verifyLogProof,
} from './checkpoint.ts';
import { cosignedAt, cosignerOf, encodeVkey, KeyInvalid, parseVkey, signerOf, verifierOf } from './keys.ts';
import { NoteInvalid, openNote, parseNote, signNote } from './note.ts';
import { PolicyInvalid, parsePolicy } from './policy.ts';

const secret = (byte: number) => new Uint8Array(32).fill(byte);
const LOG = signerOf('log.example/one', secret(1));
const OTHER = signerOf('other.example', secret(2));
const WITNESS = cosignerOf('witness.example', secret(3), () => 1_700_000_000);

test('the key of the standard (c2sp.org/signed-note) has the id it says', () => {
  const key = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
  assert.equal(encodeVkey(parseVkey(key)), key);
  assert.throws(
    () => parseVkey(key.replace('530d', '530e')),
    /the id 530e903a is not that of the key, 530d903a/,
  );
});

test('a key may have a plus in its base64', () => {
  const signer = Array.from({ length: 200 }, (_, i) => signerOf('a', secret(i))).find(
    ({ verifier }) => encodeVkey(verifier).split('+').length > 3,
  )!;
  const vkey = encodeVkey(signer.verifier);
  assert.equal(encodeVkey(parseVkey(vkey)), vkey);
});

test('what is no key is told', () => {
  for (const key of [
    '',
    'a',
    'a b+00000000+AA==',
    'a+00000000',
    'a+0+AQ==',
    'a+00000000+!',
    `a+00000000+${btoa('\x02'.repeat(33))}`,
  ])
    assert.throws(() => parseVkey(key), KeyInvalid, key);
  assert.throws(() => signerOf('a+b', secret(1)), KeyInvalid);
});

test('a note is opened by who knows one of its keys; a known key that fails makes it worthless', async () => {
  const text =
    'If you think cryptography is the answer to your problem,\n\nthen you do not know what your problem is.\n';
  const note = await signNote(text, [LOG, OTHER]);
  assert.equal(openNote(note, [LOG.verifier]).text, text);
  assert.equal(openNote(note, [OTHER.verifier, LOG.verifier]).by.length, 2);
  assert.throws(() => openNote(note, [signerOf('log.example/one', secret(9)).verifier]), /no known key/);
  assert.throws(() => openNote(note, []), /no known key/);
  const changed = note.replace('your problem is', 'your problem was');
  assert.throws(() => openNote(changed, [LOG.verifier]), /signature of log.example\/one is not of this text/);
  const again = await signNote(text, [OTHER], parseNote(await signNote(text, [LOG])).signatures);
  assert.equal(again, note);
});

test('law: no byte of a note can be changed without its being told', async () => {
  const note = await signNote('one\ntwo\n', [LOG]);
  fc.assert(
    fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 0x10f }), (at, by) => {
      const other = note.slice(0, at) + String.fromCharCode(note.charCodeAt(at) ^ by) + note.slice(at + 1);
      assert.throws(() => openNote(other, [LOG.verifier]), NoteInvalid);
    }),
    { numRuns: 1_000 },
  );
});

test('what is no note is told', async () => {
  const note = await signNote('a\n', [LOG]);
  const line = note.split('\n')[2];
  for (const wrong of [
    '',
    'a\n',
    'a\n\n',
    `a\n\n${line}`,
    `a\r\n\n${line}\n`,
    `a\n\n- ${line!.slice(2)}\n`,
    `a\n\n${line}=\n`,
    `a\n\n— x AAAA\n`,
    `a\n\n— x\n`,
  ])
    assert.throws(() => parseNote(wrong), NoteInvalid, JSON.stringify(wrong));
  assert.throws(() => parseNote(`a\n\n${`${line}\n`.repeat(101)}`), /at most 100/);
  await assert.rejects(signNote('no end', [LOG]), NoteInvalid);
});

test('a checkpoint is its log’s, whoever else has signed it', async () => {
  const checkpoint = { origin: LOG.name, size: 3, root: leafHash(secret(7)), extensions: [] };
  const note = await signNote(checkpointText(checkpoint), [LOG, WITNESS]);
  const { by, ...opened } = openCheckpoint(note, [LOG.verifier, WITNESS.verifier]);
  assert.deepEqual(opened, checkpoint);
  assert.deepEqual(by, [LOG.verifier, WITNESS.verifier]);
  assert.equal(cosignedAt(parseNote(note).signatures[1]!.signature), 1_700_000_000);
  assert.throws(() => openCheckpoint(note, [WITNESS.verifier]), /no known key of log.example\/one/);
  const lines = [
    '',
    'x\n',
    'x\n01\nAA==\n',
    'x\n-1\nAA==\n',
    `x\n1\n${btoa('short')}\n`,
    `x\n99999999999999999\n${btoa('\0'.repeat(32))}\n`,
  ];
  for (const wrong of lines) assert.throws(() => parseCheckpoint(wrong), NoteInvalid, wrong);
});

test('a cosignature is of its time', async () => {
  const text = checkpointText({ origin: 'o', size: 1, root: leafHash(secret(0)), extensions: [] });
  const signature = await WITNESS.sign(text);
  assert.ok(WITNESS.verifier.verify(text, signature));
  const later = signature.slice();
  later[7]! ^= 1;
  assert.ok(!WITNESS.verifier.verify(text, later));
  assert.ok(!verifierOf(WITNESS.name, LOG.verifier.publicKey, 4).verify(text, signature));
});

test('one entry proven by one text', async () => {
  const entry = new TextEncoder().encode('entry');
  const frontier = new Frontier();
  const leaf = leafHash(entry);
  const sibling = leafHash(new TextEncoder().encode('before'));
  frontier.append(sibling);
  frontier.append(leaf);
  const text = checkpointText({ origin: LOG.name, size: 2, root: frontier.root(), extensions: [] });
  const proof = { index: 1, proof: [sibling], checkpoint: await signNote(text, [LOG]), extra: secret(5) };
  const file = encodeLogProof(proof);
  assert.deepEqual(parseLogProof(file), proof);
  assert.equal(verifyLogProof(parseLogProof(file), entry, [LOG.verifier]).size, 2);
  assert.throws(() => verifyLogProof({ ...proof, index: 0 }, entry, [LOG.verifier]), /is not in the log/);
  assert.throws(() => verifyLogProof(proof, secret(1), [LOG.verifier]), /is not in the log/);
  for (const wrong of [
    '',
    file.replace('@v1', '@v2'),
    file.replace('index 1', 'index 01'),
    file.replace('extra ', 'extra !'),
  ])
    assert.throws(() => parseLogProof(wrong), NoteInvalid);
});

test('a policy counts witnesses, in groups of groups', () => {
  const witnesses = [11, 12, 13].map((byte) => cosignerOf(`w${byte}`, secret(byte), () => 1));
  const keys = witnesses.map(({ verifier }) => encodeVkey(verifier));
  const policy = parsePolicy(`# who must have seen it
log ${encodeVkey(LOG.verifier)} https://log.example
witness a ${keys[0]} https://a.example
witness b ${keys[1]}
witness c ${keys[2]}
group two 2 a b c
group all-of all a two
quorum all-of
`);
  const [a, b, c] = witnesses.map(({ verifier }) => verifier);
  assert.equal(policy.isMet([a!, b!]), true);
  assert.equal(policy.isMet([b!, c!]), false);
  assert.equal(policy.isMet([a!]), false);
  assert.equal(policy.isMet([a!, a!]), false);
  assert.equal(parsePolicy('quorum none\n').isMet([]), true);
  for (const [text, why] of [
    ['', /one line `quorum/],
    ['quorum x', /line 1: there is no x above/],
    ['quorum none\nquorum none', /line 2: a policy has one quorum/],
    ['witness a nonsense\nquorum a', /line 1: /],
    [`witness a ${keys[0]}\nwitness a ${keys[1]}\nquorum a`, /line 2: a cannot be defined/],
    [`witness a ${keys[0]}\ngroup g 2 a\nquorum g`, /line 2: a group needs/],
    ['nothing', /line 1: a line is log/],
  ] as const)
    assert.throws(
      () => parsePolicy(text),
      (error) => error instanceof PolicyInvalid && why.test(error.message),
      text,
    );
});
