// Stops: people's orders that agents, versions, tools, tenants or everything do nothing more until the order is lifted. In
// force in memory at once, then durable; what a stop denied carries it in its record, so that a replay denies the same.
import { randomUUID } from 'node:crypto';
import { globMatches } from '../spec/pattern.ts';
import { STOP_FACT } from '../spec/shared.ts';
import { ENFORCEABILITY, type Fact, type Proposal } from '../step/types.ts';
import type { SessionRow, Store } from '../store/store.ts';
import type { Emit } from './events.ts';
import { refuse } from './problem.ts';
import type { Stop, StopRequest } from './types.ts';

/** In force at once; one that stops more replaces many that stop little. */
export const STOPS_MAX = 1_000;
/** Lifted ones that are kept in mind. */
const LIFTED_MAX = 10_000;

export interface Stops {
  /** What the step is to be denied for: facts of its record; undefined when nothing stops it. */
  on(row: SessionRow, step: Proposal): readonly Fact[] | undefined;
  /** Whether all that the agent does is stopped already. */
  isStopped(agent: string): boolean;
  stop(request: StopRequest): Promise<Stop>;
  lift(id: string, by: string): Promise<Stop>;
  /** Takes over what was ordered elsewhere. What has been lifted anywhere stays lifted. */
  adopt(stops: readonly Stop[]): Promise<void>;
  /** Reads the stops in force; nothing may be decided before. */
  load(): Promise<void>;
}

export function createStops(store: Store, clock: () => number, emit: Emit): Stops {
  const inForce = new Map<string, Stop>();
  /** Ids of those that were lifted: they do not come back. */
  const over = new Set<string>();

  function forget(id: string): void {
    inForce.delete(id);
    over.add(id);
    if (over.size > LIFTED_MAX) over.delete(over.values().next().value as string);
  }

  return {
    on(row, step) {
      // A session may always end.
      if (inForce.size === 0 || ENFORCEABILITY[step.kind] !== 'suppressable' || step.kind === 'session.end')
        return undefined;
      const facts: Fact[] = [];
      for (const stop of inForce.values()) {
        if (!applies(stop, row, step)) continue;
        const { id, reason, by } = stop;
        facts.push({ id: STOP_FACT, key: id, value: { reason, by }, seen: [] });
      }
      return facts.length === 0 ? undefined : facts;
    },
    isStopped: (agent) =>
      [...inForce.values()].some(
        (stop) => stop.agent === agent && stop.version === null && stop.tool === null && stop.tenant === null,
      ),
    async stop(request) {
      if (inForce.size >= STOPS_MAX)
        throw refuse('limit-exceeded', `${STOPS_MAX} stops are in force`, 'Lift some, or stop more at once.');
      const stop: Stop = { ...request, id: randomUUID(), at: clock(), lifted: null };
      inForce.set(stop.id, stop);
      // Should it not become durable, it stays in force while this process runs: the caller hears of the failure.
      await store.append([{ t: 'stop', row: stop }]);
      emit({ type: 'stop', stop: stop.id });
      return stop;
    },
    async lift(id, by) {
      const stop = inForce.get(id);
      if (stop === undefined)
        throw refuse('unknown-stop', `no stop ${id} is in force`, 'List the stops in force.');
      const lifted: Stop = { ...stop, lifted: { by, at: clock() } };
      // Lifted only once that is on record.
      await store.append([{ t: 'stop', row: lifted }]);
      forget(id);
      emit({ type: 'stop', stop: id });
      return lifted;
    },
    async adopt(stops) {
      // The oldest first, as they were ordered; one that is lifted before one that is not.
      for (const stop of stops.toSorted((a, b) => a.at - b.at)) {
        const isNew = stop.lifted === null && !inForce.has(stop.id) && !over.has(stop.id);
        const isOver = stop.lifted !== null && inForce.has(stop.id);
        // Another node may not have heard yet that it was lifted.
        if (stop.lifted !== null && !isOver) forget(stop.id);
        if (!isNew && !isOver) continue;
        if (isNew && inForce.size >= STOPS_MAX)
          throw refuse(
            'limit-exceeded',
            `${STOPS_MAX} stops are in force`,
            'Lift some, or stop more at once.',
          );
        if (isNew) inForce.set(stop.id, stop);
        await store.append([{ t: 'stop', row: stop }]);
        if (isOver) forget(stop.id);
        emit({ type: 'stop', stop: stop.id });
      }
    },
    async load() {
      for (const stop of await store.stops({ inForce: true, limit: STOPS_MAX })) inForce.set(stop.id, stop);
      for (const stop of await store.stops({ inForce: false, limit: LIFTED_MAX }))
        if (stop.lifted !== null) over.add(stop.id);
    },
  };
}

function applies({ agent, version, tool, tenant }: Stop, row: SessionRow, step: Proposal): boolean {
  const acting = step.agent ?? row.agent;
  // A step may say another agent's name, and does not so leave a stop on its session's agent.
  const agents = [row.agent, acting];
  return (
    (agent === null || agents.some((one) => globMatches(agent, one.name))) &&
    (version === null || agents.some((one) => one.version === version)) &&
    (tool === null || (step.kind === 'tool.call' && globMatches(tool, step.name))) &&
    (tenant === null || row.tenant === tenant)
  );
}
