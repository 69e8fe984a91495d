// The spans of one batch to observations in order of time. Settles whose each span is: what it says itself, else its
// ancestors in the batch, else what its trace is known to be from this and earlier batches, else its resource.
import type { Observation, Span } from '../../engine/types.ts';
import type { Agent } from '../../step/types.ts';
import { interpret, type Reading } from './interpret.ts';
import { mapSpan, toolNameOf } from './map-span.ts';
import { idOf, nameOf } from './names.ts';
import type { TraceFacts, TraceMemory } from './trace-memory.ts';
import type { SpanContext } from './types.ts';

export interface MappedTraces {
  /** All spans of the batch with their dialects, by start: a batch has them in the order they ended. */
  readonly spans: readonly Span[];
  /** By time; at one time, outer acts begin before inner ones and end after them. */
  readonly observations: readonly Observation[];
}

/** A span in its place in the batch, with what it says of itself. */
interface Node {
  readonly index: number;
  readonly span: Span;
  readonly reading: Reading;
  readonly own: TraceFacts;
  children: Node[];
  isRoot: boolean;
}

/** What a span hands down to those within it. */
interface Inherited {
  readonly session?: string;
  readonly principal?: string;
  readonly tenant?: string;
  readonly actor?: Agent;
  readonly insideTool?: string;
  readonly place: SpanContext['place'];
}

export function mapTraces(batch: readonly Span[], memory: TraceMemory): MappedTraces {
  const nodes = batch.map(nodeOf);
  const roots = link(nodes);
  const facts = new Map<string, TraceFacts>();
  for (const { span } of nodes)
    if (!facts.has(span.traceId)) facts.set(span.traceId, memory.of(span.traceId));
  // From the roots down, so that the outermost agent is the trace's.
  walk(
    roots,
    ({ span, own }) => remember(facts.get(span.traceId)!, own),
    () => {},
  );
  return mapForest(roots, facts);
}

function nodeOf(span: Span, index: number): Node {
  const reading = interpret(span);
  const { field, act } = reading;
  const named = field('agent.name') ?? (act === 'agent' ? field('agent.spanName') : undefined);
  const name = nameOf(named);
  const version = nameOf(field('agent.version'));
  const session = idOf(field('session'));
  const principal = idOf(field('principal'));
  const tenant = idOf(field('tenant'));
  const own: TraceFacts = {
    ...(name === undefined ? {} : { agent: { name, ...(version === undefined ? {} : { version }) } }),
    ...(session === undefined ? {} : { session }),
    ...(principal === undefined ? {} : { principal }),
    ...(tenant === undefined ? {} : { tenant }),
  };
  return { index, span, reading, own, children: [], isRoot: true };
}

/** Hangs spans under their parents where those are in the batch; answers the others, in order of start. */
function link(nodes: readonly Node[]): readonly Node[] {
  const byId = new Map<string, Node>();
  for (const node of nodes) {
    const id = `${node.span.traceId}/${node.span.spanId}`;
    if (!byId.has(id)) byId.set(id, node);
  }
  for (const node of nodes) {
    const parent = byId.get(`${node.span.traceId}/${node.span.parentSpanId}`);
    if (parent === undefined || parent === node) continue;
    parent.children.push(node);
    node.isRoot = false;
  }
  breakCycles(nodes);
  for (const node of nodes) node.children.sort(byStart);
  return nodes.filter((node) => node.isRoot).sort(byStart);
}

/** Spans that are each other's ancestors hang under no root: the first of each such ring is made one. */
function breakCycles(nodes: readonly Node[]): void {
  const reached = new Set<Node>();
  const reach = (from: Node): void => {
    const pending = [from];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      reached.add(node);
      node.children = node.children.filter((child) => !reached.has(child));
      pending.push(...node.children);
    }
  };
  for (const node of nodes) if (node.isRoot) reach(node);
  for (const node of nodes) {
    if (reached.has(node)) continue;
    node.isRoot = true;
    reach(node);
  }
}

function byStart(a: Node, b: Node): number {
  return compareNs(a.span.startNs, b.span.startNs) || a.index - b.index;
}

/** Decimal text without leading zeros compares by length first. */
function compareNs(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Depth first without recursion: a chain of spans may be as long as a batch. */
function walk(
  roots: readonly Node[],
  enter: (node: Node, parent: Node | null) => void,
  leave: (node: Node) => void,
): void {
  const stack: { node: Node; parent: Node | null; next: number }[] = [];
  for (const root of roots) {
    stack.push({ node: root, parent: null, next: -1 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (top.next === -1) enter(top.node, top.parent);
      top.next += 1;
      const child = top.node.children[top.next];
      if (child !== undefined) stack.push({ node: child, parent: top.node, next: -1 });
      else {
        leave(top.node);
        stack.pop();
      }
    }
  }
}

/** What is said first stays: a trace keeps its session even when a later span names another for itself. */
function remember(facts: TraceFacts, own: TraceFacts): void {
  if (facts.session === undefined && own.session !== undefined) facts.session = own.session;
  if (facts.agent === undefined && own.agent !== undefined) facts.agent = own.agent;
  if (facts.principal === undefined && own.principal !== undefined) facts.principal = own.principal;
  if (facts.tenant === undefined && own.tenant !== undefined) facts.tenant = own.tenant;
}

function mapForest(roots: readonly Node[], facts: ReadonlyMap<string, TraceFacts>): MappedTraces {
  const spans: Span[] = [];
  const inherited = new Map<Node, Inherited>();
  const ending = new Map<Node, readonly Observation[]>();
  const timed: { readonly ns: string; readonly observation: Observation }[] = [];
  const put = (ns: string, observations: readonly Observation[]): void => {
    for (const observation of observations) timed.push({ ns, observation });
  };
  walk(
    roots,
    (node, parent) => {
      const above = parent === null ? ofRoot(node) : inherited.get(parent)!;
      const context = contextOf(node, above, facts.get(node.span.traceId)!);
      const mapped = mapSpan(node.span, context, node.reading);
      spans.push(mapped.span);
      put(node.span.startNs, mapped.began);
      ending.set(node, mapped.ended);
      inherited.set(node, handDown(node, above));
    },
    (node) => put(endOf(node.span), ending.get(node)!),
  );
  // Stable: at one time the order of the walk stays, which is that of the tree.
  spans.sort((a, b) => compareNs(a.startNs, b.startNs));
  timed.sort((a, b) => compareNs(a.ns, b.ns));
  return { spans, observations: timed.map(({ observation }) => observation) };
}

/** A clock that was set back ends a span before its start: never in this order. */
function endOf({ startNs, endNs }: Span): string {
  return compareNs(endNs, startNs) < 0 ? startNs : endNs;
}

function ofRoot({ span }: Node): Inherited {
  return { place: span.parentSpanId === null ? 'root' : 'unknown' };
}

function handDown({ own, reading, span }: Node, above: Inherited): Inherited {
  const { agent, ...said } = own;
  const actor = agent ?? above.actor;
  return {
    ...above,
    ...said,
    ...(actor === undefined ? {} : { actor }),
    ...(reading.act === 'tool' ? { insideTool: toolNameOf(span, reading.field) } : {}),
    place: reading.act === 'agent' ? 'nested' : above.place,
  };
}

function contextOf(node: Node, above: Inherited, facts: TraceFacts): SpanContext {
  const { span, own } = node;
  const actor = own.agent ?? above.actor;
  const principal = own.principal ?? above.principal ?? facts.principal;
  const tenant = own.tenant ?? above.tenant ?? facts.tenant;
  return {
    session: own.session ?? above.session ?? facts.session ?? span.traceId,
    agent: facts.agent ?? actor ?? serviceOf(span),
    place: above.place,
    ...(actor === undefined ? {} : { actor }),
    ...(above.actor === undefined ? {} : { caller: above.actor.name }),
    ...(above.insideTool === undefined ? {} : { insideTool: above.insideTool }),
    ...(principal === undefined ? {} : { principal }),
    ...(tenant === undefined ? {} : { tenant }),
  };
}

function serviceOf({ resource }: Span): Agent {
  const version = nameOf(resource['service.version']);
  return {
    name: nameOf(resource['service.name']) ?? 'unknown',
    ...(version === undefined ? {} : { version }),
  };
}
