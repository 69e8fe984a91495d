// A run that is suspended on a held call, and goes on in another process: the first writes what a program can keep (messages, the
// framework's state, a checkpoint) into a file and ends; the hold is answered; the second has nothing but that file.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Interlock } from '../../src/sdk/index.ts';
import { startServer } from '../../src/server/server.ts';
import { call, calls, type ScriptedModel, says, startScriptedModel } from '../gateway/scripted-model.ts';
import type { Part } from './process.ts';
import { RIGS } from './rigs.ts';
import { SPEC } from './stage.ts';

const PROCESS = fileURLToPath(new URL('./process.ts', import.meta.url));
const USER = 'Refund 140 of A-1.';
const LOOKED = ['get_order', { id: 'A-1' }];
const REFUNDED = ['refund', { id: 'A-1', amount: 140 }];

interface Result {
  readonly ran: readonly unknown[];
  readonly text: string;
  readonly suspended: boolean;
}

async function inAProcess(part: Part): Promise<Result> {
  const options = { timeout: 60_000, env: { ...process.env, OPENAI_AGENTS_DISABLE_TRACING: '1' } };
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, JSON.stringify(part)], options);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Result;
}

function modelThat(says_: string): Promise<ScriptedModel> {
  return startScriptedModel({
    script: [
      calls(call('get_order', { id: 'A-1' }, 'c1')),
      calls(call('refund', { id: 'A-1', amount: 140 }, 'c2')),
      says(says_),
    ],
  });
}

async function answer(interlock: Interlock, approve: boolean): Promise<void> {
  const holds = await interlock.holds({ state: 'pending' });
  assert.equal(holds.length, 1);
  await interlock.answerHold(holds[0]!.id, { approve, by: 'reviewer', role: 'support-lead' });
}

function toldOf(model: ScriptedModel, callId: string): string {
  const outputs = model.requests.flatMap((request) => request.outputs);
  return outputs.filter((output) => output.callId === callId).at(-1)?.content ?? '';
}

describe('suspended in one process, resumed in another', { concurrency: 2 }, () => {
  for (const { name } of RIGS) {
    test(`${name}: approved, the record in the programs' own directory`, async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'interlock-processes-'));
      const model = await modelThat('Refunded.');
      t.after(async () => {
        await model.close();
        rmSync(dir, { recursive: true, force: true });
      });
      const data = join(dir, 'data');
      const part = { rig: name, user: USER, model: model.url, by: { data }, file: join(dir, 'kept.json') };
      const begun = await inAProcess({ ...part, begins: true });
      assert.deepEqual(begun, { ran: [LOOKED], text: '', suspended: true });
      const reviewer = await Interlock.open({ spec: SPEC, data });
      await answer(reviewer, true);
      await reviewer.close();
      const resumed = await inAProcess({ ...part, begins: false });
      assert.deepEqual(resumed, { ran: [REFUNDED], text: 'Refunded.', suspended: false });
      assert.match(toldOf(model, 'c2'), /true/);
    });

    test(`${name}: refused, by a server that was started anew meanwhile`, async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'interlock-processes-'));
      writeFileSync(join(dir, 'spec.json'), JSON.stringify(SPEC));
      const setup = { otlpPort: 0, dataDir: join(dir, 'data'), specFiles: [join(dir, 'spec.json')] };
      const first = await startServer({ ...setup, port: 0 });
      const model = await modelThat('Not refunded.');
      const part = {
        ...{ rig: name, user: USER, model: model.url, by: { url: first.url }, file: join(dir, 'kept.json') },
      };
      const begun = await inAProcess({ ...part, begins: true });
      assert.deepEqual(begun, { ran: [LOOKED], text: '', suspended: true });
      await first.close();
      const second = await startServer({ ...setup, port: first.port });
      t.after(async () => {
        await second.close();
        await model.close();
        rmSync(dir, { recursive: true, force: true });
      });
      const reviewer = Interlock.connect(second.url);
      await answer(reviewer, false);
      await reviewer.close();
      const resumed = await inAProcess({ ...part, begins: false });
      assert.deepEqual(resumed, { ran: [], text: 'Not refunded.', suspended: false });
      assert.match(toldOf(model, 'c2'), /Refused by reviewer/);
    });
  }
});
