// The way in: an engine in this process, or a running Interlock behind HTTP, with one shape. The engine's rooms are only
// loaded when one is opened here.
import { randomUUID } from 'node:crypto';
import type { SessionInit } from '../engine/types.ts';
import { parseSessionInit } from '../step/parse.ts';
import { InvalidProposal } from './errors.ts';
import type { OpenOptions } from './open.ts';
import { type ConnectOptions, remoteTransport } from './remote.ts';
import { openedSession, type Session } from './session.ts';
import { loadTracing } from './tracing.ts';
import type { Transport } from './transport.ts';

export interface Interlock extends Pick<Transport, 'hold' | 'holds' | 'answerHold' | 'holdChange' | 'close'> {
  /** Opens a session, or resumes the open one with this id. */
  session(init: SessionInit): Promise<Session>;
}

/**
 * @example
 * const interlock = await Interlock.open({ spec: 'refunds.yaml', data: '.interlock' });
 * const session = await interlock.session({ agent: { name: 'support' }, principal: 'user:42' });
 * const refund = session.guard({ name: 'refund', execute: (args) => shop.refund(args) });
 * await refund({ order_id: 'A-1', amount: 40 });
 */
export const Interlock = {
  /** An engine in this process. Throws `SpecInvalid` when the spec does not check. */
  async open(options: OpenOptions): Promise<Interlock> {
    const { openLocal } = await import('./open.ts');
    return overTransport(await openLocal(options));
  },
  /** A running server. Nothing is sent yet; an unreachable server shows on the first use. */
  connect(url: string, options: ConnectOptions = {}): Interlock {
    return overTransport(remoteTransport(url, options));
  },
};

export function overTransport(transport: Transport): Interlock {
  return {
    async session(given) {
      const parsed = parseSessionInit({ ...given, id: given.id ?? randomUUID() });
      if (!parsed.ok) throw new InvalidProposal(parsed.problems);
      const opened = await transport.openSession(parsed.value);
      return openedSession(transport, opened, await loadTracing());
    },
    hold: (id) => transport.hold(id),
    holds: (filter) => transport.holds(filter),
    answerHold: (id, answer) => transport.answerHold(id, answer),
    holdChange: (id, waitMs, signal) => transport.holdChange(id, waitMs, signal),
    close: () => transport.close(),
  };
}
