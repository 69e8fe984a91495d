// The host under test, for the conformance kit: one JSON object on each line of stdin and stdout. The kit's interceptors and
// resolver live on the other side and are asked over the same lines; model and tools are the scenario's.
//
//   in   { t: "run", scenario, interceptors, resolver, mode, composition, identity, redact, incremental }
//   out  { t: "intercept", id, index, context }   in  { t: "answer", id, value } or { t: "answer", id, fault }
//   out  { t: "resolve", id, request }            in  the same
//   out  { t: "done", record }
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import {
  type AgentContext,
  type ApprovalResolution,
  type Composition,
  createContexts,
  createEmitter,
  type InterceptionRecord,
  type Mode,
  type ModelEvent,
  type ModelReply,
  runAgent,
  transformContext,
} from '../../../src/agent-hooks/index.ts';
import type { Json, JsonObject } from '../../../src/step/types.ts';

interface Respond extends ModelReply {
  readonly stream?: readonly string[];
  readonly stream_truncated?: boolean;
}
interface Run {
  readonly scenario: {
    readonly input: { readonly content: Json; readonly role: 'user' | 'system' | 'external' };
    readonly tools: readonly {
      readonly name: string;
      readonly behavior: readonly {
        readonly when_args?: JsonObject;
        readonly return: Json;
        readonly is_error?: boolean;
      }[];
    }[];
    readonly model_script: readonly Respond[];
  };
  readonly interceptors: number;
  readonly resolver: boolean;
  readonly mode: Mode;
  readonly composition: Composition;
  readonly identity: string | null;
  readonly redact: readonly string[];
  readonly incremental: boolean;
}

const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
let asked = 0;

function send(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function ask(message: object): Promise<unknown> {
  const id = asked++;
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  waiting.set(id, { resolve, reject });
  send({ ...message, id });
  return promise;
}

async function run(given: Run): Promise<void> {
  const { scenario } = given;
  const records: InterceptionRecord[] = [];
  const invocations: { name: string; args: JsonObject }[] = [];
  let released = '';
  let turn = 0;

  const emitter = createEmitter({
    interceptors: Array.from({ length: given.interceptors }, (_, index) => ({
      interceptor: { intercept: (context: AgentContext) => ask({ t: 'intercept', index, context }) },
    })),
    composition: given.composition,
    mode: given.mode,
    identity:
      given.identity === 'ctk-fault'
        ? {
            name: 'ctk-fault',
            identify: () => {
              throw new Error('a scripted fault');
            },
          }
        : (given.identity as 'jcs-sha256' | null),
    ...(given.resolver
      ? { resolver: { resolve: (request) => ask({ t: 'resolve', request }) as Promise<ApprovalResolution> } }
      : {}),
    ...(given.redact.length === 0 ? {} : { redact: (context) => redacted(context, given.redact) }),
    onRecord: (record) => records.push(record),
  });

  async function* pieces(respond: Respond): AsyncGenerator<ModelEvent> {
    const stream = respond.stream!;
    for (const [i, text] of stream.entries()) {
      yield { t: 'text', text };
      if (i < stream.length - 1) yield { t: 'boundary' };
    }
    if (respond.stream_truncated !== true)
      yield { t: 'end', tool_calls: respond.tool_calls, finish_reason: respond.finish_reason };
  }

  const result = await runAgent({
    emitter,
    contexts: createContexts({
      agent: { id: 'interlock-agent', framework: 'interlock' },
      session: crypto.randomUUID(),
    }),
    modelId: 'scripted',
    model: () => {
      const respond = scenario.model_script[turn++]!;
      return respond.stream === undefined ? Promise.resolve(respond) : pieces(respond);
    },
    tools: Object.fromEntries(
      scenario.tools.map(({ name, behavior }) => [
        name,
        (args: JsonObject) => {
          invocations.push({ name, args });
          const clause = behavior.find(
            ({ when_args: when }) => when == null || isDeepStrictEqual(when, args),
          );
          if (clause === undefined) throw new Error(`the tool ${name} has no answer to these arguments`);
          if (clause.is_error === true) throw new Error(String(clause.return));
          return clause.return;
        },
      ]),
    ),
    input: scenario.input,
    ...(given.incremental
      ? {
          release: (text: string) => {
            released += text;
          },
        }
      : {}),
  });
  send({
    t: 'done',
    record: {
      outcome: result.outcome,
      final_output: result.output,
      tool_invocations: invocations,
      error: result.error === undefined ? null : String(result.error),
      identities: records.map(({ input_identity, enforced_identity }) => [input_identity, enforced_identity]),
      records,
      released_output: released,
      persisted: JSON.stringify(result.messages),
    },
  });
}

function redacted(context: AgentContext, paths: readonly string[]): AgentContext {
  return paths.reduce((left, path) => {
    const transformed = transformContext(left, { path, value: '[redacted]' });
    return transformed.ok ? transformed.context : left;
  }, context);
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as { t: string; id: number; value?: unknown; fault?: string } & Run;
  if (message.t === 'run') void run(message);
  else if (message.t === 'answer') {
    const { resolve, reject } = waiting.get(message.id)!;
    waiting.delete(message.id);
    if (message.fault === undefined) resolve(message.value);
    else reject(new Error(message.fault));
  }
}
