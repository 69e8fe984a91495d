// First-order history: the properties `file` and `access` of the DejaVu paper (Havelund, Peled, Ulus, "First-order
// temporal logic monitoring with BDDs", FMCAD 2017, Table I) over generated logs of their sizes, through the real monitor.
// The logs have their form (runs of opens, closed in reverse order, one violation at the end) and are not theirs; the
// published figures are of other machines. Not measured: reading a file; the steps are made in memory.
//   node bench/dejavu.ts [--events 1100000] [--rounds 3]
import { parseArgs } from 'node:util';
import type { Monitor } from '../src/monitor/monitor.ts';
import { createMonitor } from '../src/monitor/session-monitor.ts';
import type { SessionState } from '../src/monitor/state.ts';
import { compileSpec } from '../src/spec/index.ts';
import type { Step } from '../src/step/types.ts';
import { machine, median, megabytes, retainedHeap } from './measure/measure.ts';

interface Event {
  readonly name: 'login' | 'logout' | 'open' | 'close' | 'access';
  readonly args: { readonly user?: string; readonly file?: string };
}

interface Property {
  readonly name: 'file' | 'access';
  readonly spec: string;
  /** Events of the published log of about this size. */
  readonly extra: number;
  readonly published: string;
  /** A log without its violation, in groups of `width` things open at once; endless. */
  log(width: number): Generator<Event>;
  readonly violation: Event;
  /** By definition, over the whole history. */
  isViolated(history: readonly Event[], now: Event): boolean;
  /** The same with a set of what is open: the fastest that this machine could be expected to go. */
  direct(): (event: Event) => boolean;
}

const TOOL =
  '{ effect: write, input: { type: object, properties: { user: { type: string }, file: { type: string } } } }';
const SINCE = (begins: string, ends: string, by: string) =>
  `past.since("call ${begins}", b, b.args.${by} == args.${by}, "call ${ends}", e, e.args.${by} == args.${by})`;

const FILE: Property = {
  name: 'file',
  extra: 4,
  published: 'DejaVu 30.3 s (36,000/s), MonPoly not done in 16 h',
  spec: `
interlock: 1
name: file
tools: { open: ${TOOL}, close: ${TOOL} }
rules:
  - { id: file, on: call close, require: '${SINCE('open', 'close', 'file')}', because: A file is closed when it is open. }
`,
  *log(width) {
    for (let first = 0; ; first += width) {
      for (let i = first; i < first + width; i++) yield { name: 'open', args: { file: `file-${i}` } };
      for (let i = first + width; i-- > first; ) yield { name: 'close', args: { file: `file-${i}` } };
    }
  },
  violation: { name: 'close', args: { file: 'never-opened' } },
  isViolated: (history, now) => now.name === 'close' && !isOpen(history, 'open', 'close', 'file', now),
  direct() {
    const open = new Set<string | undefined>();
    return ({ name, args }) => {
      if (name === 'close') return !open.delete(args.file);
      open.add(args.file);
      return false;
    };
  },
};

const ACCESS: Property = {
  name: 'access',
  extra: 6,
  published: 'DejaVu 36.8 s (30,000/s), MonPoly 58,455.8 s (19/s)',
  spec: `
interlock: 1
name: access
tools: { login: ${TOOL}, logout: ${TOOL}, open: ${TOOL}, close: ${TOOL}, access: ${TOOL} }
rules:
  - id: access
    on: call access
    require: '${SINCE('login', 'logout', 'user')} && ${SINCE('open', 'close', 'file')}'
    because: A file is accessed by who is logged in, while it is open.
`,
  *log(width) {
    for (let first = 0; ; first += width) {
      const last = first + width;
      for (let i = first; i < last; i++) yield { name: 'login', args: { user: `user-${i}` } };
      for (let i = first; i < last; i++) yield { name: 'open', args: { file: `file-${i}` } };
      for (let i = first; i < last; i++)
        yield { name: 'access', args: { user: `user-${i}`, file: `file-${i}` } };
      for (let i = last; i-- > first; ) yield { name: 'close', args: { file: `file-${i}` } };
      for (let i = last; i-- > first; ) yield { name: 'logout', args: { user: `user-${i}` } };
    }
  },
  violation: { name: 'access', args: { user: 'user-0', file: 'file-0' } },
  isViolated: (history, now) =>
    now.name === 'access' &&
    !(isOpen(history, 'login', 'logout', 'user', now) && isOpen(history, 'open', 'close', 'file', now)),
  direct() {
    const open = new Set<string | undefined>();
    return ({ name, args: { user, file } }) => {
      if (name === 'access') return !(open.has(user) && open.has(file));
      if (name === 'login' || name === 'open') open.add(user ?? file);
      else open.delete(user ?? file);
      return false;
    };
  },
};

function isOpen(
  history: readonly Event[],
  begins: string,
  ends: string,
  by: 'user' | 'file',
  now: Event,
): boolean {
  const about = history.filter(
    ({ name, args }) => (name === begins || name === ends) && args[by] === now.args[by],
  );
  return about.at(-1)?.name === begins;
}

function stepOf({ name, args }: Event, seq: number): Step {
  return { id: `e${seq}`, session: 'log', seq, time: seq, kind: 'tool.call', name, args };
}

function monitorOf(property: Property): Monitor {
  const compiled = compileSpec(property.spec, { file: `${property.name}.yaml` });
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems, null, 2));
  return createMonitor(compiled.spec.program);
}

/** Keys that the monitor's history keeps. */
function liveEntries(state: unknown): number {
  return (state as SessionState).views.reduce((sum, cells) => sum + cells.size, 0);
}

interface Run {
  readonly perSecond: number;
  readonly directPerSecond: number;
  readonly violations: readonly number[];
  readonly peakHeap: number;
  readonly peakEntries: number;
  readonly endEntries: number;
}

/** Steps made, then timed, at a time; no divisor of the logs' groups, so that their fullest moments are seen. */
const CHUNK = 7_919;

function run(property: Property, count: number, width: number): Run {
  const monitor = monitorOf(property);
  const direct = property.direct();
  const log = property.log(width);
  const before = retainedHeap();
  const state = monitor.start();
  const violations: number[] = [];
  let [ms, directMs, directViolations, peakHeap, peakEntries, chunks] = [0, 0, 0, 0, 0, 0];
  for (let seq = 0; seq < count; chunks++) {
    const events = Array.from({ length: Math.min(CHUNK, count - seq) }, (_, i) =>
      seq + i === count - 1 ? property.violation : log.next().value,
    );
    const steps = events.map((event, i) => stepOf(event, seq + i));
    let start = performance.now();
    for (const step of steps)
      if (monitor.step(state, step).decision.verdict !== 'allow') violations.push(step.seq + 1);
    ms += performance.now() - start;
    start = performance.now();
    for (const event of events) if (direct(event)) directViolations++;
    directMs += performance.now() - start;
    seq += steps.length;
    peakEntries = Math.max(peakEntries, liveEntries(state));
    if (chunks % 16 === 7) peakHeap = Math.max(peakHeap, retainedHeap() - before);
  }
  if (directViolations !== violations.length) throw new Error('the two checkers disagree');
  const endEntries = liveEntries(state);
  return {
    perSecond: (count / ms) * 1_000,
    directPerSecond: (count / directMs) * 1_000,
    violations,
    peakHeap: Math.max(peakHeap, retainedHeap() - before),
    peakEntries,
    endEntries,
  };
}

/** The monitor against the definition, on a log with things wrong all over it. */
function verify(property: Property, count: number): number {
  const monitor = monitorOf(property);
  const state = monitor.start();
  const history: Event[] = [];
  const names = [...new Set(Array.from(first(property.log(4), 50), ({ name }) => name))];
  let violations = 0;
  let random = 1;
  for (let seq = 0; seq < count; seq++) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    const name = names[(random >>> 8) % names.length]!;
    const event: Event = { name, args: { user: `u${(random >>> 16) % 7}`, file: `f${(random >>> 20) % 9}` } };
    const violated = property.isViolated(history, event);
    const denied = monitor.step(state, stepOf(event, seq)).decision.verdict !== 'allow';
    if (denied !== violated)
      throw new Error(`event ${seq + 1} of ${property.name}: monitor and definition disagree`);
    if (violated) violations++;
    // A close that is refused did not happen; by the definition it changes nothing either.
    history.push(event);
  }
  return violations;
}

function* first<T>(values: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const value of values) {
    if (taken++ >= count) return;
    yield value;
  }
}

const { values } = parseArgs({
  options: { events: { type: 'string', default: '1100000' }, rounds: { type: 'string', default: '3' } },
});
console.log(machine());
for (const property of [FILE, ACCESS]) {
  const checked = Math.min(3_000, Number(values.events));
  console.log(
    `\n${property.name}: ${checked} random events, ${verify(property, checked)} violations, all as by the definition over the whole history`,
  );
  const count = Number(values.events) + property.extra;
  for (const width of [1_000, Math.ceil(count / (property === FILE ? 2 : 5))]) {
    const runs = Array.from({ length: Number(values.rounds) }, () => run(property, count, width));
    if (runs.some(({ violations }) => violations.join() !== String(count)))
      throw new Error(`expected one violation, at event ${count}: ${runs[0]!.violations.slice(0, 5)}`);
    const ours = median(runs.map((one) => one.perSecond));
    const direct = median(runs.map((one) => one.directPerSecond));
    const { peakHeap, peakEntries, endEntries } = runs[0]!;
    console.log(
      `${count.toLocaleString('en')} events, ${width.toLocaleString('en')} open at once: ${Math.round(ours).toLocaleString('en')} events/s (${(count / ours).toFixed(1)} s), the one violation found, at event ${count.toLocaleString('en')}`,
      `\n  kept: ${peakEntries.toLocaleString('en')} keys at most, ${endEntries.toLocaleString('en')} at the end; heap ${megabytes(peakHeap)} at most`,
      `\n  a hand-written set of what is open: ${Math.round(direct).toLocaleString('en')} events/s (${(direct / ours).toFixed(1)}× ours)`,
    );
  }
  console.log(`  published, 2017, other hardware: ${property.published}`);
}
