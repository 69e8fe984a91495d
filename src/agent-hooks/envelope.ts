// Section 4: what every context must have, and what it must have at its point. Checked before anybody sees the context.
import type { JsonObject } from '../step/types.ts';
import type { AgentContext, Point } from './types.ts';
import { isObject } from './verdict.ts';

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const filled: Check = (value) => typeof value === 'string' && value !== '';
const list: Check = Array.isArray;
const flag: Check = (value) => typeof value === 'boolean';
const any: Check = (value) => value !== undefined;
const texts: Check = (value) => Array.isArray(value) && value.every(text);

/** Required members by point; a member's own members in turn. */
const REQUIRED: Readonly<Record<Point, Readonly<Record<string, Check | Readonly<Record<string, Check>>>>>> = {
  agent_startup: { agent_init: { tools_registered: texts } },
  input: { input: { content: any, role: text } },
  pre_model_call: { model: { id: text }, messages: list },
  post_model_call: { model: { id: text }, response: { content: any, tool_calls: list, finish_reason: text } },
  pre_tool_call: { tool_call: { id: text, name: text, args: isObject } },
  post_tool_call: {
    tool_call: { id: text, name: text, args: isObject },
    tool_result: { value: any, is_error: flag },
  },
  output: { output: { content: any } },
  agent_shutdown: { summary: { reason: text } },
};

/** Section 10.2: members of a member that count for the identity. */
export const IDENTITY_MEMBERS: Readonly<Record<Point, Readonly<Record<string, readonly string[] | null>>>> =
  Object.fromEntries(
    Object.entries(REQUIRED).map(([point, members]) => [
      point,
      Object.fromEntries(
        Object.entries(members).map(([name, inner]) => [
          name,
          typeof inner === 'function' ? null : Object.keys(inner),
        ]),
      ),
    ]),
  ) as never;

/** The first member that is missing or wrong, as a path, or null when the context is whole. */
export function validateEnvelope(context: AgentContext): string | null {
  const { spec, interception_point: point, timestamp, sequence, agent, session } = context;
  if (typeof spec !== 'string' || !/^agent-hooks\/\d{1,9}\.\d{1,9}$/.test(spec)) return '$.spec';
  if (typeof point !== 'string' || !Object.hasOwn(REQUIRED, point)) return '$.interception_point';
  if (!text(timestamp)) return '$.timestamp';
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 0) return '$.sequence';
  if (!isObject(agent) || !filled(agent.id)) return '$.agent.id';
  if (typeof agent.framework !== 'string' || !/^[a-z0-9_-]+$/.test(agent.framework))
    return '$.agent.framework';
  if (!isObject(session) || !filled(session.id)) return '$.session.id';
  if (context.target === undefined) return '$.target';
  for (const [name, inner] of Object.entries(REQUIRED[point as Point])) {
    const member = context[name];
    if (typeof inner === 'function') {
      if (!inner(member)) return `$.${name}`;
      continue;
    }
    if (!isObject(member)) return `$.${name}`;
    for (const [key, check] of Object.entries(inner))
      if (!check((member as JsonObject)[key])) return `$.${name}.${key}`;
  }
  return null;
}

/** The same of any value. */
export function contextProblem(value: unknown): string | null {
  return isObject(value) ? validateEnvelope(value) : '$';
}
