// What compiled expressions see of a session and of the histories it shares. One per monitor, entered anew for each step.
import { celError, isCelError, type Value } from '../spec/cel/value.ts';
import type { Cell, Ref, Run, WitnessSink } from '../spec/run.ts';
import { noScope, type SharedScope, scopeKeyOf } from '../spec/shared.ts';
import type { Fact, Json, SeenStep, Step } from '../step/types.ts';
import type { SharedHistory } from './history.ts';
import type { SessionState } from './state.ts';
import { stepTime, timeOf } from './view-value.ts';

export class SessionRun implements Run {
  step!: Step;
  now = 0;
  origins!: SessionState['origins'];
  witness: Run['witness'] = null;
  history: SharedHistory | null = null;
  #state!: SessionState;
  #facts: Map<string, Fact> | null = null;
  #asked: Fact[] = [];

  enter(state: SessionState, step: Step, now: number, history: SharedHistory | null): void {
    this.step = step;
    this.now = now;
    this.origins = state.origins;
    this.history = history;
    this.#state = state;
    this.#asked = NO_FACTS;
    this.#facts = step.facts ? new Map(step.facts.map((fact) => [nameOf(fact.id, fact.key), fact])) : null;
  }

  cell(view: number, key: string): Cell | undefined {
    return this.#state.views[view]!.get(key);
  }

  sharedCell(view: string, scope: SharedScope, key: string): Cell | undefined {
    const owner = scopeKeyOf(scope, this.#state.identity);
    return owner === null ? undefined : this.history?.cell(view, owner, key);
  }

  recall(id: string, key: string, scope: SharedScope, ask: (sink: WitnessSink) => Value): Value {
    const fact = this.fact(id, key, scope, (sink) => {
      const answer = ask(sink);
      return isCelError(answer)
        ? answer
        : ((typeof answer === 'bigint' ? Number(answer) : timeOf(answer)) as Value);
    });
    if (this.witness !== null)
      for (const seen of fact.seen) this.witness.add(refOf(seen, this.step.session), seen.note);
    return fact.error === undefined
      ? stepTime(fact.value as Value)
      : celError(fact.error.code, fact.error.message);
  }

  /** The fact of this step by its name: as recorded, or asked of the history now. */
  fact(id: string, key: string, scope: SharedScope, ask: (sink: WitnessSink) => Value): Fact {
    const name = nameOf(id, key);
    const known = this.#facts?.get(name);
    if (known !== undefined) return known;
    const seen = new Seen(this.step.session);
    const answer =
      scopeKeyOf(scope, this.#state.identity) === null
        ? noScope(scope)
        : this.history === null
          ? NOT_AT_HAND
          : ask(seen);
    const fact: Fact = {
      id,
      key,
      ...(isCelError(answer)
        ? { error: { code: answer.code, message: answer.message } }
        : { value: answer as unknown as Json }),
      seen: seen.steps,
    };
    this.#facts ??= new Map();
    this.#facts.set(name, fact);
    this.#asked = this.#asked.length === 0 ? [fact] : [...this.#asked, fact];
    return fact;
  }

  /** What was asked of a shared history for this step and was not recorded in it. */
  asked(): readonly Fact[] {
    return this.#asked;
  }
}

const NO_FACTS: Fact[] = [];
const NOT_AT_HAND = celError(
  'absent',
  'what other sessions did is not in the record of this step, and they are not at hand',
);

function nameOf(id: string, key: string): string {
  return `${id} ${key}`;
}

/** A step of another session keeps its session's name. */
export function refOf({ session, seq, id, kind, name }: SeenStep, own: string): Ref {
  return session === own ? { seq, id, kind, name } : { seq, id, kind, name, session };
}

class Seen implements WitnessSink {
  readonly steps: SeenStep[] = [];
  readonly #own: string;
  constructor(own: string) {
    this.#own = own;
  }
  add({ seq, id, kind, name, session = this.#own }: Ref, note?: string): void {
    this.steps.push({ session, seq, id, kind, name, ...(note === undefined ? {} : { note }) });
  }
}
