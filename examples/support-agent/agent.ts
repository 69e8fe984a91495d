// A support agent behind the guard. It keeps a notebook, so that a refund that waits for a person survives a restart.
import {
  type DeniedResult,
  type HoldToken,
  type Interlock,
  type Session,
  StepHeld,
} from '../../src/sdk/index.ts';
import type { Message, Model, ToolCall } from './model.ts';
import { CUSTOMER, type Shop, type ShopTool } from './shop.ts';

export const AGENT = { name: 'support-example', version: '1' };
export const REQUEST =
  `I am ${CUSTOMER.name}, customer ${CUSTOMER.id}. The lamp of order A-1001 arrived broken and I want my money back. ` +
  `Please confirm to ${CUSTOMER.email}.`;
const SYSTEM =
  'You are the support agent of a small shop. When a call is denied, read why and do what the repair says.';
const TURNS_MAX = 20;

/** Everything the agent needs to go on in another process. Plain JSON. */
export interface Notebook {
  readonly session: string;
  readonly messages: readonly Message[];
  /** The call that waits for a person. */
  readonly held: HoldToken | null;
  readonly done: boolean;
}

export interface Run {
  readonly interlock: Interlock;
  readonly model: Model;
  readonly shop: Shop;
  readonly notebook: Notebook;
  readonly save: (notebook: Notebook) => Promise<void>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export function freshNotebook(session: string): Notebook {
  return { session, messages: [], held: null, done: false };
}

/** Works until the customer has an answer. Resolves with that answer; rejects when `signal` aborts. */
export async function runSupportAgent(run: Run): Promise<string> {
  const { interlock, model, shop, say } = run;
  const session = await interlock.session({
    id: run.notebook.session,
    agent: AGENT,
    principal: `user:${CUSTOMER.id}`,
  });
  let notebook = run.notebook;
  const write = async (change: Partial<Notebook>) => {
    notebook = { ...notebook, ...change };
    await run.save(notebook);
  };
  const add = (message: Message, change: Partial<Notebook> = {}) =>
    write({ messages: [...notebook.messages, message], ...change });

  if (notebook.messages.length === 0) {
    await session.input(REQUEST);
    say(`customer  ${REQUEST}`);
    await write({
      messages: [
        { role: 'system', content: SYSTEM },
        { role: 'user', content: REQUEST },
      ],
    });
  }
  const schemas = [...shop.tools.values()].map((tool) => tool.schema);
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    for (const call of openCalls(notebook.messages)) {
      const result = await perform(run, session, call, notebook.held, (held) => write({ held }));
      for (const line of resultLines(result)) say(line);
      await add({ role: 'tool', callId: call.id, content: JSON.stringify(result ?? null) }, { held: null });
    }
    const reply = await model.next(notebook.messages, schemas, run.signal);
    if (reply.calls.length === 0) {
      await session.output(reply.content);
      await session.end();
      say(`agent     ${reply.content}`);
      await write({ done: true });
      return reply.content;
    }
    await session.observe({ kind: 'model.response', name: model.name, content: reply.content });
    if (reply.content !== '') say(`agent     ${reply.content}`);
    await add({ role: 'assistant', ...reply });
  }
  throw new Error(`no answer after ${TURNS_MAX} turns`);
}

/** One call through the guard. A denial comes back as a result to read; a hold is written down and then waited for. */
async function perform(
  run: Run,
  session: Session,
  call: ToolCall,
  held: HoldToken | null,
  hold: (token: HoldToken) => Promise<void>,
): Promise<unknown> {
  const tool = run.shop.tools.get(call.name) ?? unknownTool(call.name);
  const waiting = { onDeny: 'result', ...(run.signal === undefined ? {} : { signal: run.signal }) } as const;
  try {
    if (held?.callId === call.id) return await session.resume(held, tool, waiting);
    run.say(`call      ${call.name} ${JSON.stringify(call.args)}`);
    const guarded = session.guard(tool, { onDeny: 'result', onHold: 'suspend' });
    return await guarded(call.args, { callId: call.id });
  } catch (error) {
    if (error instanceof StepHeld) {
      await hold(error.token);
      run.say(`held      ${error.message} (hold ${error.token.hold})`);
      return session.resume(error.token, tool, waiting);
    }
    if (run.signal?.aborted) throw error;
    if (error instanceof Error && !('code' in error)) return { error: error.message };
    throw error;
  }
}

/** What came of a call, for a person who watches. */
function resultLines(result: unknown): readonly string[] {
  const denied = result as Partial<DeniedResult> | null;
  if (denied?.error !== 'denied') return [`result    ${JSON.stringify(result)}`];
  const lines = [`denied    ${denied.because} (${denied.rules?.join(', ')})`];
  return denied.repair === undefined ? lines : [...lines, `repair    ${denied.repair}`];
}

/** Calls of the last reply that have no result yet. */
function openCalls(messages: readonly Message[]): readonly ToolCall[] {
  const answered = new Set(messages.flatMap((message) => (message.role === 'tool' ? [message.callId] : [])));
  const last = messages.findLast((message) => message.role === 'assistant');
  return last?.role === 'assistant' ? last.calls.filter((call) => !answered.has(call.id)) : [];
}

/** A model may call what does not exist: the guard decides that too. */
function unknownTool(name: string): ShopTool {
  const schema = { name, description: '', parameters: {} };
  return { name, schema, execute: () => Promise.reject(new Error(`there is no tool ${name}`)) };
}
