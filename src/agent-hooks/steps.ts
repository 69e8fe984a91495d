// Which step each point of the contract is, and what a decision on it is as a verdict of the contract. Pure; no policy.
import type { Decision, Recorded } from '../sdk/index.ts';
import { canonicalize } from '../step/canonical.ts';
import type { Json, JsonObject, SessionInit } from '../step/types.ts';
import type { AgentContext, Point, Verdict, Warning } from './types.ts';
import { isObject } from './verdict.ts';

/** Null where the point opens the session. */
export function proposalOf(context: AgentContext): JsonObject | null {
  switch (context.interception_point as Point) {
    case 'agent_startup':
      return null;
    case 'input':
      return { kind: 'input', name: '', content: textOf(member(context, 'input').content) };
    case 'pre_model_call':
      return { kind: 'model.request', name: modelOf(context), args: requestOf(context) };
    case 'post_model_call': {
      const { content, tool_calls, finish_reason } = member(context, 'response');
      return {
        kind: 'model.response',
        name: modelOf(context),
        ...(typeof content === 'string' ? { content } : {}),
        result: {
          tool_calls: tool_calls!,
          finish_reason: finish_reason!,
          ...(typeof content === 'string' || content === null ? {} : { content: content! }),
        },
        ...usageOf(context.usage),
      };
    }
    case 'pre_tool_call': {
      const { id, name, args } = member(context, 'tool_call');
      return { kind: 'tool.call', name: name!, callId: id!, args: args! };
    }
    case 'post_tool_call': {
      const { id, name } = member(context, 'tool_call');
      const { value, is_error } = member(context, 'tool_result');
      const call = { kind: 'tool.result', name: name!, callId: id! };
      if (is_error === true) return { ...call, error: { message: textOf(value) } };
      return typeof value === 'string' ? { ...call, content: value } : { ...call, result: value! };
    }
    case 'output':
      return { kind: 'output', name: '', content: textOf(member(context, 'output').content) };
    case 'agent_shutdown':
      return { kind: 'session.end', name: '' };
  }
}

/** The session that a context is of; `principal` when the context names no actor. */
export function sessionOf(context: AgentContext, principal?: string): SessionInit & { readonly id: string } {
  const { id, name, version } = member(context, 'agent');
  const actor = isObject(context.actor) ? context.actor.id : undefined;
  const tenant = isObject(context.tenant) ? context.tenant.id : undefined;
  const who = typeof actor === 'string' ? actor : principal;
  return {
    id: member(context, 'session').id as string,
    agent: {
      name: typeof name === 'string' && name !== '' ? name : (id as string),
      ...(typeof version === 'string' && version !== '' ? { version } : {}),
    },
    ...(who === undefined ? {} : { principal: who }),
    ...(typeof tenant === 'string' ? { tenant } : {}),
  };
}

/** What the host must do. A hold is a deny that the approval seam may lift; `approval` names the hold. */
export function verdictOf(context: AgentContext, { decision, holdId, stepDigest }: Recorded): Verdict {
  const warnings = warningsOf(decision);
  const common = {
    ...(warnings.length === 0 ? {} : { warnings }),
    // Of the step as it was decided: what a bundle of evidence proves offline.
    evidence: { artefact: stepDigest },
  };
  const enforced = decision.rules.filter(({ mode, verdict }) => mode === 'enforce' && verdict !== 'allow');
  const first = enforced.find(({ verdict }) => verdict === decision.verdict) ?? enforced[0];
  const reason = first === undefined ? 'interlock' : `interlock:${first.rule}`;
  const because = first?.because ?? 'No rule allows this step.';
  const message = decision.repair === undefined ? because : `${because} ${decision.repair}`;
  switch (decision.verdict) {
    case 'allow':
      return { decision: 'allow', ...common };
    case 'transform': {
      const value = rewritten(context, decision);
      if (value !== undefined)
        return { decision: 'transform', reason, transform: { path: '$target', value }, ...common };
      const cannot = 'A rule rewrites more of this step than its target.';
      return { decision: 'deny', reason, message: cannot, ...common };
    }
    case 'hold':
      return {
        decision: 'deny',
        reason,
        message,
        approval: { hold: holdId ?? null, rules: decision.rules.map(({ rule }) => rule), because },
        ...common,
      };
    case 'deny':
    case 'halt':
      return { decision: 'deny', reason, message, ...common };
  }
}

/** The target with what a rule wrote; undefined when the rule wrote elsewhere too. */
function rewritten(context: AgentContext, { transformed }: Decision): Json | undefined {
  if (transformed === undefined) return undefined;
  if (context.interception_point === 'pre_tool_call') return transformed;
  if (context.interception_point !== 'pre_model_call') return undefined;
  const { messages: _, ...before } = requestOf(context);
  const { messages, ...after } = transformed;
  return canonicalize(before) === canonicalize(after) ? messages : undefined;
}

/** Rules that only watch, and fired. */
function warningsOf(decision: Decision): Warning[] {
  return decision.rules
    .filter(({ mode, verdict }) => mode !== 'enforce' && verdict !== 'allow')
    .map(({ rule, because }) => ({ reason: `interlock:${rule}`, message: because }));
}

function requestOf(context: AgentContext): JsonObject {
  const { params } = member(context, 'model');
  return {
    messages: context.messages!,
    ...(context.tools === undefined ? {} : { tools: context.tools }),
    ...(params === undefined ? {} : { params }),
  };
}

function modelOf(context: AgentContext): string {
  return member(context, 'model').id as string;
}

function usageOf(usage: Json | undefined): { usage?: JsonObject } {
  if (!isObject(usage)) return {};
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = usage;
  return {
    usage: {
      ...(Number.isSafeInteger(inputTokens) ? { inputTokens: inputTokens! } : {}),
      ...(Number.isSafeInteger(outputTokens) ? { outputTokens: outputTokens! } : {}),
    },
  };
}

/** Checked by `validateEnvelope`. */
function member(context: AgentContext, name: string): JsonObject {
  return context[name] as JsonObject;
}

/** Structure as its JSON, so that a rule over text sees all of it. */
function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
