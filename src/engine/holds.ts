// People's answers to held steps, and the end of those nobody answered in time.
import type { Proposal } from '../step/types.ts';
import { holdAt, type Store, type StoredHold } from '../store/store.ts';
import { OWN_ID_PREFIX } from './build-step.ts';
import type { Emit } from './events.ts';
import { isApproved, isExpired, rolesAt } from './hold-terms.ts';
import type { Memory } from './memory.ts';
import { refuse } from './problem.ts';
import { type Recorder, storeFailed } from './record.ts';
import type { LiveSession } from './session.ts';
import type { Answer, Hold } from './types.ts';

export interface Holds {
  answer(id: string, answer: Answer): Promise<Hold>;
  /** Closes pending holds whose time is up, and says so to listeners. */
  closeExpired(): Promise<void>;
}

const EXPIRED_PER_ROUND = 500;

export function createHolds(
  store: Store,
  memory: Memory,
  recorder: Recorder,
  clock: () => number,
  emit: Emit,
): Holds {
  async function answer(id: string, given: Answer): Promise<Hold> {
    const stored = await store.hold(id);
    if (stored === null) throw refuse('unknown-hold', `there is no hold ${id}`);
    let session = await memory.load(stored.hold.session);
    while (session !== null && !memory.owns(session)) session = await memory.load(stored.hold.session);
    if (session === null) throw refuse('unknown-hold', `the session of the hold ${id} is not there`);
    // From here to the append nothing else can run, so that two answers never count against the same state.
    const hold = findHold(session, id);
    const now = Math.max(session.row.lastAt, clock());
    if (hold === null || isExpired(hold, now)) throw closed(await store.hold(id), now);
    checkAnswer(hold, given, session.row.principal, now);
    const answered = withAnswer(hold, given, session.row.principal, now);
    if (answered.hold.state === 'pending') return writeAnswer(session, answered);
    await recorder.record(session, approvalStep(answered.hold), { answered });
    return answered.hold;
  }

  /** One of several answers that are needed: recorded on the hold, not yet a step of the session. */
  function writeAnswer(session: LiveSession, stored: StoredHold): Promise<Hold> {
    const { hold } = stored;
    session.holds.set(hold.binding, stored);
    session.writing += 1;
    const durable = store.append([{ t: 'hold', row: stored }]).then(
      () => {
        session.writing -= 1;
        emit({ type: 'hold', session: hold.session, hold: hold.id, state: hold.state });
        return hold;
      },
      (cause: unknown) => {
        session.writing -= 1;
        memory.drop(session);
        throw storeFailed(cause);
      },
    );
    session.tail = durable;
    return durable;
  }

  async function closeExpired(): Promise<void> {
    for (;;) {
      const now = clock();
      const expired = await store.expiredHolds(now, EXPIRED_PER_ROUND);
      const closing = expired.filter((hold) => closeInMemory(hold, now));
      await store.append(closing.map((hold) => ({ t: 'hold-expired', row: { id: hold.id } })));
      for (const { id, session } of closing) {
        emit({ type: 'hold', session, hold: id, state: 'expired' });
        emit({ type: 'session', session });
      }
      if (expired.length < EXPIRED_PER_ROUND || closing.length === 0) return;
    }
  }

  /** False when the session, which may be ahead of the store, has answered or renewed the hold. */
  function closeInMemory(hold: Hold, now: number): boolean {
    const session = memory.get(hold.session);
    if (session === null) return true;
    const live = session.holds.get(hold.binding);
    if (live === undefined) return false;
    if (live.hold.id !== hold.id) return true;
    if (!isExpired(live, now)) return false;
    session.holds.delete(hold.binding);
    return true;
  }

  return { answer, closeExpired };
}

function findHold(session: LiveSession, id: string): StoredHold | null {
  for (const stored of session.holds.values()) if (stored.hold.id === id) return stored;
  return null;
}

function closed(stored: StoredHold | null, now: number) {
  const state = stored === null ? 'closed' : holdAt(stored.hold, now).state;
  const what = state === 'pending' ? 'being answered by somebody else' : state;
  const mend = 'The agent may propose the step again; that asks anew.';
  return refuse('hold-closed', `the hold ${stored?.hold.id ?? ''} is ${what}`, mend);
}

function checkAnswer(stored: StoredHold, { by, role }: Answer, principal: string | null, now: number): void {
  const { hold, terms } = stored;
  const answering = rolesAt(stored, now);
  if (!answering.includes(role)) {
    const roles = answering.length === 0 ? 'nobody' : answering.join(', ');
    const later =
      hold.escalation?.to.includes(role) === true
        ? ` From ${new Date(hold.escalation.at).toISOString()} on it is for ${role} too.`
        : '';
    throw refuse(
      'not-allowed-to-answer',
      `the role ${JSON.stringify(role)} may not answer this hold`,
      `It is for: ${roles}.${later}`,
    );
  }
  if (by === principal && terms.some((terms) => terms.notPrincipal)) {
    const message = `${by} is the principal of the session, and this hold needs somebody else (four eyes)`;
    throw refuse('not-allowed-to-answer', message, 'Ask another person.');
  }
  if (hold.answers.some((answer) => answer.by === by)) {
    throw refuse('not-allowed-to-answer', `${by} has answered this hold already`, 'Ask another person.');
  }
}

/** One refusal closes a hold; an approval closes it when the terms are met. */
function withAnswer(stored: StoredHold, given: Answer, principal: string | null, at: number): StoredHold {
  const { hold, terms } = stored;
  const { by, role, approve, reason = null } = given;
  const answers = [...hold.answers, { by, role, approve, reason, at }];
  const state = !approve
    ? 'refused'
    : isApproved(answers, terms, principal, at - hold.createdAt)
      ? 'approved'
      : 'pending';
  return { ...stored, hold: { ...hold, answers, state } };
}

/** The answer as a step of the session: the monitor, live and in replay, sees who approved what in which role. */
function approvalStep(hold: Hold): Proposal & { readonly id: string } {
  const approve = hold.state === 'approved';
  const answers = hold.answers.filter((answer) => answer.approve === approve);
  return {
    id: `${OWN_ID_PREFIX}approval:${hold.id}`,
    kind: 'approval',
    name: hold.name,
    ...(hold.callId === null ? {} : { callId: hold.callId }),
    args: {
      hold: hold.id,
      binding: hold.binding,
      kind: hold.kind,
      approve,
      by: answers.map((answer) => answer.by),
      roles: answers.map((answer) => answer.role),
    },
  };
}
