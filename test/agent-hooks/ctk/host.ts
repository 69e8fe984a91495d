// The host under test, for the conformance kit: one JSON object on each line of stdin and stdout. The kit's interceptors and
// resolver live on the other side and are asked over the same lines; model and tools are the scenario's.
//
//   in   { t: "load", scenario, document }          out  { t: "loaded" } or { t: "refused", code, problems }, then in { t: "go" }
//   in   { t: "run", scenario, interceptors, resolver, mode, composition, identity, redact, incremental }
//   out  { t: "intercept", id, index, context }   in  { t: "answer", id, value } or { t: "answer", id, fault }
//   out  { t: "resolve", id, request }            in  the same
//   out  { t: "bind", id, kind, config, binding } in  the same: the index of an interceptor
//   out  { t: "redact", id, context }             in  the same
//   out  { t: "done", record }
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import {
  type AgentContext,
  type ApprovalResolution,
  type Composition,
  createContexts,
  createEmitter,
  type DeclarationHost,
  DeclarationRefused,
  type Emitter,
  type InterceptionRecord,
  type Mode,
  type ModelEvent,
  type ModelReply,
  readDeclaration,
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

function emitterOf(given: Run, onRecord: (record: InterceptionRecord) => void): Emitter {
  return createEmitter({
    interceptors: Array.from({ length: given.interceptors }, (_, index) => ({
      interceptor: interceptor(index),
    })),
    composition: given.composition,
    mode: given.mode,
    identity:
      given.identity === 'ctk-fault'
        ? { name: 'ctk-fault', identify: fault }
        : (given.identity as 'jcs-sha256' | null),
    ...(given.resolver ? { resolver } : {}),
    ...(given.redact.length === 0 ? {} : { redact: (context) => redacted(context, given.redact) }),
    onRecord,
  });
}

/** The emitter of a vector's declaration: through our loader, or refused. */
async function load(
  document: unknown,
  onRecord: (record: InterceptionRecord) => void,
): Promise<Emitter | null> {
  const host: DeclarationHost = {
    capabilities: ['model_calls', 'tool_calls', 'host_declaration'],
    kinds: {
      'ctk.scripted': async (config, binding) =>
        interceptor((await ask({ t: 'bind', kind: 'ctk.scripted', config, binding })) as number),
    },
    providers: { 'ctk-fault': fault },
    resolvers: { 'ctk-scripted': resolver },
    redactors: { 'ctk-redact': (context) => ask({ t: 'redact', context }) as Promise<AgentContext> },
  };
  try {
    const { options } = await readDeclaration(JSON.stringify(document), host);
    return createEmitter({ ...options, onRecord });
  } catch (error) {
    if (!(error instanceof DeclarationRefused)) throw error;
    send({ t: 'refused', code: error.code, problems: error.problems });
    return null;
  }
}

const interceptor = (index: number) => ({
  intercept: (context: AgentContext) => ask({ t: 'intercept', index, context }),
});
const resolver = {
  resolve: (request: object) => ask({ t: 'resolve', request }) as Promise<ApprovalResolution>,
};
function fault(): never {
  throw new Error('a scripted fault');
}

async function run(
  { scenario, incremental }: Pick<Run, 'scenario' | 'incremental'>,
  records: readonly InterceptionRecord[],
  emitter: Emitter,
): Promise<void> {
  const invocations: { name: string; args: JsonObject }[] = [];
  let released = '';
  let turn = 0;

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
    ...(incremental
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

const records: InterceptionRecord[] = [];
const keep = (record: InterceptionRecord) => {
  records.push(record);
};
let go = () => {};

async function take(message: Message): Promise<void> {
  if (message.t === 'run') await run(message, records, emitterOf(message, keep));
  if (message.t === 'load') {
    const emitter = await load(message.document, keep);
    if (emitter === null) return;
    send({ t: 'loaded' });
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    await run({ scenario: message.scenario, incremental: false }, records, emitter);
  }
}

interface Message extends Run {
  readonly t: string;
  readonly id: number;
  readonly document?: unknown;
  readonly value?: unknown;
  readonly fault?: string;
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as Message;
  if (message.t === 'go') go();
  else if (message.t !== 'answer') void take(message);
  else {
    const { resolve, reject } = waiting.get(message.id)!;
    waiting.delete(message.id);
    if (message.fault === undefined) resolve(message.value);
    else reject(new Error(message.fault));
  }
}
