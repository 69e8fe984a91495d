// A request at a gateway becomes a question for the engine: which act it is, in the protocol that its route says. What
// cannot be read exactly as the server behind will read it is no question, and is denied.
import { isUtf8 } from 'node:buffer';
import { parseJsonText, toJson } from '../step/json.ts';
import { parseProposal } from '../step/parse.ts';
import type { Json, JsonObject, Proposal } from '../step/types.ts';
import { repeatedKey, twinOf } from '../step/unique-keys.ts';
import type { CallProblem, HttpCall } from './call.ts';
import { matchPath, segmentsOf } from './path.ts';
import type { Route, Settings } from './settings.ts';

export type Question =
  | {
      readonly t: 'act';
      readonly proposal: Proposal;
      /** The id of a JSON-RPC request: its denial is answered in JSON-RPC. */
      readonly rpc?: { readonly id: Json };
    }
  /** A part of the protocol that does nothing. */
  | { readonly t: 'pass' }
  | { readonly t: 'wrong'; readonly problem: CallProblem };

/** What these name is read from the server or agreed with it, and changes nothing there. */
const MCP_PASSED: readonly string[] = [
  'initialize',
  'ping',
  'tools/list',
  'resources/list',
  'resources/templates/list',
  'prompts/list',
  'completion/complete',
  'logging/setLevel',
];
/** Names before and since version 1.0 of A2A. */
const A2A_MESSAGES: readonly string[] = [
  'message/send',
  'message/stream',
  'SendMessage',
  'SendStreamingMessage',
];
const TOOL_OF_OTHERS = 'http';
/** GET opens the stream of a session, DELETE ends it; by themselves they do nothing. A careless server takes others for a POST. */
const IDLE_METHODS: readonly string[] = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];
const PORT = /:\d{1,5}$/;
const RPC_KEYS = ['jsonrpc', 'id', 'method', 'params', 'result', 'error'];
/** Of what is decided by its parameters. */
const PARAM_KEYS = ['name', 'arguments', 'uri', 'message'];

export function questionOf(call: HttpCall, settings: Settings): Question {
  const mark = call.target.indexOf('?');
  const path = mark < 0 ? call.target : call.target.slice(0, mark);
  const segments = segmentsOf(path);
  // A fragment is never sent; some servers would cut it off.
  if (segments === null || call.target.includes('#'))
    return wrong(
      'path-not-normal',
      `the path ${JSON.stringify(path.slice(0, 100))} is not in its normal form`,
      {
        mend: 'Have the gateway normalize paths, and merge slashes, before it asks.',
      },
    );
  const query = mark < 0 ? '' : call.target.slice(mark + 1);
  const host = call.host.toLowerCase();
  // Gateways route by the name alone, unless a route says a port.
  const name = host.replace(PORT, '').replace(/\.$/, '');
  for (const route of settings.routes) {
    if (route.method !== null && route.method !== call.method) continue;
    if (route.host !== null && route.host !== (PORT.test(route.host) ? host : name)) continue;
    const parameters = matchPath(route.path, segments);
    if (parameters !== null) return routed(call, route, parameters, query);
  }
  return plain(call, settings, host, path, query);
}

function routed(
  call: HttpCall,
  route: Route,
  parameters: Readonly<Record<string, string>>,
  query: string,
): Question {
  switch (route.as) {
    case 'pass':
      return { t: 'pass' };
    case 'mcp':
      return IDLE_METHODS.includes(call.method) ? { t: 'pass' } : jsonRpc(call, mcpAct);
    case 'a2a':
      return IDLE_METHODS.includes(call.method)
        ? { t: 'pass' }
        : jsonRpc(call, (method, params) => a2aAct(method, params, route.agent));
    case 'tool':
      return tool(call, route.tool, parameters, query);
  }
}

type Act = { readonly t: 'act'; readonly proposal: unknown } | { readonly t: 'pass' } | Wrong;
type Wrong = Extract<Question, { t: 'wrong' }>;

/** One JSON-RPC 2.0 message. Of several at once the gateway could only pass all or none on. */
function jsonRpc(call: HttpCall, act: (method: string, params: JsonObject) => Act): Question {
  const body = jsonBody(call, 2);
  if ('t' in body) return body;
  const { value } = body;
  if (value === undefined) return wrong('no-body', 'the gateway sent no body', SEND_BODY);
  if (Array.isArray(value))
    return wrong('json-rpc-batch', 'the body is a batch', { mend: 'Send one message in a request.' });
  if (!isObject(value) || value.jsonrpc !== '2.0')
    return wrong('not-json-rpc', 'the body is not JSON-RPC 2.0');
  const { id, method, params = {} } = value;
  const twin = twinOf(value, RPC_KEYS) ?? (isObject(params) ? twinOf(params, PARAM_KEYS) : null);
  if (twin !== null)
    return wrong(
      'not-json-rpc',
      `the key ${JSON.stringify(twin)} is another one to a reader that ignores case`,
    );
  // A response to what the server asked of the client.
  if (method === undefined && (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error')))
    return { t: 'pass' };
  if (typeof method !== 'string') return wrong('not-json-rpc', 'the message has no method');
  if (!isObject(params)) return wrong('not-json-rpc', 'the params are not an object');
  const found = act(method, params);
  if (found.t !== 'act') return found;
  const question = proposed(found.proposal);
  return question.t === 'act' && id !== undefined ? { ...question, rpc: { id } } : question;
}

function mcpAct(method: string, params: JsonObject): Act {
  if (method === 'tools/call')
    return act({ kind: 'tool.call', name: params.name, args: params.arguments ?? {} });
  if (method === 'resources/read') return act({ kind: 'retrieval', name: params.uri, args: params });
  if (method === 'prompts/get') return act({ kind: 'retrieval', name: params.name, args: params });
  if (MCP_PASSED.includes(method) || method.startsWith('notifications/')) return { t: 'pass' };
  return act({ kind: 'tool.call', name: `mcp.${method}`, args: params });
}

function a2aAct(method: string, params: JsonObject, agent: string): Act {
  if (!A2A_MESSAGES.includes(method)) return act({ kind: 'tool.call', name: `a2a.${method}`, args: params });
  const message = isObject(params.message) ? params.message : {};
  const parts = Array.isArray(message.parts) ? message.parts : [];
  const texts = parts.flatMap((part: Json) =>
    isObject(part) && typeof part.text === 'string' ? [part.text] : [],
  );
  return act({
    kind: 'handoff',
    name: agent,
    args: params,
    ...(texts.length === 0 ? {} : { content: texts.join('\n') }),
  });
}

function tool(
  call: HttpCall,
  name: string,
  parameters: Readonly<Record<string, string>>,
  query: string,
): Question {
  if (call.isBodyCut) return wrong('body-cut', 'the gateway did not send the whole body', SEND_BODY);
  const body = jsonBody(call, 0);
  if ('t' in body) return body;
  const { value = {} } = body;
  if (!isObject(value)) return wrong('body-not-object', 'the body is not a JSON object of arguments');
  const parts = [parameters, queryOf(query), value];
  const args: Record<string, Json> = {};
  for (const part of parts) {
    for (const [key, given] of Object.entries(part)) {
      if (Object.hasOwn(args, key))
        return wrong('argument-twice', `the argument ${JSON.stringify(key.slice(0, 60))} is given twice`, {
          mend: 'Give it in one of the path, the query and the body.',
        });
      Object.defineProperty(args, key, {
        value: given,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
  }
  return proposed({ kind: 'tool.call', name, args });
}

/** Any other request is a call of the tool `http`. */
function plain(call: HttpCall, settings: Settings, host: string, path: string, query: string): Question {
  const isJson = isJsonType(call.headers.get('content-type'));
  const body = isJson && !call.isBodyCut ? jsonBody(call, 0) : { value: textBody(call) };
  if ('t' in body) return body;
  const headers: Record<string, string> = {};
  for (const name of settings.headers) {
    const value = call.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  return proposed({
    kind: 'tool.call',
    name: TOOL_OF_OTHERS,
    args: {
      method: call.method,
      ...(call.scheme === null ? {} : { scheme: call.scheme }),
      host,
      path,
      query: queryOf(query),
      headers,
      // Absent when it was not sent whole: a rule that needs it then fires.
      ...(body.value === undefined ? {} : { body: body.value }),
    },
  });
}

const SEND_BODY = {
  mend: 'Give the gateway `with_request_body`, with a `max_request_bytes` as large as its requests.',
};

/** `value` undefined: there is no body. */
function jsonBody(call: HttpCall, looseDepth: number): { readonly value: Json | undefined } | Wrong {
  if (call.isBodyCut) return wrong('body-cut', 'the gateway did not send the whole body', SEND_BODY);
  if (call.body.length === 0) return { value: undefined };
  // Another content type than JSON may be read by the server in another way.
  const type = call.headers.get('content-type');
  if (type !== undefined && !isJsonType(type))
    return wrong('not-json', `the body is ${JSON.stringify(type.slice(0, 100))}, not application/json`);
  const encoding = call.headers.get('content-encoding');
  if (encoding !== undefined && encoding !== 'identity')
    return wrong('body-encoded', `the body is encoded as ${JSON.stringify(encoding.slice(0, 60))}`);
  if (!isUtf8(call.body)) return wrong('not-json', 'the body is not UTF-8');
  const text = Buffer.from(call.body).toString('utf8');
  const parsed = parseJsonText(text);
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.problem;
    return wrong(
      'not-json',
      `the body is not JSON: line ${line}, column ${column}: expected ${expected}, found ${found}`,
    );
  }
  const twice = repeatedKey(text, looseDepth);
  if (twice !== null)
    return wrong(
      'key-twice',
      `the body has the key ${JSON.stringify(twice.slice(0, 60))} twice in one object`,
    );
  const exact = toJson(parsed.value);
  if (exact.ok) return { value: exact.value };
  const { at, expected, found } = exact.problems[0]!;
  return wrong('not-exact', `the body at ${at || '/'}: expected ${expected}, found ${found}`);
}

/** A body that is not JSON, when it is text and whole. */
function textBody(call: HttpCall): string | undefined {
  if (call.isBodyCut || call.body.length === 0 || !isUtf8(call.body)) return undefined;
  return Buffer.from(call.body).toString('utf8');
}

function isJsonType(type: string | undefined): boolean {
  return type !== undefined && /^application\/(?:[a-z0-9.-]{1,60}\+)?json(?: *;|$)/i.test(type);
}

/** A name that stands several times is a list. */
function queryOf(query: string): Record<string, Json> {
  const found: Record<string, Json> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const earlier = Object.hasOwn(found, name) ? found[name]! : undefined;
    const next =
      earlier === undefined ? value : Array.isArray(earlier) ? [...earlier, value] : [earlier, value];
    Object.defineProperty(found, name, { value: next, enumerable: true, writable: true, configurable: true });
  }
  return found;
}

function act(proposal: unknown): Act {
  return { t: 'act', proposal };
}

function proposed(given: unknown): Question {
  const parsed = parseProposal(given);
  if (parsed.ok) return { t: 'act', proposal: parsed.value };
  const { at, expected, found } = parsed.problems[0]!;
  return wrong('not-a-step', `${at}: expected ${expected}, found ${found}`);
}

function wrong(code: string, message: string, more: { mend?: string } = {}): Wrong {
  return { t: 'wrong', problem: { code, message, ...more } };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
