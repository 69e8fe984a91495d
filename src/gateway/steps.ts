// The part of an exchange before the model is asked: what the conversation brought and the request itself, as steps in order.
import type { Proposal } from '../engine/types.ts';
import { parseProposal } from '../step/parse.ts';
import type { Conversation, KnownCall } from './conversations.ts';
import { PIECE_MAX } from './desk.ts';
import { type Item, type ModelRequest, Unreadable } from './types.ts';

/** Steps one request may bring; a longer history is cut from the front, which the first step says. */
const STEPS_MAX = 20_000;

/** The fresh items as proposals, then the request. @throws Unreadable when one of them cannot be recorded. */
export function stepsOf(
  fresh: readonly Item[],
  request: ModelRequest,
  calls: ReadonlyMap<string, KnownCall>,
): { readonly before: readonly Proposal[]; readonly asked: Proposal } {
  const told = new Map(
    request.items
      .flatMap((item) => (item.t === 'assistant' ? item.calls : []))
      .map((call) => [call.callId, call]),
  );
  const before: Proposal[] = [];
  for (const item of fresh) {
    for (const proposal of proposalsOf(item, calls, told)) before.push(valid(proposal));
    if (before.length > STEPS_MAX)
      throw new Unreadable(`a conversation of more than ${STEPS_MAX} new messages`, 'too_large');
  }
  const asked = valid({ kind: 'model.request', name: request.model || 'unnamed', args: request.args });
  return { before, asked };
}

function valid(proposal: Proposal): Proposal {
  const parsed = parseProposal(proposal);
  if (parsed.ok) return parsed.value;
  const { at, expected, found } = parsed.problems[0]!;
  throw new Unreadable(
    `the ${proposal.kind} cannot be recorded: ${at}: expected ${expected}, found ${found}`,
  );
}

function* proposalsOf(
  item: Item,
  calls: ReadonlyMap<string, KnownCall>,
  told: ReadonlyMap<string, { readonly name: string; readonly args: Proposal['args'] | null }>,
): Generator<Proposal> {
  switch (item.t) {
    case 'system':
    case 'user':
      for (const content of pieces(item.text)) yield { kind: 'input', name: item.t, content };
      return;
    case 'document':
      for (const content of pieces(item.text))
        yield { kind: 'retrieval', name: plain(item.name, 'document'), content };
      return;
    // Words that were said elsewhere: the session did not see them come from a model.
    case 'assistant':
      for (const content of pieces(item.text)) yield { kind: 'model.response', name: 'history', content };
      return;
    case 'reference':
      return;
    case 'result': {
      const known = calls.get(item.callId);
      const call = told.get(item.callId);
      const name = plain(known?.name ?? item.name ?? call?.name ?? '', 'unknown');
      // The arguments of a call that was decided here are those of its decision, not those the client tells.
      const args = known === undefined && call?.args ? { args: call.args } : {};
      const callId = plain(known?.id ?? item.callId, '');
      for (const content of pieces(item.text))
        yield {
          kind: 'tool.result',
          name,
          ...(callId === '' ? {} : { callId }),
          ...args,
          content,
          ...(item.failed
            ? { error: { message: item.text.slice(0, 1_000).toWellFormed() || 'failed' } }
            : {}),
        };
      return;
    }
  }
}

/** Text in pieces that a step can take; none of an empty text but for what must be told. */
function pieces(text: string): string[] {
  if (text.length <= PIECE_MAX) return text === '' ? [''] : [text.toWellFormed()];
  const out: string[] = [];
  for (let at = 0; at < text.length; at += PIECE_MAX) out.push(text.slice(at, at + PIECE_MAX).toWellFormed());
  return out;
}

/** A name a step may carry. */
function plain(text: string, otherwise: string): string {
  let out = '';
  for (const character of text.slice(0, 200).toWellFormed()) {
    const code = character.codePointAt(0)!;
    out += code < 32 || (code >= 127 && code < 160) ? ' ' : character;
  }
  return out.trim() === '' ? otherwise : out;
}

/** The name under which a session knows a call: its vendor's id, made one of its own when the id comes again. */
export function callNamer(conversation: Conversation): {
  readonly made: (readonly [string, KnownCall])[];
  name(callId: string, name: string): string;
} {
  const made: (readonly [string, KnownCall])[] = [];
  return {
    made,
    name(callId, name) {
      const base = plain(callId, 'call').slice(0, 180);
      const known = conversation.calls.get(callId);
      const times = known === undefined ? 1 : Number(/#(\d{1,9})$/.exec(known.id)?.[1] ?? 1) + 1;
      const id = times === 1 ? base : `${base}#${times}`;
      const call: KnownCall = { name, id };
      conversation.calls.set(callId, call);
      made.push([callId, call]);
      return id;
    },
  };
}
