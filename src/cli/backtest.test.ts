// The commands as scripts use them, on a file and on a record that was made live.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Interlock } from '../sdk/index.ts';
import { interlock as run } from './testing/run.ts';

const spec = (more: string) => `
interlock: 1
name: shop
tools:
  get_order: { effect: read, output: { type: object, properties: { total: { type: number } } } }
  refund: { effect: write }
rules:
  - id: look-first
    on: call refund
    require: past.exists("result get_order", e, e.result.total >= args.amount)
${more}`;
const CAP = '  - { id: cap, on: call refund, require: args.amount <= 3, because: Too much. }\n';
const WATCHED =
  '  - { id: cap, on: call refund, require: args.amount <= 3, mode: shadow, because: Too much. }\n';

const interlock = (...argv: string[]) => run(argv);

describe('backtest, explain and promotion', () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-backtest-'));
  const at = (name: string) => join(directory, name);
  const data = at('data');
  let session = '';

  before(async () => {
    writeFileSync(at('old.yaml'), spec(''));
    writeFileSync(at('new.yaml'), spec(CAP));
    writeFileSync(at('watch.yaml'), spec(WATCHED));
    writeFileSync(at('broken.yaml'), 'interlock: 1');
    const live = await Interlock.open({ spec: at('watch.yaml'), data });
    const opened = await live.session({ agent: { name: 'a' } });
    session = opened.id;
    const order = opened.guard({ name: 'get_order', execute: () => ({ total: 10 }) });
    const refund = opened.guard({ name: 'refund', execute: () => 'ok' });
    await order({});
    await refund({ amount: 2 });
    await refund({ amount: 5 });
    await live.close();
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('a record against a stricter spec, in words and as data', async () => {
    const same = await interlock(
      'backtest',
      '--old',
      at('old.yaml'),
      '--new',
      at('watch.yaml'),
      '--data',
      data,
    );
    assert.deepEqual([same.code, same.err], [0, '']);
    assert.match(same.out, /Nothing changes/);
    const words = await interlock(
      'backtest',
      '--old',
      at('old.yaml'),
      '--new',
      at('new.yaml'),
      '--data',
      data,
    );
    assert.equal(words.code, 1);
    assert.match(words.out, /stricter +allow → deny +cap +1 +1/);
    assert.match(words.out, /refund \{"amount":5\}\n {2}allow → deny: Too much\./);
    const argv = ['--old', at('new.yaml'), '--new', at('old.yaml'), '--data', data, '--json'];
    const json = await interlock('backtest', ...argv, '--fail-on', 'stricter');
    assert.equal(json.code, 0);
    const report = JSON.parse(json.out);
    assert.deepEqual([report.sessions, report.laxer, report.stricter], [1, 1, 0]);
    assert.deepEqual(
      report.rules.map(
        ({
          rule,
          from,
          to,
          examples,
        }: {
          rule: string;
          from: string;
          to: string;
          examples: { session: string }[];
        }) => [rule, from, to, examples[0]?.session],
      ),
      [['cap', 'deny', 'allow', session]],
    );
  });

  test('an exported file, and no spec at all on one side', async () => {
    const exported = at('all.jsonl');
    assert.equal((await interlock('sessions', 'export', '--all', '--data', data, '-o', exported)).code, 0);
    const { code, out } = await interlock('backtest', '--old', 'none', '--new', at('new.yaml'), exported);
    assert.equal(code, 1);
    assert.match(out, /1 verdicts stricter, 0 laxer/);
  });

  test('what cannot be run says why', async () => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['backtest', '--old', at('old.yaml')], /--old and --new are needed/],
      [['backtest', '--old', at('old.yaml'), '--new', at('broken.yaml')], /broken.yaml does not check/],
      [
        ['backtest', '--old', at('old.yaml'), '--new', at('new.yaml'), at('none.jsonl')],
        /none.jsonl: cannot be read/,
      ],
      [['backtest', '--old', at('old.yaml'), '--new', at('new.yaml'), '--data', at('none')], /no record in/],
      [['backtest', '--old', at('old.yaml'), '--new', at('new.yaml'), '--fail-on', 'x'], /--fail-on is any/],
      [
        ['spec', 'explain', at('old.yaml'), '--session', 'x', '--step', '0', '--data', data],
        /no session x on record/,
      ],
      [
        ['spec', 'explain', at('old.yaml'), '--session', session, '--step', '99', '--data', data],
        /has 7 steps/,
      ],
      [['spec', 'explain', at('old.yaml')], /needs a spec FILE, --session and --step/],
      [['spec', 'promotion', '--at-most', '200%'], /--at-most is a share/],
    ];
    for (const [argv, message] of cases) {
      const { code, err } = await interlock(...argv);
      assert.equal(code, 2, argv.join(' '));
      assert.match(err, message);
    }
  });

  test('a step on record is explained', async () => {
    const { steps } = JSON.parse(
      (await interlock('sessions', 'export', '--session', session, '--data', data)).out,
    );
    const step = steps.findLast(
      ({ kind, name }: { kind: string; name: string }) => kind === 'tool.call' && name === 'refund',
    );
    const where = ['--session', session, '--step', String(step.seq), '--data', data];
    const { code, out } = await interlock('spec', 'explain', at('new.yaml'), ...where);
    assert.equal(code, 0);
    assert.match(out, /verdict {2}deny/);
    assert.match(out, /- args\.amount <= 3 {2}\(fails\)\n {6}args\.amount = 5/);
    assert.match(out, /asked and satisfied: look-first/);
  });

  test('a rule in shadow is reported from the record', async () => {
    const { code, out } = await interlock('spec', 'promotion', '--data', data);
    assert.equal(code, 0);
    assert.match(out, /cap +shadow +2 +1 +1 .*fires too often/);
    const [report] = JSON.parse((await interlock('spec', 'promotion', '--data', data, '--json')).out);
    assert.deepEqual(
      [report.rules[0].rule, report.rules[0].names, report.rules[0].ready],
      ['cap', { refund: 1 }, false],
    );
  });
});
