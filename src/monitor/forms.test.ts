import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileSpec } from '../spec/index.ts';
import { sessionOf } from './testing/session.ts';

const FILES = `
interlock: 1
name: files
tools:
  read_file: { effect: read, labels: [confidential] }
  search_web: { effect: read }
  redact: { effect: read }
  send: { effect: send }
`;

test('flow by context: once it came in nothing goes out, until a declassifier sets it free', () => {
  const s = sessionOf(`${FILES}
rules:
  - id: no-leak
    on: call effect:send
    flow: { from: { labels: [confidential] }, track: context, free: ["tool:redact"] }
    otherwise: hold`);
  assert.equal(s.call('send', { body: 'hello' }).verdict, 'allow');
  s.done('search_web', {}, 'public');
  assert.equal(s.call('send', { body: 'hello' }).verdict, 'allow');
  s.done('read_file', {}, 'the plan');
  const held = s.call('send', { body: 'hello' });
  assert.deepEqual(
    [held.verdict, held.witness[0]?.name, held.witness[0]?.note],
    ['hold', 'read_file', 'brought in confidential'],
  );
  s.done('redact', {}, 'a plan');
  assert.equal(s.call('send', { body: 'hello' }).verdict, 'allow');
});

const VALUES = `${FILES}
rules:
  - id: no-leak
    on: call effect:send
    flow: { from: { labels: [confidential] }, track: value, free: [user] }
    because: Confidential content stays inside.`;

test('flow by value: what carries the content is stopped, however it is spelled or encoded', () => {
  const s = sessionOf(VALUES);
  s.input('Send the summary to ann@corp.example; my own number is K-99812.');
  s.done('read_file', {}, 'Account KB-5512-77 of Jane Roe. The merger closes on the first of May. K-99812');
  for (const body of [
    'the account is kb-5512-77',
    'ＫＢ-5512-77',
    `x=${Buffer.from('account KB-5512-77').toString('base64')}`,
    `x=${Buffer.from(Buffer.from('account KB-5512-77').toString('base64')).toString('base64')}`,
    `x=${Buffer.from('account KB-5512-77').toString('hex')}`,
    encodeURIComponent('account KB-5512-77 é').replaceAll('-', '%2D'),
    'they say the Merger closes on some day',
  ]) {
    const decision = s.call('send', { body });
    assert.deepEqual([decision.verdict, decision.witness[0]?.kind], ['deny', 'tool.result'], body);
    assert.match(decision.repair ?? '', /Leave out what tool:read_file gave/);
  }
  for (const body of [
    'hello Jane',
    'the first of all',
    'my number is K-99812',
    'ann@corp.example',
    'KB-5512-78',
  ]) {
    assert.equal(s.call('send', { body }).verdict, 'allow', body);
  }
});

test('law: every identifier of followed content is caught in any surrounding text, and no other is', () => {
  const ids = fc
    .array(fc.constantFrom(...'abcdefgh'), { minLength: 4, maxLength: 8 })
    .map((letters) => `${letters.join('')}7`);
  const words = fc
    .array(fc.constantFrom('please', 'send', 'the', 'a', 'now'), { maxLength: 6 })
    .map((all) => all.join(' '));
  fc.assert(
    fc.property(ids, ids, words, words, (secret, other, before, after) => {
      const s = sessionOf(VALUES);
      s.done('read_file', {}, `note ${secret} end`);
      assert.equal(s.call('send', { body: `${before} ${secret} ${after}` }).verdict, 'deny');
      if (other !== secret)
        assert.equal(s.call('send', { body: `${before} ${other} ${after}` }).verdict, 'allow');
    }),
    { numRuns: 100 },
  );
});

const SHOP = `
interlock: 1
name: shop
tools:
  refund: { effect: write, output: { type: object, properties: { id: { type: string }, amount: { type: number } } } }
  post_ledger: { effect: write }
  look: { effect: read }
rules:
  - id: ledger-follows
    after: result refund
    when: result.amount > 10
    then: call post_ledger
    where: then.args.refund_id == after.result.id
    before: { within: 1m, event: end }
`;

test('an obligation blocks its event until it is discharged, by the step that is meant', () => {
  const s = sessionOf(SHOP);
  assert.equal(s.end().verdict, 'allow');
  s.done('refund', {}, { id: 'r0', amount: 5 });
  assert.equal(s.end().verdict, 'allow', 'its `when` does not hold');
  s.call('refund', {}, 'failed');
  s.fail('refund', 'failed');
  assert.equal(s.end().verdict, 'allow', 'a failed refund owes nothing');
  s.done('refund', {}, { id: 'r1', amount: 50 });
  const blocked = s.end();
  assert.deepEqual(
    [blocked.verdict, blocked.rules[0]?.rule, blocked.witness[0]?.name],
    ['deny', 'ledger-follows', 'refund'],
  );
  assert.match(blocked.repair ?? '', /call post_ledger/);
  s.call('post_ledger', { refund_id: 'other' });
  assert.equal(s.end().verdict, 'deny');
  s.call('post_ledger', { refund_id: 'r1' });
  assert.equal(s.end().verdict, 'allow');
});

test('a missed deadline stops everything but the discharge, and is known in time', () => {
  const s = sessionOf(SHOP);
  s.done('refund', {}, { id: 'r1', amount: 50 });
  const due = s.deadline();
  assert.ok(due !== null);
  s.done('refund', {}, { id: 'r2', amount: 50 });
  assert.equal(s.deadline(), due, 'the earliest');
  assert.equal(s.call('look').verdict, 'allow');
  s.wait(60_001);
  const late = s.call('look');
  assert.deepEqual([late.verdict, late.witness[0]?.note], ['deny', 'its deadline has passed']);
  assert.equal(s.call('post_ledger', { refund_id: 'r1' }).verdict, 'allow');
  assert.equal(s.call('post_ledger', { refund_id: 'r2' }).verdict, 'allow');
  assert.equal(s.call('look').verdict, 'allow');
  assert.equal(s.deadline(), null);
});

test('`otherwise: halt` stops the session at a recorded deadline, though nothing was proposed', () => {
  const s = sessionOf(SHOP.replace('before: {', 'otherwise: halt\n    before: {'));
  s.done('refund', {}, { id: 'r1', amount: 50 });
  s.wait(60_001);
  assert.equal(s.step('check', 'deadline').verdict, 'halt');
  assert.equal(s.call('look').rules[0]?.rule, '$halted');
  assert.equal(s.end().verdict, 'allow', 'a halted session can end');
});

test('one step discharges every duty it matches, and a noticed deadline is not announced again', () => {
  const s = sessionOf(SHOP.replace('    where: then.args.refund_id == after.result.id\n', ''));
  s.done('refund', {}, { id: 'r1', amount: 50 });
  s.done('refund', {}, { id: 'r2', amount: 50 });
  s.wait(60_100);
  s.step('check', 'deadline');
  assert.equal(s.deadline(), null);
  s.call('post_ledger', {});
  assert.equal(s.end().verdict, 'allow');
});

test('order: only what its state allows may happen, and the repair says what that is', () => {
  const s = sessionOf(`
interlock: 1
name: booking
tools: { search: { effect: read }, book: { effect: write }, pay: { effect: send }, other: { effect: read } }
rules:
  - id: booking-order
    order:
      start: new
      states:
        new: { call search: found }
        found: { call search: found, call book: booked }
        booked: { call pay: paid }
        paid:`);
  const early = s.call('book');
  assert.deepEqual(
    [early.verdict, early.repair],
    ['deny', 'In the state new there may follow: `call search`.'],
  );
  s.call('search');
  assert.equal(s.call('other').verdict, 'allow', 'not named by any state');
  assert.equal(s.call('book').verdict, 'allow');
  const again = s.call('book');
  assert.deepEqual([again.verdict, again.witness[0]?.note], ['deny', 'led to the state booked']);
  assert.equal(s.call('pay').verdict, 'allow');
  assert.match(s.call('search').repair ?? '', /nothing more may happen/);
});

test('forms that cannot mean anything do not check', () => {
  const codes = (rule: string) =>
    compileSpec(`${FILES}\nrules:\n  - id: r\n    ${rule.replaceAll('\n', '\n    ')}`).problems.map(
      (problem) => problem.code,
    );
  assert.deepEqual(codes('on: call send\nflow: { track: value }'), ['missing']);
  assert.deepEqual(codes('on: call send\nflow: { from: { labels: [x] }, free: [nobody] }'), ['origin']);
  assert.deepEqual(codes('after: call send\nthen: call redact'), ['form']);
  assert.deepEqual(codes('then: call redact\nbefore: { within: 1m }'), ['missing']);
  assert.deepEqual(codes('after: call send\nthen: call redac\nbefore: { within: 1m }'), ['unknown-tool']);
  assert.deepEqual(codes('after: call send\nthen: call redact\nbefore: { event: result send }'), [
    'unenforceable',
  ]);
  assert.deepEqual(
    codes('after: call send\nthen: call redact\nwhere: after.args.x == 1.0\nbefore: { within: 1m }'),
    ['obligation'],
  );
  assert.deepEqual(codes('on: call send\nwhere: "true"\ndeny: true'), ['form']);
  assert.deepEqual(codes('order: { start: a, states: { b: { call send: c } } }'), ['order', 'order']);
});
