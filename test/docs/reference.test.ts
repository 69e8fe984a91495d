// The reference is held to the source in both directions: every key, word, function, problem and limit that one has the
// other has too, with equal numbers. Its specs check and do what their examples say; its expressions compile or hold.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { MODES, VERDICTS } from '../../src/monitor/types.ts';
import { runSpecTests } from '../../src/replay/spec-tests.ts';
import { FINDING_CODES } from '../../src/spec/analysis/index.ts';
import { FUNCTIONS, METHODS } from '../../src/spec/cel/functions.ts';
import { tried } from '../../src/spec/cel/testing.ts';
import { PAST_OPERATORS } from '../../src/spec/free.ts';
import { compileSpec } from '../../src/spec/index.ts';
import { parsePattern } from '../../src/spec/pattern.ts';
import { stepTypeFor, VARIABLES } from '../../src/spec/scope.ts';
import { ENFORCEABILITY, STEP_KINDS } from '../../src/step/types.ts';
import { knownKeys, problemCodes, sourcesIn } from './known-keys.ts';
import { codeIn, type Table, tablesOf } from './page-tables.ts';
import { blocksOf } from './run-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/spec/reference.md'), 'utf8');
const tables = tablesOf(page);

function tableOf(what: string): Table {
  const found = tables.filter(({ head }) => head[0] === what);
  assert.equal(found.length, 1, `one table whose first column is \`${what}\``);
  return found[0]!;
}

/** What the first cells name. */
function named(what: string): string[] {
  return tableOf(what).rows.flatMap(([cell = '']) => codeIn(cell));
}

function same(found: Iterable<string>, wanted: Iterable<string>): void {
  assert.deepEqual([...new Set(found)].sort(), [...new Set(wanted)].sort());
}

describe('keys', () => {
  const known = knownKeys();
  for (const [what, keys] of known)
    test(`of ${what}`, () => {
      same(named(`key of ${what}`), keys);
    });

  test('no table has keys that nobody reads', () => {
    const documented = tables.flatMap(({ head: [first = ''] }) =>
      first.startsWith('key of ') ? [first.slice('key of '.length)] : [],
    );
    same(documented, known.keys());
  });

  test('of JSON Schema', () => {
    const text = readFileSync(join(ROOT, 'src/spec/schema/keywords.ts'), 'utf8');
    const forms = text.slice(text.indexOf('const FORMS:'), text.indexOf('/** Of JSON Schema, and not'));
    const inTable = [...forms.matchAll(/^ {2}\['([$\w]+)', [A-Z_]+\],/gm)].map((match) => match[1]!);
    const forReaders = [...forms.matchAll(/^ {4}'([$\w]+)',/gm)].map((match) => match[1]!);
    assert.ok(inTable.length > 30 && forReaders.length > 10);
    same(named('keyword'), [...inTable, ...forReaders, 'default', 'x-…']);
  });
});

describe('words', () => {
  test('kind words, their steps, and what can be done about them', () => {
    const { rows } = tableOf('kind word');
    const kinds = rows.map(([word = '', kind = '', , can]) => {
      const parsed = parsePattern(codeIn(word)[0]!);
      assert.ok('pattern' in parsed);
      assert.equal(parsed.pattern.kind, codeIn(kind)[0]);
      const stoppable = ENFORCEABILITY[parsed.pattern.kind] === 'suppressable';
      assert.equal(can, stoppable ? 'stop it' : 'only halt the session', word);
      return parsed.pattern.kind;
    });
    same(kinds, STEP_KINDS);
  });

  test('verdicts, in their order', () => {
    assert.deepEqual(named('verdict'), VERDICTS);
  });

  test('modes', () => {
    assert.deepEqual(named('mode'), MODES);
  });

  test('rules that are nobody’s', () => {
    const own = sourcesIn(['src/monitor']).flatMap(({ text }) => [...text.matchAll(/'(\$[a-z]+)'/g)]);
    same(
      named('rule'),
      own.map((match) => match[1]!),
    );
  });

  test('variables', () => {
    same(named('variable'), VARIABLES);
  });

  test('fields of an earlier step', () => {
    const parsed = parsePattern('call x');
    const type = 'pattern' in parsed ? stepTypeFor(new Map(), parsed.pattern) : null;
    assert.ok(type !== null && 't' in type && type.t === 'object');
    same(
      named('field of a step'),
      [...type.fields.keys()].map((field) => `e.${field}`),
    );
  });

  test('sources', () => {
    const text = readFileSync(join(ROOT, 'src/spec/origin.ts'), 'utf8');
    const words = /const WORDS = \[([^\]]*)\]/.exec(text)![1]!.matchAll(/'([a-z:]+)'/g);
    const found = named('source').map((source) => source.replace(/:.*/, ':'));
    same(
      found,
      [...words].map((match) => match[1]!),
    );
  });
});

describe('functions', () => {
  const heads = [
    'function',
    'function of text',
    'function of lists and numbers',
    'function of shell commands and paths',
    'function of time',
  ];
  const rows = heads.flatMap((head) => tableOf(head).rows);
  const signatures = rows.flatMap(([cell = '']) => codeIn(cell));

  /** `size(x)` is a function, `x.size()` a method; `math.`, `cel.` and `path.` belong to a name. */
  function names(kind: 'function' | 'method'): string[] {
    return signatures.flatMap((signature) => {
      const before = signature.slice(0, signature.indexOf('('));
      const isFunction = !before.includes('.') || /^(math|cel|path)\./.test(before);
      if (isFunction !== (kind === 'function')) return [];
      return [isFunction ? before : before.slice(before.indexOf('.') + 1)];
    });
  }

  test('are those of the source', () => {
    same(names('function'), [...FUNCTIONS.keys(), 'has', 'cel.bind']);
    const macros = readFileSync(join(ROOT, 'src/spec/cel/calls.ts'), 'utf8').matchAll(
      /^ {2}\['(\w+)', '\(/gm,
    );
    same(names('method'), [...METHODS.keys(), ...[...macros].map((m) => m[1]!).filter((m) => m !== 'has')]);
  });

  for (const [signature = '', , example = ''] of rows)
    test(`${signature}: its example holds`, () => {
      const [expression] = codeIn(example);
      assert.ok(expression, 'an example');
      const run = tried(expression);
      assert.deepEqual(run.problems, []);
      assert.equal(run.run(), true);
      const name = /(\w+)\(/.exec(signature)![1]!;
      assert.ok(expression.includes(`${name}(`), 'the example uses the function');
    });

  test('operators of history', () => {
    same(
      named('operator').map((signature) => /^past\.(\w+)\(/.exec(signature)![1]!),
      PAST_OPERATORS,
    );
    same(
      named('narrowing').map((signature) => signature.slice(1, signature.indexOf('('))),
      ['within', 'of'],
    );
    const text = readFileSync(join(ROOT, 'src/spec/origin.ts'), 'utf8');
    const methods = /const METHODS = \[([^\]]*)\]/.exec(text)![1]!.matchAll(/'(\w+)'/g);
    same(
      named('method').map((signature) => /^origin\(x\)\.(\w+)\(/.exec(signature)![1]!),
      [...methods].map((match) => match[1]!),
    );
  });
});

test('problems', () => {
  same(named('code'), problemCodes());
});

test('commands', () => {
  const text = readFileSync(join(ROOT, 'src/cli/spec.ts'), 'utf8');
  const known = [...text.matchAll(/^ {2}(\w+): async \(\) => \(await import\('\.\/spec\//gm)];
  same(
    named('command').flatMap((command) => /^npx interlock spec (\w+)/.exec(command)?.[1] ?? []),
    known.map((match) => match[1]!),
  );
});

test('findings', () => {
  const found = tableOf('finding').rows.map(([code = '', severity]) => `${codeIn(code)[0]} ${severity}`);
  same(
    found,
    Object.entries(FINDING_CODES).map(([code, { severity }]) => `${code} ${severity}`),
  );
});

describe('limits', () => {
  /** Sizes of caches and of what messages show, and a depth that the text on flows gives: no limit of the language. */
  const INNER =
    'MAX_COMPARED MAX_VIOLATIONS MAX_TRIED_WHOLE MAX_SHOWN MAX_CACHED MAX_ZONES MAX_UNPAID MAX_CACHED_NAMES MAX_DECODED MAX_TIMEOUT_MS MAX_REFS MAX_KEPT';
  const kept = sourcesIn(['src/shell', 'src/spec', 'src/monitor', 'src/replay'])
    .filter(({ name }) => !name.startsWith('src/spec/analysis/'))
    .flatMap(({ text }) => [...text.matchAll(/const (MAX_\w+|\w+_LIMIT) = (\d[\d_]*(?: \* \d+)?);/g)])
    .map(([, name = '', value = '']) => {
      const factors = value.split('*').map((part) => Number(part.trim().replaceAll('_', '')));
      const number = factors.reduce((product, factor) => product * factor, 1);
      return `${name} ${number.toLocaleString('en-US')}`;
    });
  const rows = tableOf('what').rows.map(([, most = '', , constant = '']) => `${codeIn(constant)[0]} ${most}`);

  for (const row of rows)
    test(row, () => {
      assert.ok(kept.includes(row), `the source has no such constant; it has ${kept.join(', ')}`);
    });

  test('each of the source is here', () => {
    const inner = new Set(INNER.split(' '));
    const missing = kept.filter(
      (limit) => !rows.includes(limit) && !inner.has(limit.split(' ')[0]!) && limit !== 'MAX_ROUNDS 3',
    );
    assert.deepEqual(missing, []);
  });
});

for (const [name, least] of [
  ['docs/spec/reference.md', 4],
  ['docs/spec-language.md', 1],
] as const)
  describe(`specs of ${name}`, () => {
    const specs = blocksOf(readFileSync(join(ROOT, name), 'utf8')).filter(
      (block) => block.language === 'yaml',
    );
    assert.ok(specs.length >= least);
    for (const { lines, at } of specs)
      test(`line ${at + 1}`, () => {
        const text = lines.join('\n');
        const result = compileSpec(text);
        assert.deepEqual(result.problems, []);
        assert.ok(result.ok);
        const report = runSpecTests(result.spec, name, text);
        assert.deepEqual(report.problems, []);
        assert.deepEqual(
          report.results.flatMap((example) => example.failures),
          [],
        );
        assert.ok(report.results.length > 0, 'it has an example');
      });
  });

describe('expressions', () => {
  const TYPES: Readonly<Record<string, string>> = { ok: 'boolean', amount: 'number', total: 'number' };
  const field = (name: string) => `${name}: { type: ${TYPES[name] ?? 'string'} }`;
  const object = (...names: string[]) => `{ type: object, properties: { ${names.map(field).join(', ')} } }`;
  const tool = (input: string, output: string) => `{ effect: read, input: ${input}, output: ${output} }`;
  const id = object('id');
  const tools = `
  refund: ${tool('{}', object('id'))}
  verify_identity: ${tool(object('customer_id'), object('ok'))}
  get_order: ${tool(id, object('id', 'total'))}
  lock: ${tool(id, '{}')}
  unlock: ${tool(id, '{}')}
  get_contacts: ${tool('{}', '{}')}
  search_orders: ${tool('{}', '{}')}`;
  const expressions = blocksOf(page)
    .filter((block) => block.language === 'cel')
    .flatMap((block) => block.lines.join('\n').split('\n\n'));
  assert.ok(expressions.length >= 10);
  for (const expression of expressions)
    test(expression, () => {
      const rule = { id: 'a', on: 'call refund', require: expression };
      const result = compileSpec(
        `interlock: 1\nname: x\ntools:${tools}\nrules:\n  - ${JSON.stringify(rule)}\n`,
      );
      assert.deepEqual(
        result.problems.map(({ code, message }) => `${code}: ${message}`),
        [],
      );
    });
});

describe('links', () => {
  const pages = readdirSync(join(ROOT, 'docs/spec')).filter((name) => name.endsWith('.md'));
  for (const name of ['../spec-language.md', '../../README.md', ...pages])
    test(`of ${name} lead somewhere`, () => {
      const path = join(ROOT, 'docs/spec', name);
      const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)]*)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const linked = file === '' ? path : join(dirname(path), file);
        assert.ok(existsSync(linked), target);
        if (anchor !== undefined) assert.ok(anchorsOf(linked).includes(anchor), target);
      }
    });
});

/** Names of headings in links, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
