// Every decided step of the record, in the order of decisions, as histories that sessions share take it.
import type { Arrival } from '../monitor/monitor.ts';
import { takesEffect } from '../monitor/remember.ts';
import type { Decision } from '../monitor/types.ts';
import type { JsonObject, Step } from '../step/types.ts';
import type { DecidedRow, Store } from '../store/store.ts';

const ROWS_PER_READ = 2_000;
/** Calls without a result that are remembered, over all sessions; past it the oldest is forgotten. */
const OPEN_MAX = 100_000;

interface OpenCall {
  readonly name: string;
  readonly args: JsonObject;
  readonly allowed: boolean;
  readonly denied: boolean;
}

export async function* recordedArrivals(store: Pick<Store, 'decided'>): AsyncGenerator<Arrival> {
  const open = new Map<string, OpenCall>();
  for (let after: number | null = null; ; ) {
    const rows = await store.decided(after, ROWS_PER_READ);
    for (const row of rows) yield arrivalOf(row, open);
    if (rows.length < ROWS_PER_READ) return;
    after = rows.at(-1)!.n;
  }
}

function arrivalOf(row: DecidedRow, open: Map<string, OpenCall>): Arrival {
  const recorded = JSON.parse(row.step) as Step;
  const { verdict, transformed } = JSON.parse(row.decision) as Decision;
  const step = transformed === undefined ? recorded : { ...recorded, args: transformed };
  const happened = takesEffect(step, verdict);
  const key = step.callId === undefined ? null : JSON.stringify([row.session, step.callId]);
  const call = step.kind === 'tool.result' && key !== null ? open.get(key) : undefined;
  const own = call?.name === step.name ? call : undefined;
  if (key !== null && own !== undefined) open.delete(key);
  if (key !== null && step.kind === 'tool.call' && !open.get(key)?.allowed) {
    open.delete(key);
    const denied = verdict === 'deny' || verdict === 'halt';
    open.set(key, { name: step.name, args: step.args ?? {}, allowed: happened, denied });
    if (open.size > OPEN_MAX) open.delete(open.keys().next().value as string);
  }
  return {
    step,
    happened: happened && own?.denied !== true,
    args: step.kind === 'tool.result' ? (own?.args ?? step.args) : step.args,
    now: step.time,
    identity: { principal: row.principal, agent: row.agent, tenant: row.tenant },
  };
}
