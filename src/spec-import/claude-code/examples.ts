// Example sessions for imported settings: what each rule is about, and what must not ride along. Pure.
import { compilePattern, matchText } from '../../spec/cel/pattern.ts';
import { CelError } from '../../spec/cel/value.ts';
import { RE2 } from '../../spec/engines/re2.ts';
import { globMatches } from '../../spec/pattern.ts';
import type { JsonObject } from '../../step/types.ts';
import { anywherePattern, commandPattern, exampleCommand } from './bash.ts';
import { parsePathPattern } from './paths.ts';
import type { PermissionRule, Permissions } from './rules.ts';
import { exampleAddress, parseDomain } from './web.ts';

const STRANGER = 'unheard-of-command x';
const MAX_EXAMPLES = 40;

interface Where {
  readonly project: string;
  readonly home: string;
}

export function examplesOf(permissions: Permissions, where: Where, otherwise: 'hold' | 'deny'): JsonObject[] {
  const { rules, mode } = permissions;
  const of = (list: PermissionRule['list'], tool: string) =>
    rules.flatMap((rule) =>
      rule.list === list && rule.tool === tool && rule.specifier !== null ? [rule.specifier] : [],
    );
  const bare = (...tools: string[]) =>
    rules.some((rule) => rule.specifier === null && tools.some((tool) => globMatches(rule.tool, tool)));
  const files = rules.some((rule) => rule.list !== 'allow' && ['Read', 'Edit', 'Write'].includes(rule.tool));
  const steps = (all: (JsonObject | null)[]) => all.filter((step) => step !== null).slice(0, MAX_EXAMPLES);
  const bash = (command: string, expect: string) => ({ call: 'Bash', args: { command }, expect });

  const denied = steps(
    of('deny', 'Bash').flatMap((specifier) => {
      const command = exampleCommand(specifier);
      return command === ''
        ? []
        : [bash(command, 'deny'), bash(`cd /tmp && ${command}`, 'deny'), bash(`(${command})`, 'deny')];
    }),
  );
  const taken = [...of('deny', 'Bash'), ...of('ask', 'Bash')].map(anywherePattern);
  const allowed = of('allow', 'Bash');
  const clear = (command: string) =>
    !taken.some((pattern) => hits(pattern, command)) && !(files && /[^A-Za-z0-9 :_-]/.test(command));
  const plain = (command: string) => /^[A-Za-z0-9 :_./=@,-]+$/.test(command) && clear(command);
  const strange = clear(STRANGER) && !allowed.some((specifier) => hits(commandPattern(specifier), STRANGER));
  const commands =
    bare('Bash') || files || mode === 'bypassPermissions'
      ? []
      : steps(
          allowed.flatMap((specifier) => {
            const command = exampleCommand(specifier);
            if (!plain(command)) return [];
            return [
              bash(command, 'allow'),
              ...(strange
                ? [' && ', '; ', ' | ', '\n'].map((joint) => bash(`${command}${joint}${STRANGER}`, otherwise))
                : []),
              bash(`${command} $(${STRANGER})`, otherwise),
              bash(`${command} > out`, otherwise),
            ];
          }),
        );

  const path = (tool: string, specifier: string, expect: string) => {
    const pattern = parsePathPattern(specifier);
    if (pattern === null) return null;
    const base = pattern.anchor === 'root' ? '' : where[pattern.anchor];
    return { call: tool, args: { file_path: `${base}${pattern.example}` }, expect };
  };
  const kept = steps([
    ...of('deny', 'Read').map((specifier) => path('Read', specifier, 'deny')),
    ...of('deny', 'Edit').map((specifier) => path('Edit', specifier, 'deny')),
  ]);
  const edits =
    files || bare('Edit', 'Write') || mode === 'plan' || mode === 'bypassPermissions'
      ? []
      : steps(
          of('allow', 'Edit').flatMap((specifier) => {
            const example = path('Edit', specifier, 'allow');
            if (example === null || /\/\.[^/]*/.test(example.args.file_path)) return [];
            const around = `${where.project}/x/../../..${example.args.file_path}`;
            return [example, { call: 'Edit', args: { file_path: around }, expect: otherwise }];
          }),
        );

  const hosts = of('allow', 'WebFetch')
    .map(parseDomain)
    .filter((host) => host !== null);
  const fetched = of('deny', 'WebFetch').length + of('ask', 'WebFetch').length > 0 || bare('WebFetch');
  const addresses =
    fetched || mode === 'bypassPermissions'
      ? []
      : steps(
          hosts.flatMap((host) => {
            const url = exampleAddress(host);
            const other = `${url.slice(0, -1)}.unheard-of.example/`;
            return [
              { call: 'WebFetch', args: { url }, expect: 'allow' },
              { call: 'WebFetch', args: { url: other }, expect: otherwise },
            ];
          }),
        );

  const tests = {
    'commands that are denied': denied,
    'commands that are allowed, and what does not ride along': commands,
  };
  const more = {
    'files that are denied': kept,
    'edits that are allowed': edits,
    'addresses that are allowed': addresses,
  };
  return Object.entries({ ...tests, ...more }).flatMap(([name, list]) =>
    list.length === 0 ? [] : [{ name, steps: list }],
  );
}

function hits(pattern: string, text: string): boolean {
  const compiled = compilePattern(RE2, pattern);
  // What cannot be compiled is taken to match: an example less.
  return compiled instanceof CelError || matchText(text, compiled) !== false;
}
