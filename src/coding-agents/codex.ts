// Codex's hooks (developers.openai.com/codex/hooks), as version 0.169 speaks them. Pure.
// Codex runs the tool when an answer has a field that it does not know or support there: every answer is the least that says it.
import type { JsonObject } from '../step/types.ts';
import { cutText, givenOf, mapIn, placeOf, TEXT_MAX, textIn } from './fields.ts';
import type { Dialect, HookEvent, Outcome } from './types.ts';

export const codex: Dialect = {
  agent: 'codex',

  read(body): HookEvent | { readonly wrong: string } {
    const place = placeOf(body);
    if ('wrong' in place) return place;
    const callId = textIn(body, 'tool_use_id');
    const tool = textIn(body, 'tool_name') ?? '';
    const args = mapIn(body, 'tool_input');
    switch (textIn(body, 'hook_event_name')) {
      case 'SessionStart':
        return { ...place, t: 'start' };
      case 'UserPromptSubmit':
        return { ...place, t: 'prompt', text: cutText(textIn(body, 'prompt') ?? '', { units: TEXT_MAX }) };
      case 'PreToolUse':
        if (tool === '' || args === null) return { wrong: '"tool_name" or "tool_input" is missing' };
        return { ...place, t: 'call', tool, args, callId };
      case 'PostToolUse':
        return { ...place, t: 'result', tool, args, callId, given: givenOf(body.tool_response) };
      case 'Stop':
        return { ...place, t: 'stop', text: textIn(body, 'last_assistant_message') ?? '' };
      default:
        return { ...place, t: 'other' };
    }
  },

  write(outcome: Outcome, event): JsonObject {
    switch (outcome.t) {
      case 'pass':
        return {};
      case 'tell':
        return event === 'Stop'
          ? {}
          : { hookSpecificOutput: { hookEventName: event, additionalContext: outcome.text } };
      case 'rewrite':
        return {
          hookSpecificOutput: {
            hookEventName: event,
            permissionDecision: 'allow',
            updatedInput: outcome.args,
          },
        };
      // Stopping the session is not among what a call can be answered with: each is denied, as every later one is.
      case 'deny':
      case 'halt':
      case 'withhold':
        return event === 'PreToolUse'
          ? {
              hookSpecificOutput: {
                hookEventName: event,
                permissionDecision: 'deny',
                permissionDecisionReason: outcome.because,
              },
            }
          : { decision: 'block', reason: outcome.because };
      case 'go-on':
        return { decision: 'block', reason: outcome.because };
      case 'let-go':
        return { systemMessage: outcome.because };
    }
  },
};
