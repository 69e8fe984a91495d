// Goes through a parsed script in the order in which it runs, and keeps track of the folder it runs in. Pure.
import {
  type CommandNode,
  forEachChild,
  type ParsedScript,
  type Redirection,
  type Statement,
  type SyntaxNode,
  type Word,
} from 'unbash';
import type { Place, Reading } from './collect.ts';
import { isRooted, joinPath } from './paths.ts';
import { readSimple, type Simple } from './simple.ts';
import { MAX_FOLDERS, MAX_NESTED } from './types.ts';
import { plain, type Text, textsOf } from './word.ts';

type Folders = readonly string[] | null;

/** The folders after it. */
export function walkScript(script: ParsedScript, place: Place, reading: Reading): Folders {
  for (const { message } of script.errors ?? []) reading.unknown.add(`it is no shell command: ${message}`);
  if (place.depth > MAX_NESTED) {
    reading.unknown.add('commands nest too deeply');
    return null;
  }
  const { source = place.source } = script;
  return walkStatements(script.commands, { ...place, source }, reading);
}

function walkStatements(statements: readonly Statement[], place: Place, reading: Reading): Folders {
  let { folders } = place;
  for (const { command, background } of statements) {
    const at = { ...place, folders, background: place.background || background === true };
    const after = walkNode(command, at, reading);
    if (background !== true) folders = after;
  }
  return folders;
}

function walkNode(node: Statement['command'] | SyntaxNode, place: Place, reading: Reading): Folders {
  switch (node.type) {
    case 'AndOr':
      return walkAndOr(node, place, reading);
    case 'Pipeline':
      for (const [i, command] of node.commands.entries())
        walkNode(command, { ...place, piped: place.piped || i > 0 }, reading);
      return node.commands.length === 1 ? walkedFolders(node.commands[0]!, place) : place.folders;
    case 'Command':
      return walkCommand(node, place, reading);
    case 'Redirected': {
      const { files } = redirectionsOf(node.redirects, place, reading);
      if (files.length > 0) readSimple({ words: [], env: [], input: null, files }, place, reading);
      const input = node.redirects.some(
        ({ type, ...rest }) => type !== 'Redirect' || ('operator' in rest && rest.operator === '<'),
      );
      return walkNode(node.command, { ...place, piped: place.piped || input }, reading);
    }
    case 'Statement':
      return walkStatements([node], place, reading);
    case 'CompoundList':
      return walkStatements(node.commands, deeper(place), reading);
    case 'BraceGroup':
      return walkStatements(node.body.commands, deeper(place), reading);
    case 'Function':
      reading.functions.add(node.name.value);
      walkInside(node, place, reading);
      return place.folders;
    case 'Subshell':
    case 'Coproc':
      walkInside(node, place, reading);
      return place.folders;
    default:
      return walkInside(node, place, reading);
  }
}

/** Whatever stands in a node, in order; it may run or not, so the folder afterwards is one of several. */
function walkInside(node: SyntaxNode, place: Place, reading: Reading): Folders {
  if (place.depth > MAX_NESTED) {
    reading.unknown.add('commands nest too deeply');
    return null;
  }
  let { folders } = place;
  forEachChild(node, (child) => {
    const at = { ...deeper(place), folders };
    if (child.type === 'Script') walkScript(child as ParsedScript, at, reading);
    else folders = either(folders, walkNode(child, at, reading));
  });
  return folders;
}

function walkAndOr(
  node: Statement['command'] & { readonly type: 'AndOr' },
  place: Place,
  reading: Reading,
): Folders {
  let { folders } = place;
  let afterAll = folders;
  for (const [i, command] of node.commands.entries()) {
    const operator = node.operators[i - 1];
    const from = operator === '||' ? either(place.folders, folders) : folders;
    const after = walkNode(command, { ...place, folders: from }, reading);
    if (operator === '||' && leaves(command)) continue;
    folders = command.type === 'Command' && isMove(command) ? movedTo(command, from) : after;
    afterAll = operator === '||' ? either(afterAll, after) : folders;
  }
  const last = node.operators.at(-1) === '||' && leaves(node.commands.at(-1)!);
  return last ? afterAll : either(place.folders, afterAll);
}

function leaves(node: { readonly type: string }): boolean {
  return node.type === 'Command' && ['exit', 'return'].includes((node as { name?: Word }).name?.value ?? '');
}

type Command = CommandNode & { readonly type: 'Command' };

function walkCommand(node: Command, place: Place, reading: Reading): Folders {
  const env: [string, Text][] = [];
  for (const part of node.prefix) {
    if (part.type !== 'Assignment') continue;
    const value = part.value.type === 'Word' ? textsOf(part.value)[0]! : { ...plain(''), known: false };
    env.push([part.name, value]);
    walkInside(part, place, reading);
  }
  if (node.name !== undefined && hasParenthesis(place.source, node.name.end))
    reading.unknown.add("it is no shell command: unexpected token '('");
  const words: Word[] = node.name === undefined ? [] : [node.name];
  const texts: Text[] = node.name === undefined ? [] : [...textsOf(node.name)];
  for (const part of node.suffix) {
    if (part.type === 'Word') {
      words.push(part);
      texts.push(...textsOf(part));
    } else if (part.type === 'Assignment') {
      const value = part.value.type === 'Word' ? textsOf(part.value)[0]! : { ...plain(''), known: false };
      texts.push({ ...value, text: `${part.name}=${value.text}`, home: false });
      if (['export', 'declare', 'typeset', 'local', 'readonly'].includes(node.name?.value ?? ''))
        env.push([part.name, value]);
      walkInside(part, place, reading);
    }
  }
  for (const word of words) walkInside(word, place, reading);
  const { files, input } = redirectionsOf(node.redirects, place, reading);
  const simple: Simple = { words: texts, env, input, files };
  if (texts.length > 0 || files.length > 0 || env.length > 0) readSimple(simple, place, reading);
  return walkedFolders(node, place);
}

/** The parser passes over `name (` that begins no function. */
function hasParenthesis(source: string, from: number): boolean {
  let at = from;
  while (' \t\\\n'.includes(source[at] ?? '.') && !(source[at] === '\n' && source[at - 1] !== '\\')) at++;
  return source[at] === '(';
}

/** A folder that could not be entered leaves the command where it was. */
function walkedFolders(node: SyntaxNode, place: Place): Folders {
  return node.type === 'Command' && isMove(node)
    ? either(place.folders, movedTo(node, place.folders))
    : place.folders;
}

function isMove(node: Command): boolean {
  return ['cd', 'pushd', 'popd'].includes(node.name?.value ?? '');
}

function movedTo(node: Command, from: Folders): Folders {
  const words = node.suffix.flatMap((part) => (part.type === 'Word' ? textsOf(part) : []));
  const [to, more] = words.filter(({ text }) => !/^-[LPe@-]*$/.test(text) || text === '-');
  if (node.name?.value === 'popd' || more !== undefined) return null;
  if (to === undefined) return node.name?.value === 'cd' ? ['~'] : null;
  if (!to.known || to.glob || to.text === '-' || to.text.startsWith('+')) return null;
  const path = to.text.startsWith('~') && !to.home ? `./${to.text}` : to.text;
  if (isRooted(path)) return [joinPath('.', path)];
  return from === null ? null : from.map((folder) => joinPath(folder, path));
}

function either(a: Folders, b: Folders): Folders {
  if (a === null || b === null) return null;
  const all = [...new Set([...a, ...b])];
  return all.length > MAX_FOLDERS ? null : all;
}

function deeper(place: Place): Place {
  return { ...place, depth: place.depth + 1 };
}

function redirectionsOf(
  redirects: readonly Redirection[],
  place: Place,
  reading: Reading,
): Pick<Simple, 'files' | 'input'> {
  const files: (readonly ['reads' | 'writes', Text])[] = [];
  let input: Text | null = null;
  for (const redirect of redirects) {
    walkInside(redirect, place, reading);
    if (redirect.type === 'HereDoc') {
      const isPlain = redirect.delimiter?.quoted === true || redirect.body.parts === undefined;
      input = { ...plain(redirect.body.text), known: isPlain };
      continue;
    }
    const target = redirect.target === undefined ? undefined : textsOf(redirect.target)[0];
    if (target === undefined) continue;
    if (redirect.type === 'HereString') input = target;
    else if (/[<>]&$/.test(redirect.operator) && /^(\d+|-|\d+-)$/.test(target.text)) continue;
    else {
      if (
        redirect.operator !== '>' &&
        redirect.operator !== '>>' &&
        redirect.operator !== '>|' &&
        !redirect.operator.startsWith('&')
      )
        if (redirect.operator !== '>&') files.push(['reads', target]);
      if (redirect.operator !== '<' && redirect.operator !== '<&') files.push(['writes', target]);
    }
  }
  return { files, input };
}
