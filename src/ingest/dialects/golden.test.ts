// Each `test/golden/otlp/<dialect>/<case>.input.json` (OTLP/JSON) maps to exactly its `.expected.json`.
// UPDATE_GOLDEN=1 writes the expected files anew; read the difference before it is committed.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Observation } from '../../engine/types.ts';
import { parseProposal } from '../../step/parse.ts';
import { decodeTraceJson } from '../otlp/json.ts';
import { mapTraces } from './map-traces.ts';
import { traceMemory } from './trace-memory.ts';

const GOLDEN = new URL('../../../test/golden/otlp/', import.meta.url);
const UPDATE = process.env.UPDATE_GOLDEN === '1';

const cases = readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.input.json'))
  .sort();

test('every dialect has golden cases', () => {
  const dialects = new Set(cases.map((path) => path.split('/')[0]));
  assert.deepEqual([...dialects].sort(), [
    'google-adk',
    'openinference',
    'otel-genai',
    'pydantic-ai',
    'vercel-ai',
  ]);
});

for (const path of cases) {
  test(`golden: ${path.replace('.input.json', '')}`, () => {
    const decoded = decodeTraceJson(readFileSync(new URL(path, GOLDEN)));
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.deepEqual(decoded.traces.rejections, []);
    const { spans, observations } = mapTraces(decoded.traces.spans, traceMemory(100));
    for (const { proposal } of observations) {
      const parsed = parseProposal(proposal);
      assert.ok(parsed.ok, JSON.stringify(parsed));
    }
    const mapped = {
      spans: spans.map((span) => [span.name, span.dialect]),
      steps: observations.map(written),
    };
    const file = new URL(path.replace('.input.json', '.expected.json'), GOLDEN);
    if (UPDATE) writeFileSync(file, `${JSON.stringify(mapped, null, 2)}\n`);
    assert.ok(existsSync(file), 'no expected file: run with UPDATE_GOLDEN=1 and read what it writes');
    assert.deepEqual(JSON.parse(JSON.stringify(mapped)), JSON.parse(readFileSync(file, 'utf8')));
  });
}

/** An observation without its span, whose attributes are the input's. */
function written({ span, ...rest }: Observation) {
  return { ...rest, span: span.spanId };
}
