// Opens the gateway on the server's engine, with the server's callers.
import { join } from 'node:path';
import { type Caller, createCallers } from '../api/callers.ts';
import { isProblem } from '../api/problem.ts';
import type { Engine } from '../engine/types.ts';
import { DEFAULT_GATEWAY, type GatewayConfig, parseGateway } from '../gateway/config.ts';
import { type Admission, type Gateway, openGateway } from '../gateway/gateway.ts';
import { loadYaml } from './yaml-file.ts';

/** Says in words, with file and place, why the gateway file cannot be used. */
export class GatewayInvalid extends Error {}

export function loadGateway(file: string): Promise<GatewayConfig> {
  return loadYaml(file, (value) => parseGateway(value, process.env), GatewayInvalid);
}

export async function startGateway(setup: {
  readonly engine: Engine;
  readonly config: GatewayConfig | null;
  readonly callers: readonly Caller[] | undefined;
  readonly dataDir: string;
  readonly onFailure: (error: unknown) => void;
}): Promise<Gateway> {
  const { engine, config, callers, dataDir, onFailure } = setup;
  return openGateway({
    engine,
    config: config ?? DEFAULT_GATEWAY,
    directory: join(dataDir, 'gateway'),
    onFailure,
    ...(callers === undefined ? {} : { admit: admitting(callers, engine) }),
  });
}

function admitting(callers: readonly Caller[], engine: Engine) {
  const known = createCallers(callers, engine);
  return (key: string | null, init: Parameters<typeof known.admit>[1]): Admission => {
    const caller = known.of({ headers: key === null ? {} : { authorization: `Bearer ${key}` } });
    if (isProblem(caller)) {
      const message = `${caller.detail}. Send the key of this server as x-interlock-key.`;
      return { ok: false, status: 401, message };
    }
    const admitted = known.admit(caller, init);
    if (!isProblem(admitted)) return { ok: true, init: admitted };
    const message = admitted.mend === undefined ? admitted.detail : `${admitted.detail}. ${admitted.mend}`;
    return { ok: false, status: 403, message };
  };
}
