// What a gateway tells of one request, whichever way it asked. Data only.

/** A request that a gateway holds back until it is decided. Header names are lower-case. */
export interface HttpCall {
  readonly method: string;
  readonly scheme: string | null;
  readonly host: string;
  /** Path and query, undecoded. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** The gateway sent only a part of the body, or none of one that there is. */
  readonly isBodyCut: boolean;
  /** What the gateway itself says, which no client can write: Envoy's `context_extensions`. */
  readonly extensions: ReadonlyMap<string, string>;
  /** Who the client's certificate says it is: Envoy's `source.principal`. */
  readonly peer: string | null;
}

/** Why a request cannot be turned into a step; it is denied. */
export interface CallProblem {
  readonly code: string;
  readonly message: string;
  readonly mend?: string;
}
