// Claude Code's hooks (code.claude.com/docs/en/hooks), as version 2.1.330 speaks them. Pure.
// `continue: false` alone does not keep a call from running there: a halted call is denied as well.
import type { JsonObject } from '../step/types.ts';
import { cutText, givenOf, mapIn, placeOf, TEXT_MAX, textIn } from './fields.ts';
import type { Dialect, Given, HookEvent, Outcome } from './types.ts';

/** A sub-agent in the background reports in the place of the user. */
const NOTIFICATION = '<task-notification>';

export const claudeCode: Dialect = {
  agent: 'claude-code',

  read(body): HookEvent | { readonly wrong: string } {
    const place = placeOf(body);
    if ('wrong' in place) return place;
    const callId = textIn(body, 'tool_use_id');
    const tool = textIn(body, 'tool_name') ?? '';
    const args = mapIn(body, 'tool_input');
    switch (textIn(body, 'hook_event_name')) {
      case 'SessionStart':
        return { ...place, t: 'start' };
      case 'UserPromptSubmit': {
        const text = cutText(textIn(body, 'prompt') ?? '', { units: TEXT_MAX });
        return text.startsWith(NOTIFICATION)
          ? { ...place, t: 'result', tool: 'Agent', args: null, callId: null, given: { content: text } }
          : { ...place, t: 'prompt', text };
      }
      case 'PreToolUse':
        if (tool === '' || args === null) return { wrong: '"tool_name" or "tool_input" is missing' };
        return { ...place, t: 'call', tool, args, callId };
      case 'PostToolUse':
        return { ...place, t: 'result', tool, args, callId, given: responseOf(body) };
      case 'PostToolUseFailure': {
        const message = cutText(textIn(body, 'error') ?? 'the tool failed', { units: TEXT_MAX });
        return { ...place, t: 'result', tool, args, callId, given: { error: { message } } };
      }
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
        return own(event, { additionalContext: outcome.text });
      case 'deny':
        return denied(event, outcome.because);
      // Without a decision of ours: the user is asked as ever, and sees what will run.
      case 'rewrite':
        return own(event, { updatedInput: outcome.args });
      case 'halt':
      case 'withhold':
        return { ...denied(event, outcome.because), continue: false, stopReason: outcome.because };
      case 'go-on':
        return { decision: 'block', reason: outcome.because };
      case 'let-go':
        return { systemMessage: outcome.because };
    }
  },
};

/** What a shell printed and what a file holds are texts, as they are to the model; the rest is structure. */
function responseOf(body: JsonObject): Given {
  const response = mapIn(body, 'tool_response');
  if (response === null) return givenOf(body.tool_response);
  const stdout = textIn(response, 'stdout');
  const stderr = textIn(response, 'stderr') ?? '';
  if (stdout !== null) return givenOf(stderr === '' ? stdout : `${stdout}\n${stderr}`);
  const file = mapIn(response, 'file');
  const content = file === null ? null : textIn(file, 'content');
  return givenOf(content ?? response);
}

function denied(event: string, because: string): JsonObject {
  if (event !== 'PreToolUse') return { decision: 'block', reason: because };
  return own(event, { permissionDecision: 'deny', permissionDecisionReason: because });
}

function own(event: string, fields: JsonObject): JsonObject {
  return { hookSpecificOutput: { hookEventName: event, ...fields } };
}
