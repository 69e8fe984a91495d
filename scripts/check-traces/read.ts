// Reads recorded sessions with their labels and replays a pack over them: the importer and the replay of the product,
// nothing of its own. No counting here.
import { readFileSync } from 'node:fs';
import { compileSpecFile } from '../../src/cli/spec.ts';
import { type ImportedSession, importRecord } from '../../src/ingest/importers/index.ts';
import type { Decision } from '../../src/monitor/types.ts';
import { type ReplaySpec, replaySession, replaySpec } from '../../src/replay/replay.ts';
import type { Json, Step } from '../../src/step/types.ts';

export type Labels = Readonly<Record<string, Json>>;

/** A tool call of a recorded session and what the pack says of it. */
export interface Call {
  readonly step: Step;
  /** The call's id as recorded. */
  readonly id: string | null;
  readonly decision: Decision;
  /** Whether the recorded tool answered with an error: the call changed nothing. */
  readonly refused: boolean;
}

export interface Session {
  readonly id: string;
  readonly domain: string;
  readonly labels: Labels;
  readonly calls: readonly Call[];
}

export function loadPack(file: string): ReplaySpec {
  const { result } = compileSpecFile(file);
  if (!result.ok) throw new Error(`${file} does not check; see: npx interlock spec check ${file}`);
  return replaySpec(result.spec);
}

/** The sessions of a JSON Lines file, each replayed under the pack of its domain. */
export function readSessions(file: string, packOf: (domain: string) => ReplaySpec): Session[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    return importRecord('chat', line, { file, line: index + 1 }).map((imported) => {
      if (imported.session === null)
        throw new Error(`${file}:${index + 1}: ${imported.problems[0]?.what ?? 'cannot be read'}`);
      return replayed(imported, packOf);
    });
  });
}

function replayed(imported: ImportedSession, packOf: (domain: string) => ReplaySpec): Session {
  const domain = String(imported.extra.domain ?? '');
  const decisions = replaySession(packOf(domain), imported.steps);
  const refused = new Set(
    imported.steps.flatMap((step) => (step.kind === 'tool.result' && step.error ? [step.callId] : [])),
  );
  const calls = imported.steps.flatMap((step, i) =>
    step.kind === 'tool.call'
      ? [
          {
            step,
            id: imported.callIds[i] ?? null,
            decision: decisions[i]!,
            refused: refused.has(step.callId),
          },
        ]
      : [],
  );
  return { id: imported.session, domain, labels: (imported.extra.labels ?? {}) as Labels, calls };
}

export function isDenied(call: Call): boolean {
  return call.decision.verdict === 'deny' || call.decision.verdict === 'halt';
}

export function isHeld(call: Call): boolean {
  return call.decision.verdict === 'hold';
}
