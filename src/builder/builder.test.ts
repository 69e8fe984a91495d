// A built spec is the YAML spec: same canonical form, same digest, and its problems point at the part that has them.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { runSpecTests } from '../replay/spec-tests.ts';
import { readBeside } from '../sdk/spec-files.ts';
import { compileSpec, formatProblem } from '../spec/index.ts';
import type { Json, JsonObject } from '../step/types.ts';
import { plain } from './document.ts';
import { cel, celText } from './expression.ts';
import { origin, spec } from './index.ts';
import { writePlaced, writeYaml } from './write.ts';

const digestOf = (result: ReturnType<typeof compileSpec>): string => {
  assert.deepEqual(result.problems, []);
  assert.ok(result.ok);
  return result.spec.digest;
};
const recipe = (name: string) =>
  digestOf(compileSpec(readFileSync(`docs/spec/cookbook/${name}.yaml`, 'utf8')));

const string = { type: 'string' } as const;

describe('twins of recipes', () => {
  test('handoff-with-proof: history, flow, repair', () => {
    const built = spec('handoff-with-proof', {
      tools: {
        verify_identity: {
          effect: 'read',
          input: { type: 'object', required: ['customer_id'], properties: { customer_id: string } },
          output: { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } },
        },
        read_record: { effect: 'read', labels: ['health'] },
      },
    })
      .handoff('known-agents', {
        handoff: { allow: { 'front-desk': ['billing', 'shipping'], billing: ['front-desk'] } },
        because: 'The front desk hands to billing and shipping, and billing hands back.',
      })
      .handoff('identified-to-billing', {
        handoff: {
          to: 'billing',
          input: {
            type: 'object',
            additionalProperties: false,
            required: ['customer_id'],
            properties: {
              customer_id: { type: 'string', minLength: 1 },
              reason: { type: 'string', maxLength: 500 },
            },
          },
          proven: ({ args, past }) =>
            past.last('result verify_identity', (e) => cel`${e.args.customer_id} == ${args.customer_id}`)
              .result.ok,
        },
        because: 'Billing takes over identified customers only.',
        repair: ({ args }) => `Call verify_identity with customer_id {{ ${args.customer_id} }} first.`,
      })
      .rule('health-stays', {
        on: 'handoff *',
        flow: { from: { labels: ['health'] }, track: 'value' },
        because: 'Health data is not handed on.',
      });
    assert.equal(digestOf(built.compile()), recipe('handoff-with-proof'));
  });

  test('payment-limits: limits', () => {
    const built = spec('payment-limits', {
      tools: {
        pay: {
          effect: 'send',
          reversible: false,
          input: {
            type: 'object',
            required: ['iban', 'amount'],
            properties: {
              iban: { type: 'string', pattern: '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$' },
              amount: { type: 'number', exclusiveMinimum: 0 },
            },
          },
        },
      },
    })
      .rule('five-payments', {
        on: 'call pay',
        limit: { count: 5 },
        because: 'One session makes five payments at most.',
      })
      .rule('payee-day-total', {
        on: 'call pay',
        limit: {
          sum: ({ args }) => args.amount,
          max: 1000,
          per: ({ args }) => args.iban,
          of: 'principal',
          window: '24h',
        },
        because: 'One payee gets at most 1,000 of one person in 24 hours.',
      })
      .test(
        'up to the limit',
        [
          { call: 'pay', args: { iban: 'DE89370400440532013000', amount: 1000 }, expect: 'allow' },
          {
            call: 'pay',
            args: { iban: 'DE89370400440532013000', amount: 1 },
            expect: 'deny',
            rule: 'payee-day-total',
          },
          { wait: '24h' },
          { call: 'pay', args: { iban: 'DE89370400440532013000', amount: 1 }, expect: 'allow' },
        ],
        { principal: 'user:ann' },
      );
    assert.equal(digestOf(built.compile()), recipe('payment-limits'));
    const text = built.toYaml('Payments.\n\nIn TypeScript.');
    assert.match(text, /^# Payments\.\n#\n# In TypeScript\.\ninterlock: 1\nname: payment-limits\n/);
    const again = compileSpec(text);
    assert.equal(digestOf(again), recipe('payment-limits'));
    assert.ok(again.ok);
    const { results } = runSpecTests(again.spec, 'built', text);
    assert.deepEqual(
      results.map((example) => example.failures),
      [[]],
    );
  });

  test('checkout-order: a state machine', () => {
    const built = spec('checkout-order', {
      tools: {
        search: { effect: 'read' },
        add_item: { effect: 'write' },
        set_address: { effect: 'write' },
        pay: {
          effect: 'send',
          reversible: false,
          output: { type: 'object', properties: { paid: { type: 'boolean' } } },
        },
        place_order: { effect: 'write', reversible: false },
      },
    })
      .order('checkout-order', {
        order: {
          start: 'empty',
          states: {
            empty: { 'call add_item': 'filled' },
            filled: { 'call add_item': 'filled', 'call set_address': 'addressed' },
            addressed: { 'call add_item': 'filled', 'call set_address': 'addressed', 'call pay': 'paying' },
            paying: { 'call pay': 'paying', 'call place_order': 'placed' },
            placed: null,
          },
        },
        because: 'Items, then the address, then the payment, then the order; and nothing after it.',
      })
      .rule('paid-before-placed', {
        on: 'call place_order',
        require: ({ past }) => past.last('result pay').result.paid,
        because: 'An order is placed when its payment has come through.',
      });
    assert.equal(digestOf(built.compile()), recipe('checkout-order'));
  });

  test('ledger-entry-follows: obligations', () => {
    const refundId = { type: 'object', required: ['refund_id'], properties: { refund_id: string } } as const;
    const built = spec('ledger-entry-follows', {
      tools: {
        refund: { effect: 'write', reversible: false, output: refundId },
        post_ledger: { effect: 'write', input: refundId },
        get_order: { effect: 'read' },
      },
    })
      .owe('ledger-entry-in-time', {
        after: 'result refund',
        owed: 'call post_ledger',
        where: ({ after, then }) => cel`${then.args.refund_id} == ${after.result.refund_id}`,
        before: { within: '60s' },
        because: 'The ledger entry of a refund is due within a minute.',
      })
      .owe('ledger-entry-made', {
        after: 'result refund',
        owed: 'result post_ledger',
        where: ({ after, then }) => cel`${then.args.refund_id} == ${after.result.refund_id}`,
        before: { event: 'end' },
        because: 'A session does not end while a refund has no ledger entry.',
      });
    assert.equal(digestOf(built.compile()), recipe('ledger-entry-follows'));
  });
});

/** The same document, part by part through the builder's methods. */
function rebuilt(document: JsonObject) {
  const { interlock: _, name, rules, tests, ...head } = document;
  let built = spec(String(name), head as never) as ReturnType<typeof spec>;
  for (const { id, ...rule } of (rules ?? []) as unknown as { id: string }[]) {
    if ('then' in rule) {
      const { then: owed, ...body } = rule as Record<string, unknown>;
      built = built.owe(id, { owed, ...body } as never);
    } else if ('order' in rule) built = built.order(id, rule as never);
    else if ('handoff' in rule) built = built.handoff(id, rule as never);
    else built = built.rule(id, rule as never);
  }
  for (const { name, steps, ...session } of (tests ?? []) as unknown as { name: string; steps: never }[])
    built = built.test(name, steps, session);
  return built;
}

describe('every spec of the project', () => {
  for (const file of globSync(['docs/spec/cookbook/*.yaml', 'packs/*/*.yaml', 'examples/*/*.yaml']).sort()) {
    test(file, () => {
      const text = readFileSync(file, 'utf8');
      const readRef = (path: string) => readBeside(file, path);
      const wanted = digestOf(compileSpec(text, { file, readRef }));
      const built = rebuilt(parse(text) as JsonObject);
      assert.equal(digestOf(built.compile({ readRef })), wanted);
      assert.equal(digestOf(compileSpec(built.toYaml(), { readRef })), wanted);
      assert.equal(digestOf(compileSpec(JSON.stringify(built.toJson()), { readRef })), wanted);
    });
  }
});

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    'null',
    '1e3',
    '0x1f',
    'yes',
    ' - a',
    '# b',
    "it's",
    'a: b',
    '"q"',
    '\\d',
    'a\nb',
    '~',
    '',
    '1:30',
  ),
);
const name = fc.constantFrom('a', 'b', 'c', 'x-1', 'y.z');
const someRule = fc
  .record({
    on: fc.constantFrom('call', 'call get_*', 'handoff *', 'request'),
    require: fc.constantFrom('true', 'args.a == 1', 'has(args.b) &&\n  args.b.c == "x"', "kind == 'y'"),
    when: fc.option(fc.constantFrom('name != ""', true), { nil: undefined }),
    otherwise: fc.constantFrom('deny', 'hold', undefined),
    because: fc.option(text, { nil: undefined }),
    controls: fc.option(fc.array(text), { nil: undefined }),
  })
  .map((rule) => plain(rule) as JsonObject);
const someSpec = fc
  .record({
    name: text.filter((t) => t !== '' && t.length < 100),
    default: fc.constantFrom('allow', 'deny', 'hold'),
    applies: fc.option(fc.record({ agents: fc.array(text, { minLength: 1 }) }), { nil: undefined }),
    rules: fc.uniqueArray(fc.tuple(name, someRule), { selector: ([id]) => id }),
  })
  .map(({ rules, ...head }) =>
    plain({ interlock: 1, ...head, rules: rules.map(([id, rule]) => ({ id, ...rule })) }),
  );

test('any document through the builder has the digest that its text has', () => {
  fc.assert(
    fc.property(someSpec, (document) => {
      const whole = document as JsonObject;
      const wanted = compileSpec(JSON.stringify(whole));
      fc.pre(wanted.ok);
      const built = rebuilt({ ...whole });
      // No rules and an empty list of rules are two documents.
      const same = (whole.rules as readonly Json[]).length > 0;
      if (same) assert.equal(digestOf(built.compile()), digestOf(wanted));
      assert.equal(digestOf(compileSpec(built.toYaml())), digestOf(built.compile()));
    }),
    { numRuns: 200 },
  );
});

test('any data is written and read back as it was, in both ways', () => {
  fc.assert(
    fc.property(fc.dictionary(text, fc.jsonValue()), (data) => {
      const document = JSON.parse(JSON.stringify(data)) as JsonObject;
      assert.deepEqual(parse(writeYaml(document)), document);
      assert.deepEqual(parse(writePlaced(document).text), document);
    }),
    { numRuns: 300 },
  );
});

describe('expressions', () => {
  const show = (value: ReturnType<typeof cel>) => celText(value);

  test('values become literals and cannot change the meaning', () => {
    const to = 'x" || true || "';
    assert.equal(show(cel`args.to == ${to}`), 'args.to == "x\\" || true || \\""');
    assert.equal(show(cel`${[1, 'a', null, { k: true }]}`), '[1, "a", null, {"k": true}]');
    assert.equal(show(cel`time < ${new Date(0)}`), 'time < timestamp("1970-01-01T00:00:00.000Z")');
    for (const bad of [undefined, Number.NaN, Number.POSITIVE_INFINITY])
      assert.throws(() => cel`args.a == ${bad as number}`, TypeError);
  });

  test('an expression in an expression keeps together', () => {
    const either = cel`args.a || args.b`;
    assert.equal(show(cel`${either} && args.c`), '(args.a || args.b) && args.c');
    assert.equal(show(cel`${either}`), 'args.a || args.b');
  });

  test('fields that are no identifiers, conditions in conditions, reaches', () => {
    const built = spec('x', { default: 'allow' }).rule('r', {
      on: 'call',
      require: ({ args, past }) =>
        cel`${args['first name']} == ${args.list?.['0']} && ${past
          .exists('call a', (e) =>
            past.exists('call b', (f) => cel`${f.args.id} == ${e.args.id}`).within('1h'),
          )
          .of('principal')} && ${origin(args.to!).within(['user', 'tool:get'])}`,
    });
    assert.deepEqual(built.toJson().rules, [
      {
        id: 'r',
        on: 'call',
        require:
          'args["first name"] == args.list[0] && past.exists("call a", e, past.exists("call b", e2, e2.args.id == e.args.id).within(duration("1h"))).of("principal") && origin(args.to).within(["user", "tool:get"])',
      },
    ]);
  });
});

describe('problems', () => {
  const tools = {
    pay: { effect: 'send', input: { type: 'object', properties: { amount: { type: 'number' } } } },
  } as const;

  test('point at the part, and into its expression', () => {
    const built = spec('shop', { tools }).rule('most', { on: 'call pay', require: 'args.amuont <= 500' });
    const { ok, problems } = built.compile();
    assert.equal(ok, false);
    assert.deepEqual(problems[0]?.path, ['rules', 'most', 'require']);
    assert.equal(
      formatProblem(problems[0]!, { position: () => ({ line: 1, column: 1 }), lineText: () => '' }),
      [
        'shop: rules.most.require:1:6 error unknown-field: `args` has no field `amuont`; it has amount',
        '    1 | args.amuont <= 500',
        '      |      ^^^^^^ did you mean `amount`?',
      ].join('\n'),
    );
  });

  test('point at values that are no expressions, and at the whole', () => {
    const limit = spec('shop', { tools }).rule('most', {
      on: 'call pay',
      limit: { count: 1, window: 'soon' },
    });
    assert.deepEqual(limit.compile().problems[0]?.path, ['rules', 'most', 'limit', 'window']);
    const effect = spec('shop', { tools: { pay: { effect: 'sned' as 'send' } } });
    assert.deepEqual(effect.compile().problems[0]?.path, ['tools', 'pay', 'effect']);
    const nameless = spec('', {});
    assert.deepEqual(nameless.compile().problems[0]?.path, ['name']);
    assert.throws(() => spec('shop', { parameters: { a: { default: Number.NaN } } }), TypeError);
  });

  test('a builder is not changed by building on it', () => {
    const base = spec('shop', { tools });
    const more = base.rule('most', { on: 'call pay', require: 'args.amount <= 500' });
    assert.equal(base.toJson().rules, undefined);
    assert.equal((more.toJson().rules as Json[]).length, 1);
  });

  test('examples use fixtures and go on in other sessions', () => {
    const built = spec('shop', {
      tools,
      fixtures: { paid: [{ call: 'pay', args: { amount: 1 }, expect: 'allow' }] },
    })
      .rule('once', { on: 'call pay', limit: { count: 1, per: 'principal' } })
      .test(
        'one each',
        [
          { use: 'paid' },
          { session: 'user:2' },
          { use: 'paid' },
          { call: 'pay', args: { amount: 1 }, expect: 'deny', rule: 'once' },
        ],
        { principal: 'user:1' },
      );
    const text = built.toYaml();
    const compiled = compileSpec(text);
    assert.ok(compiled.ok);
    const report = runSpecTests(compiled.spec, 'built', text);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(
      report.results.map((example) => example.failures),
      [[]],
    );
  });

  test('built specs are imported as they are', () => {
    const part = spec('part', { tools, parameters: { most: { type: 'number', default: 10 } } }).rule('most', {
      on: 'call pay',
      require: ({ args, named }) => cel`${args.amount} <= ${named('most')}`,
    });
    const whole = spec('whole', { imports: [{ spec: part, as: 'p', with: { most: 5 } }] });
    const result = whole.compile();
    assert.deepEqual(result.problems, []);
    assert.ok(result.ok);
    assert.deepEqual(
      result.spec.program.rules.map((rule) => rule.id),
      ['p.most'],
    );
  });
});
