// What every store promises, as tests: `storeContract(name, open)` in a test file of the backend. `open` opens the store
// on the same data again when it is given the same place.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Hold, Span } from '../engine/types.ts';
import type { Verdict } from '../monitor/types.ts';
import { canonicalize } from '../step/canonical.ts';
import { digestText } from '../step/digest.ts';
import type { SessionRow, Store, StoredHold, Write } from './store.ts';

export interface StoreUnderTest<Place> {
  makePlace(): Place;
  open(place: Place): Promise<Store>;
  clean(place: Place): void;
}

const T0 = 1_700_000_000_000;

export function storeContract<Place>(name: string, backend: StoreUnderTest<Place>): void {
  const places: Place[] = [];
  const stores: Store[] = [];

  async function open(place: Place = backend.makePlace()): Promise<{ store: Store; place: Place }> {
    places.push(place);
    const store = await backend.open(place);
    stores.push(store);
    return { store, place };
  }

  describe(`the store contract: ${name}`, () => {
    after(async () => {
      for (const store of stores) await store.close();
      for (const place of places) backend.clean(place);
    });

    test('what was acknowledged is there after closing and opening', async () => {
      const { store, place } = await open();
      await store.append([session('s'), step('s', 0), step('s', 1, { verdict: 'deny' })]);
      const before = await store.recorded('s', 0, 10);
      await store.close();
      const { store: again } = await open(place);
      assert.deepEqual(await again.recorded('s', 0, 10), before);
      assert.deepEqual(
        before.map(({ seq, step, stateDigest }) => [seq, JSON.parse(step).id, stateDigest]),
        [
          [0, 'id-0', digestText('state 0')],
          [1, 'id-1', digestText('state 1')],
        ],
      );
      assert.deepEqual((await again.load('s'))?.row, session('s').row);
    });

    test('appends resolve in order, and reads that follow see them', async () => {
      const { store } = await open();
      const order: number[] = [];
      const appends = [store.append([session('s')])];
      for (let seq = 0; seq < 2_500; seq++) {
        appends.push(store.append([step('s', seq)]).then(() => void order.push(seq)));
      }
      await Promise.all(appends);
      assert.deepEqual(
        order,
        [...order].sort((a, b) => a - b),
      );
      assert.equal((await store.steps('s', { from: 0, limit: 1 }, T0)).total, 2_500);
      assert.deepEqual(
        (await store.recorded('s', 2_490, 5)).map((row) => row.seq),
        [2_490, 2_491, 2_492, 2_493, 2_494],
      );
      assert.deepEqual([...(await store.idHashes('s', 2_498, 10))], [idHash(2_498), idHash(2_499)]);
    });

    test('a batch that fails leaves nothing, and the store goes on', async () => {
      const { store } = await open();
      await store.append([session('s'), step('s', 0)]);
      const results = await Promise.allSettled([
        store.append([session('t'), step('t', 0)]),
        store.append([step('s', 0)]),
        store.append([step('s', 1)]),
      ]);
      assert.deepEqual(
        results.map((result) => result.status),
        ['rejected', 'rejected', 'rejected'],
      );
      assert.equal(await store.load('t'), null);
      assert.equal((await store.recorded('s', 0, 10)).length, 1);
      await store.append([session('t'), step('t', 0), step('s', 1)]);
      assert.equal((await store.recorded('s', 0, 10)).length, 2);
      assert.equal((await store.recorded('t', 0, 10)).length, 1);
    });

    test('the last snapshot counts', async () => {
      const { store } = await open();
      await store.append([session('s'), step('s', 0), snapshot('s', 0)]);
      await store.append([step('s', 1), snapshot('s', 1)]);
      assert.deepEqual((await store.load('s'))?.snapshot, snapshot('s', 1).row);
    });

    test('sessions are listed newest first, in pages, by text, verdict and agent', async () => {
      const { store } = await open();
      const rows = [0, 1, 2, 3, 4].map((i) =>
        session(`s-${i}`, {
          startedAt: T0 + Math.floor(i / 2),
          agent: { name: i === 3 ? 'other' : 'agent' },
          title: i === 1 ? '100%_done' : 'Something',
          verdicts: { ...NONE, allow: 1, deny: i === 2 ? 1 : 0 },
        }),
      );
      await store.append(rows);
      const ids: string[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const page = await store.sessions({ limit: 2, ...(cursor === null ? {} : { cursor }) }, T0);
        ids.push(...page.sessions.map((session) => session.id));
        cursor = page.next;
        pages += 1;
      } while (cursor !== null && pages < 10);
      assert.deepEqual(ids, ['s-4', 's-3', 's-2', 's-1', 's-0']);
      assert.equal(pages, 3);
      const found = async (query: object) =>
        (await store.sessions({ limit: 10, ...query }, T0)).sessions.map((session) => session.id);
      assert.deepEqual(await found({ text: '0%_d' }), ['s-1']);
      assert.deepEqual(await found({ text: '%' }), ['s-1']);
      assert.deepEqual(await found({ verdict: 'deny' }), ['s-2']);
      assert.deepEqual(await found({ verdict: "deny' OR 1" }), []);
      assert.deepEqual(await found({ agent: 'other' }), ['s-3']);
      await assert.rejects(store.sessions({ limit: 2, cursor: 'x' }, T0), { code: 'invalid-cursor' });
    });

    test('a session is held while it has a pending hold in time', async () => {
      const { store } = await open();
      await store.append([session('s'), step('s', 0, { hold: 'h-1', verdict: 'hold' }), hold('h-1', 's')]);
      const at = hold('h-1', 's').row.hold.expiresAt;
      assert.equal((await store.session('s', at))?.state, 'held');
      assert.equal((await store.session('s', at + 1))?.state, 'open');
      assert.equal((await store.steps('s', { from: 0, limit: 1 }, at)).steps[0]?.hold?.state, 'pending');
      assert.equal((await store.steps('s', { from: 0, limit: 1 }, at + 1)).steps[0]?.hold?.state, 'expired');
      assert.deepEqual(await ids(store.holds({ state: 'pending', limit: 5 }, at)), ['h-1']);
      assert.deepEqual(await ids(store.holds({ state: 'pending', limit: 5 }, at + 1)), []);
      assert.deepEqual(await ids(store.holds({ state: 'expired', session: 's', limit: 5 }, at + 1)), ['h-1']);
      assert.deepEqual(await ids(store.holds({ session: 'other', limit: 5 }, at)), []);
      assert.deepEqual(await ids(store.expiredHolds(at, 5)), []);
      assert.deepEqual(await ids(store.expiredHolds(at + 1, 5)), ['h-1']);
      assert.equal(await store.nextExpiry(), at);
      await store.append([{ t: 'hold-expired', row: { id: 'h-1' } }]);
      assert.equal((await store.hold('h-1'))?.hold.state, 'expired');
      assert.equal(await store.nextExpiry(), null);
    });

    test('an answered hold does not expire, and the last write counts', async () => {
      const { store } = await open();
      await store.append([session('s'), hold('h-1', 's'), hold('h-1', 's', 'approved')]);
      await store.append([{ t: 'hold-expired', row: { id: 'h-1' } }]);
      assert.deepEqual(await store.hold('h-1'), hold('h-1', 's', 'approved').row);
      assert.equal((await store.load('s'))?.holds.length, 1);
      await store.append([hold('h-1', 's', 'used')]);
      assert.equal((await store.load('s'))?.holds.length, 0);
    });

    test('spans and findings are kept once, and findings are counted', async () => {
      const { store } = await open();
      const writes = [session('s'), span('a'), finding('f-1', 's'), finding('f-1', 's')];
      await store.append(writes);
      await store.append(writes);
      assert.equal((await store.session('s', T0))?.findings, 1);
      assert.equal((await store.findings({ limit: 10 })).length, 1);
      assert.equal((await store.findings({ session: 's', limit: 10 })).length, 1);
      assert.equal((await store.findings({ session: 't', limit: 10 })).length, 0);
      const known = await store.knownSpans([key('a'), key('b')]);
      assert.deepEqual(known, [key('a')]);
    });

    test('a joined step shows its span, with its result, and is no candidate any more', async () => {
      const { store } = await open();
      const result = { kind: 'tool.result', callId: 'c', act: 2 } as const;
      await store.append([
        session('s'),
        step('s', 0, { kind: 'tool.call', callId: 'c', act: 1 }),
        step('s', 1, result),
        step('s', 2, { kind: 'tool.call', act: 1 }),
      ]);
      const request = {
        session: 's',
        kind: 'tool.call',
        name: 'tool',
        callId: 'c',
        act: 1,
        time: T0 + 100,
        span: { ...key('a'), parentSpanId: null },
      } as const;
      const [before] = await store.joinCandidates([request], 10);
      assert.deepEqual(
        before?.ofCall.map(({ seq }) => seq),
        [1, 0],
      );
      assert.deepEqual(
        before?.ofAct.map(({ seq }) => seq),
        [2, 0],
      );
      const [unknown] = await store.joinCandidates([{ ...request, act: null, time: T0 + 1 }], 10);
      assert.deepEqual(
        unknown?.ofAct.map(({ seq }) => seq),
        [0],
      );
      await store.append([span('a'), { t: 'join', row: { session: 's', seq: 0, span: key('a') } }]);
      const [after] = await store.joinCandidates(
        [{ ...request, span: { ...key('b'), parentSpanId: 'a' } }],
        10,
      );
      assert.deepEqual(
        [after?.ofCall, after?.ofAct.map(({ seq }) => seq), after?.kinJoined],
        [[], [2], true],
      );
      const { steps } = await store.steps('s', { from: 0, limit: 10 }, T0);
      assert.deepEqual(
        steps.map((row) => row.span?.spanId ?? null),
        ['a', 'a', null],
      );
    });

    test('the decision of a span is found around its time in a long session', async () => {
      const { store } = await open();
      const writes = Array.from({ length: 6_000 }, (_, seq) =>
        step('s', seq, { act: seq % 3, callId: `c-${seq}` }),
      );
      await store.append([session('s'), ...writes]);
      const ask = async (seq: number, more: object) => {
        const span = { ...key('a'), parentSpanId: null };
        const common = { session: 's', kind: 'tool.call', name: 'tool', time: T0 + seq, span } as const;
        const [answer] = await store.joinCandidates([{ ...common, callId: null, act: 1, ...more }], 3);
        return answer!;
      };
      const seqs = (steps: readonly { seq: number }[]) => steps.map(({ seq }) => seq);
      assert.deepEqual(seqs((await ask(3_000, {})).ofAct), [2_998, 2_995, 2_992]);
      assert.deepEqual(seqs((await ask(3_000, { callId: 'c-2500' })).ofCall), [2_500]);
      assert.deepEqual(seqs((await ask(9_000_000, {})).ofAct), [5_998, 5_995, 5_992]);
      assert.deepEqual(seqs((await ask(-1, {})).ofAct), []);
      assert.deepEqual(seqs((await ask(2, {})).ofAct), [1]);
    });

    test('an observed session becomes guarded, and never the other way', async () => {
      const { store } = await open();
      const observed = session('s', { guarded: false });
      await store.append([observed, span('a'), step('s', 0, { observed: true, span: key('a') })]);
      assert.deepEqual(await store.observed('s'), observed.row);
      assert.equal(await store.isGuarded('s'), false);
      const [row] = (await store.steps('s', { from: 0, limit: 10 }, T0)).steps;
      assert.deepEqual([row?.decision, row?.stateDigest, row?.span?.spanId], [null, null, 'a']);
      await store.append([session('s'), step('s', 0), observed]);
      await store.append([observed]);
      assert.equal(await store.isGuarded('s'), true);
      assert.equal(await store.observed('s'), null);
      const { steps, total } = await store.steps('s', { from: 0, limit: 10 }, T0);
      assert.equal(total, 1);
      assert.equal(steps[0]?.decision?.verdict, 'allow');
    });

    test('sessions that owe something are found when it is due', async () => {
      const { store } = await open();
      await store.append([
        session('a', { deadline: T0 + 20 }),
        session('b', { deadline: T0 + 10 }),
        session('c'),
      ]);
      assert.deepEqual(await store.overdueSessions(T0 + 10, 9), []);
      assert.deepEqual(await store.overdueSessions(T0 + 30, 9), ['b', 'a']);
      assert.deepEqual(await store.overdueSessions(T0 + 30, 1), ['b']);
      assert.equal(await store.nextDeadline(T0), T0 + 10);
      assert.equal(await store.nextDeadline(T0 + 11), T0 + 20);
      assert.equal((await store.load('b'))?.row.deadline, T0 + 10);
      await store.append([session('b')]);
      assert.deepEqual(await store.overdueSessions(T0 + 30, 9), ['a']);
      assert.equal(await store.nextDeadline(T0 + 21), null);
    });

    test('what sessions share is kept by place, replaced, forgotten, and read in pages', async () => {
      const { store, place } = await open();
      const row = (at: string, body: string | null): Write => ({
        t: 'shared',
        row: { id: 'v', place: at, body },
      });
      await store.append([row('b', '1'), row('a', '2'), row('c', '3')]);
      await store.append([
        row('b', '4'),
        row('c', null),
        { t: 'shared', row: { id: 'w', place: 'a', body: '5' } },
      ]);
      await store.close();
      const { store: again } = await open(place);
      assert.deepEqual(await again.shared('v', null, 1), [{ place: 'a', body: '2' }]);
      assert.deepEqual(await again.shared('v', 'a', 9), [{ place: 'b', body: '4' }]);
      assert.deepEqual(await again.shared('none', null, 9), []);
      await again.append([
        { t: 'shared', row: { id: 'view:x', place: 'a', body: '1' } },
        { t: 'shared', row: { id: 'view:y', place: 'a', body: '1' } },
        { t: 'keep-views', row: { ids: ['view:y', 'other'] } },
      ]);
      assert.deepEqual(await again.shared('view:x', null, 9), []);
      assert.equal((await again.shared('view:y', null, 9)).length, 1);
      assert.equal((await again.shared('w', null, 9)).length, 1);
    });

    test('decided steps of all sessions are read in the order of their decisions', async () => {
      const { store } = await open();
      await store.append([session('a'), session('b')]);
      for (const [id, seq] of [
        ['a', 0],
        ['b', 0],
        ['a', 1],
      ] as const)
        await store.append([step(id, seq)]);
      const first = await store.decided(null, 2);
      const rest = await store.decided(first.at(-1)!.n, 9);
      assert.deepEqual(
        [...first, ...rest].map((row) => [row.session, JSON.parse(row.step).seq]),
        [
          ['a', 0],
          ['b', 0],
          ['a', 1],
        ],
      );
    });

    test('specs are kept by digest', async () => {
      const { store } = await open();
      const row = { digest: digestText('{}'), name: 'x', canonical: '{}' };
      await store.append([
        { t: 'spec', row },
        { t: 'spec', row: { ...row, name: 'y' } },
      ]);
      assert.deepEqual(await store.spec(row.digest), row);
      assert.equal(await store.spec('sha256:none'), null);
    });

    test('text of every kind comes back as it was', async () => {
      const { store } = await open();
      const text = 'a\u0000b \u{1f600} " \' \\ ünï';
      await store.append([session('s', { title: text }), step('s', 0, { id: text, name: text })]);
      assert.equal((await store.session('s', T0))?.title, text);
      assert.equal((await store.steps('s', { from: 0, limit: 1 }, T0)).steps[0]?.step.id, text);
    });

    test('after closing, everything is refused', async () => {
      const { store } = await open();
      await store.append([session('s')]);
      await store.close();
      await store.close();
      await assert.rejects(store.append([session('s')]), { code: 'closed' });
      await assert.rejects(store.load('s'), { code: 'closed' });
    });
  });
}

const NONE = { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 };

function session(id: string, more: Partial<SessionRow> = {}): Extract<Write, { t: 'session' }> {
  const row: SessionRow = {
    id,
    agent: { name: 'agent', version: '1' },
    principal: 'user:1',
    tenant: null,
    state: 'open',
    guarded: true,
    startedAt: T0,
    lastAt: T0,
    steps: 1,
    verdicts: NONE,
    title: null,
    spec: null,
    specName: null,
    noSpec: 'deny',
    deadline: null,
    ...more,
  };
  return { t: 'session', row };
}

function idHash(seq: number): number {
  return 2 ** 52 + seq;
}

type StepMore = Partial<Extract<Write, { t: 'step' }>['row']>;
function step(session: string, seq: number, more: StepMore = {}): Write {
  const { id = `id-${seq}`, kind = 'tool.call', name = 'tool', observed = false, verdict = 'allow' } = more;
  const text = canonicalize({ id, kind, name, seq, session, time: T0 + seq });
  return {
    t: 'step',
    row: {
      session,
      observed,
      seq,
      id,
      idHash: idHash(seq),
      time: T0 + seq,
      kind,
      name,
      callId: null,
      act: null,
      verdict: observed ? null : verdict,
      step: text,
      decision: observed ? null : JSON.stringify({ verdict: verdict satisfies Verdict | null }),
      stepDigest: digestText(text),
      stateDigest: observed ? null : digestText(`state ${seq}`),
      hold: null,
      span: null,
      ...more,
    },
  };
}

function snapshot(session: string, seq: number): Extract<Write, { t: 'snapshot' }> {
  return { t: 'snapshot', row: { session, seq, stateDigest: digestText(`${seq}`), state: `{"seq":${seq}}` } };
}

function hold(id: string, session: string, state: Hold['state'] = 'pending'): { t: 'hold'; row: StoredHold } {
  const row: StoredHold = {
    hold: {
      id,
      session,
      seq: 0,
      callId: null,
      kind: 'tool.call',
      name: 'tool',
      args: { a: 1 },
      binding: digestText('{}'),
      rules: ['r'],
      because: 'b',
      by: ['reviewer'],
      quorum: 1,
      state,
      createdAt: T0,
      expiresAt: T0 + 1_000,
      answers: [],
    },
    terms: [{ by: ['reviewer'], quorum: 1, notPrincipal: false, expiresMs: 1_000 }],
    answeredSeq: null,
    usableUntil: null,
  };
  return { t: 'hold', row };
}

function key(spanId: string) {
  return { traceId: 't', spanId };
}

function span(spanId: string): Write {
  const row: Span = {
    ...key(spanId),
    parentSpanId: null,
    name: 'execute_tool',
    kind: 1,
    startNs: '1',
    endNs: '2',
    status: { code: 0, message: '' },
    attributes: { 'gen_ai.tool.name': 'tool' },
    events: [],
    resource: {},
    scope: { name: '', version: '' },
    dialect: 'otel-genai',
  };
  return { t: 'span', row: { span: row, session: 's' } };
}

function finding(id: string, session: string): Write {
  const found = {
    id,
    kind: 'unguarded-step',
    session,
    seq: null,
    name: 'tool',
    detail: 'd',
    at: T0,
  } as const;
  return { t: 'finding', row: { finding: found, observed: false } };
}

async function ids(holds: Promise<readonly Hold[]>): Promise<string[]> {
  return (await holds).map((hold) => hold.id);
}
