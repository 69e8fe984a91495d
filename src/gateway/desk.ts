// Decides on one reply: each call before the client sees it, text before it is said, and records what the vendor did by itself.
// Effects wait until their decision is durable; what no rule can stop does not wait for its record.
import type { Engine, Proposal } from '../engine/types.ts';
import type { Foresight } from '../monitor/monitor.ts';
import { FREE, WHOLE } from '../spec/content-watch.ts';
import { parseProposal } from '../step/parse.ts';
import { permission } from './permission.ts';
import { type Holdback, holdBack } from './text-gate.ts';
import type { Desk, ProposedCall, Ruling, TextGate, Withheld } from './types.ts';
import { closedCall, deniedCall, deniedText, heldCall, heldText, unreadableCall } from './words.ts';

export interface DeskParts {
  readonly engine: Engine;
  readonly session: string;
  /** What an empty output would be told now. */
  readonly foresight: Foresight;
  readonly turn: number;
  /** Name of the model that was asked. */
  readonly model: string;
  /** How long a held act waits for people before the model is told. */
  readonly holdMs: number;
  readonly signal: AbortSignal;
  /** The name under which the session knows a call: ids of vendors may come twice. */
  readonly nameCall: (callId: string, name: string) => string;
  /** Told of records that failed, of what needed none to go on. */
  readonly onFailure: (error: unknown) => void;
}

export interface ServedDesk extends Desk {
  /** What was told and asked, as the client has it: to know the conversation again by. */
  readonly given: { readonly texts: readonly string[]; readonly calls: readonly string[] };
  readonly withheld: readonly Withheld[];
  /** The vendor's id of the reply; null until it has ended. */
  readonly replyId: string | null;
  /** Ids of its parts, where later requests may name them. */
  readonly partIds: readonly string[];
  /** Looks again whether text may go on: something outside the session has changed. */
  recheck(): Promise<void>;
  /** The reply broke off: what of it has been said is put on record. */
  abandon(why: string): void;
  /** Resolves when everything about the reply is on record. */
  settled(): Promise<void>;
}

/** Longer text that no rule can stop is recorded in pieces. */
export const PIECE_MAX = 300_000;
const RAW_MAX = 100_000;

export function createDesk(parts: DeskParts): ServedDesk {
  const { engine, session, turn, holdMs, signal, nameCall, onFailure } = parts;
  const background = new Set<Promise<unknown>>();
  const gates = new Set<Holdback>();
  let finished = false;
  const texts: string[] = [];
  const calls: string[] = [];
  const withheld: Withheld[] = [];
  const seen = new Set<string>();
  let { foresight } = parts;
  let replyId: string | null = null;
  let partIds: readonly string[] = [];

  function watch() {
    return foresight.verdict === 'allow' ? foresight.watch : WHOLE;
  }

  /** Records what happens whatever the verdict. */
  function note(proposal: Proposal): void {
    const parsed = parseProposal(proposal);
    if (!parsed.ok) {
      onFailure(new Error(`${proposal.kind} ${parsed.problems[0]!.at}: ${parsed.problems[0]!.expected}`));
      return;
    }
    const noted = engine.note(session, parsed.value).catch(onFailure);
    background.add(noted);
    void noted.finally(() => background.delete(noted));
  }

  function tell(text: string): void {
    for (let at = 0; at < text.length; at += PIECE_MAX)
      note({ kind: 'output', name: '', content: text.slice(at, at + PIECE_MAX).toWellFormed() });
  }

  async function recheck(): Promise<void> {
    foresight = await engine.foresee(session, { kind: 'output', name: '', content: '' });
    if (watch().t === 'whole') for (const gate of gates) gate.close();
  }

  async function ruled(call: ProposedCall): Promise<Ruling> {
    const { callId, name, args, raw } = call;
    if (seen.has(callId)) {
      return {
        t: 'withhold',
        text: unreadableCall(name, `another call of the same reply has the id ${callId.slice(0, 80)}`),
      };
    }
    seen.add(callId);
    const unreadable = args === null ? 'its arguments are not one JSON object' : null;
    const parsed = parseProposal({
      kind: 'tool.call',
      name,
      callId: nameCall(callId, name),
      args: args ?? {},
      ...(unreadable === null
        ? {}
        : { content: raw.slice(0, RAW_MAX).toWellFormed(), error: { message: unreadable } }),
    });
    if (!parsed.ok) {
      const { at, expected, found } = parsed.problems[0]!;
      return {
        t: 'withhold',
        text: unreadableCall(name.slice(0, 80), `${at}: expected ${expected}, found ${found}`),
      };
    }
    const permit = await permission(engine, session, parsed.value, holdMs, signal);
    if (unreadable !== null) return { t: 'withhold', text: unreadableCall(name, unreadable) };
    switch (permit.t) {
      case 'allowed': {
        const { transformed } = permit.recorded.decision;
        return transformed === undefined ? { t: 'run' } : { t: 'rewrite', args: transformed };
      }
      case 'denied':
        return { t: 'withhold', text: deniedCall(name, permit.recorded.decision.rules) };
      case 'held': {
        const { hold } = permit;
        return {
          t: 'withhold',
          text: hold.state === 'pending' ? heldCall(name, hold) : closedCall(name, hold),
        };
      }
    }
  }

  function saidGate(): TextGate {
    const held = holdBack(watch());
    gates.add(held);
    return {
      push: (delta) => held.push(delta),
      async end() {
        gates.delete(held);
        const { text } = held;
        if (text === '') return '';
        // Taken now, so that what is told stands in its order however long a decision takes.
        const place = texts.push('') - 1;
        if (watch().t === 'free' && held.rest === '') {
          texts[place] = text;
          tell(text);
          return '';
        }
        const permit = await permission(
          engine,
          session,
          { kind: 'output', name: '', content: text.toWellFormed() },
          holdMs,
          signal,
        );
        const gap = held.released === 0 ? '' : '\n\n';
        const rest =
          permit.t === 'allowed'
            ? held.rest
            : `${gap}${permit.t === 'denied' ? deniedText(permit.recorded.decision.rules) : heldText(permit.hold)}`;
        texts[place] = text.slice(0, held.released) + rest;
        return rest;
      },
    };
  }

  function thoughtGate(): TextGate {
    const held = holdBack(watch().t === 'free' ? FREE : WHOLE);
    return {
      push: (delta) => held.push(delta),
      async end() {
        if (held.rest === '') return '';
        const { verdict } = await engine.foresee(session, {
          kind: 'output',
          name: '',
          content: held.text.toWellFormed(),
        });
        return verdict === 'allow' ? held.rest : '';
      },
    };
  }

  return {
    turn,
    get guarded() {
      return watch().t !== 'free';
    },
    async call(call) {
      const place = texts.push('') - 1;
      const ruling = await ruled(call);
      if (ruling.t === 'withhold') {
        const { callId, item } = call;
        withheld.push({ callId, text: ruling.text, ...(item === undefined ? {} : { item }) });
        texts[place] = ruling.text;
      } else calls.push(call.callId);
      // A call that was decided may change what can be said after it.
      await recheck();
      return ruling;
    },
    text: (kind = 'said') => (kind === 'said' ? saidGate() : thoughtGate()),
    ran(name, args, output) {
      note({ kind: 'tool.result', name, args, content: output.slice(0, PIECE_MAX).toWellFormed() });
    },
    abandon(why) {
      for (const gate of gates) {
        gate.close();
        const told = gate.text.slice(0, gate.released);
        if (told !== '') tell(told);
      }
      gates.clear();
      if (!finished)
        note({ kind: 'model.response', name: parts.model, error: { message: why.slice(0, 1_000) } });
      finished = true;
    },
    finish({ usage, model, id, parts: ids = [] }) {
      replyId = id;
      partIds = ids;
      finished = true;
      note({ kind: 'model.response', name: model ?? parts.model, ...(usage === null ? {} : { usage }) });
    },
    given: { texts, calls },
    withheld,
    get replyId() {
      return replyId;
    },
    get partIds() {
      return partIds;
    },
    recheck,
    async settled() {
      while (background.size > 0) await Promise.all(background);
    },
  };
}
