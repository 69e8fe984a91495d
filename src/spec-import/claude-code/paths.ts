// Read and Edit rules of Claude Code, patterns of gitignore with four anchors, as conditions over a path. Only plain absolute
// paths can be decided: an allow asks for one, a deny takes every other path too. Pure.
import { anyOf, matches, quote } from '../cel.ts';

/** From where a pattern counts: the file system, the home folder, the project. The last two are parameters of the spec. */
type Anchor = 'root' | 'home' | 'project';

export interface PathPattern {
  readonly anchor: Anchor;
  /** RE2, of the path behind the anchor, which begins with `/`; no anchors of its own. */
  readonly pattern: string;
  /** The last name in it that is not all wildcards, for a glance at commands; null when there is none. */
  readonly name: string | null;
  /** A path below the anchor that it matches. */
  readonly example: string;
}

/** Null when the pattern has what cannot be taken over: character classes, negation, escapes, `..`. */
export function parsePathPattern(specifier: string): PathPattern | null {
  const { anchor, rest, anywhere } = anchored(specifier);
  if (/[[\]\\!]/.test(rest) || rest.split('/').includes('..')) return null;
  const segments = rest.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.length === 0) return null;
  const folder = rest.endsWith('/');
  let pattern = anywhere ? '(/.*)?' : '';
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (segment === '**') pattern += last ? '/.+' : '(/.*)?';
    else pattern += `/${segmentPattern(segment)}`;
  });
  const named = segments.filter((segment) => /[^*?]/.test(segment)).at(-1) ?? null;
  return {
    anchor,
    pattern: folder ? `${pattern}/.+` : pattern,
    name: named === null ? null : segmentPattern(named).replaceAll('[^/]', '[^/\\s]'),
    example: `/${segments.map((s) => s.replaceAll('**', 'x').replaceAll(/[*?]/g, 'x')).join('/')}${folder ? '/x' : ''}`,
  };
}

/** `//` the file system, `~/` home, `/` the project; else the current folder, at any depth when it is one name. */
function anchored(specifier: string): { anchor: Anchor; rest: string; anywhere: boolean } {
  if (specifier.startsWith('//')) return { anchor: 'root', rest: specifier.slice(1), anywhere: false };
  if (specifier === '~' || specifier.startsWith('~/'))
    return { anchor: 'home', rest: specifier.slice(1), anywhere: false };
  const name = specifier.endsWith('/') ? specifier.slice(0, -1) : specifier;
  return { anchor: 'project', rest: specifier, anywhere: !name.includes('/') };
}

function segmentPattern(segment: string): string {
  let out = '';
  for (const c of segment) out += c === '*' ? '[^/]*' : c === '?' ? '[^/]' : quote(c);
  return out;
}

/** An absolute path that nothing resolves: no `.`, `..`, `//`, backslash or control character in it. */
export function plainPath(path: string): string {
  return `${path}.startsWith("/") && !${matches(path, '//|\\\\|(^|/)\\.\\.?(/|$)|[\\x00-\\x1f\\x7f]')}`;
}

/** The path is the pattern's. */
export function allowedPath(path: string, { anchor, pattern }: PathPattern): string {
  if (anchor === 'root') return matches(path, `^${pattern}$`);
  return `${path}.startsWith(${anchor} + "/") && ${matches(`${path}.substring(size(${anchor}))`, `^${pattern}$`)}`;
}

/** The path is the pattern's or below it, in any case: file systems differ. */
export function deniedPath(path: string, { anchor, pattern }: PathPattern): string {
  if (anchor === 'root') return matches(path, `(?i)^${pattern}(/.*)?$`);
  return `${path}.lowerAscii().startsWith(${anchor}.lowerAscii() + "/") && ${matches(`${path}.substring(size(${anchor}))`, `(?i)^${pattern}(/.*)?$`)}`;
}

/** The path is one of the folders or below. Folders are CEL. */
export function withinFolders(path: string, folders: readonly string[]): string {
  return anyOf(folders.map((folder) => `${path} == ${folder} || ${path}.startsWith(${folder} + "/")`));
}

/** Files and folders that no mode edits unasked. */
const PROTECTED =
  '(?i)/(\\.(git|vscode|idea|husky|claude)/.*|\\.(gitconfig|gitmodules|bashrc|bash_profile|zshrc|zprofile|profile|ripgreprc|mcp\\.json|claude\\.json))$';
export function protectedPath(path: string): string {
  return matches(path, PROTECTED);
}

/** A command in which a name that a deny is about stands as a word, or at the end of a path. */
export function mentionedIn(command: string, name: string): string {
  return matches(command, `(?i)(^|[\\s/"'=:<>@(])${name}($|[\\s/"';&|<>)])`);
}

/** A folder as an absolute path without `.` and `..`; null when it cannot be known. */
export function absolute(folder: string, project: string, home: string): string | null {
  const whole =
    folder.startsWith('~/') || folder === '~'
      ? home + folder.slice(1)
      : folder.startsWith('/')
        ? folder
        : `${project}/${folder}`;
  if (!whole.startsWith('/') || whole.includes('\\')) return null;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
