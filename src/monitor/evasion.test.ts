// Ways past a rule that were once open: each shape that a hostile model, tool or document could choose, held shut.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileSpec } from '../spec/index.ts';
import type { Json, JsonObject, Step } from '../step/types.ts';
import { fired, sessionOf } from './testing/session.ts';

const spec = (rules: string, tools = 'pay: { effect: send }\n  look: { effect: read }') =>
  `interlock: 1\nname: x\ntools:\n  ${tools}\nrules:\n  - ${rules}\n`;

describe('limits', () => {
  for (const [pattern, kind] of [
    ['output', 'output'],
    ['handoff', 'handoff'],
    ['request', 'model.request'],
    ['remember', 'memory.write'],
  ] as const) {
    test(`a limit counts steps of kind ${kind} too`, () => {
      const s = sessionOf(spec(`{ id: l, on: ${pattern}, limit: { count: 1 } }`));
      assert.equal(s.step(kind, 'n', { content: 'x' }).verdict, 'allow');
      assert.equal(s.step(kind, 'n', { content: 'x' }).verdict, 'deny');
    });
  }

  test('what a person approved past the limit counts as well', () => {
    const s = sessionOf(
      spec('{ id: l, on: call pay, limit: { sum: args.amount, max: 100 }, otherwise: hold }'),
    );
    s.call('pay', { amount: 60 });
    const held = s.call('pay', { amount: 80 });
    assert.equal(held.verdict, 'hold');
    s.approve(held.binding);
    assert.equal(s.call('pay', { amount: 80 }).verdict, 'allow');
    assert.match(s.call('pay', { amount: 1 }).repair ?? '', /0 is left/);
  });

  test('equal keys are equal whatever the order of their fields', () => {
    const s = sessionOf(spec('{ id: l, on: call pay, limit: { count: 1, per: args.to } }'));
    assert.equal(s.call('pay', { to: { a: 1, b: 2 } }).verdict, 'allow');
    assert.equal(s.call('pay', { to: { b: 2, a: 1 } }).verdict, 'deny');
  });

  test('a state that can hold no more refuses, and forgets nothing', () => {
    const s = sessionOf(spec('{ id: l, on: call pay, limit: { count: 1, per: args.to } }'), {
      reload: false,
    });
    for (let i = 0; i < 100_000; i++) s.call('pay', { to: `u${i}` });
    assert.equal(s.call('pay', { to: 'one more' }).verdict, 'deny');
    assert.equal(s.call('pay', { to: 'u0' }).verdict, 'deny');
  });

  test('small amounts still add up beside a very large one', () => {
    const s = sessionOf(spec('{ id: l, on: call pay, limit: { sum: args.amount, max: 1000000000000002 } }'));
    s.call('pay', { amount: 999_999_999_999_999 });
    const verdicts = Array.from({ length: 8 }, () => s.call('pay', { amount: 0.5 }).verdict);
    assert.deepEqual(verdicts.slice(0, 6), ['allow', 'allow', 'allow', 'allow', 'allow', 'allow']);
    assert.equal(verdicts[6], 'deny');
  });

  test('a denied call with the id of an open one does not give the open one its slot back', () => {
    const s = sessionOf(
      spec(
        '{ id: l, on: call pay, limit: { sum: args.a, max: 100 } }\n  - { id: no, on: call pay, deny: args.a == 9 }',
      ),
    );
    assert.equal(s.call('pay', { a: 60 }, 'c').verdict, 'allow');
    assert.equal(s.call('pay', { a: 9 }, 'c').verdict, 'deny');
    assert.equal(s.call('pay', { a: 41 }, 'd').verdict, 'deny');
    s.fail('pay', 'c');
    assert.equal(s.call('pay', { a: 100 }, 'e').verdict, 'allow');
  });
});

describe('the default', () => {
  for (const [what, rule] of [
    ['a rule about another tool', '{ id: other, on: call pay, deny: false }'],
    ['a shadow rule on all calls', '{ id: watch, on: call, mode: shadow, deny: args.size() > 100 }'],
    ['a rule on all calls', '{ id: all, on: call *, deny: args.size() > 100 }'],
  ] as const) {
    test(`is not switched off by ${what}`, () => {
      assert.deepEqual(fired(sessionOf(spec(rule)).call('rm_rf')), ['$default:violated']);
    });
  }
});

describe('transform', () => {
  test('a rewritten step is rewritten again by the rules it then meets', () => {
    const s = sessionOf(
      spec(
        `{ id: t1, on: call pay, transform: { set: { args.to: '"ext"' } } }\n  - { id: t2, on: call pay, when: 'args.to == "ext"', transform: { drop: args.secret } }`,
      ),
    );
    assert.deepEqual(s.call('pay', { to: 'a', secret: 'S' }).transformed, { to: 'ext' });
  });

  test('a field is dropped wherever the argument is a list of what was meant to be one', () => {
    const s = sessionOf(spec('{ id: t, on: call pay, transform: { drop: args.meta.secret } }'));
    assert.deepEqual(s.call('pay', { meta: [{ secret: 'S' }] }).transformed, { meta: [{}] });
  });

  test('a value that JSON cannot hold drops the argument', () => {
    const s = sessionOf(spec(`{ id: t, on: call pay, transform: { set: { args.a: 'double(args.s)' } } }`));
    assert.deepEqual(s.call('pay', { a: 5, s: 'NaN' }).transformed, { s: 'NaN' });
  });

  test('a step without arguments has none to change: said when the spec is checked', () => {
    const result = compileSpec(spec('{ id: t, on: output, transform: { drop: args.x } }'));
    assert.equal(result.ok, false);
    assert.match(result.problems[0]!.message, /no arguments to change/);
  });
});

describe('history', () => {
  test('a join finds equal objects in any order of fields', () => {
    const s = sessionOf(
      spec(`{ id: once, on: call pay, require: 'past.none("call pay", e, e.args.to == args.to)' }`),
    );
    s.call('pay', { to: { a: 1, b: 2 } });
    assert.equal(s.call('pay', { to: { b: 2, a: 1 } }).verdict, 'deny');
  });

  test('no text in one joined value can reach into the next', () => {
    const s = sessionOf(
      spec(
        `{ id: v, on: call pay, require: 'past.exists("result look", e, e.args.a == args.a && e.args.b == args.b)' }`,
      ),
    );
    s.done('look', { a: 'x\u0001sy', b: 'z' }, { ok: true });
    assert.equal(s.call('pay', { a: 'x', b: 'y\u0001sz' }).verdict, 'deny');
  });

  test('a step whose condition could not be decided is not forgotten', () => {
    const s = sessionOf(
      spec(`{ id: clean, on: call pay, require: 'past.none("result look", e, e.result.infected)' }`),
    );
    s.done('look', {}, { infected: 'yes' });
    assert.deepEqual(fired(s.call('pay')), ['clean:error']);
  });

  test('nor is one whose result is too large to look through', () => {
    const s = sessionOf(
      spec(
        `{ id: clean, on: call pay, require: 'past.none("result look", e, e.result.f.exists(x, x.sev == "high"))' }`,
      ),
      { reload: false },
    );
    const low: Json[] = Array.from({ length: 100_000 }, () => ({ sev: 'low' }));
    s.done('look', {}, { f: [...low, { sev: 'high' }] });
    assert.equal(s.call('pay').verdict, 'deny');
  });

  test('a result belongs to the allowed call of its id and its tool', () => {
    const s = sessionOf(
      spec(
        `{ id: self, on: call look, require: 'args.id == "me"' }\n  - { id: v, on: call pay, require: 'past.exists("result look", e, e.args.id == args.id && e.result.ok)' }`,
      ),
    );
    s.call('look', { id: 'me' }, 'c');
    s.call('look', { id: 'victim' }, 'c');
    s.result('look', 'c', { ok: true });
    assert.equal(s.call('pay', { id: 'victim' }).verdict, 'deny');
    assert.equal(s.call('pay', { id: 'me' }).verdict, 'allow');
  });

  test('a result under another name proves nothing about that name', () => {
    const s = sessionOf(
      spec(
        `{ id: v, on: call pay, require: 'past.exists("result verify", e, e.args.id == args.id && e.result.ok)' }`,
        'pay: { effect: send }\n  look: { effect: read }\n  verify: { effect: read }',
      ),
    );
    s.call('look', { id: 'v' }, 'c');
    s.result('verify', 'c', { ok: true });
    assert.equal(s.call('pay', { id: 'v' }).verdict, 'deny');
  });

  test('no sum survives a number that is none', () => {
    for (const n of ['Infinity', '-Infinity', 'NaN']) {
      const s = sessionOf(
        spec(
          `{ id: c, on: call pay, require: 'past.sum("call look", e, true, double(e.args.n)) + 1 <= 100' }`,
        ),
      );
      for (let i = 0; i < 5; i++) s.call('look', { n: '99' });
      s.call('look', { n });
      assert.equal(s.call('pay').verdict, 'deny', n);
    }
  });

  test('a number that could not be read leaves with its window', () => {
    const s = sessionOf(
      spec(
        `{ id: c, on: call pay, require: 'past.sum("call look", e, true, e.args.n).within(duration("1h")) <= 100' }`,
      ),
    );
    s.call('look', { n: 'x' });
    assert.equal(s.call('pay').verdict, 'deny');
    s.wait(7_200_000);
    s.call('look', { n: 1 });
    assert.equal(s.call('pay').verdict, 'allow');
  });
});

describe('approvals', () => {
  test('two answers to two questions do not chase each other', () => {
    const s = sessionOf(
      spec(
        `{ id: A, on: call pay, hold: true }\n  - { id: B, on: call pay, hold: 'past.exists("call look")' }`,
      ),
    );
    s.approve(s.call('pay', { a: 1 }).binding);
    s.call('look');
    const again = s.call('pay', { a: 1 });
    assert.equal(again.verdict, 'hold');
    s.approve(again.binding);
    assert.equal(s.call('pay', { a: 1 }).verdict, 'allow');
    assert.equal(s.call('pay', { a: 1 }).verdict, 'hold', 'an approval is used once');
  });

  test('an answer lasts as long as the shortest of the rules it answers', () => {
    const s = sessionOf(
      spec(
        '{ id: A, on: call pay, hold: true, approve: { by: reviewer, expires: 5m } }\n  - { id: B, on: call pay, hold: true, approve: { by: reviewer, expires: 24h } }',
      ),
    );
    s.approve(s.call('pay').binding);
    s.wait(23 * 3_600_000);
    assert.equal(s.call('pay').verdict, 'hold');
  });
});

const TRUSTED = 'rm: { effect: write }\n  read: { effect: read, trust: trusted';

describe('origins', () => {
  const said = () => {
    const s = sessionOf(
      spec(`{ id: o, on: call rm, require: 'origin(args.path).within(["user"])' }`, `${TRUSTED} }`),
    );
    s.input('please clear the build folder');
    return s;
  };

  test('a word the user said is theirs; the same word in a path, a glob or a command is not', () => {
    const s = said();
    assert.equal(s.call('rm', { path: 'build' }).verdict, 'allow');
    for (const path of [
      'other',
      '/',
      '*',
      '..',
      'build/../..',
      '~/build',
      '../../build',
      'build/*',
      '$(build)',
      '`build`',
      'build|folder',
    ])
      assert.equal(s.call('rm', { path }).verdict, 'deny', path);
    assert.equal(s.call('rm', { path: { other: true } }).verdict, 'deny');
  });

  const untrustedShapes: readonly (readonly [string, string, Json])[] = [
    [
      'a field',
      '{ type: object, properties: { note: { type: string, trust: untrusted } } }',
      { note: 'evil99' },
    ],
    [
      'a nullable field',
      '{ type: object, properties: { note: { anyOf: [{ type: string, trust: untrusted }, { type: "null" }] } } }',
      { note: 'evil99' },
    ],
    [
      'items of a nullable list',
      '{ type: object, properties: { notes: { anyOf: [{ type: array, items: { type: string, trust: untrusted } }, { type: "null" }] } } }',
      { notes: ['evil99'] },
    ],
    [
      'a union at the root',
      '{ anyOf: [{ type: string, trust: untrusted }, { type: object }] }',
      { x: 'evil99' },
    ],
    [
      'fields by pattern',
      '{ type: object, patternProperties: { "^n": { type: string, trust: untrusted } } }',
      { note: 'evil99' },
    ],
    [
      'a schema that refers to itself',
      '{ type: object, properties: { text: { type: string, trust: untrusted }, kids: { type: array, items: { $ref: "#" } } } }',
      { kids: [{ kids: [{ text: 'evil99' }] }] },
    ],
    [
      'a list where an object was promised',
      '{ type: object, properties: { note: { type: string, trust: untrusted } } }',
      [{ note: 'evil99' }],
    ],
    [
      'a field spelt otherwise',
      '{ type: object, properties: { note: { type: string, trust: untrusted } } }',
      { Note: 'evil99' },
    ],
  ];
  for (const [what, output, result] of untrustedShapes) {
    test(`an untrusted value does not become trusted in ${what}`, () => {
      const s = sessionOf(
        spec(
          `{ id: o, on: call rm, require: 'origin(args.path).within(["trusted"])' }`,
          `${TRUSTED}, output: ${output} }`,
        ),
      );
      s.done('read', {}, result);
      assert.equal(s.call('rm', { path: 'evil99' }).verdict, 'deny');
    });
  }

  const note =
    '{ type: object, properties: { id: { type: string }, note: { type: string, trust: untrusted } } }';
  for (const [what, content] of [
    ['as JSON text', '{"id":"a1","note":"evil99"}'],
    ['in text that is no structure', 'id: a1\nnote: evil99\u0085\n'],
  ] as const) {
    test(`nor when it comes ${what}`, () => {
      const s = sessionOf(
        spec(
          `{ id: o, on: call rm, require: 'origin(args.path).within(["trusted"])' }`,
          `${TRUSTED}, output: ${note} }`,
        ),
      );
      s.done('read', {}, content);
      assert.equal(s.call('rm', { path: 'evil99' }).verdict, 'deny');
    });
  }

  test('a source names one tool: a dot in another name does not make it that tool', () => {
    const s = sessionOf(
      spec(
        `{ id: o, on: call send, require: 'origin(args.b).within(["tool:mail"])' }`,
        'mail: { effect: read }\n  mail.evil: { effect: read }\n  send: { effect: send }',
      ),
    );
    s.done('mail.evil', {}, 'ACCT-12345');
    assert.equal(s.call('send', { b: 'ACCT-12345' }).verdict, 'deny');
  });
});

describe('flow of values', () => {
  const SECRET = 'ACCT-12345-zz';
  const TOOLS =
    'secret: { effect: read, labels: [conf] }\n  noise: { effect: read }\n  send: { effect: send }';
  const RULE =
    '{ id: f, on: [call send, output, remember], flow: { from: { labels: [conf] }, track: value } }';
  const told = () => {
    const s = sessionOf(spec(RULE, TOOLS));
    s.done('secret', {}, { k: SECRET });
    return s;
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const hex = Buffer.from(SECRET).toString('hex');

  const disguises: readonly (readonly [string, JsonObject])[] = [
    ['as it is', { b: SECRET }],
    ['as a key', { b: { [SECRET]: 1 } }],
    ['in base64', { b: base64(`the secret is ${SECRET}`) }],
    ['in hex', { b: hex }],
    ['in hex with a prefix', { b: `0x${hex}` }],
    ['in hex behind a letter', { b: `a${hex}` }],
    ['with a variation selector', { b: 'ACCT\ufe0f-12345-zz' }],
    ['with a grapheme joiner', { b: 'AC\u034fCT-12345-zz' }],
    ['deep in a long attachment', { b: base64('x '.repeat(110_000) + SECRET) }],
    ['with a suffix', { b: `${SECRET}_` }],
  ];
  for (const [how, args] of disguises) {
    test(`is seen ${how}`, () => {
      assert.equal(told().call('send', args).verdict, 'deny');
    });
  }

  const carriers: readonly (readonly [string, Partial<Step>])[] = [
    ['content', { content: SECRET }],
    ['content beside arguments', { args: {}, content: SECRET }],
  ];
  for (const [where, rest] of carriers) {
    test(`is seen in the ${where} of an output and of a memory`, () => {
      assert.equal(told().step('output', '', rest).verdict, 'deny');
      assert.equal(told().step('memory.write', 'm', rest).verdict, 'deny');
    });
  }

  for (const [how, rest] of [
    ['as text only', { content: SECRET }],
    ['as text beside a null result', { result: null, content: SECRET }],
    ['as text beside a result', { result: { ok: true }, content: SECRET }],
    ['in an error', { error: { message: `failed for ${SECRET}` } }],
    ['as a key of the result', { result: { [SECRET]: { x: 1 } } }],
  ] as const) {
    test(`is known when it came ${how}`, () => {
      const s = sessionOf(spec(RULE, TOOLS));
      s.call('secret', {}, 'c');
      s.step('tool.result', 'secret', { callId: 'c', ...rest });
      assert.equal(s.call('send', { b: SECRET }).verdict, 'deny');
    });
  }

  test('is known though it was seen in many other places first', () => {
    const s = sessionOf(spec(RULE, TOOLS));
    s.done('noise', {}, Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, { v: SECRET }])));
    s.done('secret', {}, { k: SECRET });
    assert.equal(s.call('send', { b: SECRET }).verdict, 'deny');
  });

  test('a tool that is not declared is a mistake, not a source that never speaks', () => {
    const result = compileSpec(
      spec('{ id: f, on: call send, flow: { from: { tools: ["sceret"] }, track: context } }', TOOLS),
    );
    assert.equal(result.ok, false);
    assert.equal(result.problems[0]!.suggestion, 'secret');
  });
});

describe('halt', () => {
  test('outlasts an eviction, lets the session end, and nothing more', () => {
    const s = sessionOf(spec('{ id: h, on: result pay, deny: true, otherwise: halt }'));
    s.call('pay', {}, 'c');
    assert.equal(s.result('pay', 'c', 1).verdict, 'halt');
    assert.deepEqual(fired(s.call('pay')), ['$halted:violated']);
    assert.equal(s.step('session.end', '').verdict, 'allow');
    assert.equal(s.call('look').verdict, 'deny');
  });
});

describe('a denied call', () => {
  const CHECKED = spec(
    `{ id: no, on: call verify, deny: args.skip == true }
  - { id: first, on: call pay, require: 'past.exists("result verify")' }`,
    'verify: { effect: read }\n  pay: { effect: write }',
  );

  test('proves nothing by a result that somebody reports for it', () => {
    const s = sessionOf(CHECKED);
    s.call('verify', { skip: true }, 'c');
    s.result('verify', 'c', { ok: true });
    assert.deepEqual(fired(s.call('pay')), ['first:violated']);
    s.call('verify', { skip: false }, 'c');
    s.result('verify', 'c', { ok: true });
    assert.deepEqual(fired(s.call('pay')), []);
  });
});

describe('an empty value', () => {
  test('comes from nowhere: nobody gave it', () => {
    const s = sessionOf(spec('{ id: o, on: call pay, require: \'origin(args.to).within(["user"])\' }'));
    s.input('pay ann@example.com');
    assert.deepEqual(fired(s.call('pay', { to: '' })), ['o:violated']);
    assert.deepEqual(fired(s.call('pay', { to: ' ' })), ['o:violated']);
    assert.deepEqual(fired(s.call('pay', { to: 'ann@example.com' })), []);
    assert.deepEqual(fired(s.call('pay', { to: { name: '', mail: 'ann@example.com' } })), ['o:violated']);
  });
});
