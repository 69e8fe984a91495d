// The files of a project that a look at it needs: source, manifests, settings of MCP clients. Bounded in number, size and depth;
// links are not followed, what is generated or installed is not entered, tests are not read.
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST, MCP_SETTINGS, type ProjectFile, SOURCE } from '../../init/index.ts';

const PATHS_MAX = 50_000;
const FILES_MAX = 5_000;
const FILE_BYTES_MAX = 1024 * 1024;
const BYTES_MAX = 64 * 1024 * 1024;
const DEPTH_MAX = 16;

const SKIPPED = new Set(
  'node_modules bower_components dist build out target vendor coverage venv env site-packages __pycache__ __tests__ __mocks__ fixtures'.split(
    ' ',
  ),
);
/** Hidden folders that say something of agents. */
const ENTERED = new Set(['.claude', '.codex', '.gemini', '.cursor', '.vscode']);
const TESTS =
  /(\.(test|spec|stories)\.[cm]?[jt]sx?|\.d\.[cm]?ts|\.min\.js|(^|\/)(test_[^/]*|[^/]*_test|conftest)\.py)$/;
const TEST_FOLDERS = new Set(['test', 'tests', 'e2e']);

export interface ProjectFiles {
  readonly files: readonly ProjectFile[];
  readonly paths: readonly string[];
  /** What a limit left out, in words; empty when nothing was. */
  readonly cut: readonly string[];
}

export async function readProject(root: string): Promise<ProjectFiles> {
  const cut = new Set<string>();
  const paths = await pathsIn(root, cut);
  const files: ProjectFile[] = [];
  let bytes = 0;
  for (const path of paths.filter(wanted)) {
    if (files.length >= FILES_MAX || bytes >= BYTES_MAX) {
      cut.add(`source beyond ${FILES_MAX} files or ${BYTES_MAX / 1024 / 1024} MB`);
      break;
    }
    const { size } = await lstat(join(root, path));
    if (size > FILE_BYTES_MAX) {
      cut.add(`${path}, which is larger than 1 MB`);
      continue;
    }
    const text = await readFile(join(root, path), 'utf8').catch((error: NodeJS.ErrnoException) => error);
    if (typeof text !== 'string') {
      cut.add(`${path} (${text.code})`);
      continue;
    }
    bytes += size;
    files.push({ path, text });
  }
  return { files, paths, cut: [...cut].slice(0, 10) };
}

function wanted(path: string): boolean {
  const base = path.slice(path.lastIndexOf('/') + 1);
  if (MANIFEST.test(base) || MCP_SETTINGS.test(path)) return true;
  return SOURCE.test(path) && !TESTS.test(path) && !path.startsWith('.');
}

/** Breadth first, each folder in the order of names, so that a limit cuts what lies deepest. */
async function pathsIn(root: string, cut: Set<string>): Promise<string[]> {
  const paths: string[] = [];
  let folders = [''];
  for (let depth = 0; folders.length > 0; depth++) {
    if (depth > DEPTH_MAX) {
      cut.add(`folders more than ${DEPTH_MAX} deep`);
      return paths;
    }
    const deeper: string[] = [];
    for (const folder of folders) {
      const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(
        (error: NodeJS.ErrnoException) => {
          if (folder === '') throw error;
          cut.add(`${folder} (${error.code})`);
          return [];
        },
      );
      entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        if (paths.length >= PATHS_MAX) {
          cut.add(`files beyond ${PATHS_MAX}`);
          return paths;
        }
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.isFile()) paths.push(path);
        else if (entry.isDirectory() && entered(entry.name)) deeper.push(path);
      }
    }
    folders = deeper;
  }
  return paths;
}

function entered(name: string): boolean {
  if (name.startsWith('.')) return ENTERED.has(name);
  return !SKIPPED.has(name) && !TEST_FOLDERS.has(name);
}
