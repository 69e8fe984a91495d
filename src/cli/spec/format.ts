// The canonical layout of a spec, or of a file of its examples: keys in the order of the reference, two spaces a level,
// brackets only where they fit on a line. Comments stay; values, their quotes and the lines of block texts too. Pure.
import {
  type CollectionTag,
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type ScalarTag,
  stringify,
  type Tags,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { type StringifyContext, stringifyString } from 'yaml/util';
import { SPEC_KEYS } from '../../spec/read.ts';
import { canonicalize } from '../../step/canonical.ts';

/** Columns that a bracketed collection, or a text that is folded, may reach. */
const WIDTH = 120;

/** Parts of a spec that a blank line sets off. */
const PARTS = ['imports', 'parameters', 'tools', 'let', 'checks', 'rules', 'fixtures', 'tests'];
const TOOL = ['description', 'effect', 'reversible', 'trust', 'labels', 'fail', 'to', 'input', 'output'];
const RULE = [
  'id',
  'on',
  'after',
  'when',
  'unless',
  ...['require', 'deny', 'hold', 'limit', 'transform', 'flow', 'order', 'handoff', 'check', 'metric'],
  'then',
  'where',
  'before',
  'otherwise',
  'approve',
  'because',
  'repair',
  'controls',
  'mode',
];
const EXAMPLE = ['name', 'principal', 'agent', 'attributes', 'steps'];
/** What is written beside an act; the act itself comes first. */
const BESIDE_ACT = ['id', 'args', 'attributes', 'value', 'content', 'error', 'by', 'role', 'expect', 'rule'];

export type Formatted = { readonly text: string } | { readonly problem: string; readonly line: number };

/** Rounds after which a layout is still not its own: comments at the end of nested collections move outwards, or in, by one. */
const MAX_ROUNDS = 8;

/** JSON stays JSON. A text that is no YAML, or that could not be kept whole, is a problem. */
export function formatSpec(text: string, isJson = false): Formatted {
  let before = text;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const after = layOut(before, isJson);
    if ('problem' in after || after.text === before) return after;
    before = after.text;
  }
  return { problem: 'its comments find no place that lasts', line: 1 };
}

function layOut(text: string, isJson: boolean): Formatted {
  const document = read(text);
  const error = document.errors[0];
  if (error !== undefined) return { problem: error.message, line: lineOf(text, error.pos[0]) };
  const root = document.contents;
  if (!isMap(root) && !isSeq(root))
    return { problem: 'a spec is a map, examples are a list or a map', line: 1 };
  const meaning = canonicalize(document.toJS());
  arrange(root);
  if (isJson) return { text: `${JSON.stringify(document.toJS(), null, 2)}\n` };
  spread(root, 0, 0, root);
  closeUp(document);
  const out = document.toString({ lineWidth: 0 });
  const again = read(out);
  const isKept =
    again.errors.length === 0 &&
    canonicalize(again.toJS()) === meaning &&
    commentsOf(out).join('\n') === commentsOf(text).join('\n');
  return isKept ? { text: out } : { problem: 'it cannot be laid out anew and be kept whole', line: 1 };
}

/** In any order: keys may change places. */
function commentsOf(text: string): string[] {
  return [...new Lexer().lex(text)].filter((token) => token.startsWith('#')).sort();
}

function read(text: string): Document.Parsed {
  return parseDocument(text, {
    keepSourceTokens: true,
    prettyErrors: false,
    version: '1.2',
    customTags,
  });
}

function customTags(tags: Tags): Tags {
  return tags.map((tag) => {
    if (typeof tag !== 'object') return tag;
    if (tag.tag === 'tag:yaml.org,2002:str') return asWritten(tag as ScalarTag);
    if (tag.tag === 'tag:yaml.org,2002:seq') return padded(tag as CollectionTag, '');
    return tag.tag === 'tag:yaml.org,2002:map' ? padded(tag as CollectionTag, ' ') : tag;
  });
}

/** `{ a: [b, c] }`: a space inside braces, none inside brackets. */
function padded(tag: CollectionTag, flowCollectionPadding: string): CollectionTag {
  // The library asks collections for this too, though its types do not say so.
  const stringify = (item: YAMLSeq, context: StringifyContext, ...rest: [(() => void)?, (() => void)?]) =>
    item.toString({ ...context, flowCollectionPadding }, ...rest);
  return Object.assign({}, tag, { stringify });
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function arrange(root: YAMLMap | YAMLSeq): void {
  if (isSeq(root)) {
    arrangeExamples(root);
    return;
  }
  // What stands at the top of the file stays there, whichever key comes first.
  const first = keyOf(root.items[0]);
  const { commentBefore, spaceBefore } = first ?? {};
  if (first) {
    first.commentBefore = null;
    first.spaceBefore = false;
  }
  order(root, SPEC_KEYS);
  const now = keyOf(root.items[0]);
  if (now) {
    if (commentBefore)
      now.commentBefore = now.commentBefore ? `${commentBefore}\n\n${now.commentBefore}` : commentBefore;
    now.spaceBefore = spaceBefore ?? false;
  }
  for (const [i, pair] of root.items.entries()) {
    const key = keyOf(pair);
    if (
      i > 0 &&
      key &&
      PARTS.includes(String(key.value)) &&
      isCollection(pair.value) &&
      pair.value.items.length > 0
    )
      key.spaceBefore = true;
  }
  for (const tool of valuesOf(root.get('tools'))) order(tool, TOOL);
  for (const rule of itemsOf(root.get('rules'))) order(rule, RULE);
  for (const fixture of valuesOf(root.get('fixtures'))) arrangeSteps(fixture);
  arrangeExamples(root.get('tests'));
}

function arrangeExamples(list: unknown): void {
  for (const example of itemsOf(list)) {
    order(example, EXAMPLE);
    if (isMap(example)) arrangeSteps(example.get('steps'));
  }
}

function arrangeSteps(list: unknown): void {
  for (const step of itemsOf(list)) {
    if (!isMap(step)) continue;
    const acts = step.items
      .map((pair) => String(keyOf(pair)?.value))
      .filter((key) => !BESIDE_ACT.includes(key));
    order(step, [...acts, ...BESIDE_ACT]);
  }
}

function itemsOf(node: unknown): unknown[] {
  return isSeq(node) ? node.items : [];
}

function valuesOf(node: unknown): unknown[] {
  return isMap(node) ? node.items.map((pair) => pair.value) : [];
}

function keyOf(pair: Pair | undefined): Scalar | null {
  return isScalar(pair?.key) ? pair.key : null;
}

/** Known keys in this order, others after them as they are. */
function order(node: unknown, keys: readonly string[]): void {
  if (!isMap(node)) return;
  const rank = (pair: Pair) => {
    const at = keys.indexOf(String(keyOf(pair)?.value));
    return at < 0 ? keys.length : at;
  };
  node.items.sort((a, b) => rank(a) - rank(b));
}

/**
 * Opens every bracketed collection that has comments inside or does not fit. `indent` is where its own lines would begin,
 * `column` where it stands, `above` what takes a comment that stood behind it.
 */
function spread(node: unknown, indent: number, column: number, above: Node): void {
  if (!isCollection(node)) return;
  if (node.flow && node.items.length > 0) {
    const { comment, commentBefore } = node;
    node.comment = null;
    node.commentBefore = null;
    const fits =
      !hasComments(node) && column + stringify(node, { lineWidth: 0, customTags }).trimEnd().length <= WIDTH;
    node.commentBefore = commentBefore ?? null;
    if (fits) {
      node.comment = comment ?? null;
      for (const item of node.items) flatten(item);
      return;
    }
    node.flow = false;
    if (comment) above.commentBefore = above.commentBefore ? `${above.commentBefore}\n${comment}` : comment;
  }
  if (node.flow) return;
  for (const item of node.items as unknown[]) {
    if (!isPair(item)) spread(item, indent + 2, indent + 2, item as Node);
    else
      spread(item.value, indent + 2, indent + String(keyOf(item)?.value ?? '').length + 2, item.key as Node);
  }
}

/** One blank line at most inside a comment, none between it and what it is about. */
function closeUp(document: Document.Parsed): void {
  visit(document, {
    Node(_, node) {
      if (node.commentBefore)
        node.commentBefore = node.commentBefore.replace(/\n{3,}/g, '\n\n').replace(/\n+$/, '');
    },
  });
}

/** Within brackets on one line nothing has a blank line before it. */
function flatten(item: unknown): void {
  const clear = (_: unknown, node: Node) => {
    node.spaceBefore = false;
  };
  if (isPair(item)) {
    if (isScalar(item.key)) item.key.spaceBefore = false;
    if (item.value) visit(item.value as Node, { Node: clear } as never);
  } else visit(item as Node, { Node: clear } as never);
}

function hasComments(node: Node): boolean {
  let found = false;
  visit(node, (_, at) => {
    const { comment, commentBefore } = at as { comment?: string | null; commentBefore?: string | null };
    if (comment || commentBefore) found = true;
  });
  return found;
}

/** Texts keep their lines: block texts as they stand; a longer text that was spread over lines becomes a folded one. */
function asWritten(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    stringify(item, context, onComment, onChompKeep) {
      const scalar = item as Scalar<string>;
      const block = blockLines(scalar);
      if (block !== null && !context.implicitKey && !context.inFlow && !item.comment)
        return [
          block.header,
          ...block.lines.map((line) => (line === '' ? '' : (context.indent || '  ') + line)),
        ].join('\n');
      const token = scalar.srcToken;
      const spans = token !== undefined && 'source' in token && token.source.includes('\n');
      const folds =
        spans && block === null && scalar.value.length > WIDTH - 20 && !scalar.value.includes('\n');
      if (folds && !context.implicitKey && !context.inFlow)
        return stringifyString(
          { ...scalar, type: 'BLOCK_FOLDED' } as Scalar,
          wide(context),
          onComment,
          onChompKeep,
        );
      return stringifyString(scalar, context, onComment, onChompKeep);
    },
  };
}

function wide(context: StringifyContext): StringifyContext {
  return { ...context, options: { ...context.options, lineWidth: WIDTH } };
}

/** The lines of a block text without their indentation; null for other texts, and where the indentation is part of the value. */
function blockLines({ srcToken: token }: Scalar): { header: string; lines: string[] } | null {
  if (token?.type !== 'block-scalar') return null;
  const header = token.props.find((prop) => prop.type === 'block-scalar-header');
  const source = header !== undefined && 'source' in header ? header.source : '';
  if (source !== '|' && source !== '|-' && source !== '>' && source !== '>-') return null;
  const lines = token.source.replace(/\n+$/, '').split('\n');
  // Spaces alone indent (YAML 1.2, section 6.1); other white space is text.
  const first = lines.find((line) => !/^ *$/.test(line));
  if (first === undefined) return null;
  const indent = first.length - first.replace(/^ +/, '').length;
  return { header: source, lines: lines.map((line) => line.slice(indent)) };
}
