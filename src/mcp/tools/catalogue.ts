// The tools of one server: pinned when they are first seen, compared with their pins and with the tools of other servers
// ever after. Says of a tool what speaks against it; what is done about it is decided by who asks.
import { digestJson } from '../../step/digest.ts';
import { toJson } from '../../step/json.ts';
import type { Json } from '../../step/types.ts';
import { type Fields, field, isFields } from '../wire/message.ts';
import type { FindingKind, ToolFinding } from './finding.ts';
import { hiddenIn } from './hidden-text.ts';
import { likeness, SAME } from './look-alike.ts';
import type { Pin, PinStore, ServerPins, Sighting } from './pins.ts';

export interface CatalogueOptions {
  /** What the pins of the server are kept under. */
  readonly server: string;
  readonly pins: PinStore;
  /** Findings for which a tool is left out and denied; a changed definition always is. */
  readonly refuse: ReadonlySet<FindingKind>;
  readonly onFinding: (finding: ToolFinding) => void;
  readonly now: () => Date;
}

export interface ToolState {
  readonly findings: readonly ToolFinding[];
  /** The findings for which it may not be called. */
  readonly refusals: readonly ToolFinding[];
  /** Null when the server never listed it to us. */
  readonly inputSchema: Json;
}

export interface Catalogue {
  readonly server: string;
  /** Takes a page of `tools/list`; answers which of its tools a client may see, by place. `continued`: it is not the first page. */
  review(tools: readonly unknown[], page?: { readonly continued: boolean }): boolean[];
  /** What is known of a tool that is called. */
  state(tool: string): ToolState;
}

interface Known {
  readonly digest: string;
  readonly findings: readonly ToolFinding[];
  readonly inputSchema: Json;
}

export const TOOLS_MAX = 10_000;
const NAME_MAX = 256;
const UNLISTED: ToolState = { findings: [], refusals: [], inputSchema: null };

export function createCatalogue(options: CatalogueOptions): Catalogue {
  const { server, pins, refuse, onFinding } = options;
  const known = new Map<string, Known>();
  const reported = new Set<string>();
  /** The list that is being read is the first of the server: all of it is pinned at once. */
  let first = false;
  let stamp = pins.stamp(server);
  let own: Map<string, Pin> = new Map(pins.read(server)?.tools);

  /** Another proxy of the same server, or a person who accepted a change, may have written since. */
  function refresh(): void {
    const now = pins.stamp(server);
    if (now === stamp) return;
    stamp = now;
    own = new Map(pins.read(server)?.tools);
  }

  function save(): void {
    pins.write({ server, tools: own });
    stamp = pins.stamp(server);
  }

  /** Pins what is new, and notes what is not as it was. True when the file must be written. */
  function pin(name: string, definition: Json, digest: string): boolean {
    const found = own.get(name);
    const sighting: Sighting = { digest, since: options.now().toISOString(), definition };
    if (found === undefined) {
      if (own.size >= TOOLS_MAX) return false;
      const pinnedAtOnce = first || !refuse.has('new-tool');
      own.set(name, pinnedAtOnce ? { pinned: sighting, seen: null } : { pinned: null, seen: sighting });
      return true;
    }
    if (found.pinned?.digest === digest || found.seen?.digest === digest) return false;
    own.set(name, { pinned: found.pinned, seen: sighting });
    return true;
  }

  function findingsOf(
    name: string,
    definition: Json,
    fresh: boolean,
    others: readonly ServerPins[],
  ): ToolFinding[] {
    const finding = (kind: FindingKind, detail: string) => ({ kind, server, tool: name, detail });
    const found = hiddenIn(definition).map((detail) => finding('hidden-text', detail));
    if (fresh) found.push(finding('new-tool', 'came after the other tools of the server were pinned'));
    for (const other of others) {
      for (const theirs of other.tools.keys()) {
        const alike = likeness(name, theirs);
        if (theirs === name) found.push(finding('collision', `${other.server} has a tool of this name too`));
        else if (alike !== null)
          found.push(finding('look-alike', `${alike} ${JSON.stringify(theirs)} of ${other.server}`));
      }
    }
    for (const theirs of own.keys()) {
      // Within a server names may differ by an `s`, but not by how they are drawn.
      const alike = likeness(name, theirs);
      if (alike === SAME) found.push(finding('look-alike', `${alike} ${JSON.stringify(theirs)}`));
    }
    return found;
  }

  function changeOf(name: string, digest: string): ToolFinding[] {
    const pinned = own.get(name)?.pinned;
    if (pinned?.digest === digest) return [];
    if (pinned === null || pinned === undefined) return [];
    const detail = `is not what was pinned on ${pinned.since.slice(0, 10)}; see \`interlock mcp pins\``;
    return [{ kind: 'changed', server, tool: name, detail }];
  }

  function refusalsOf({ digest, findings }: Known, name: string): ToolFinding[] {
    return [
      ...changeOf(name, digest),
      // A person who accepted the definition has seen what there was to see.
      ...findings.filter(({ kind }) => refuse.has(kind) && !(kind === 'new-tool' && isPinned(name, digest))),
    ];
  }

  function isPinned(name: string, digest: string): boolean {
    return own.get(name)?.pinned?.digest === digest;
  }

  function report(findings: readonly ToolFinding[], digest: string): void {
    for (const finding of findings) {
      const key = JSON.stringify([finding, digest]);
      if (reported.has(key) || reported.size > TOOLS_MAX) continue;
      reported.add(key);
      onFinding(finding);
    }
  }

  /** Called without having been listed to us: what an earlier run last saw of it counts. */
  function unlisted(tool: string): ToolState {
    refresh();
    const pin = own.get(tool);
    if (pin === undefined || pin.seen === null) return UNLISTED;
    const kind: FindingKind = pin.pinned === null ? 'new-tool' : 'changed';
    const detail = 'was last seen with a definition that nobody accepted; see `interlock mcp pins`';
    const findings = [{ kind, server, tool, detail }];
    return { findings, refusals: kind === 'changed' || refuse.has(kind) ? findings : [], inputSchema: null };
  }

  return {
    server,
    review(tools, { continued } = { continued: false }) {
      refresh();
      first = own.size === 0 || (continued && first);
      let others: readonly ServerPins[] | null = null;
      const otherServers = () => {
        others ??= pins
          .servers()
          .filter((name) => name !== server)
          .flatMap((name) => pins.read(name) ?? []);
        return others;
      };
      let dirty = false;
      const kept = tools.slice(0, TOOLS_MAX).map((tool) => {
        const definition = definitionOf(tool);
        if (definition === null) {
          report(
            [{ kind: 'changed', server, tool: nameOf(tool), detail: 'has a definition that cannot be read' }],
            '',
          );
          return false;
        }
        const name = definition.name as string;
        const digest = digestJson(definition);
        const earlier = known.get(name);
        const fresh = !first && !own.has(name);
        if (pin(name, definition, digest)) dirty = true;
        const findings =
          earlier?.digest === digest ? earlier.findings : findingsOf(name, definition, fresh, otherServers());
        const now: Known = { digest, findings, inputSchema: definition.inputSchema ?? null };
        if (known.size < TOOLS_MAX || known.has(name)) known.set(name, now);
        report([...findings, ...changeOf(name, digest)], digest);
        return refusalsOf(now, name).length === 0;
      });
      if (dirty) save();
      return tools.map((_, i) => kept[i] ?? false);
    },
    state(tool) {
      const found = known.get(tool);
      if (found === undefined) return unlisted(tool);
      if (!isPinned(tool, found.digest)) refresh();
      const refusals = refusalsOf(found, tool);
      const findings = [...found.findings, ...changeOf(tool, found.digest)];
      return { findings, refusals, inputSchema: found.inputSchema };
    },
  };
}

/** All a model or a client may read of the tool; `_meta` is for programs and may differ from one answer to the next. */
function definitionOf(tool: unknown): { readonly [key: string]: Json } | null {
  if (!isFields(tool)) return null;
  const { _meta, ...rest } = tool as Fields;
  const parsed = toJson(rest);
  if (!parsed.ok) return null;
  const name = field(parsed.value, 'name');
  if (typeof name !== 'string' || name === '' || name.length > NAME_MAX) return null;
  return parsed.value as { readonly [key: string]: Json };
}

function nameOf(tool: unknown): string {
  const name = field(tool, 'name');
  return typeof name === 'string' ? name.slice(0, NAME_MAX) : '?';
}
