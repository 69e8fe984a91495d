// Opens the decision point's doors on the server's engine, with the server's callers and its guard against web pages.
import { type Caller, createCallers } from '../api/callers.ts';
import { refuseForeign } from '../api/origin.ts';
import { isProblem } from '../api/problem.ts';
import type { CompiledSpecLike } from '../engine/options.ts';
import type { Engine } from '../engine/types.ts';
import type { Admit } from '../pdp/decide.ts';
import { type DecisionPoint, startDecisionPoint } from '../pdp/door.ts';
import { parseSettings, type Settings } from '../pdp/settings.ts';
import { hooksDoors } from './hooks-door.ts';
import { loadYaml } from './yaml-file.ts';

export interface DecisionPointSetup {
  /** Envoy over HTTP, and AuthZEN; null for none. */
  readonly httpPort: number | null;
  /** Envoy over gRPC; null for none. */
  readonly grpcPort: number | null;
  /** Who asks, and which request is which act. */
  readonly settingsFile?: string;
}

/** Says in words, with file and place, why the settings of the decision point cannot be used. */
export class DecisionPointInvalid extends Error {}

export function loadDecisionPoint(file: string): Promise<Settings> {
  return loadYaml(file, parseSettings, DecisionPointInvalid);
}

export async function openDecisionPoint(
  { httpPort, grpcPort, settingsFile }: DecisionPointSetup,
  host: string,
  engine: Engine,
  callers: readonly Caller[] | undefined,
  specs: readonly CompiledSpecLike[],
  onFailure: (error: unknown) => void,
): Promise<DecisionPoint> {
  const admit: Admit = callers === undefined ? (_, init) => init : admitting(callers, engine);
  return startDecisionPoint({
    engine,
    admit,
    specOf: (agent) => specs.find((spec) => spec.applies(agent))?.digest ?? null,
    doors: hooksDoors(engine, admit, onFailure),
    onFailure,
    host,
    httpPort,
    grpcPort,
    settings: settingsFile === undefined ? undefined : await loadDecisionPoint(settingsFile),
    refuse: (request) => refuseForeign(request)?.detail ?? null,
  });
}

/** Who asks shows a key as an agent's program does, and is held to the agents, principals and tenant of it. */
export function admitting(callers: readonly Caller[], engine: Engine): Admit {
  const known = createCallers(callers, engine);
  return (key, init) => {
    const caller = known.of({ headers: key === null ? {} : { authorization: `Bearer ${key}` } });
    const admitted = isProblem(caller) ? caller : known.admit(caller, init);
    if (!isProblem(admitted)) return admitted;
    const { code, detail, mend } = admitted;
    return mend === undefined ? { code, message: detail } : { code, message: detail, mend };
  };
}
