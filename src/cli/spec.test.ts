// `interlock spec` as an author and a CI system meet it: what is printed where, the files that are written, exit codes.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parseXml } from '../replay/testing/xml.ts';
import { interlock } from './testing/run.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'interlock-spec-'));
  await Promise.all(Object.entries(FILES).map(([name, text]) => writeFile(join(dir, name), text)));
});
after(() => rm(dir, { recursive: true, force: true }));

const GOOD = `interlock: 1
name: good

tools:
  pay: { effect: write, reversible: false }
  look: { effect: read }

rules:
  - id: seen-first
    on: call pay
    require: past.exists("result look", e, e.args.id == args.id)
  - id: two
    on: call pay
    limit: { count: 2 }
  - id: never-big
    on: call pay
    deny: args.n > 10

fixtures:
  seen: [{ result: look, args: { id: 1 }, value: {} }]

tests:
  - name: seen first
    steps:
      - { call: pay, args: { id: 1, n: 1 }, expect: deny, rule: seen-first }
      - { use: seen }
      - { call: pay, args: { id: 1, n: 1 }, expect: allow }
`;
const FILES: Readonly<Record<string, string>> = {
  'good.yaml': GOOD,
  'good.test.yaml': `fixtures:
  twice: [{ call: pay, args: { id: 1, n: 1 } }, { call: pay, args: { id: 1, n: 1 }, expect: allow }]
tests:
  - name: twice & no more
    steps:
      - { use: [seen, twice] }
      - { call: pay, args: { id: 1, n: 1 }, expect: allow }
      - { call: pay, args: { id: 1, n: 1 }, expect: deny, rule: two }
`,
  'broken.yaml':
    'interlock: 1\nname: broken\ntools: { pay: { effect: write } }\nrules:\n  - { id: r, on: call pay, requires: true }\n  - { id: s, on: call pai, deny: true }\n',
  'doubtful.yaml':
    'interlock: 1\nname: doubtful\ntools: { pay: { effect: write } }\nrules:\n  - { id: r, on: call pay, deny: args.n > 1 }\n  - { id: s, on: call pay, deny: args.n > 2 }\n',
  'untidy.yaml': 'name: untidy\ninterlock: 1\n',
};

const spec = (...args: string[]) => interlock(['spec', ...args], dir);

describe('usage', () => {
  for (const [args, message] of [
    [['chek'], /no command `chek`. Did you mean `check`\?/],
    [['check'], /no spec file given/],
    [['check', '--jsn', 'good.yaml'], /unknown option --jsn. Did you mean --json\?/],
    [['check', '--json', '--sarif', 'good.yaml'], /--json and --sarif/],
    [['check', 'away.yaml'], /cannot read away.yaml/],
    [['test', 'good.test.yaml'], /good.test.yaml has examples; name the spec/],
    [['test', '--junit', 'no/such/folder.xml', 'good.yaml'], /cannot write no\/such\/folder.xml/],
    [['fmt', '--chek', 'good.yaml'], /Did you mean --check\?/],
  ] as const)
    test(args.join(' '), async () => {
      const { code, err } = await spec(...args);
      assert.equal(code, 2);
      assert.match(err, message);
      assert.doesNotMatch(err, /\n\s+at /);
    });

  test('--help names every command', async () => {
    const { code, out } = await spec('--help');
    assert.equal(code, 0);
    for (const word of ['check', 'test', 'fmt', '--sarif', '--strict', '--junit', '--coverage'])
      assert.ok(out.includes(word));
  });
});

describe('check', () => {
  test('says what each rule remembers, and what is left open', async () => {
    const { code, out, err } = await spec('check', 'good.yaml');
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^ {2}seen-first remembers 1 entry per args\.id, at most 1,000,000 keys$/m);
    assert.match(out, /^ {2}two remembers O\(1\)$/m);
    assert.match(out, /^ {2}never-big remembers nothing$/m);
  });

  test('warnings fail when asked to', async () => {
    const lenient = await spec('check', 'doubtful.yaml');
    assert.equal(lenient.code, 0);
    assert.match(
      lenient.err,
      /^doubtful\.yaml:6:11 warning shadowed-rule: wherever `s` fires, `r` fires too/,
    );
    assert.equal((await spec('check', '--strict', 'doubtful.yaml')).code, 1);
    assert.equal((await spec('check', '--strict', 'good.yaml')).code, 0);
  });

  test('as data', async () => {
    const { code, out } = await spec('check', '--json', 'good.yaml', 'doubtful.yaml', 'broken.yaml');
    assert.equal(code, 1);
    const [good, doubtful, broken] = JSON.parse(out);
    assert.deepEqual([good.ok, doubtful.ok, broken.ok], [true, true, false]);
    assert.deepEqual(good.memory[0], {
      rule: 'seen-first',
      grows: 'keys',
      bound: '1 entry per args.id, at most 1,000,000 keys',
      kept: [
        {
          what: 'history',
          of: 'result look',
          scope: 'session',
          keys: ['args.id'],
          keysMax: 1_000_000,
          entriesPerKeyMax: 1,
          windowMs: null,
        },
      ],
    });
    assert.deepEqual(
      doubtful.findings.map(({ code, other }: { code: string; other?: object }) => [code, other]),
      [
        ['unlimited-effect', undefined],
        ['shadowed-rule', { rule: 'r', file: 'doubtful.yaml', line: 5 }],
      ],
    );
    assert.deepEqual(
      broken.problems.map(({ code }: { code: string }) => code),
      ['form', 'unknown-key', 'unknown-tool'],
    );
  });

  test('no spec of ours has a warning', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const files = ['packs', 'examples', 'docs/spec/cookbook'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => join(root, folder, name)),
    );
    assert.ok(files.length > 30);
    const { code, err } = await spec('check', '--strict', ...files);
    assert.deepEqual([code, err], [0, '']);
  });

  test('as SARIF', async () => {
    const { code, out } = await spec('check', '--sarif', 'doubtful.yaml', 'broken.yaml');
    assert.equal(code, 1);
    const report = JSON.parse(out);
    assert.ok(isSarif(report), JSON.stringify(isSarif.errors));
    const [run] = report.runs;
    for (const { ruleId, ruleIndex } of run.results)
      assert.equal(run.tool.driver.rules[ruleIndex].id, ruleId);
    const byRule = (id: string) => run.results.find(({ ruleId }: { ruleId: string }) => ruleId === id);
    assert.equal(byRule('shadowed-rule').level, 'warning');
    assert.equal(byRule('shadowed-rule').relatedLocations[0].physicalLocation.region.startLine, 5);
    assert.equal(byRule('unlimited-effect').level, 'note');
    const wrong = byRule('unknown-key');
    assert.deepEqual(wrong.locations[0].physicalLocation, {
      artifactLocation: { uri: 'broken.yaml' },
      region: { startLine: 5, startColumn: 28, endColumn: 36 },
    });
    assert.deepEqual(wrong.fixes[0].artifactChanges[0].replacements[0].insertedContent, { text: 'require' });
    assert.equal(byRule('unknown-tool').fixes, undefined, 'what is marked is more than the name');
    assert.match(byRule('unknown-tool').message.text, /Did you mean `pay`\?$/);
  });
});

/** What readers of SARIF 2.1.0 require of a report such as ours (OASIS, sections 3.13 to 3.57), in our words. */
const location = {
  type: 'object',
  required: ['physicalLocation'],
  properties: {
    physicalLocation: {
      type: 'object',
      required: ['artifactLocation', 'region'],
      properties: {
        artifactLocation: {
          type: 'object',
          required: ['uri'],
          properties: { uri: { type: 'string', pattern: '^[^\\\\ ]+$' } },
        },
        region: {
          type: 'object',
          required: ['startLine'],
          properties: {
            startLine: { type: 'integer', minimum: 1 },
            startColumn: { type: 'integer', minimum: 1 },
            endColumn: { type: 'integer', minimum: 1 },
          },
        },
      },
    },
  },
} as const;
const text = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string', minLength: 1 } },
} as const;
const isSarif = new Ajv({ strict: false, allErrors: true }).compile({
  type: 'object',
  additionalProperties: false,
  required: ['version', 'runs'],
  properties: {
    $schema: { type: 'string' },
    version: { const: '2.1.0' },
    runs: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['tool', 'results'],
        properties: {
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          tool: {
            type: 'object',
            required: ['driver'],
            properties: {
              driver: {
                type: 'object',
                required: ['name'],
                properties: {
                  rules: {
                    type: 'array',
                    uniqueItems: true,
                    items: {
                      type: 'object',
                      required: ['id', 'shortDescription', 'defaultConfiguration'],
                      properties: {
                        shortDescription: text,
                        defaultConfiguration: {
                          properties: { level: { enum: ['none', 'note', 'warning', 'error'] } },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
          results: {
            type: 'array',
            items: {
              type: 'object',
              required: ['message', 'ruleId', 'ruleIndex', 'level', 'locations'],
              properties: {
                message: text,
                level: { enum: ['none', 'note', 'warning', 'error'] },
                ruleIndex: { type: 'integer', minimum: 0 },
                locations: { type: 'array', minItems: 1, items: location },
                relatedLocations: { type: 'array', items: location },
                fixes: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['artifactChanges'],
                    properties: {
                      description: text,
                      artifactChanges: {
                        type: 'array',
                        minItems: 1,
                        items: {
                          type: 'object',
                          required: ['artifactLocation', 'replacements'],
                          properties: {
                            replacements: {
                              type: 'array',
                              minItems: 1,
                              items: { type: 'object', required: ['deletedRegion'] },
                            },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
});

describe('test', () => {
  test('examples in the spec and beside it, with shared fixtures; a failure says its file and line', async () => {
    const { code, out, err } = await spec(
      'test',
      '--coverage',
      '--junit',
      'report.xml',
      'good.test.yaml',
      'good.yaml',
    );
    assert.equal(code, 1);
    assert.equal(
      err,
      'good.test.yaml:7: step 2: expected allow, found deny by two (violated: The limit is 2 calls per session; 2 used.)\n',
    );
    assert.match(out, /^ok {3}good: seen first$/m);
    assert.match(out, /^FAIL good: twice & no more$/m);
    assert.match(out, /^1 passed, 1 failed; 2 of 3 rules fired, never: never-big$/m);
    assert.match(out, /^ {2}seen-first +6 evaluated +5 satisfied +1 fired$/m);
    assert.match(out, /^ {2}tools called: look, pay$/m);
    const root = parseXml(await readFile(join(dir, 'report.xml'), 'utf8'));
    const cases = root.children[0]!.children;
    assert.deepEqual(
      cases.map(({ attributes, children }) => [attributes.name, attributes.file, children.length]),
      [
        ['seen first', 'good.yaml', 0],
        ['twice & no more', 'good.test.yaml', 1],
      ],
    );
    assert.match(
      cases[1]!.children[0]!.text,
      /^good\.test\.yaml:7: step 2: expected allow, found deny by two/,
    );
  });

  test('a spec that does not check is an error, in the report too', async () => {
    const { code, err } = await spec('test', '--junit', 'broken.xml', 'broken.yaml');
    assert.equal(code, 1);
    assert.match(err, /broken\.yaml:5:28 error unknown-key/);
    const root = parseXml(await readFile(join(dir, 'broken.xml'), 'utf8'));
    assert.equal(root.attributes.errors, '3');
  });

  for (const [what, steps, message] of [
    [
      'a fixture that is not there',
      '[{ use: nobody }]',
      /:4:35 error test: there is no fixture `nobody`; there are a/,
    ],
    [
      'a fixture that uses another',
      '[{ use: a }]',
      /:3:17 error test: a fixture is a list of steps; it does not use another/,
    ],
    ['something beside `use`', '[{ use: a, expect: allow }]', /error test: `expect` does not go with `use`/],
  ] as const)
    test(what, async () => {
      const file = `${what.replaceAll(/\W/g, '-')}.yaml`;
      await writeFile(
        join(dir, file),
        `interlock: 1\nname: x\nfixtures: { a: [{ use: a }] }\ntests: [{ name: t, steps: ${steps} }]\n`,
      );
      const { code, err } = await spec('test', file);
      assert.equal(code, 1);
      assert.match(err, message);
    });
});

test('fmt: names what differs, and mends it', async () => {
  const differs = await spec('fmt', '--check', 'good.yaml', 'untidy.yaml');
  assert.deepEqual([differs.code, differs.out], [1, 'untidy.yaml: differs from the canonical layout\n']);
  assert.equal(await readFile(join(dir, 'untidy.yaml'), 'utf8'), FILES['untidy.yaml']);
  const mended = await spec('fmt', 'good.yaml', 'untidy.yaml');
  assert.deepEqual([mended.code, mended.out], [0, 'untidy.yaml: formatted\n']);
  assert.equal(await readFile(join(dir, 'untidy.yaml'), 'utf8'), 'interlock: 1\nname: untidy\n');
  assert.deepEqual(await spec('fmt', '--check', 'good.yaml', 'untidy.yaml'), { code: 0, out: '', err: '' });
  await writeFile(join(dir, 'no.yaml'), 'a: [1\n');
  assert.equal((await spec('fmt', 'no.yaml')).code, 2);
});
