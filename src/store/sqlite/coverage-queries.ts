// Which share of the tools that ran had a decision, by agent.
import type { DatabaseSync } from 'node:sqlite';
import type { AgentCoverage, Door } from '../../engine/types.ts';

export function createCoverageQueries(database: DatabaseSync) {
  const decided = database.prepare(`SELECT agent, agent_version AS version,
      sum(span IS NOT NULL) AS covered, sum(span IS NULL AND verdict IN ('allow', 'transform')) AS unseen,
      max(steps.time) AS last, group_concat(DISTINCT door) AS doors
    FROM steps JOIN sessions ON sessions.n = steps.session
    WHERE observed = 0 AND steps.kind = 'tool.call' AND steps.time >= ? GROUP BY agent, agent_version`);
  const unguarded = database.prepare(`SELECT agent, agent_version AS version, count(*) AS unguarded,
      max(json_extract(body, '$.at')) AS last
    FROM findings JOIN sessions ON sessions.n = findings.session
    WHERE json_extract(body, '$.kind') = 'unguarded-step' AND json_extract(body, '$.at') >= ?
    GROUP BY agent, agent_version`);

  return {
    coverage(since: number): AgentCoverage[] {
      const found = new Map<string, AgentCoverage>();
      for (const row of [...decided.all(since), ...unguarded.all(since)]) {
        const {
          agent,
          version = null,
          last,
        } = row as { agent: string; version: string | null; last: number };
        const key = JSON.stringify([agent, version]);
        const known = found.get(key);
        found.set(key, {
          agent,
          version,
          covered: (known?.covered ?? 0) + Number(row.covered ?? 0),
          unguarded: (known?.unguarded ?? 0) + Number(row.unguarded ?? 0),
          unseen: (known?.unseen ?? 0) + Number(row.unseen ?? 0),
          doors: known?.doors ?? doorsOf(row.doors),
          lastAt: Math.max(known?.lastAt ?? 0, last),
        });
      }
      // The worst first.
      return [...found.values()].sort(
        (a, b) => b.unguarded - a.unguarded || (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0),
      );
    },
  };
}

function doorsOf(names: unknown): readonly Door[] {
  return typeof names === 'string' ? (names.split(',') as Door[]).sort() : [];
}
