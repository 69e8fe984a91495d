// Bash rules of Claude Code as conditions over the command. An allow matches a plain command, or each of several joined by
// `&&`, `||`, `;`, `|` or a new line; a deny matches wherever in the command its words could begin. Pure.
import { allOf, anyOf, matches, quote } from '../cel.ts';

const COMMAND = 'args.command';
/** What makes more of a command than its words: substitution, grouping, redirection, background, escapes. */
const SHELL = '[&<>(){}$`\\\\\\x00-\\x08\\x0b-\\x1f]';
/** What joins commands, and is written `;` before they are taken apart. */
const JOINTS = ['&&', '||', '|', '\n'] as const;
/** Quotes that may stand beside a space between words. */
const GAP = '["\']*';

/** `:*` at the end is another spelling of ` *`. */
function patternOf(specifier: string): string {
  return specifier.endsWith(':*') ? `${specifier.slice(0, -2)} *` : specifier;
}

/** Matches one simple command, whole: `*` is any text; ` *` at the end, alone, matches the bare command too. */
export function commandPattern(specifier: string): string {
  const parts = patternOf(specifier).split('*');
  const bare = parts.length === 2 && parts[1] === '' && parts[0]!.endsWith(' ');
  if (bare) return `^${quote(parts[0]!.trimEnd())}( .*)?$`;
  return `^${parts.map(quote).join('.*')}$`;
}

/**
 * Matches a command in which the rule's words stand anywhere that a command could begin, in any case, with any space or
 * quotes between them.
 */
export function anywherePattern(specifier: string): string {
  const pattern = patternOf(specifier).trimStart();
  if (pattern.replaceAll('*', '').trim() === '') return '(?s).*';
  const open = pattern.endsWith('*');
  const core = pattern.endsWith(' *') ? pattern.slice(0, -2) : open ? pattern.slice(0, -1) : pattern;
  const words = (part: string) => part.split(/\s+/).map(quote).join(`${GAP}\\s+${GAP}`);
  const before = core.startsWith('*') ? '' : '(^|[^a-z0-9_.-])';
  const after = pattern.endsWith(' *') ? '([^a-z0-9_.-]|$)' : open ? '' : `${GAP}\\s*($|[;&|<>(){}\`#\\n])`;
  return `(?is)${before}${core.split('*').map(words).join('.*')}${after}`;
}

/** The command is one of those that the specifiers allow, or several of them joined. */
export function allowedCommand(specifiers: readonly string[]): string {
  if (specifiers.length === 0) return 'false';
  const one = (text: string) =>
    anyOf(specifiers.map((specifier) => matches(text, commandPattern(specifier))));
  const plain = `!${matches(COMMAND, SHELL)} && !${matches(COMMAND, '[;|\\n]')}`;
  // Quotes could hide where one command ends and the next begins: with them, only a single command.
  const joined = JOINTS.reduce<string>(
    (text, joint) => `${text}.replace(${JSON.stringify(joint)}, ";")`,
    COMMAND,
  );
  const several = `!${matches(COMMAND, '["\']')} && ${joined}.split(";").all(c, !${matches('c', SHELL)} && (${one('c.trim()')}))`;
  return anyOf([allOf([plain, one(COMMAND)]), several]);
}

/** What hides words from a deny: expansion, escapes, quotes within a word. */
export const HIDDEN = matches(COMMAND, '[$`\\\\]|[A-Za-z0-9_]["\'][A-Za-z0-9_]|["\']["\']');

export function deniedCommand(specifier: string): string {
  return matches(COMMAND, anywherePattern(specifier));
}

/** A command that the specifier matches. */
export function exampleCommand(specifier: string): string {
  const parts = patternOf(specifier).split('*');
  return parts.join('x').trim();
}
