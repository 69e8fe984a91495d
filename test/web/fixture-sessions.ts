// Sessions for the page's tests, made by rule from fixed numbers: every run sees the same steps, times and digests.
// Written by hand to show each thing the page has to draw; nothing here is taken from a real trace.
import { createHash } from 'node:crypto';
import type { Finding, Hold, SessionSummary, Span, StepRow } from '../../src/engine/types.ts';
import type { Decision, RuleOutcome, Verdict } from '../../src/monitor/types.ts';
import type { Step } from '../../src/step/types.ts';

export const EPOCH = Date.UTC(2026, 2, 2, 9, 0, 0);
export const LONG_STEPS = 10_000;

export const SPEC_TEXT = JSON.stringify({
  default: 'deny',
  interlock: 1,
  mode: 'enforce',
  name: 'support-refunds',
  rules: [
    {
      because: 'A refund needs an identity check in this session.',
      controls: ['owasp-agentic:ASI02'],
      id: 'identity-first',
      on: 'call refund',
      require:
        'past.exists("result verify_identity", e, e.args.customer_id == args.customer_id && e.result.ok)',
    },
    {
      approve: { by: ['support-lead'], expires: '30m' },
      id: 'large-refund',
      on: 'call refund',
      otherwise: 'hold',
    },
    { id: 'mask-card', on: 'call send_email', transform: { body: 'redact(args.body, "card")' } },
  ],
  tools: { get_order: { effect: 'read' }, refund: { effect: 'write', reversible: false } },
});
export const SPEC_DIGEST = digest(SPEC_TEXT);

export interface FixtureSession {
  summary: SessionSummary;
  /** Rows are made when asked for, so ten thousand of them cost nothing until they are read. */
  row: (seq: number) => StepRow;
  rows: StepRow[] | null;
}

export function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

type Draft = Partial<Step> & Pick<Step, 'kind' | 'name'>;

function makeStep(session: string, seq: number, startedAt: number, draft: Draft): Step {
  return { id: `${session}-${seq}`, session, seq, time: startedAt + seq * 1370, ...draft };
}

export function makeRow(step: Step, decided: Partial<Decision> | null = {}): StepRow {
  const verdict = decided?.verdict ?? 'allow';
  const decision: Decision | null = decided && {
    session: step.session,
    seq: step.seq,
    step: step.id,
    verdict,
    wouldBe: verdict,
    mode: 'enforce',
    rules: [],
    witness: [],
    spec: SPEC_DIGEST,
    engine: '0.1.0',
    ...decided,
  };
  const stepDigest = digest(JSON.stringify(step));
  return {
    step,
    decision,
    stepDigest,
    stateDigest: decision ? digest(`${stepDigest} after`) : null,
    span: null,
    finding: null,
    hold: null,
  };
}

export function outcome(rule: string, verdict: Verdict, rest: Partial<RuleOutcome> = {}): RuleOutcome {
  return {
    rule,
    verdict,
    mode: 'enforce',
    cause: 'violated',
    because: 'A refund needs an identity check in this session.',
    witness: [],
    controls: [],
    ...rest,
  };
}

export function summaryOf(
  id: string,
  startedAt: number,
  rows: readonly StepRow[],
  rest: Partial<SessionSummary> = {},
): SessionSummary {
  const verdicts = { allow: 0, transform: 0, hold: 0, deny: 0, halt: 0 };
  for (const { decision } of rows) if (decision) verdicts[decision.verdict] += 1;
  return {
    id,
    agent: { name: 'support-agent', version: '2.4.1' },
    principal: 'user:42',
    tenant: null,
    state: 'ended',
    guarded: true,
    startedAt,
    lastAt: rows.at(-1)?.step.time ?? startedAt,
    steps: rows.length,
    verdicts,
    findings: rows.filter((row) => row.finding).length,
    title: null,
    spec: SPEC_DIGEST,
    specName: 'support-refunds',
    ...rest,
  };
}

/** A refund that is denied, repaired, held, and waits for a person; with a transform, a shadow rule and a bare span. */
export function refundSession(): FixtureSession {
  const id = 'refund-held';
  const at = EPOCH;
  const step = (seq: number, draft: Draft): Step => makeStep(id, seq, at, draft);
  const order = {
    id: 'A-1001',
    total: 240,
    customer: { id: 42, name: 'Ada Brandt', city: 'Graz' },
    items: [1, 2, 3],
  };
  const refund = { order_id: 'A-1001', customer_id: 42, amount: 240, currency: 'EUR' };
  const witness = {
    seq: 5,
    id: `${id}-5`,
    kind: 'tool.result' as const,
    name: 'get_order',
    note: 'result.total = 240',
  };
  const checked = { seq: 8, id: `${id}-8`, kind: 'tool.result' as const, name: 'verify_identity' };
  const rows: StepRow[] = [
    makeRow(step(0, { kind: 'session.start', name: '' })),
    makeRow(
      step(1, { kind: 'input', name: '', content: 'My order A-1001 arrived broken. Please refund it.' }),
    ),
    makeRow(step(2, { kind: 'model.request', name: 'scripted-1', args: { temperature: 0, messages: 3 } })),
    makeRow(
      step(3, {
        kind: 'model.response',
        name: 'scripted-1',
        content: 'I will look the order up first.',
        usage: { inputTokens: 812, outputTokens: 44 },
      }),
    ),
    makeRow(step(4, { kind: 'tool.call', name: 'get_order', callId: 'c1', args: { order_id: 'A-1001' } })),
    makeRow(
      step(5, {
        kind: 'tool.result',
        name: 'get_order',
        callId: 'c1',
        args: { order_id: 'A-1001' },
        result: order,
      }),
    ),
    makeRow(step(6, { kind: 'tool.call', name: 'refund', callId: 'c2', args: refund }), {
      verdict: 'deny',
      wouldBe: 'deny',
      rules: [
        outcome('identity-first', 'deny', {
          cause: 'absent',
          repair: 'Call verify_identity with customer_id 42 first.',
          witness: [witness],
          controls: ['owasp-agentic:ASI02', 'eu-ai-act:14'],
        }),
      ],
      witness: [witness],
      repair: 'Call verify_identity with customer_id 42 first.',
    }),
    makeRow(step(7, { kind: 'tool.call', name: 'verify_identity', callId: 'c3', args: { customer_id: 42 } })),
    makeRow(
      step(8, {
        kind: 'tool.result',
        name: 'verify_identity',
        callId: 'c3',
        args: { customer_id: 42 },
        result: { ok: true },
      }),
    ),
    makeRow(
      step(9, {
        kind: 'tool.call',
        name: 'send_email',
        callId: 'c4',
        args: { to: 'ada@example.org', body: 'Refund to card 4111 1111 1111 1111 is on its way.', cc: [] },
      }),
      {
        verdict: 'transform',
        wouldBe: 'transform',
        rules: [outcome('mask-card', 'transform', { because: 'Card numbers do not leave by e-mail.' })],
        transformed: { to: 'ada@example.org', body: 'Refund to card ···· 1111 is on its way.', cc: [] },
      },
    ),
    makeRow(step(10, { kind: 'tool.result', name: 'send_email', callId: 'c4', content: 'sent' }), {
      verdict: 'allow',
      wouldBe: 'deny',
      rules: [outcome('no-bare-text', 'deny', { mode: 'shadow', because: 'Results should be structured.' })],
    }),
    {
      ...makeRow(step(11, { kind: 'tool.call', name: 'post_ledger', args: { refund_id: 'R-77' } }), null),
      span: ledgerSpan(at + 11 * 1370),
      finding: unguardedFinding(id, 11, at),
    },
    {
      ...makeRow(step(12, { kind: 'tool.call', name: 'refund', callId: 'c5', args: refund }), {
        verdict: 'hold',
        wouldBe: 'hold',
        rules: [
          outcome('large-refund', 'hold', {
            because: 'A refund over 200 needs a lead.',
            witness: [witness, checked],
            approve: { by: ['support-lead'], quorum: 1, notPrincipal: true, expiresMs: 30 * 60_000 },
          }),
        ],
        witness: [witness, checked],
        binding: digest(JSON.stringify(refund)),
      }),
      hold: refundHold(id, 12, refund),
    },
  ];
  const title = 'My order A-1001 arrived broken. Please refund it.';
  return { summary: summaryOf(id, at, rows, { state: 'held', title }), rows, row: (seq) => rows[seq]! };
}

function refundHold(session: string, seq: number, args: Hold['args']): Hold {
  return {
    id: 'hold-1',
    session,
    seq,
    callId: 'c5',
    kind: 'tool.call',
    name: 'refund',
    args,
    binding: digest(JSON.stringify(args)),
    rules: ['large-refund'],
    because: 'A refund over 200 needs a lead.',
    by: ['support-lead', 'finance'],
    quorum: 1,
    state: 'pending',
    createdAt: EPOCH,
    // Far away, so that the fixture does not grow old.
    expiresAt: Date.UTC(2100, 0, 1),
    answers: [],
  };
}

function unguardedFinding(session: string, seq: number, at: number): Finding {
  return {
    id: 'finding-1',
    kind: 'unguarded-step',
    session,
    seq,
    name: 'post_ledger',
    detail: 'The span of tool post_ledger arrived, but no decision was asked for it. Guard this tool.',
    at: at + 17_000,
  };
}

function ledgerSpan(timeMs: number): Span {
  return {
    traceId: '5b8aa5a2d2c872e8321cf37308d69df2',
    spanId: '051581bf3cb55c13',
    parentSpanId: '5fb397be34d26b51',
    name: 'execute_tool post_ledger',
    kind: 1,
    startNs: `${timeMs}000000`,
    endNs: `${timeMs + 48}000000`,
    status: { code: 1, message: '' },
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'post_ledger',
      'gen_ai.tool.call.arguments': '{"refund_id":"R-77"}',
    },
    events: [{ name: 'retry', timeNs: `${timeMs + 12}000000`, attributes: { attempt: 2 } }],
    resource: { 'service.name': 'ledger', 'service.version': '1.0.3' },
    scope: { name: 'fixture', version: '1' },
    dialect: 'otel-genai',
  };
}

/** Ten thousand steps: every 97th denied with an earlier step as its witness, every 1009th held and expired. */
export function longSession(): FixtureSession {
  const id = 'ten-thousand';
  const at = EPOCH - 86_400_000;
  const row = (seq: number): StepRow => {
    const call = seq % 2 === 0;
    const name = ['search_orders', 'get_order', 'update_ticket', 'send_email'][Math.floor(seq / 2) % 4]!;
    const step = makeStep(id, seq, at, {
      kind: call ? 'tool.call' : 'tool.result',
      name,
      callId: `c${Math.floor(seq / 2)}`,
      ...(call
        ? {
            args: {
              order_id: `A-${1000 + seq}`,
              note: 'checking the next order in the queue',
              page: seq % 7,
            },
          }
        : { result: { ok: true, total: seq * 3, lines: [seq, seq + 1] } }),
    });
    if (seq % 97 !== 96) return makeRow(step);
    const earlier = Math.max(0, seq - 61);
    const witness = { seq: earlier, id: `${id}-${earlier}`, kind: 'tool.call' as const, name: 'get_order' };
    const rules = [
      outcome('queue-order', 'deny', { because: 'Orders are taken in turn.', witness: [witness] }),
    ];
    return makeRow(step, { verdict: 'deny', wouldBe: 'deny', rules, witness: [witness] });
  };
  const denied = Math.floor(LONG_STEPS / 97);
  const summary = summaryOf(id, at, [], {
    agent: { name: 'queue-worker', version: '0.9.0' },
    principal: 'service:queue',
    title: 'Work through the open orders of the night',
    steps: LONG_STEPS,
    lastAt: at + LONG_STEPS * 1370,
    verdicts: { allow: LONG_STEPS - denied, transform: 0, hold: 0, deny: denied, halt: 0 },
  });
  return { summary, row, rows: null };
}

/** What a hostile or clumsy agent puts in front of a reader: markup, hidden characters, very long and very deep data. */
export function awkwardSession(): FixtureSession {
  const id = 'awkward';
  const at = EPOCH - 7_200_000;
  const text = '<img src=x onerror=alert(1)> <script>alert(2)</script>';
  let deep: Step['result'] = 'bottom';
  for (let i = 0; i < 60; i++) deep = { [`level_${60 - i}`]: deep };
  const rows = [
    makeRow(makeStep(id, 0, at, { kind: 'input', name: '', content: text })),
    makeRow(
      makeStep(id, 1, at, {
        kind: 'tool.call',
        name: 'pay',
        args: { to: 'alice\u202Egnp.exe\u200B', memo: '支払い 👩‍💻' },
      }),
    ),
    makeRow(makeStep(id, 2, at, { kind: 'tool.result', name: 'pay', content: 'word '.repeat(4000) })),
    makeRow(makeStep(id, 3, at, { kind: 'tool.result', name: 'tree', result: deep })),
    makeRow(
      makeStep(id, 4, at, {
        kind: 'tool.call',
        name: `tool_${'very_'.repeat(30)}long`,
        args: { x: 'y'.repeat(3000) },
      }),
      {
        verdict: 'halt',
        wouldBe: 'halt',
        rules: [outcome('kill-switch', 'halt', { because: text, cause: 'error' })],
      },
    ),
  ];
  const summary = summaryOf(id, at, rows, { state: 'halted', title: `${text} ${'long title '.repeat(15)}` });
  return { summary, rows, row: (seq) => rows[seq]! };
}

/** Plain sessions to fill pages of the list, each half an hour older than the one before. */
export function plainSessions(count: number): FixtureSession[] {
  const agents = ['support-agent', 'billing-agent', 'travel-desk'];
  const asks = [
    'Where is my parcel?',
    'Change my delivery address',
    'Cancel the second item',
    'Book the early flight',
  ];
  return Array.from({ length: count }, (_, i) => {
    const id = `plain-${String(i).padStart(3, '0')}`;
    const at = EPOCH - 2 * 86_400_000 - i * 1_800_000;
    const rows = [
      makeRow(makeStep(id, 0, at, { kind: 'input', name: '', content: asks[i % 4]! })),
      makeRow(makeStep(id, 1, at, { kind: 'tool.call', name: 'lookup', args: { q: i } })),
      makeRow(makeStep(id, 2, at, { kind: 'output', name: '', content: 'Done.' })),
    ];
    const agent = { name: agents[i % 3]!, version: `1.${i % 5}.0` };
    const summary = summaryOf(id, at, rows, { title: asks[i % 4]!, agent, principal: `user:${100 + i}` });
    return { summary, rows, row: (seq: number) => rows[seq]! };
  });
}
