// `interlock/edge` where it is for: a context that has nothing but the language, a worker, a page and a worker of a real browser; and
// against the whole compiler, on every spec of this repository.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { compile, formatProblem, SpecInvalid, StepInvalid } from '../../src/edge/index.ts';
import { patterns } from '../../src/edge/patterns.ts';
import { shell } from '../../src/edge/shell.ts';
import { replaySpec, replayWithDigests } from '../../src/replay/replay.ts';
import { runSpecTests } from '../../src/replay/spec-tests.ts';
import { readBeside } from '../../src/sdk/spec-files.ts';
import { compileSpec } from '../../src/spec/index.ts';
import type { Step } from '../../src/step/types.ts';
import { chromiumPath, launch, NO_CHROMIUM } from '../web/browser.ts';
import { play, playSaved, type Sample } from './all.ts';
import { bundle } from './bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync(['packs/*/*.yaml', 'examples/*/spec.yaml', 'docs/spec/cookbook/*.yaml'], { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.yaml'))
  .sort();
/** Bytes. Wanted are 60 KB; a change that adds to it shows here. */
const GZIPPED_MAX = 73_000;

interface Case extends Sample {
  readonly file: string;
  readonly digest: string;
  readonly expected: string;
  readonly verdicts: string;
}

/** Each spec with the sessions of its examples, as the whole compiler decides them. */
function casesOf(): Case[] {
  return FILES.map((file): Case => {
    const path = join(ROOT, file);
    const text = readFileSync(path, 'utf8');
    const compiled = compileSpec(text, { file, readRef: (ref) => readBeside(path, ref) });
    assert.ok(compiled.ok, file);
    const sessions = new Map<string, Step[]>();
    let example = 0;
    runSpecTests(compiled.spec, file, text, null, (step) => {
      if (step.seq === 0) example++;
      // Sessions that share history stand in their recorded facts; examples have none: only the first of each is taken.
      const key = `${example}`;
      sessions.set(key, [...(sessions.get(key) ?? []), step]);
    });
    const whole = [...sessions.values()].filter((steps) => steps.every(({ seq }, i) => seq === i));
    const spec = replaySpec(compiled.spec);
    const replayed = whole.map((steps) => replayWithDigests(spec, steps));
    return {
      file,
      spec: compiled.spec.canonical,
      sessions: whole,
      digest: compiled.spec.digest,
      expected: JSON.stringify([compiled.spec.digest, replayed]),
      verdicts: JSON.stringify(replayed.map(({ decisions }) => decisions.map(({ verdict }) => verdict))),
    };
  });
}

const CASES = casesOf();
const SAMPLE: Sample = CASES.find(({ file }) => file === 'packs/coding/coding.yaml')!;
const EXPECTED = (SAMPLE as Case).expected;
let script: string;

before(async () => {
  script = (await bundle(join(ROOT, 'test/edge/all.ts'), 'iife')).code;
});

describe('the same as the whole compiler', () => {
  for (const { file, ...each } of CASES) {
    test(file, () => {
      assert.equal(play(each), each.expected);
      const asked = each.sessions.every((steps) => steps.every(({ kind }) => kind !== 'check'));
      if (asked) assert.equal(playSaved(each), each.verdicts);
    });
  }
  test('there was something to compare', () => {
    assert.ok(CASES.reduce((sum, { sessions }) => sum + sessions.flat().length, 0) > 300);
  });
});

describe('where there is no Node', () => {
  test('its bundle imports nothing and is small', async (t) => {
    const { code, modules, imports } = await bundle(join(ROOT, 'src/edge/index.ts'), 'iife');
    assert.deepEqual(imports, []);
    assert.deepEqual(
      modules.filter((module) => /node:|node_modules\/(yaml|unbash|@bufbuild)/.test(module)),
      [],
    );
    const size = gzipSync(code, { level: 9 }).length;
    t.diagnostic(`${code.length} bytes, ${size} gzipped`);
    assert.ok(size <= GZIPPED_MAX, `${size} bytes`);
  });

  test('in a context that has nothing but the language and its encoder of texts', () => {
    const context = createContext({ TextEncoder, TextDecoder });
    runInContext(script, context, { timeout: 20_000 });
    context.sample = JSON.stringify(SAMPLE);
    assert.equal(runInContext('edge.play(JSON.parse(sample))', context, { timeout: 20_000 }), EXPECTED);
  });

  test('in a worker whose Node is taken away', async () => {
    const hidden =
      'for (const name of ["process", "Buffer", "require", "module", "exports", "global"]) delete globalThis[name];';
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      ${hidden}
      const edge = new Function(workerData.script + '; return edge;')();
      parentPort.postMessage(edge.play(workerData.sample));`;
    const worker = new Worker(code, { eval: true, workerData: { script, sample: SAMPLE } });
    const told = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    assert.equal(told, EXPECTED);
    await worker.terminate();
  });

  test('in a page and in a worker of Chromium, under a strict policy', async (t) => {
    if (chromiumPath === null) return t.skip(NO_CHROMIUM);
    const browser = await launch();
    t.after(() => browser.close());
    const page = await browser.newPage();
    const policy = "default-src 'none'; script-src 'self' blob:; worker-src blob:";
    await page.route('https://edge.test/**', (route) =>
      route.request().url().endsWith('.js')
        ? route.fulfill({ contentType: 'text/javascript', body: script })
        : route.fulfill({
            contentType: 'text/html',
            headers: { 'content-security-policy': policy },
            body: '<script src="/edge.js"></script>',
          }),
    );
    await page.goto('https://edge.test/');
    const sample = JSON.stringify(SAMPLE);
    const inPage = await page.evaluate(
      (text) =>
        (globalThis as unknown as { edge: { play(of: unknown): string } }).edge.play(JSON.parse(text)),
      sample,
    );
    assert.equal(inPage, EXPECTED);
    const inWorker = await page.evaluate(
      ({ code, text }) =>
        new Promise((resolve, reject) => {
          const source = `${code}; onmessage = ({ data }) => postMessage(edge.play(JSON.parse(data)));`;
          const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
          const browser = worker as unknown as { onmessage: unknown; onerror: unknown };
          browser.onmessage = ({ data }: { data: unknown }) => resolve(data);
          browser.onerror = ({ message }: { message: string }) => reject(new Error(message));
          worker.postMessage(text);
        }),
      { code: script, text: sample },
    );
    assert.equal(inWorker, EXPECTED);
  });
});

describe('what it says', () => {
  const SPEC = {
    interlock: 1,
    name: 's',
    tools: {
      pay: {
        effect: 'send',
        input: { type: 'object', properties: { to: { type: 'string', pattern: '^[a-z]+$' } } },
      },
    },
  };
  const problemOf = (spec: string | object, options = {}) => {
    try {
      compile(spec, options);
    } catch (error) {
      assert.ok(error instanceof SpecInvalid);
      return error.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
    }
    return [];
  };

  test('a spec that needs what is not there does not check, and says what to hand in', () => {
    assert.match(problemOf(SPEC)[0]!, /schema .*patterns are not here/);
    assert.deepEqual(problemOf(SPEC, { patterns }), []);
    const rule = { id: 'r', on: 'call pay', deny: 'shell(args.to).commands.size() > 0' };
    const asking = { ...SPEC, rules: [rule] };
    assert.match(problemOf(asking, { patterns })[0]!, /unsupported `shell` is not here/);
    assert.deepEqual(problemOf(asking, { patterns, shell }), []);
  });

  test('problems stand where they are in the JSON', () => {
    const text =
      '{\n  "interlock": 1, "name": "s",\n  "rules": [{ "id": "r", "on": "call *", "deny": "args.a == totl" }]\n}';
    assert.match(problemOf(text)[0]!, /^3:61 unknown-name/);
    assert.match(problemOf('{ "interlock": 1,, }')[0]!, /^1:18 syntax not JSON/);
    assert.match(
      problemOf('{ "interlock": 1, "name": "s", "name": "t" }')[0]!,
      /^1:32 syntax the key "name" stands here twice/,
    );
    assert.match(problemOf(`${'['.repeat(100)}${']'.repeat(100)}`)[0]!, /too-deep/);
    const invalid = problemOf('[]');
    assert.equal(invalid.length > 0, true);
  });

  test('what is no step and no saved session is refused', () => {
    const spec = compile({ ...SPEC, tools: {} });
    const session = spec.session({ id: 's', agent: { name: 'a' } }, 1);
    assert.throws(() => session.decide({ kind: 'nonsense' } as never, 1), StepInvalid);
    assert.throws(() => session.decide({ kind: 'input', name: '' }, Number.NaN), StepInvalid);
    assert.throws(() => spec.load({ state: {} }), StepInvalid);
    assert.equal(session.decide({ kind: 'tool.call', name: 'pay', args: {} }, 1).decision.verdict, 'deny');
    assert.equal(typeof formatProblem, 'function');
  });
});
