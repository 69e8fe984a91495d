// One request at a gateway, from what the gateway tells to the answer it passes on: what Envoy's two ways share.

import { answerOf, type HttpAnswer, KEY_HEADER, OWN_HEADERS } from './answer.ts';
import type { HttpCall } from './call.ts';
import type { Decider } from './decide.ts';
import { questionOf } from './question.ts';
import type { Settings } from './settings.ts';
import { whoOf } from './who.ts';

/** Never rejects. `key` is what the gateway shows, null when nothing. */
export type Ask = (call: HttpCall, key: string | null) => Promise<HttpAnswer>;

/** The longest body that is decided; as for the decision API. */
export const BODY_BYTES_MAX = 1 << 20;

export function createAsk(decider: Decider, settings: Settings): Ask {
  return async (call, key) => {
    const question = questionOf(call, settings);
    if (question.t === 'pass') return answerOf({ t: 'pass' });
    if (question.t === 'wrong') return answerOf(question);
    const who = whoOf(call, settings);
    if ('problem' in who) return answerOf({ t: 'wrong', problem: who.problem }, question.rpc);
    return answerOf(await decider.decide(key, who.init, question.proposal), question.rpc);
  };
}

/** Headers that must not reach the upstream as the client wrote them. */
export function removedHeaders(settings: Settings, answer: HttpAnswer): string[] {
  const set = new Set(answer.headers.map(([name]) => name));
  return [...OWN_HEADERS.filter((name) => !set.has(name)), KEY_HEADER, ...settings.remove];
}
