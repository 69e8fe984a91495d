// Holds the one direction of imports (ARCHITECTURE.md): a room imports only the rooms listed for it, and the pure core
// touches no Node API. Tests, and what stands in a folder `testing`, may import what they like. Exit 1 names every import that goes the wrong way.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const CORE = ['step', 'shell', 'spec', 'monitor', 'detect', 'evidence'];
/** Rooms beside the core that are as pure. */
const PURE = [...CORE, 'builder', 'spec-import', 'init', 'edge'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  step: [],
  shell: [],
  spec: ['step', 'shell'],
  builder: ['step', 'spec'],
  'spec-import': ['step', 'spec'],
  init: ['step'],
  edge: ['step', 'shell', 'spec', 'monitor', 'replay'],
  monitor: ['step', 'spec'],
  detect: ['step'],
  evidence: ['step', 'spec', 'monitor', 'detect'],
  replay: CORE,
  store: CORE,
  checks: [...CORE],
  engine: [...CORE, 'replay', 'store'],
  sdk: [...CORE, 'engine', 'store', 'checks'],
  api: [...CORE, 'engine'],
  ingest: [...CORE, 'engine'],
  gateway: [...CORE, 'engine'],
  mcp: [...CORE, 'engine', 'sdk', 'api'],
  pdp: [...CORE, 'engine'],
  'agent-hooks': [...CORE, 'sdk'],
  adapters: [...CORE, 'sdk'],
  'coding-agents': [...CORE, 'engine', 'sdk'],
  server: [
    ...CORE,
    'replay',
    'engine',
    'store',
    'sdk',
    'api',
    'ingest',
    'mcp',
    'gateway',
    'pdp',
    'agent-hooks',
    'coding-agents',
  ],
  cli: [
    ...CORE,
    'replay',
    'engine',
    'store',
    'sdk',
    'api',
    'ingest',
    'server',
    'spec-import',
    'init',
    'mcp',
    'coding-agents',
  ],
};
/** Contracts above a room that it may know: data and interfaces, no behaviour of the room they stand in. */
const CONTRACTS: Readonly<Record<string, readonly string[]>> = {
  store: ['src/engine/types.ts'],
  checks: ['src/engine/options.ts'],
};

const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g;
const wrong: string[] = [];

for (const file of globSync('src/**/*.ts').sort()) {
  if (file.endsWith('.test.ts') || file.includes('/testing/')) continue;
  const room = file.split('/')[1]!;
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) {
    wrong.push(`${file}: the room "${room}" is not listed in scripts/check-imports.ts`);
    continue;
  }
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    if (name.startsWith('node:') && PURE.includes(room))
      wrong.push(`${file}: the core may not import ${name}`);
    if (!name.startsWith('.')) continue;
    const path = join(dirname(file), name);
    const target = relative('src', path).split('/')[0]!;
    if (target === room || allowed.includes(target) || CONTRACTS[room]?.includes(path)) continue;
    if (target === '..' && (room === 'server' || room === 'cli')) continue;
    wrong.push(`${file}: ${room} may not import ${target} (${name})`);
  }
}

for (const line of wrong) console.error(line);
process.exitCode = wrong.length === 0 ? 0 : 1;
