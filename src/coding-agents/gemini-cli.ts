// Gemini CLI's hooks (geminicli.com/docs/hooks/reference), as version 0.61 speaks them. Pure.
// Its calls have no ids, and a rewrite is laid over the call's own arguments: one that takes an argument out cannot be made.
import type { Json, JsonObject } from '../step/types.ts';
import { cutText, givenOf, mapIn, placeOf, TEXT_MAX, textIn } from './fields.ts';
import type { Dialect, Given, HookEvent, Outcome } from './types.ts';

export const geminiCli: Dialect = {
  agent: 'gemini-cli',

  read(body): HookEvent | { readonly wrong: string } {
    const place = placeOf(body);
    if ('wrong' in place) return place;
    const tool = textIn(body, 'tool_name') ?? '';
    const args = mapIn(body, 'tool_input');
    switch (textIn(body, 'hook_event_name')) {
      case 'SessionStart':
        return { ...place, t: 'start' };
      case 'BeforeAgent':
        return { ...place, t: 'prompt', text: cutText(textIn(body, 'prompt') ?? '', { units: TEXT_MAX }) };
      case 'BeforeTool':
        if (tool === '' || args === null) return { wrong: '"tool_name" or "tool_input" is missing' };
        return { ...place, t: 'call', tool, args, callId: null };
      case 'AfterTool':
        return {
          ...place,
          t: 'result',
          tool,
          args,
          callId: null,
          given: responseOf(mapIn(body, 'tool_response')),
        };
      case 'AfterAgent':
        return { ...place, t: 'stop', text: textIn(body, 'prompt_response') ?? '' };
      default:
        return { ...place, t: 'other' };
    }
  },

  write(outcome: Outcome, event): JsonObject {
    switch (outcome.t) {
      case 'pass':
        return {};
      case 'tell':
        // Before a tool and after the answer there is no place for it.
        return event === 'BeforeAgent' || event === 'AfterTool'
          ? { hookSpecificOutput: { hookEventName: event, additionalContext: outcome.text } }
          : { systemMessage: outcome.text };
      case 'rewrite':
        return outcome.dropped
          ? {
              decision: 'deny',
              reason:
                'A rule takes arguments out of this call, which cannot be done here. Call again without them.',
            }
          : { hookSpecificOutput: { hookEventName: event, tool_input: outcome.args } };
      case 'deny':
      case 'withhold':
      case 'go-on':
        return { decision: 'deny', reason: outcome.because };
      case 'halt':
        return { decision: 'deny', reason: outcome.because, continue: false, stopReason: outcome.because };
      case 'let-go':
        return { systemMessage: outcome.because };
    }
  },
};

/** `llmContent` is what the model reads; an error says that the tool failed. */
function responseOf(response: JsonObject | null): Given {
  if (response === null) return {};
  const failed = response.error as Json | undefined;
  if (failed !== undefined && failed !== null) {
    const message = typeof failed === 'string' ? failed : JSON.stringify(failed);
    return { error: { message: cutText(message, { units: TEXT_MAX }) } };
  }
  return givenOf(response.llmContent);
}
