// A guarded call from proposal to return, over both transports: the engine in this process, and the same behind HTTP.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createApi } from '../api/api.ts';
import { type FakeEngine, fakeEngine } from '../api/fake-engine.ts';
import type { JsonObject } from '../step/types.ts';
import {
  DecisionUnavailable,
  type HoldToken,
  InvalidProposal,
  RequestRefused,
  SessionHalted,
  StepDenied,
  StepHeld,
  ToolTimeout,
} from './errors.ts';
import { type Interlock, overTransport } from './interlock.ts';
import { localTransport } from './local.ts';
import { remoteTransport } from './remote.ts';
import type { Session } from './session.ts';

interface Stage {
  readonly engine: FakeEngine;
  readonly interlock: Interlock;
  readonly session: Session;
  /** Kinds and verdicts of the session so far. */
  readonly record: () => string[];
}

type Play = (stage: Stage) => Promise<void>;

async function inProcess(play: Play): Promise<void> {
  const engine = fakeEngine();
  await onStage(engine, overTransport(localTransport(engine)), play);
}

async function overHttp(play: Play): Promise<void> {
  const engine = fakeEngine();
  const health = () => ({ ok: true as const, version: '0', spec: [], dataDir: '' });
  const api = createApi({ engine, health });
  const server = createServer(api.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await onStage(engine, overTransport(remoteTransport(url, { retryForMs: 100 })), play);
  } finally {
    api.close();
    server.closeAllConnections();
    server.close();
  }
}

async function onStage(engine: FakeEngine, interlock: Interlock, play: Play): Promise<void> {
  const session = await interlock.session({ agent: { name: 'a' }, principal: 'user:1' });
  const record = () => engine.recorded.map(({ step, decision }) => `${step.kind} ${decision.verdict}`);
  await play({ engine, interlock, session, record });
  await interlock.close();
}

const echo = (name: string) => ({ name, execute: (args: object) => args });

/** Approves or refuses every hold as soon as it is there. */
function answerAll(engine: FakeEngine, approve: boolean): void {
  engine.subscribe((event) => {
    if (event.type !== 'hold' || event.state !== 'pending') return;
    setImmediate(() => engine.answerHold(event.hold, { approve, by: 'ann', role: 'lead', reason: 'seen' }));
  });
}

for (const [name, on] of [
  ['in process', inProcess],
  ['over HTTP', overHttp],
] as const) {
  describe(name, () => {
    test('an allowed call runs with the decided arguments, frozen, and its result is recorded first', () =>
      on(async ({ engine, session, record }) => {
        const mine = { list: [1], order: 'A' };
        let seen: typeof mine | undefined;
        const guarded = session.guard({
          name: 'allow',
          execute(args: typeof mine) {
            seen = args;
            return { ok: true };
          },
        });
        const result = guarded(mine, { callId: 'c1' });
        mine.order = 'B';
        mine.list.push(2);
        assert.deepEqual(await result, { ok: true });
        assert.deepEqual(seen, { list: [1], order: 'A' });
        assert.ok(Object.isFrozen(seen) && Object.isFrozen(seen.list));
        assert.deepEqual(record(), ['tool.call allow', 'tool.result allow']);
        const [call, outcome] = engine.recorded.map((recorded) => recorded.step);
        assert.deepEqual(call!.args, { list: [1], order: 'A' });
        assert.deepEqual([outcome!.callId, outcome!.result], ['c1', { ok: true }]);
      }));

    test('a transform runs the rewritten arguments', () =>
      on(async ({ session }) => {
        assert.deepEqual(await session.guard(echo('transform'))({ changed: false }), { changed: true });
      }));

    test('a denial throws with rule and repair, and nothing runs', () =>
      on(async ({ session, record }) => {
        const guarded = session.guard({ name: 'deny', execute: () => assert.fail('ran') });
        await assert.rejects(guarded({}), (error) => {
          assert.ok(error instanceof StepDenied);
          assert.deepEqual([error.code, error.reason, error.rules], ['step-denied', 'rule', ['deny-rule']]);
          assert.deepEqual([error.because, error.repair], ['because deny', 'Call allow first.']);
          return true;
        });
        assert.deepEqual(record(), ['tool.call deny']);
      }));

    test('a denial can be a result that the model reads', () =>
      on(async ({ session }) => {
        const guarded = session.guard(echo('deny'), { onDeny: 'result' });
        const expected = {
          error: 'denied',
          rules: ['deny-rule'],
          because: 'because deny',
          repair: 'Call allow first.',
        };
        assert.deepEqual(await guarded({}), expected);
      }));

    test('a halt throws even when denials are results', () =>
      on(async ({ session }) => {
        await assert.rejects(session.guard(echo('halt'), { onDeny: 'result' })({}), SessionHalted);
      }));

    test('a hold waits, and the approved call is decided again before it runs', () =>
      on(async ({ engine, session, record }) => {
        answerAll(engine, true);
        assert.deepEqual(await session.guard(echo('hold'))({ n: 1 }), { n: 1 });
        assert.deepEqual(record(), ['tool.call hold', 'tool.call allow', 'tool.result allow']);
        const ids = engine.recorded.map(({ step }) => step.callId);
        assert.equal(new Set(ids).size, 1, 'one call id throughout');
      }));

    test('a refused hold is a denial that names who refused', () =>
      on(async ({ engine, session }) => {
        answerAll(engine, false);
        await assert.rejects(session.guard(echo('hold'))({}), {
          code: 'step-denied',
          reason: 'refused',
          because: 'ann (lead) refused: seen',
        });
        const read = await session.guard(echo('hold'), { onDeny: 'result' })({});
        assert.deepEqual(read, {
          error: 'denied',
          rules: ['hold-rule'],
          because: 'ann (lead) refused: seen',
        });
      }));

    test('a hold nobody answers expires into a denial', () =>
      on(async ({ engine, session }) => {
        engine.holdMs = 30;
        await assert.rejects(session.guard(echo('hold'))({}), { code: 'step-denied', reason: 'expired' });
      }));

    test('a wait that is over gives a token, and a later session resumes from it', () =>
      on(async ({ interlock, session, record }) => {
        const held = await session
          .guard(echo('hold'), { holdTimeoutMs: 20 })({ n: 1 })
          .then(
            () => assert.fail('not held'),
            (error: unknown) => error,
          );
        assert.ok(held instanceof StepHeld);
        const token = JSON.parse(JSON.stringify(held.token)) as HoldToken;
        const later = await interlock.session({ id: session.id, agent: { name: 'a' } });
        await assert.rejects(later.resume(token, echo('hold'), { onHold: 'suspend' }), StepHeld);
        await interlock.answerHold(token.hold, { approve: true, by: 'ann', role: 'lead' });
        assert.deepEqual(await later.resume(token, echo('hold')), { n: 1 });
        assert.deepEqual(record(), ['tool.call hold', 'tool.call allow', 'tool.result allow']);
        await assert.rejects(later.resume(token, echo('hold')), { code: 'step-denied', reason: 'used' });
      }));

    test('suspend throws at once', () =>
      on(async ({ session, record }) => {
        await assert.rejects(session.guard(echo('hold'), { onHold: 'suspend' })({}), StepHeld);
        assert.deepEqual(record(), ['tool.call hold']);
      }));

    test('a token is only good for its session and tool', () =>
      on(async ({ session }) => {
        const token = { session: session.id, hold: 'h', callId: 'c', name: 'hold', args: {} };
        await assert.rejects(session.resume({ ...token, session: 'other' }, echo('hold')), InvalidProposal);
        await assert.rejects(session.resume(token, echo('allow')), InvalidProposal);
        await assert.rejects(
          session.resume({ ...token, args: null as unknown as JsonObject }, echo('hold')),
          DecisionUnavailable,
        );
      }));

    test("a tool's error is recorded and rethrown as it was", () =>
      on(async ({ engine, session }) => {
        const broken = new RangeError('out of stock');
        const guarded = session.guard({ name: 'allow', execute: () => Promise.reject(broken) });
        await assert.rejects(guarded({}), (error) => error === broken);
        assert.deepEqual(engine.recorded[1]!.step.error, { message: 'out of stock', type: 'RangeError' });
      }));

    test('parallel calls are decided and recorded each for itself', () =>
      on(async ({ engine, session }) => {
        answerAll(engine, true);
        const guards = [session.guard(echo('allow')), session.guard(echo('hold'))];
        const calls = Array.from({ length: 20 }, (_, n) => guards[n % 2]!({ n }));
        assert.deepEqual(
          await Promise.all(calls),
          Array.from({ length: 20 }, (_, n) => ({ n })),
        );
        const results = engine.recorded.filter(({ step }) => step.kind === 'tool.result');
        assert.equal(new Set(results.map(({ step }) => step.callId)).size, 20);
      }));

    test('an aborted call does not run', () =>
      on(async ({ session, record }) => {
        const guarded = session.guard({ name: 'allow', execute: () => assert.fail('ran') });
        await assert.rejects(guarded({}, { signal: AbortSignal.abort() }), { name: 'AbortError' });
        assert.deepEqual(record(), []);
      }));

    test('an abort ends a wait for approval', () =>
      on(async ({ engine, session }) => {
        const abort = new AbortController();
        engine.subscribe((event) => event.type === 'hold' && setTimeout(() => abort.abort(), 10));
        await assert.rejects(session.guard(echo('hold'))({}, { signal: abort.signal }), {
          name: 'AbortError',
        });
      }));

    test('an abort while the tool runs answers at once; how it really ended is recorded later', () =>
      on(async ({ engine, session, record }) => {
        const abort = new AbortController();
        const { promise: work, resolve: finish } = Promise.withResolvers<string>();
        const guarded = session.guard({
          name: 'allow',
          execute() {
            setImmediate(() => abort.abort());
            return work;
          },
        });
        await assert.rejects(guarded({}, { signal: abort.signal }), { name: 'AbortError' });
        assert.deepEqual(record(), ['tool.call allow']);
        const settled = new Promise<void>((resolve) => {
          engine.subscribe((event) => event.type === 'step' && resolve());
        });
        finish('refunded after all');
        await settled;
        assert.equal(engine.recorded[1]!.step.content, 'refunded after all');
      }));

    test('a tool past its time gets its signal and the caller an error', () =>
      on(async ({ session }) => {
        let stopped = false;
        const guarded = session.guard({
          name: 'allow',
          timeoutMs: 10,
          execute: (_args: object, { signal }) =>
            new Promise<void>((resolve) => {
              signal.addEventListener('abort', () => {
                stopped = true;
                resolve();
              });
            }),
        });
        await assert.rejects(guarded({}), ToolTimeout);
        assert.ok(stopped);
      }));

    test('an engine that fails is not a denial, and the tool does not run', () =>
      on(async ({ engine, session }) => {
        const guarded = session.guard(
          { name: 'allow', execute: () => assert.fail('ran') },
          { onDeny: 'result' },
        );
        engine.fail = new Error('disk is gone');
        await assert.rejects(guarded({}), (error) => error instanceof DecisionUnavailable && !error.ran);
      }));

    test('a result that cannot be recorded says that the tool ran', () =>
      on(async ({ engine, session }) => {
        const guarded = session.guard({
          name: 'allow',
          execute() {
            engine.fail = new Error('disk is gone');
          },
        });
        await assert.rejects(guarded({}), (error) => error instanceof DecisionUnavailable && error.ran);
      }));

    test('a session that has ended refuses calls with its own code', () =>
      on(async ({ session }) => {
        await session.end();
        await assert.rejects(session.guard(echo('allow'))({}), (error) => {
          return error instanceof RequestRefused && error.code === 'session-ended';
        });
      }));

    test('arguments that JSON cannot carry never reach the engine', () =>
      on(async ({ session, record }) => {
        const guarded = session.guard(echo('allow'));
        await assert.rejects(guarded({ when: new Date(0) }), InvalidProposal);
        await assert.rejects(guarded({ n: Number.NaN }), /\/args\/n/);
        await assert.rejects(guarded([1]), InvalidProposal);
        assert.deepEqual(record(), []);
      }));

    test('results are recorded as the model will read them', () =>
      on(async ({ engine, session }) => {
        const results = ['text', undefined, new Date(0), { n: 1n }, [1, null]];
        for (const result of results) await session.guard({ name: 'allow', execute: () => result })({});
        const recorded = engine.recorded
          .filter(({ step }) => step.kind === 'tool.result')
          .map(({ step }) => step);
        assert.deepEqual(
          recorded.map((step) => step.result ?? step.content ?? null),
          ['text', null, '1970-01-01T00:00:00.000Z', 'an object', [1, null]],
        );
      }));

    test('input, output and other steps are proposed as they are', () =>
      on(async ({ engine, session }) => {
        await session.input('hello');
        await session.output('bye');
        const seen = await session.observe({ kind: 'retrieval', name: 'kb', content: 'page' });
        assert.equal(seen.decision.verdict, 'allow');
        assert.deepEqual(
          engine.recorded.map(({ step }) => [step.kind, step.content]),
          [
            ['input', 'hello'],
            ['output', 'bye'],
            ['retrieval', 'page'],
          ],
        );
      }));
  });
}

test('a server that cannot be reached fails closed', async () => {
  const interlock = overTransport(remoteTransport('http://127.0.0.1:1', { retryForMs: 0 }));
  await assert.rejects(interlock.session({ agent: { name: 'a' } }), DecisionUnavailable);
});

const decided = { step: {}, stepDigest: '', stateDigest: '' };
const strange: [name: string, answer: unknown][] = [
  ['nothing', {}],
  ['a list', []],
  ['text', 'allow'],
  ['an unknown verdict', { ...decided, decision: { verdict: 'maybe', rules: [], witness: [] } }],
  ['an inherited verdict', { ...decided, decision: { verdict: 'toString', rules: [], witness: [] } }],
  [
    'a transform without arguments',
    { ...decided, decision: { verdict: 'transform', rules: [], witness: [] } },
  ],
  ['a hold without id', { ...decided, decision: { verdict: 'hold', rules: [], witness: [] } }],
  [
    'the decision of another step',
    { ...decided, decision: { step: 'other', verdict: 'allow', rules: [], witness: [] } },
  ],
];
for (const [name, answer] of strange) {
  test(`a server that answers with ${name} is no permission`, async () => {
    const server = createServer((request, response) => {
      request.resume();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url === '/v1/sessions' ? { id: 's' } : answer));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const interlock = overTransport(remoteTransport(url, { retryForMs: 0 }));
    const session = await interlock.session({ agent: { name: 'a' } });
    const guarded = session.guard({ name: 'pay', execute: () => assert.fail('ran') }, { onDeny: 'result' });
    await assert.rejects(guarded({}), DecisionUnavailable);
    server.closeAllConnections();
    server.close();
  });
}
