// A ruling as an HTTP answer, which is what gateways pass on to their clients. A policy's denial, a held act, a request
// that cannot be read and a failure of ours have statuses of their own.
import type { Json } from '../step/types.ts';
import { decisive, type Ruling } from './decide.ts';

export interface HttpAnswer {
  readonly isAllowed: boolean;
  /** 200 passes; 403 denied, 409 held, 400 not readable, 503 not decided. */
  readonly status: 200 | 400 | 403 | 409 | 503;
  /** Names and values; for the upstream when allowed, else for the client. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** JSON; empty when allowed. */
  readonly body: string;
}

/** Headers that only Interlock writes: taken off requests, so that no client can pretend to a decision. */
export const OWN_HEADERS = [
  'x-interlock-verdict',
  'x-interlock-session',
  'x-interlock-step',
  'x-interlock-rule',
  'x-interlock-hold',
  'x-interlock-error',
] as const;
/** What a gateway shows when the server knows its callers by keys. */
export const KEY_HEADER = 'x-interlock-key';

/** JSON-RPC 2.0 leaves -32000 to -32099 to servers. */
const RPC_CODES = { 400: -32600, 403: -32003, 409: -32009, 503: -32053 } as const;

export function answerOf(ruling: Ruling, rpc?: { readonly id: Json }): HttpAnswer {
  switch (ruling.t) {
    case 'pass':
      return { isAllowed: true, status: 200, headers: [['x-interlock-verdict', 'none']], body: '' };
    case 'allow':
      return { isAllowed: true, status: 200, headers: verdictHeaders('allow', ruling.at), body: '' };
    case 'deny': {
      const rule = decisive(ruling.decision)?.rule;
      return refusal(403, rpc, {
        headers: [
          ...verdictHeaders(ruling.verdict, ruling.at),
          ...(rule === undefined ? [] : [['x-interlock-rule', ascii(rule)] as const]),
        ],
        code: 'denied',
        title: 'A rule denies this step',
        detail: ruling.because,
        more: explanation(ruling),
      });
    }
    case 'hold': {
      const held = decisive(ruling.decision);
      return refusal(409, rpc, {
        headers: [
          ...verdictHeaders('hold', ruling.at),
          ...(held === undefined ? [] : [['x-interlock-rule', ascii(held.rule)] as const]),
          ['x-interlock-hold', ruling.hold],
        ],
        code: 'held',
        title: 'The step waits for a person',
        detail: held?.because ?? 'A person decides.',
        more: {
          ...explanation(ruling),
          hold: ruling.hold,
          mend: 'Send exactly the same request again once it is approved.',
        },
      });
    }
    case 'wrong':
    case 'failed': {
      const { code, message, mend } = ruling.problem;
      const status = ruling.t === 'wrong' ? 400 : 503;
      return refusal(status, rpc, {
        headers: [
          ['x-interlock-verdict', 'error'],
          ['x-interlock-error', ascii(code)],
        ],
        code,
        title: ruling.t === 'wrong' ? 'The request cannot be decided' : 'No decision could be had',
        detail: message,
        more: mend === undefined ? {} : { mend },
      });
    }
  }
}

/** What an agent needs to mend its request: the rules, the earlier steps, what would be allowed. */
export function explanation({ at, decision }: Extract<Ruling, { t: 'deny' | 'hold' }>) {
  return {
    session: at.session,
    step: at.seq,
    rules: decision.rules
      .filter(({ mode }) => mode === 'enforce')
      .map(({ rule, because, cause }) => ({ rule, because, cause })),
    ...(decision.repair === undefined ? {} : { repair: decision.repair }),
    witness: decision.witness,
  };
}

interface Refusal {
  readonly headers: HttpAnswer['headers'];
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly more: object;
}

function refusal(
  status: 400 | 403 | 409 | 503,
  rpc: { readonly id: Json } | undefined,
  { headers, code, title, detail, more }: Refusal,
): HttpAnswer {
  const problem = { type: 'about:blank', title, status, code, detail, ...more };
  const repair = 'repair' in more ? ` ${more.repair}` : '';
  const body =
    rpc === undefined
      ? problem
      : {
          jsonrpc: '2.0',
          id: rpc.id,
          error: { code: RPC_CODES[status], message: `${detail}${repair}`, data: problem },
        };
  const type = rpc === undefined ? 'application/problem+json' : 'application/json';
  return {
    isAllowed: false,
    status,
    headers: [['content-type', type], ...headers],
    body: JSON.stringify(body),
  };
}

function verdictHeaders(verdict: string, at: { session: string; seq: number }): [string, string][] {
  return [
    ['x-interlock-verdict', verdict],
    ['x-interlock-session', ascii(at.session)],
    ['x-interlock-step', String(at.seq)],
  ];
}

/** Ids may be any text; a header may not. */
function ascii(text: string): string {
  return encodeURI(text.toWellFormed());
}
