// Finds a Chromium, builds the page when it is missing or stale, and opens watched pages for the tests.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'web/dist');

const CANDIDATES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Where a Chromium is, or null; the test is skipped then, and says how to get one. */
export const chromiumPath = CANDIDATES.find((path) => path !== undefined && existsSync(path)) ?? null;

export const NO_CHROMIUM =
  'No Chromium found. Install one (Debian and Ubuntu: `apt-get install chromium`) or set CHROMIUM_PATH to its program.';

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Builds web/dist when a source of the page is newer than it. */
async function buildIfStale(): Promise<void> {
  const built = statSync(join(DIST, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const patterns = [
    'web/index.html',
    'web/*.ts',
    'web/{src,public}/**/*',
    'src/{step,monitor,engine}/types.ts',
  ];
  const newest = Math.max(
    ...globSync(patterns, { cwd: ROOT }).map((file) => statSync(join(ROOT, file)).mtimeMs),
  );
  if (newest > built) await build({ configFile: join(ROOT, 'web/vite.config.ts'), logLevel: 'error' });
}

/** The built page by address, read once, so that a build that runs beside the tests cannot pull it from under them. */
export async function builtPage(): Promise<ReadonlyMap<string, Buffer>> {
  await buildIfStale();
  const files = globSync('**/*.*', { cwd: DIST });
  return new Map(files.map((file) => [`/${file.replaceAll('\\', '/')}`, readFileSync(join(DIST, file))]));
}

export interface Watched {
  readonly page: Page;
  /** Console errors, uncaught errors, dialogs, and requests to anywhere but the server: all of them are faults. */
  readonly faults: string[];
}

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
}

export async function openPage(browser: Browser, origin: string, view: View = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: view.width ?? 1440, height: view.height ?? 900 },
    colorScheme: view.scheme ?? 'light',
    baseURL: origin,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) faults.push(`request to ${request.url()}`);
  });
  return { page, faults };
}
