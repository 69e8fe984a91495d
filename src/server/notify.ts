// Tells people elsewhere that something waits for them: holds, findings and stops, as messages to webhooks. A message that
// cannot be sent is tried again for a while; the record is complete without it, so nothing waits for a webhook.
import { createHmac } from 'node:crypto';
import type { Engine, EngineEvent, Finding, Hold } from '../engine/types.ts';

export interface Notice {
  readonly type: 'hold' | 'hold-closed' | 'finding' | 'stop';
  /** One line for a person. */
  readonly text: string;
  /** Where to look, and to answer. */
  readonly url: string;
  readonly hold?: Hold;
  readonly finding?: Finding;
}

export interface NotifyOptions {
  readonly url: string;
  /** `json` posts the notice; `slack` a message that Slack and what speaks like it (Mattermost, Discord's `/slack`) show. */
  readonly format: 'json' | 'slack';
  /** Signs the body: `X-Interlock-Signature: sha256=<hex HMAC>`. */
  readonly secret?: string;
  /** The page's address, for links. */
  readonly page: string;
  readonly log: (message: string) => void;
}

/** Waiting messages; past it the oldest is dropped, and that is said. */
const QUEUE_MAX = 1_000;
const TIMEOUT_MS = 10_000;
const RETRY_MS = [500, 2_000, 8_000, 30_000] as const;

/** Starts telling; the function it answers stops it. */
export function startNotifying(engine: Engine, options: NotifyOptions): () => void {
  const { log } = options;
  const stopped = new AbortController();
  const waiting: Notice[] = [];
  let isSending = false;

  const unsubscribe = engine.subscribe((event) => {
    noticeOf(engine, event, options.page).then(
      (notice) => {
        if (notice !== null) enqueue(notice);
      },
      (error: unknown) => log(`a notice could not be made: ${String(error)}`),
    );
  });

  function enqueue(notice: Notice): void {
    if (waiting.length >= QUEUE_MAX) {
      waiting.shift();
      log(`more than ${QUEUE_MAX} notices wait for ${new URL(options.url).host}; the oldest was dropped`);
    }
    waiting.push(notice);
    if (!isSending) void sendAll();
  }

  async function sendAll(): Promise<void> {
    isSending = true;
    for (let notice = waiting.shift(); notice !== undefined; notice = waiting.shift()) {
      const failure = await send(notice, options, stopped.signal);
      if (failure !== null && !stopped.signal.aborted) log(`a notice was not delivered: ${failure}`);
    }
    isSending = false;
  }

  return () => {
    unsubscribe();
    waiting.length = 0;
    stopped.abort();
  };
}

/** Null for what nobody needs to be told. */
async function noticeOf(engine: Engine, event: EngineEvent, page: string): Promise<Notice | null> {
  switch (event.type) {
    case 'hold': {
      const hold = await engine.hold(event.hold);
      if (hold === null) return null;
      const what = `${hold.name || hold.kind} in session ${hold.session}`;
      const url = `${page}/sessions/${encodeURIComponent(hold.session)}?step=${hold.seq}`;
      if (event.state === 'pending') {
        const asked = event.escalated ? (hold.escalation?.to ?? []) : hold.by;
        const who = asked.join(' or ') || 'somebody';
        const still = event.escalated ? `nobody of ${hold.by.join(' or ')} has answered, and ` : '';
        return { type: 'hold', text: `${who}: ${still}${what} waits for you. ${hold.because}`, url, hold };
      }
      const closed = event.state === 'refused' || event.state === 'expired' || event.state === 'approved';
      return closed ? { type: 'hold-closed', text: `${what} is ${event.state}.`, url, hold } : null;
    }
    case 'finding': {
      const findings = await engine.findings({ session: event.session, limit: 200 });
      const finding = findings.find(({ id }) => id === event.finding);
      const url = `${page}/sessions/${encodeURIComponent(event.session)}`;
      return finding === undefined ? null : { type: 'finding', text: finding.detail, url, finding };
    }
    case 'stop': {
      const stop = (await engine.stops({ limit: 1_000 })).find(({ id }) => id === event.stop);
      if (stop === undefined) return null;
      const whom = stop.agent ?? stop.tool ?? stop.tenant ?? 'everything';
      const text =
        stop.lifted === null
          ? `${stop.by} stopped ${whom}: ${stop.reason}`
          : `${stop.lifted.by} let ${whom} go on.`;
      return { type: 'stop', text, url: page };
    }
    default:
      return null;
  }
}

/** Null when it was taken; else why not, after the last attempt. */
async function send(notice: Notice, options: NotifyOptions, signal: AbortSignal): Promise<string | null> {
  const body = JSON.stringify(
    options.format === 'slack'
      ? { text: `${slackText(notice.text)}\n<${notice.url}|Open in Interlock>` }
      : notice,
  );
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (options.secret !== undefined)
    headers['x-interlock-signature'] =
      `sha256=${createHmac('sha256', options.secret).update(body).digest('hex')}`;
  let failure = '';
  for (const pause of [0, ...RETRY_MS]) {
    await sleep(pause, signal);
    if (signal.aborted) return failure;
    try {
      const response = await fetch(options.url, {
        method: 'POST',
        headers,
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      if (response.ok) return null;
      failure = `${new URL(options.url).host} answered ${response.status}`;
      // What the receiver refuses it will refuse again.
      if (response.status < 500 && response.status !== 408 && response.status !== 429) return failure;
    } catch (error) {
      failure = `${new URL(options.url).host}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return failure;
}

/** Slack's own characters, so that what an agent wrote is no link and no mention. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    timer.unref();
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
