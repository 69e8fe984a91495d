// Makes docs/spec/cookbook.md out of the recipes, so that the page shows the very rules that are tested.
// `node test/docs/cookbook-page.ts --write` writes it; the test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const FOLDER = join(import.meta.dirname, '../../docs/spec/cookbook');
export const PAGE = join(FOLDER, '../cookbook.md');

export const GROUPS: readonly { readonly title: string; readonly recipes: readonly string[] }[] = [
  {
    title: 'Money',
    recipes: [
      'identity-first',
      'refund-within-order',
      'refund-four-eyes',
      'known-payee',
      'payment-limits',
      'ledger-entry-follows',
      'checkout-order',
    ],
  },
  {
    title: 'Mail and data',
    recipes: [
      'email-recipients',
      'hidden-copies',
      'confidential-outside',
      'secret-context',
      'private-and-untrusted',
      'own-records',
    ],
  },
  {
    title: 'Systems',
    recipes: [
      'shell-allow-list',
      'shell-read',
      'sql-read-only',
      'sql-where',
      'files-in-workspace',
      'secret-files',
      'irreversible-deletes',
      'page-size',
    ],
  },
  { title: 'Web', recipes: ['browser-credentials', 'web-allow-list'] },
  {
    title: 'Agents and memory',
    recipes: [
      'handoff-with-proof',
      'memory-writes',
      'retrieval-poisoning',
      'rate-limits',
      'budgets',
      'unlock-follows-lock',
    ],
  },
  {
    title: 'Coding agents',
    recipes: [
      'plan-before-edit',
      'read-before-edit',
      'tests-before-merge',
      'evidence-before-merge',
      'no-force-push',
      'no-secrets-in-commits',
      'ci-change-reviewed',
      'no-invented-packages',
      'deploy-window',
    ],
  },
];

export interface Recipe {
  readonly name: string;
  readonly title: string;
  /** What it keeps and where it ends, from the comment at the top of the file. */
  readonly about: string;
  /** Names and rules as they stand in the file. */
  readonly rules: string;
}

export function readRecipe(name: string): Recipe {
  const lines = readFileSync(join(FOLDER, `${name}.yaml`), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const [title = '', ...about] = lines.slice(0, end).map((line) => line.replace(/^# ?/, ''));
  return {
    name,
    title,
    about: about.join('\n'),
    rules: ['checks:', 'let:', 'rules:'].map((key) => section(lines, key)).join(''),
  };
}

/** A key of the document and what is indented below it. */
function section(lines: readonly string[], key: string): string {
  const start = lines.indexOf(key);
  if (start < 0) return '';
  const length = lines.slice(start + 1).findIndex((line) => line !== '' && !line.startsWith(' '));
  return `${lines
    .slice(start, length < 0 ? undefined : start + 1 + length)
    .join('\n')
    .trimEnd()}\n`;
}

export function renderPage(): string {
  const out = [
    '# Cookbook',
    '',
    'Rules to lift. Each recipe is a whole spec with the tools it speaks of and with example sessions that it allows and',
    'refuses. `npx interlock spec test docs/spec/cookbook/*.yaml` runs them. The page shows the rules; the file has the rest.',
    '',
    'Change the names of tools and arguments to yours; `spec check` says which ones do not fit. Put several recipes into one',
    'spec with `imports`, or by joining their `tools` and `rules`: the strictest verdict wins. Keep the examples, and change',
    'them with the rules.',
    '',
    'Each recipe says where it ends. Rules judge what an agent proposes; what a tool does behind its back they do not see.',
    'Learn the language in the [tutorial](tutorial.md), and look it up in the [reference](reference.md).',
    '',
  ];
  for (const { title, recipes } of GROUPS) {
    out.push(`- ${title}`);
    for (const name of recipes) {
      const heading = readRecipe(name).title;
      out.push(`  - [${heading}](#${anchor(heading)})`);
    }
  }
  out.push('');
  for (const { title, recipes } of GROUPS) {
    out.push(`## ${title}`, '');
    for (const name of recipes) {
      const recipe = readRecipe(name);
      out.push(`### ${recipe.title}`, '', recipe.about, '');
      out.push('```yaml', recipe.rules.trimEnd(), '```', '');
      out.push(`Whole, with examples: [${name}.yaml](cookbook/${name}.yaml)`, '');
    }
  }
  return `${out.join('\n').trimEnd()}\n`;
}

/** The name of a heading in a link, as GitHub makes it. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

if (process.argv.includes('--write')) writeFileSync(PAGE, renderPage());
