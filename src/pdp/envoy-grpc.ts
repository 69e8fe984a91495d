// Envoy's external authorization over gRPC: envoy.service.auth.v3.Authorization/Check, and the health check that a
// cluster of Envoy asks (grpc.health.v1.Health/Check). Binds to loopback.
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js';
import { answerOf, KEY_HEADER } from './answer.ts';
import { type Ask, BODY_BYTES_MAX, removedHeaders } from './ask.ts';
import { readCheckRequest, writeCheckResponse } from './envoy-wire.ts';
import type { Settings } from './settings.ts';

export interface GrpcDoor {
  readonly port: number;
  /** Takes no new checks and lets the open ones end. */
  close(): Promise<void>;
}

/** HealthCheckResponse { status: SERVING }. */
const SERVING = Buffer.from([0x08, 0x01]);
/** Headers and the rest of a request beside its body. */
const ENVELOPE_BYTES_MAX = 1 << 20;
/** Checks at one time on one connection. */
const STREAMS_MAX = 1_000;
const DRAIN_MS = 5_000;

/** Messages are bytes here, so that what cannot be read is answered as a denial and not as a failed call. */
const unary = (path: string) => ({
  path,
  requestStream: false as const,
  responseStream: false as const,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
});

/** Rejects when the port cannot be had. */
export async function startGrpcDoor(address: string, ask: Ask, settings: Settings): Promise<GrpcDoor> {
  // What goes wrong is in the error that is thrown.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': BODY_BYTES_MAX + ENVELOPE_BYTES_MAX,
    'grpc.max_concurrent_streams': STREAMS_MAX,
  });

  async function check(bytes: Buffer, key: string | null): Promise<Buffer> {
    let answer: Awaited<ReturnType<Ask>>;
    try {
      answer = await ask(readCheckRequest(bytes), key);
    } catch {
      const message = 'the check request cannot be read';
      answer = answerOf({ t: 'failed', problem: { code: 'malformed-check', message } });
    }
    return Buffer.from(writeCheckResponse(answer, removedHeaders(settings, answer)));
  }

  server.addService(
    { Check: unary('/envoy.service.auth.v3.Authorization/Check') },
    {
      Check(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
        const [key] = call.metadata.get(KEY_HEADER);
        check(call.request, typeof key === 'string' ? key : null).then(
          (bytes) => done(null, bytes),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
    },
  );
  server.addService(
    { Check: unary('/grpc.health.v1.Health/Check') },
    {
      Check: (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, SERVING),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      // As node:net says it.
      else if (error.message.includes('EADDRINUSE'))
        reject(Object.assign(new Error(`address already in use ${address}`), { code: 'EADDRINUSE' }));
      else reject(error);
    });
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), DRAIN_MS);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}
