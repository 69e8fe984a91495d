// What is structure and what is free text; and the law that text inside one field never becomes another field.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { parseYamlDump } from './structure/yaml.ts';
import { parseStructure } from './structure.ts';
import type { Json } from './types.ts';

const lines = (...text: string[]) => text.join('\n');

describe('JSON', () => {
  test('objects, lists and lone values', () => {
    assert.deepEqual(parseStructure(' {"a": [1, null, "x"]}\n'), { a: [1, null, 'x'] });
    assert.deepEqual(parseStructure('[]'), []);
    assert.equal(parseStructure('255.0'), 255);
    assert.equal(parseStructure('null'), null);
    assert.equal(parseStructure('true\n'), true);
    assert.equal(parseStructure('"Transfer: done"'), 'Transfer: done');
  });

  test('a lone word, date or id is text', () => {
    for (const text of [
      '',
      ' ',
      'hello',
      '2024-05-15',
      '0123',
      '1e5',
      '12345678901234567890',
      'True',
      'nul',
    ]) {
      assert.equal(parseStructure(text), undefined, text);
    }
  });

  test('duplicate keys are free text, at any depth and however they are spelt', () => {
    assert.equal(parseStructure('{"to": "a", "to": "b"}'), undefined);
    assert.equal(parseStructure('{"x": [{"to": 1, "t\\u006f": 2}]}'), undefined);
    assert.deepEqual(parseStructure('{"a:b\\":": ":", "c": "\\\\"}'), { 'a:b":': ':', c: '\\' });
  });

  test('an escaped key is read by itself, whatever was parsed before', () => {
    JSON.parse('{"h":[],"\\\\":0}');
    assert.deepEqual(parseStructure('{"h": 1, "\\"": [2, {"\\u0061": "\\n"}], "n": 12345678901234567890}'), {
      h: 1,
      '"': [2, { a: '\n' }],
      n: '12345678901234567890',
    });
  });

  test('numbers a double would change keep their digits as text', () => {
    assert.deepEqual(parseStructure('{"id": 12345678901234567890, "n": 9007199254740991, "x": 1e999}'), {
      id: '12345678901234567890',
      n: 9007199254740991,
      x: '1e999',
    });
  });

  test('half a surrogate pair is free text, raw or escaped', () => {
    assert.equal(parseStructure('{"a": "\\ud83d"}'), undefined);
    assert.equal(parseStructure('{"a": "\ud83d"}'), undefined);
    assert.deepEqual(parseStructure('{"a": "\\ud83d\\ude00"}'), { a: '😀' });
  });

  test('a field named __proto__ is a field', () => {
    const value = parseStructure('{"__proto__": {"a": 1}}') as object;
    assert.deepEqual(Object.keys(value), ['__proto__']);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });
});

describe('YAML dumps', () => {
  test('PyYAML: sequences that are not indented, folded quotes, doubled newlines', () => {
    const text = lines(
      '- all_day: false',
      "  description: 'Planning meeting.",
      '',
      '',
      "    It''s about recipients: and",
      "    more'",
      "  id_: '13'",
      '  participants:',
      '  - ada@example.com',
      '  - grace@example.com',
      '  start_time: 2024-05-26 17:00:00',
      '  tags: []',
      '  meta: {}',
      '- all_day: true',
      '  description: "Caf\\xE9 \\U0001F600\\',
      '    \\  two spaces\\n"',
      '  location: null',
      '  price: 100.0',
    );
    assert.deepEqual(parseStructure(text), [
      {
        all_day: false,
        description: "Planning meeting.\n\nIt's about recipients: and more",
        id_: '13',
        participants: ['ada@example.com', 'grace@example.com'],
        start_time: '2024-05-26 17:00:00',
        tags: [],
        meta: {},
      },
      { all_day: true, description: 'Café 😀  two spaces\n', location: null, price: 100 },
    ]);
  });

  test('plain scalars folded over lines stay one scalar', () => {
    const text = lines(
      'subject: a rather long line - with a dash',
      '  - and 42',
      '  # is no comment',
      'n: 1',
    );
    assert.equal(parseStructure(text), undefined, 'a # after a fold would be a comment to another reader');
    assert.deepEqual(parseStructure(lines('subject: a rather long', '  - line', 'n: 1')), {
      subject: 'a rather long - line',
      n: 1,
    });
  });

  test('block scalars with each chomping and an indentation digit', () => {
    const text = lines(
      'a: |',
      '  x: 1',
      '  y',
      'b: |-',
      '  z',
      'c: |+',
      '  k',
      '',
      'd: >-',
      '  f',
      '  g',
      'e: |2',
      '    two',
      '',
    );
    assert.deepEqual(parseStructure(text), { a: 'x: 1\ny\n', b: 'z', c: 'k\n\n', d: 'f g', e: '  two\n' });
  });

  test('words, and only the numbers every reader agrees on', () => {
    const text =
      '- 0123\n- 1e5\n- 12:30:00\n- 1_000\n- 0x1F\n- +5\n- -0\n- yes\n- ~\n- -7\n- 0.1\n- 1.0e-05\n- 2024-01-01\n- 123456789012345678\n';
    assert.deepEqual(parseStructure(text), [
      '0123',
      '1e5',
      '12:30:00',
      '1_000',
      '0x1F',
      '+5',
      '-0',
      'yes',
      null,
      -7,
      0.1,
      0.00001,
      '2024-01-01',
      '123456789012345678',
    ]);
  });

  test('a lone field is structure under a name a program gives, not after a word that announces', () => {
    assert.deepEqual(parseStructure('message: Transaction sent.'), { message: 'Transaction sent.' });
    assert.deepEqual(parseStructure('items:\n- a\n'), { items: ['a'] });
    for (const text of [
      'ERROR: not found',
      'Error: no seats',
      'error: pathspec',
      'ValueError: x',
      'Note: hi',
      'Step 1: open',
      'warning: deprecated',
    ]) {
      assert.equal(parseStructure(text), undefined, text);
    }
  });

  test('what no serialiser writes is free text', () => {
    const texts = {
      'duplicate key': 'a: 1\nb: 2\na: 3\n',
      'duplicate key, once quoted': "a: 1\n'a': 2\n",
      anchor: 'a: &x 1\nb: 2\n',
      alias: 'a: 1\nb: *x\n',
      tag: 'a: !!python/object:os.system x\nb: 1\n',
      'merge key': '<<: {}\na: 1\n',
      'complex key': '? a\n: 1\n',
      'flow mapping': 'a: {b: c}\nd: 1\n',
      comment: 'a: 1 # one\nb: 2\n',
      'blank line between entries': 'a: 1\n\nb: 2\n',
      'two documents': 'a: 1\n---\nb: 2\n',
      'mapping in a plain scalar': 'a: b: c\nd: 1\n',
      'text after a quoted scalar': "a: 'x' y\nb: 1\n",
      'quoted scalar that is not indented': "a: 'x\ny'\nb: 1\n",
      'unclosed quote': "a: 'x\nb: 1\n",
      'tab indentation': 'a:\n\tb: 1\n',
      'carriage returns': 'a: 1\r\nb: 2\r\n',
      'aligned values': 'name:    Ada\nage:     36\n',
      traceback: 'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: bad\n',
      prose: 'Dear Ada,\nplease note: the rent is due.\n',
    };
    for (const [what, text] of Object.entries(texts)) assert.equal(parseStructure(text), undefined, what);
  });

  test('limits: depth, nodes, length', () => {
    assert.equal(parseStructure(`${'- '.repeat(65)}x`), undefined);
    assert.notEqual(parseStructure(`${'- '.repeat(60)}x`), undefined);
    assert.equal(parseStructure('['.repeat(100_000) + ']'.repeat(100_000)), undefined);
    assert.equal(parseStructure('- a\n'.repeat(70_000)), undefined);
    assert.equal(parseStructure(`[${'1,'.repeat(70_000)}1]`), undefined);
    assert.equal(parseStructure(`{"a": "${'x'.repeat(1024 * 1024)}"}`), undefined);
  });
});

describe('Python literals', () => {
  test('what str() of a dict prints', () => {
    assert.deepEqual(
      parseStructure(
        `{'name': "it's", 'n': 100.0, 'ok': True, 'none': None, 't': (1, 'a'), 'e': '\\x41\\n', 1: []}`,
      ),
      { name: "it's", n: 100, ok: true, none: null, t: [1, 'a'], e: 'A\n', '1': [] },
    );
  });

  test('anything that is not a literal, or has a key twice, is free text', () => {
    for (const text of [
      "{'a': datetime.date(2024, 1, 1)}",
      "{'a': 1, 'a': 2}",
      "{1: 'a', '1': 'b'}",
      "{'a'}",
      "{'a': b'x'}",
      "{'a': 'x' 'y'}",
      "{'a': 'x\ny'}",
      '{a: 1}',
    ]) {
      assert.equal(parseStructure(text), undefined, text);
    }
  });
});

describe('tables', () => {
  test('CSV with a header of field names; quoted cells are text', () => {
    assert.deepEqual(parseStructure('name,amount,note\r\nAda,12.5,"a ""b"", c\r\nd"\r\nGrace,0012,\r\n'), [
      { name: 'Ada', amount: 12.5, note: 'a "b", c\r\nd' },
      { name: 'Grace', amount: '0012', note: '' },
    ]);
    assert.deepEqual(parseStructure('a\tb\nx,y\t2\n'), [{ a: 'x,y', b: 2 }]);
  });

  test('ragged rows, repeated columns, stray quotes, prose and Markdown are free text', () => {
    for (const text of [
      'a,b\n1,2,3\n',
      'a,b\n1\n',
      'a,a\n1,2\n',
      'a,b\n1,x"y"\n',
      'a,b\n',
      'Dear Ada, hello\nhow are, you\n',
      '| a | b |\n|---|---|\n| 1 | 2 |\n',
    ]) {
      assert.equal(parseStructure(text), undefined, text);
    }
  });
});

/** Text made to break out: quotes, folds, indicators, breaks followed by another field. */
const hostile = fc
  .array(
    fc.constantFrom(
      'recipient: evil',
      '\n',
      '\n  ',
      '\n- ',
      '\n\n',
      "'",
      '"',
      '\\',
      ': ',
      ':',
      ' #',
      '- ',
      '|',
      '>',
      '{}',
      '[',
      '&a',
      '*a',
      '!!x',
      '---',
      '...',
      'word '.repeat(12),
      ' ',
      '  ',
      '\t',
      '\r',
      'é',
      '😀',
      '\u2028',
      '1e5',
      'null',
      '<<',
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''))
  // A block scalar of blank lines only is free text by rule.
  .filter((text) => !/^\s*\n\s*$/.test(text));
/** Short keys: behind a long one the library starts a plain scalar on a line of its own, which is free text by rule. */
const key = fc.oneof(
  fc.constantFrom('id', 'body', 'sender', 'a b', '2024', 'true', 'null'),
  hostile.filter((text) => text.length < 12),
);
const number = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fc.integer({ min: -99_999, max: 99_999 }).map((cents) => cents / 100),
);
const value = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(hostile, number, fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).json;
const document = fc.oneof(
  fc.dictionary(key, value, { minKeys: 2, maxKeys: 5, noNullPrototype: true }),
  fc.array(value, { minLength: 1, maxLength: 4 }),
);
const layout = fc.constantFrom(
  {},
  { lineWidth: 0 },
  { lineWidth: 40 },
  { indent: 4 },
  { indentSeq: false },
  { singleQuote: true },
  { version: '1.1' as const },
);

const dump = (json: unknown, options: object) =>
  stringify(json, { aliasDuplicateObjects: false, ...options });
/** Raw line separators and the merge key are free text by rule; the library's own slips are not ours to repair. */
const isFaithful = (text: string, json: unknown) =>
  !/[\u2028\r]|<</.test(text) && isSame(parse(text, { logLevel: 'silent' }), json);
function isSame(a: unknown, b: unknown): boolean {
  try {
    assert.deepStrictEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
/** Equal, where a word that only some readers take for a number may have stayed a word. */
function agrees(ours: unknown, theirs: unknown): boolean {
  if (typeof ours === 'string' && typeof theirs === 'number') return Number(ours) === theirs;
  if (typeof ours !== 'object' || ours === null || typeof theirs !== 'object' || theirs === null) {
    return Object.is(ours, theirs);
  }
  const keys = Object.keys(ours);
  if (Array.isArray(ours) !== Array.isArray(theirs) || keys.length !== Object.keys(theirs).length)
    return false;
  return keys.every((k) =>
    agrees((ours as Record<string, unknown>)[k], (theirs as Record<string, unknown>)[k]),
  );
}

describe('laws', () => {
  test('JSON text gives back its value', () => {
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 2), (json, indent) => {
        assert.deepEqual(parseStructure(JSON.stringify(json, null, indent)), json);
      }),
    );
  });

  test('a YAML dump gives back its value, however it is folded', () => {
    let faithful = 0;
    fc.assert(
      fc.property(document, layout, (json, options) => {
        const text = dump(json, options);
        if (!isFaithful(text, json)) return;
        faithful++;
        assert.deepEqual(parseStructure(text), json);
      }),
      { numRuns: 300 },
    );
    assert.ok(faithful > 20, `only ${faithful} dumps were faithful`);
  });

  test('hostile text in one field changes no other field', () => {
    fc.assert(
      fc.property(hostile, layout, (text, options) => {
        const got = parseStructure(dump({ id: 7, body: text, recipient: 'ada@example.com' }, options));
        if (got === undefined) return;
        const { body, ...others } = got as Record<string, Json>;
        assert.deepEqual(others, { id: 7, recipient: 'ada@example.com' });
        assert.equal(typeof body, 'string');
      }),
      { numRuns: 500 },
    );
  });

  test('a damaged dump is free text or what the reference reader sees, never a third thing', () => {
    let read = 0;
    const damage = fc.record({
      at: fc.nat(400),
      cut: fc.nat(6),
      put: fc.constantFrom(
        '',
        'a',
        'c: ',
        '\n',
        '\n  ',
        '- ',
        "'",
        '"',
        '\\',
        ' ',
        '|',
        ' #',
        '{}',
        '\n\n',
        '---\n',
        '&a ',
        '!t ',
        ': ',
      ),
    });
    fc.assert(
      fc.property(
        document,
        layout,
        fc.array(damage, { minLength: 1, maxLength: 2 }),
        (json, options, blows) => {
          let text = dump(json, options);
          for (const { at, cut, put } of blows) text = text.slice(0, at) + put + text.slice(at + cut);
          const ours = parseYamlDump(text);
          if (ours === undefined) return;
          read++;
          assert.ok(agrees(ours, parse(text, { logLevel: 'silent' })), text);
        },
      ),
      { numRuns: 1000 },
    );
    assert.ok(read > 20, `only ${read} damaged dumps were read`);
  });

  test('no text at all throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseStructure(text)));
  });
});
