// Dogwood's conditions on history: what is imported means what its guide says, over random sessions; what cannot be said is
// stricter and told.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { replaySession, replaySpec } from '../../replay/replay.ts';
import { compileSpec } from '../../spec/index.ts';
import type { Step } from '../../step/types.ts';
import { importCedar } from './spec.ts';

function imported(text: string) {
  const result = importCedar({ name: 'policy.dw', text });
  assert.ok(result.ok, JSON.stringify(result));
  const compiled = compileSpec(result.text);
  assert.ok(compiled.ok, JSON.stringify(compiled.problems));
  return { spec: replaySpec(compiled.spec), remarks: result.remarks, text: result.text };
}

/** An event as Dogwood records it: requests when they are made, responses when they succeed. */
interface Event {
  readonly kind: 'request' | 'response';
  readonly name: string;
  readonly time: number;
  readonly id: string;
  readonly n: number;
  readonly ok: boolean;
}

const acts = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'b'),
    id: fc.constantFrom('x', 'y'),
    n: fc.nat(5),
    ok: fc.boolean(),
    outcome: fc.constantFrom('response', 'failure', 'none'),
    wait: fc.nat(700),
  }),
  { maxLength: 14 },
);

interface Case {
  readonly body: string;
  /** The condition by its definition: `events` has the request that is decided as its last. */
  holds(events: readonly Event[], now: Event): boolean;
}

const inWindow = (seconds: number, now: Event) => (event: Event) => event.time >= now.time - seconds * 1_000;
const P = (name: string, kind: string, fields: string) => `App::Action::"${name}"::${kind}{ ${fields} }`;

const EXACT: readonly Case[] = [
  {
    body: `formerly within 1s ${P('a', 'response', 'input.id: context.input.id, output.ok: true')}`,
    holds: (events, now) =>
      events
        .filter(inWindow(1, now))
        .some((e) => e.kind === 'response' && e.name === 'a' && e.id === now.id && e.ok),
  },
  {
    body: `formerly within 2s ${P('b', 'request', 'input.n: 3')}`,
    holds: (events, now) =>
      events.filter(inWindow(2, now)).some((e) => e.kind === 'request' && e.name === 'b' && e.n === 3),
  },
  {
    body: `!formerly within 1s (${P('a', 'request', '')} && context.input.n > 2)`,
    holds: (events, now) =>
      !(now.n > 2 && events.filter(inWindow(1, now)).some((e) => e.kind === 'request' && e.name === 'a')),
  },
  {
    body: `!${P('b', 'response', 'eventResource: resource')} since within 3s ${P('a', 'response', 'input.id: context.input.id')}`,
    holds: (events, now) => {
      const begun = events.findLastIndex((e) => e.kind === 'response' && e.name === 'a' && e.id === now.id);
      if (begun < 0 || !inWindow(3, now)(events[begun]!)) return false;
      return !events.slice(begun + 1).some((e) => e.kind === 'response' && e.name === 'b');
    },
  },
  {
    body: `!${P('b', 'request', 'input.n: 0')} since within 2s ${P('a', 'request', '')}`,
    holds: (events, now) => {
      const begun = events.findLastIndex((e) => e.kind === 'request' && e.name === 'a');
      if (begun < 0 || !inWindow(2, now)(events[begun]!)) return false;
      return !events.slice(begun + 1).some((e) => e.kind === 'request' && e.name === 'b' && e.n === 0);
    },
  },
  {
    body: `exists (t: Long). (formerly within 2s ${P('a', 'response', 'input.id: context.input.id, output.n: t')} && context.input.n <= t)`,
    holds: (events, now) =>
      events
        .filter(inWindow(2, now))
        .some((e) => e.kind === 'response' && e.name === 'a' && e.id === now.id && now.n <= e.n),
  },
  {
    body: `exists (m: Long). ((count for (k: Timepoint). where (formerly within 2s (${P('b', 'request', 'input.id: *')} && tp(k)))) == m && m < 3)`,
    holds: (events, now) =>
      events.filter(inWindow(2, now)).filter((e) => e.kind === 'request' && e.name === 'b').length < 3,
  },
  {
    body: `(count for (k: Timepoint). where (formerly within 2s (${P('a', 'response', '')} && tp(k)))) <= 1 && formerly within 5s ${P('b', 'request', '')}`,
    holds: (events, now) =>
      events.filter(inWindow(2, now)).filter((e) => e.kind === 'response' && e.name === 'a').length <= 1 &&
      events.filter(inWindow(5, now)).some((e) => e.kind === 'request' && e.name === 'b'),
  },
  {
    body: `(sum s for (s: Long), (k: Timepoint). where (formerly within 2s (${P('b', 'request', 'input.n: s, input.id: context.input.id')} && tp(k)))) <= 7`,
    holds: (events, now) =>
      events
        .filter(inWindow(2, now))
        .filter((e) => e.kind === 'request' && e.name === 'b' && e.id === now.id)
        .reduce((sum, e) => sum + e.n, 0) <= 7,
  },
];

describe('dogwood', () => {
  for (const { body, holds } of EXACT)
    test(body.slice(0, 100), () => {
      for (const effect of ['permit', 'forbid'] as const) {
        const other =
          effect === 'permit'
            ? 'permit (principal, action == App::Action::"a", resource);'
            : 'permit (principal, action, resource);';
        const { spec, remarks } = imported(
          `@id("t") ${effect} (principal, action == App::Action::"b", resource) when temporal { ${body} };\n${other}`,
        );
        assert.deepEqual(remarks, []);
        fc.assert(
          fc.property(acts, (session) => {
            const steps: Step[] = [];
            const events: Event[] = [];
            const wanted: (string | null)[] = [];
            let time = 0;
            const place = () => ({ id: `s${steps.length}`, session: 's', seq: steps.length, time });
            steps.push({ ...place(), kind: 'session.start', name: 'agent' });
            wanted.push(null);
            for (const { name, id, n, ok, outcome, wait } of session) {
              time += wait;
              const callId = `c${steps.length}`;
              const event: Event = { kind: 'request', name, time, id, n, ok };
              events.push(event);
              steps.push({ ...place(), kind: 'tool.call', name, callId, args: { id, n } });
              const allowed = name === 'a' || holds(events, event) === (effect === 'permit');
              wanted.push(allowed ? 'allow' : 'deny');
              if (!allowed || outcome === 'none') continue;
              const answer = outcome === 'failure' ? { error: { message: 'no' } } : { result: { ok, n } };
              steps.push({ ...place(), kind: 'tool.result', name, callId, ...answer });
              wanted.push(null);
              if (outcome === 'response') events.push({ ...event, kind: 'response' });
            }
            const found = replaySession(spec, steps).map(({ verdict }, i) =>
              wanted[i] === null ? null : verdict,
            );
            assert.deepEqual(found, wanted);
          }),
          { numRuns: 150 },
        );
      }
    });

  test('what cannot be said exactly is stricter, and told where it stands', () => {
    for (const body of [
      `previous within 1h ${P('a', 'request', '')}`,
      `${P('a', 'request', '')} since within 1h ${P('b', 'request', '')}`,
      `formerly within 1h (formerly within 1h ${P('a', 'request', '')})`,
      `formerly within 1h ${P('a', 'attempt', '')}`,
      `formerly within 1h ${P('a', 'request', 'input.who: App::User::"ann"')}`,
      `(count for (k: Timepoint), (u: String). where (formerly within 1h (${P('a', 'request', 'input.id: u')} && tp(k)))) < 3`,
    ]) {
      const permit = imported(
        `permit (principal, action == App::Action::"b", resource) when temporal { ${body} };`,
      );
      assert.deepEqual(
        permit.remarks.map(({ kind, line }) => [kind, line]),
        [['stricter', 1]],
        body,
      );
      const steps: Step[] = [
        { id: 'x', session: 's', seq: 0, time: 0, kind: 'tool.call', name: 'b', args: {} },
      ];
      assert.equal(replaySession(permit.spec, steps)[0]?.verdict, 'hold', body);
      const forbid = imported(
        `permit (principal, action, resource);\nforbid (principal, action == App::Action::"b", resource) when temporal { ${body} };`,
      );
      assert.deepEqual(
        forbid.remarks.map(({ kind, line }) => [kind, line]),
        [['stricter', 2]],
        body,
      );
      assert.equal(replaySession(forbid.spec, steps)[0]?.verdict, 'deny', body);
    }
  });

  test('mistakes are told where they are', () => {
    const problem = (body: string) => {
      const result = importCedar({
        name: 'p.dw',
        text: `permit (principal, action, resource) when temporal { ${body} };`,
      });
      assert.ok(!result.ok);
      return result.problems[0]!.message;
    };
    assert.match(problem('formerly App::Action::"a"::request{}'), /expected `within`/);
    assert.match(problem('formerly within 3 weeks App::Action::"a"::request{}'), /a length of time/);
    assert.match(problem('formerly within 1h App::Action::"a"{}'), /expected `::`|expected an event/);
    assert.match(problem('formerly within 1h (App::Action::"a"::request{}'), /expected `\)`/);
    assert.match(problem('exists (t). t == 1'), /expected `:`/);
    assert.match(problem(`${'('.repeat(500)}`), /deep/);
  });
});
