// Permission settings of Claude Code as a spec: deny rules deny, ask rules hold, and what no allow rule takes is what the mode
// says. Where a rule cannot be said exactly, a deny takes more, an ask holds more and an allow lets less through. Pure.
import type { JsonObject } from '../../step/types.ts';
import { allOf, anyOf, literal } from '../cel.ts';
import type { ImportedRule, ImportResult, Remark, SourceFile } from '../types.ts';
import { writeSpec } from '../write.ts';
import { allowedCommand, HIDDEN } from './bash.ts';
import { examplesOf } from './examples.ts';
import {
  absolute,
  allowedPath,
  mentionedIn,
  type PathPattern,
  parsePathPattern,
  plainPath,
  protectedPath,
  withinFolders,
} from './paths.ts';
import {
  byField,
  familyOf,
  isServerGlob,
  named,
  on,
  reachOf,
  search,
  skill,
  type Taken,
  toolNames,
  toolsOf,
} from './reach.ts';
import { type PermissionRule, type Permissions, type Place, readPermissions } from './rules.ts';
import { BUILT_IN, type ToolKind } from './tools.ts';
import { allowedAddress, parseDomain } from './web.ts';

export interface ClaudeCodeOptions {
  /** Absolute; the folder Claude Code is started in, and that `/path` in its settings means. */
  readonly project: string;
  /** Absolute; what `~` means. */
  readonly home: string;
  readonly name?: string;
}

/** The settings of one or several files, as Claude Code joins them: all lists together. */
export function importClaudeCode(files: readonly SourceFile[], options: ClaudeCodeOptions): ImportResult {
  const { sources, permissions } = readPermissions(files);
  if (sources.some((source) => source.failed))
    return { ok: false, problems: sources.flatMap((source) => source.problems) };
  const translation = new Translation(permissions, options);
  const rules = translation.rules();
  const { remarks } = translation;
  const tests = examplesOf(permissions, options, translation.otherwise);
  const text = writeSpec({
    comment: headComment(files, permissions),
    head: {
      name: options.name ?? 'claude-code-permissions',
      // The rule `other-tools` says what happens to them: by name, which a default cannot.
      default: 'allow',
      parameters: {
        project: { type: 'string', default: options.project },
        home: { type: 'string', default: options.home },
      },
      tools: contracts(),
    },
    rules,
    tests,
    remarks,
  });
  return { ok: true, text, remarks };
}

function headComment(files: readonly SourceFile[], { mode }: Permissions): string {
  return [
    `Imported from ${files.map((file) => file.name.split('/').at(-1)).join(', ')}: permissions of Claude Code, mode ${mode}.`,
    '',
    'Stricter than Claude Code by design: commands that it knows to be harmless are held unless an allow rule takes',
    'them; process wrappers (timeout, nice) are not looked through; a deny for a command fires wherever its words',
    'stand; paths must be absolute and plain. Claude Code sees symbolic links and the redirects of addresses, a spec does',
    'not: keep its settings as well.',
  ].join('\n');
}

function contracts(): JsonObject {
  return Object.fromEntries(
    Object.entries(BUILT_IN).map(([name, { effect, field, required }]) => [
      name,
      field === null
        ? { effect }
        : {
            effect,
            input: {
              type: 'object',
              ...(required ? { required: [field] } : {}),
              properties: {
                [field]: { type: 'string' },
                ...(name === 'Glob' ? { pattern: { type: 'string' } } : {}),
              },
            },
          },
    ]),
  );
}

class Translation {
  readonly #permissions: Permissions;
  readonly #options: ClaudeCodeOptions;
  readonly #ids = new Set<string>();
  readonly remarks: Remark[] = [];
  /** What happens to a call that would be asked about. */
  readonly otherwise: 'hold' | 'deny';

  constructor(permissions: Permissions, options: ClaudeCodeOptions) {
    this.#permissions = permissions;
    this.#options = options;
    this.otherwise = permissions.mode === 'dontAsk' ? 'deny' : 'hold';
  }

  rules(): ImportedRule[] {
    const { rules, others, modePlace, mode } = this.#permissions;
    for (const { what, place } of others)
      this.#remark(
        place,
        `\`${what}\` can refuse calls too, and what it refuses is not refused here: keep it`,
        'missing',
      );
    if (modePlace !== null && (mode === 'auto' || mode === 'plan' || mode === 'acceptEdits'))
      this.#remark(modePlace, MODE_REMARKS[mode]);
    return [
      ...rules.filter((rule) => rule.list !== 'allow').flatMap((rule) => this.#taken(rule)),
      ...this.#aroundDenies(),
      ...this.#allowed(),
    ];
  }

  #remark({ source, offset }: Place, message: string, kind: Remark['kind'] = 'stricter'): void {
    this.remarks.push({ kind, file: source.file, ...source.lines.position(offset), message });
  }

  #rule(id: string, comment: string, body: JsonObject): ImportedRule {
    const base = id
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 60);
    let unique = base;
    for (let i = 2; this.#ids.has(unique); i++) unique = `${base}-${i}`;
    this.#ids.add(unique);
    return { comment, rule: { id: unique, ...body } };
  }

  /** A deny, or an ask. */
  #taken(rule: PermissionRule): ImportedRule[] {
    const verdict = rule.list === 'deny' ? 'deny' : this.otherwise;
    return this.#reach(rule).map(({ tools, condition }) =>
      this.#rule(`${rule.list} ${rule.text}`, `${rule.list}: ${rule.text}`, {
        ...(tools.every((tool) => BUILT_IN[tool] !== undefined)
          ? { on: on(tools), [verdict]: condition === 'true' ? true : condition }
          : { on: 'call *', [verdict]: named(tools) }),
        because: `${rule.list === 'deny' ? 'Denied' : 'Asked about'} by the setting ${rule.text}.`,
      }),
    );
  }

  #reach(rule: PermissionRule): readonly Taken[] {
    const taken = reachOf(rule);
    if (taken !== null) return taken;
    const tools = familyOf(rule);
    this.#remark(
      rule.place,
      `${rule.list} ${rule.text}: the specifier cannot be taken over; every call of ${tools.join(', ')} is meant`,
    );
    return [{ tools, condition: 'true' }];
  }

  /** What a deny for files or commands means for calls that could go around it. */
  #aroundDenies(): ImportedRule[] {
    const { rules } = this.#permissions;
    const scoped = rules.filter((rule) => rule.list !== 'allow' && rule.specifier !== null);
    const commands = scoped.filter((rule) => rule.tool === 'Bash');
    const files = scoped.filter((rule) => ['read', 'edit'].includes(BUILT_IN[rule.tool]?.kind ?? ''));
    const denied = files.filter((rule) => rule.list === 'deny');
    const out: ImportedRule[] = [];
    if (commands.length + files.length > 0) {
      const globbed = files.length > 0 ? ` || args.command.matches("[*?\\\\[]")` : '';
      out.push(
        this.#rule(
          'hidden words',
          'Expansion, escapes and quotes within words could hide what a rule above is about.',
          {
            on: 'call Bash',
            [this.otherwise]: `${HIDDEN}${globbed}`,
            because: 'This command hides words that a deny or ask rule could be about.',
          },
        ),
      );
    }
    const names = [...new Set(files.map((rule) => parsePathPattern(rule.specifier!)?.name ?? null))];
    if (files.length > 0)
      out.push(
        this.#rule(
          'files in commands',
          'Commands can read and write files too: a name that a rule above is about is taken for it.',
          {
            on: 'call Bash',
            [denied.length > 0 ? 'deny' : this.otherwise]: names.includes(null)
              ? true
              : anyOf(names.map((name) => mentionedIn('args.command', name!))),
            because: 'This command names a file that a deny or ask rule is about.',
          },
        ),
      );
    if (files.some((rule) => BUILT_IN[rule.tool]?.kind === 'read'))
      out.push(
        this.#rule('searches', 'A search could show what a rule above keeps from being read.', {
          on: on(toolsOf('search')),
          [this.otherwise]: true,
          because: 'A search could show files that may not be read.',
        }),
      );
    return out;
  }

  #allowed(): ImportedRule[] {
    const { rules, mode } = this.#permissions;
    const allows = rules.filter((rule) => rule.list === 'allow');
    const whole = new Set(allows.filter((rule) => rule.specifier === null).flatMap(toolNames));
    const free = mode === 'bypassPermissions';
    const out: ImportedRule[] = [];
    const comment = (kinds: readonly ToolKind[]) => {
      const texts = allows
        .filter((rule) => kinds.includes(BUILT_IN[rule.tool]?.kind as ToolKind))
        .map((rule) => rule.text);
      return texts.length === 0 ? 'No allow rule.' : `allow: ${texts.join(', ')}`;
    };
    const only = (
      id: string,
      words: string,
      tools: readonly string[],
      condition: string,
      because: string,
    ) => {
      const left = tools.filter((tool) => !whole.has(tool));
      if (left.length === 0 || free) return;
      const form =
        condition === 'false'
          ? { [this.otherwise]: true }
          : { require: condition, otherwise: this.otherwise };
      out.push(this.#rule(id, words, { on: on(left), ...form, because }));
    };

    only(
      'commands',
      comment(['bash']),
      ['Bash'],
      allowedCommand(this.#specifiers(allows, 'Bash')),
      'No allow rule takes this command.',
    );

    const folders = ['project', ...this.#folders()];
    const readable = this.#patterns(allows, ['Read']);
    for (const { tools, field } of byField(toolsOf('read')))
      only(
        `files read by ${tools[0]}`,
        `${comment(['read'])}; files in the project and in additional folders are read unasked.`,
        tools,
        allOf([
          plainPath(field),
          anyOf([withinFolders(field, folders), ...readable.map((p) => allowedPath(field, p))]),
        ]),
        'This file is outside of the project, and no allow rule takes it.',
      );
    only(
      'folders searched',
      'Searches stay in the project and in additional folders.',
      ['Grep', 'LS'],
      search(folders),
      'This folder is outside of the project.',
    );
    only(
      'files found',
      'Patterns stay in the folder that is searched.',
      ['Glob'],
      allOf([search(folders), '!has(args.pattern) || !args.pattern.matches("^[/~]|\\\\.\\\\.")']),
      'This search goes outside of the project.',
    );

    const writable = this.#patterns(allows, ['Edit']);
    for (const rule of allows)
      if (rule.specifier !== null && ['Write', 'MultiEdit', 'NotebookEdit'].includes(rule.tool))
        this.#remark(
          rule.place,
          `allow ${rule.text}: Claude Code matches paths of edits by Edit(…) rules only; not taken over`,
        );
    if (mode === 'plan')
      out.push(
        this.#rule('plan mode', 'In plan mode nothing is edited.', {
          on: on(toolsOf('edit')),
          deny: true,
          because: 'Plan mode: nothing is edited.',
        }),
      );
    else
      for (const { tools, field } of byField(toolsOf('edit'))) {
        const unasked = mode === 'acceptEdits' ? [withinFolders(field, folders)] : [];
        const taken = [...unasked, ...writable.map((p) => allowedPath(field, p))];
        only(
          `files edited by ${tools[0]}`,
          comment(['edit']),
          tools,
          taken.length === 0 ? 'false' : allOf([plainPath(field), anyOf(taken)]),
          'No allow rule takes this edit.',
        );
        out.push(
          this.#rule(
            `protected files ${tools[0]}`,
            'Settings of the shell, of git and of editors are never edited unasked.',
            {
              on: on(tools),
              [this.otherwise]: protectedPath(field),
              because: 'This file configures tools and is not edited unasked.',
            },
          ),
        );
      }

    const hosts = this.#specifiers(allows, 'WebFetch')
      .map(parseDomain)
      .filter((host) => host !== null);
    only(
      'addresses',
      comment(['fetch']),
      ['WebFetch'],
      anyOf(hosts.map((host) => allowedAddress('args.url', host))),
      'No allow rule takes this host.',
    );
    const skills = this.#specifiers(allows, 'Skill').map((specifier) => skill(specifier, false));
    only('skills', comment(['skill']), ['Skill'], anyOf(skills), 'No allow rule takes this skill.');
    only(
      'tools that are asked about',
      comment(['asks']),
      toolsOf('asks'),
      'false',
      'No allow rule takes this tool.',
    );

    const rest = [...whole].filter((tool) => BUILT_IN[tool] === undefined);
    if (!free)
      out.push(
        this.#rule(
          'other tools',
          rest.length === 0 ? 'Tools that no rule speaks of.' : `allow: ${rest.join(', ')}`,
          {
            on: 'call *',
            require: anyOf(['tool.declared', ...(rest.length === 0 ? [] : [named(rest)])]),
            otherwise: this.otherwise,
            because: 'No allow rule takes this tool.',
          },
        ),
      );
    for (const rule of allows) this.#checkAllow(rule);
    return out;
  }

  #specifiers(allows: readonly PermissionRule[], tool: string): string[] {
    return allows.flatMap((rule) => (rule.tool === tool && rule.specifier !== null ? [rule.specifier] : []));
  }

  #patterns(allows: readonly PermissionRule[], tools: readonly string[]): PathPattern[] {
    return allows.flatMap((rule) => {
      const pattern =
        tools.includes(rule.tool) && rule.specifier !== null ? parsePathPattern(rule.specifier) : null;
      return pattern === null ? [] : [pattern];
    });
  }

  /** Says of an allow that it was left out. */
  #checkAllow(rule: PermissionRule): void {
    const { tool, specifier } = rule;
    const kind = BUILT_IN[tool]?.kind;
    const dropped =
      (specifier === null && tool.includes('*') && !isServerGlob(tool)) ||
      (specifier !== null &&
        (kind === undefined ||
          ['search', 'asks', 'free'].includes(kind) ||
          ((tool === 'Read' || tool === 'Edit') && parsePathPattern(specifier) === null) ||
          (kind === 'fetch' && parseDomain(specifier) === null)));
    if (dropped)
      this.#remark(
        rule.place,
        `allow ${rule.text}: cannot be taken over; such calls are ${this.otherwise === 'deny' ? 'denied' : 'held'}`,
      );
  }

  /** Additional folders as CEL. */
  #folders(): string[] {
    const { project, home } = this.#options;
    return this.#permissions.folders.flatMap(({ path, place }) => {
      const folder = absolute(path, project, home);
      if (folder !== null && folder !== '/') return [literal(folder)];
      this.#remark(
        place,
        `the folder ${path} is not taken over; files in it are ${this.otherwise === 'deny' ? 'denied' : 'held'}`,
      );
      return [];
    });
  }
}

const MODE_REMARKS = {
  auto: 'mode auto lets a classifier decide; here a person does',
  plan: 'mode plan lets some commands through to explore; here they are held, and the mode does not change within a session',
  acceptEdits:
    'mode acceptEdits lets mkdir, touch, mv, cp and the like through; here they are held unless an allow rule takes them',
} as const;
