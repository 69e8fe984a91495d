// Asks a server over stdio which tools it has, as a client would, and ends it. Only for who asked for it: the server's command is
// run. Revision 2025-06-18, which every server since speaks or answers with its own.
import { lineSplitter } from '../wire/lines.ts';
import { type Fields, isFields, notificationText, readMessage, requestText } from '../wire/message.ts';
import { startChild, writeLine } from './child.ts';

const PROTOCOL = '2025-06-18';
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const PAGES_MAX = 100;

/** A tool as its server describes it; `inputSchema` and `annotations` are as sent. */
export interface ListedTool {
  readonly name: string;
  readonly description: string | null;
  readonly inputSchema: Fields | null;
  readonly annotations: Fields;
}

/** The server did not start, or did not say; `message` is for people. */
export class ServerSilent extends Error {}

/** Run in `cwd`; `environment` is set beside ours; `timeoutMs` is for all of it. */
export async function askTools(
  command: readonly string[],
  { cwd, environment }: { readonly cwd: string; readonly environment: Readonly<Record<string, string>> },
  timeoutMs: number,
): Promise<ListedTool[]> {
  const [program = '', ...args] = command;
  const child = startChild(program, args, { cwd, env: { ...process.env, ...environment } });
  const waiting = new Map<number, (answer: Fields | ServerSilent) => void>();
  const split = lineSplitter(LINE_BYTES_MAX);
  const fail = (why: string) => {
    for (const answer of waiting.values()) answer(new ServerSilent(why));
    waiting.clear();
  };
  child.output.on('data', (chunk: Buffer) => {
    try {
      for (const line of split(chunk)) heard(line);
    } catch (error) {
      fail((error as Error).message);
    }
  });
  child.ended.then(
    ({ how }) => fail(`it ended: ${how}`),
    (error: NodeJS.ErrnoException) => fail(`it did not start (${error.code ?? error.message})`),
  );
  const timer = setTimeout(() => fail(`no answer within ${timeoutMs / 1000} s`), timeoutMs);

  function heard(line: string): void {
    const read = readMessage(line);
    if (!read.ok) return;
    const { message } = read;
    if (message.t !== 'result' && message.t !== 'error') return;
    const answer = waiting.get(Number(message.id));
    if (answer === undefined) return;
    waiting.delete(Number(message.id));
    answer(
      message.t === 'result' ? message.result : new ServerSilent(`it refused: ${saidIn(message.error)}`),
    );
  }

  let last = 0;
  async function ask(method: string, params: Fields): Promise<Fields> {
    last++;
    const { promise, resolve } = Promise.withResolvers<Fields | ServerSilent>();
    waiting.set(last, resolve);
    await writeLine(child.input, requestText(last, method, params));
    const answer = await promise;
    if (answer instanceof ServerSilent) throw answer;
    return answer;
  }

  try {
    const clientInfo = { name: 'interlock', version: '1' };
    await ask('initialize', { protocolVersion: PROTOCOL, capabilities: {}, clientInfo });
    await writeLine(child.input, notificationText('notifications/initialized', {}));
    return await listed(ask);
  } finally {
    clearTimeout(timer);
    await child.stop(true).catch(() => {});
  }
}

async function listed(ask: (method: string, params: Fields) => Promise<Fields>): Promise<ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const result: Fields = await ask('tools/list', cursor === null ? {} : { cursor });
    for (const tool of Array.isArray(result.tools) ? result.tools : []) {
      if (isFields(tool) && typeof tool.name === 'string') tools.push(toolOf(tool, tool.name));
    }
    if (typeof result.nextCursor !== 'string') return tools;
    cursor = result.nextCursor;
  }
  return tools;
}

function toolOf(tool: Fields, name: string): ListedTool {
  return {
    name,
    description: typeof tool.description === 'string' ? tool.description : null,
    inputSchema: isFields(tool.inputSchema) ? tool.inputSchema : null,
    annotations: isFields(tool.annotations) ? tool.annotations : {},
  };
}

function saidIn(error: Fields): string {
  return typeof error.message === 'string' ? error.message.slice(0, 200) : 'no reason';
}
