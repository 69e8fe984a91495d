// The page in a real browser, over a fixture server with the strictest Content-Security-Policy: what a person can see
// and do, with pointer and with keyboard, in both themes and at phone width.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Locator, Page } from 'playwright-core';
import { builtPage, chromiumPath, launch, NO_CHROMIUM, openPage, type View } from './browser.ts';
import { startFixtureServer } from './fixture-server.ts';
import {
  awkwardSession,
  LONG_STEPS,
  longSession,
  makeRow,
  plainSessions,
  refundSession,
  SPEC_DIGEST,
} from './fixture-sessions.ts';

const FIRST_LOAD_LIMIT = 300 * 1024;
const ROWS_ON_SCREEN_LIMIT = 90;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('the page', { skip: chromiumPath === null ? NO_CHROMIUM : false }, () => {
  let browser: Browser;
  let files: ReadonlyMap<string, Buffer>;
  const cleanUp: (() => Promise<void>)[] = [];

  before(async () => {
    files = await builtPage();
    browser = await launch();
  });
  after(() => browser?.close());
  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  /** A server with its own sessions and a page on it; what the page does wrong fails the test that opened it. */
  async function open(path: string, view: View = {}, sessions = everySession()) {
    const server = await startFixtureServer(files, sessions);
    cleanUp.push(() => server.close());
    const watched = await openPage(browser, server.url, view);
    cleanUp.push(() => watched.page.context().close());
    await watched.page.goto(path);
    return { server, ...watched };
  }

  test('loads at most 300 KB, and nothing from elsewhere', () => {
    const html = files.get('/index.html')!.toString();
    const assets = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map((match) => match[1]!);
    const bytes = assets.map((asset) => gzipSync(files.get(asset)!).length);
    assert.ok(assets.length >= 2, 'a script and a style sheet');
    assert.ok(bytes.reduce((a, b) => a + b) <= FIRST_LOAD_LIMIT, `${assets} are ${bytes} bytes gzipped`);
    assert.doesNotMatch(html, /<style|style=|https?:\/\/|<script(?! [^>]*src=)/);
  });

  test('lists sessions and narrows them by words, verdict and agent, in the address too', async () => {
    const { page, faults } = await open('/');
    const table = page.getByRole('grid', { name: 'Sessions' });
    await table.getByText('My order A-1001 arrived broken').waitFor();
    const row = table.getByRole('row', { name: /My order A-1001/ });
    for (const text of ['held', 'support-agent 2.4.1', 'user:42', '13']) {
      await row.getByText(text, { exact: true }).first().waitFor();
    }
    await row.getByRole('img', { name: 'deny' }).waitFor();

    await page.getByRole('searchbox', { name: 'Search sessions' }).fill('parcel');
    await row.waitFor({ state: 'detached' });
    assert.match(page.url(), /\?text=parcel$/);
    await page.getByRole('button', { name: 'Clear search' }).click();
    await row.waitFor();

    await page.getByRole('button', { name: 'Verdict' }).click();
    await page.getByRole('option', { name: 'With halt' }).click();
    await row.waitFor({ state: 'detached' });
    assert.equal(await table.getByRole('row').count(), 2, 'the head and the one halted session');

    await page.goto('/?agent=travel-desk');
    await table.getByText('travel-desk').first().waitFor();
    assert.equal(await table.getByText('support-agent').count(), 0);
    assert.equal(await page.getByRole('combobox', { name: 'Agent' }).inputValue(), 'travel-desk');
    assert.deepEqual(faults, []);
  });

  test('loads further pages of the list as it is scrolled, and keeps few rows in the document', async () => {
    const { page, faults } = await open('/');
    const table = page.getByRole('grid', { name: 'Sessions' });
    await table.getByText('user:100', { exact: true }).waitFor();
    const last = table.getByText('user:219', { exact: true });
    await until(async () => {
      await table.hover();
      await page.mouse.wheel(0, 2000);
      return (await last.count()) === 1;
    });
    assert.ok((await table.getByRole('row').count()) <= ROWS_ON_SCREEN_LIMIT);

    await last.click();
    await page.getByRole('listbox').waitFor();
    await page.goBack();
    await last.waitFor();
    assert.deepEqual(faults, []);
  });

  test('new sessions wait to be shown; listed ones change in place', async () => {
    const { page, faults, server } = await open('/');
    const rows = page.getByRole('grid', { name: 'Sessions' }).getByRole('row');
    await rows.getByText('My order A-1001 arrived broken').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    server.appendStep('refund-held', makeRow(refundStep(13)));
    await rows.nth(1).getByText('14', { exact: true }).waitFor();
    const fresh = plainSessions(1)[0]!;
    fresh.summary = { ...fresh.summary, id: 'fresh', title: 'A question that has just come in' };
    server.addSession(fresh);
    const offer = page.getByRole('button', { name: 'Show 1 new session' });
    await offer.waitFor();
    assert.match((await rows.nth(1).textContent()) ?? '', /A-1001/, 'nothing moved meanwhile');

    await offer.click();
    await rows.nth(1).getByText('A question that has just come in').waitFor();
    await offer.waitFor({ state: 'detached' });
    assert.deepEqual(faults, []);
  });

  test('opens a session, and a witness leads to the earlier step and back', async () => {
    const { page, faults } = await open('/');
    await page.getByRole('link', { name: 'Work through the open orders of the night' }).click();
    await page.getByRole('heading', { name: 'Work through the open orders of the night' }).waitFor();

    await page.getByRole('spinbutton', { name: 'Go to step' }).or(page.getByLabel('Go to step')).fill('5043');
    await page.keyboard.press('Enter');
    await selected(page, 5043);
    const panel = page.getByRole('region', { name: 'Step 5043' });
    await panel.getByText('Orders are taken in turn.').waitFor();
    await panel.getByRole('button', { name: /Go to step 4,982/ }).click();
    await selected(page, 4982);
    assert.match(page.url(), /step=4982/);
    assert.equal(await focusedRole(page), 'listbox', 'the arrows go on from there');

    await page.goBack();
    await selected(page, 5043);
    assert.equal(await page.locator('.step[data-witness]').count(), 0, 'the witness is far away');
    assert.deepEqual(faults, []);
  });

  test('a step tells its rule, repair, diff, would-be verdict, finding and raw span', async () => {
    const { page, faults } = await open('/sessions/refund-held?step=6');
    const panel = page.locator('.detail');
    await panel.getByText('Denied: the call did not run.').waitFor();
    await panel.getByText('Call verify_identity with customer_id 42 first.').waitFor();
    await panel.getByText('absent', { exact: true }).waitFor();
    await panel.getByText('owasp-agentic:ASI02').waitFor();
    await panel.getByText('result.total = 240').waitFor();
    assert.equal(await page.locator('#step-5[data-witness]').count(), 1);

    await page.goto('/sessions/refund-held?step=9');
    await panel.locator('del', { hasText: '4111 1111 1111 1111' }).waitFor();
    await panel.locator('ins', { hasText: '···· 1111' }).waitFor();

    await page.goto('/sessions/refund-held?step=10');
    await panel.getByText('With every rule enforced it would have been denied.').waitFor();
    await page.locator('#step-10').getByText('would be deny').waitFor();

    await page.goto('/sessions/refund-held?step=11');
    await panel.getByRole('heading', { name: 'This step ran without a decision' }).waitFor();
    await panel.getByRole('row', { name: /gen_ai\.tool\.name post_ledger/ }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('ten thousand steps: an honest scrollbar, a jump, the end, and few rows in the document', async () => {
    const { page, faults } = await open('/sessions/ten-thousand');
    const list = page.getByRole('listbox', { name: /^Steps, 10,000/ });
    await list.getByText('search_orders').first().waitFor();
    const height = await page.evaluate('document.querySelector("[role=listbox]").scrollHeight');
    const row = await page.evaluate('document.querySelector("[role=option]").offsetHeight');
    assert.equal(height, Number(row) * LONG_STEPS, 'every step has its place from the start');

    await list.focus();
    await page.keyboard.press('End');
    await selected(page, LONG_STEPS - 1);
    await list.getByText('9,999', { exact: true }).waitFor();
    await page.keyboard.press('Home');
    await selected(page, 0);
    for (let i = 0; i < 30; i++) await page.mouse.wheel(0, 1500);
    await page.keyboard.press('g');
    await page.keyboard.type('7777');
    await page.keyboard.press('Enter');
    await selected(page, 7777);
    await page.getByRole('region', { name: 'Step 7777' }).getByText('Result', { exact: true }).waitFor();
    const options = await list.getByRole('option').count();
    assert.ok(options <= ROWS_ON_SCREEN_LIMIT, `${options} rows in the document`);
    assert.deepEqual(faults, []);
  });

  test('a filter finds every denied step of ten thousand, and n and p walk them', async () => {
    const { page, faults } = await open('/sessions/ten-thousand');
    await page.getByRole('listbox').waitFor();
    await page.keyboard.press('n');
    await selected(page, 96);
    await page.keyboard.press('n');
    await selected(page, 193);
    await page.keyboard.press('p');
    await selected(page, 96);
    await page.keyboard.press('g');
    await page.keyboard.type('100');
    await page.keyboard.press('Enter');
    await selected(page, 100);
    await page.getByRole('radio', { name: 'denied' }).click();
    await page.getByText('103 steps denied of 10,000').waitFor();
    await page.keyboard.press('n');
    await selected(page, 193);
    await page.getByRole('radio', { name: 'held' }).click();
    await page.getByText('0 steps held of 10,000').waitFor();
    assert.match(page.url(), /show=held/);
    assert.deepEqual(faults, []);
  });

  test('an approval shows exactly what it binds to, and is sent once confirmed', async () => {
    const { page, faults, server } = await open('/sessions/refund-held');
    await page.getByRole('button', { name: 'step 12, refund' }).click();
    await selected(page, 12);
    const panel = page.locator('.detail');
    await panel.getByLabel('Your name').fill('Mira Holm');
    await panel.getByLabel(/^Reason/).fill('Photo of the broken item seen.');
    await panel.getByRole('button', { name: 'Approve…' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('with exactly these arguments?').waitFor();
    await dialog.getByText('A-1001', { exact: true }).waitFor();
    await dialog.getByText(/^sha256:[0-9a-f]{64}$/).waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(server.answers, [], 'nothing is sent before it is confirmed');

    await panel.getByRole('button', { name: 'Approve…' }).click();
    await dialog.getByRole('button', { name: 'Approve' }).click();
    await panel.getByText('Approved, not yet run').waitFor();
    await panel.getByText('Photo of the broken item seen.').waitFor();
    await page.locator('#step-12').getByText('hold, approved').waitFor();
    await page.getByRole('button', { name: 'step 12, refund' }).waitFor({ state: 'detached' });
    assert.deepEqual(server.answers, [
      { approve: true, by: 'Mira Holm', role: 'support-lead', reason: 'Photo of the broken item seen.' },
    ]);
    assert.deepEqual(faults, []);
  });

  test('a refused answer is said where it was given', async () => {
    const session = refundSession();
    const held = session.rows![12]!;
    session.rows![12] = { ...held, hold: { ...held.hold!, by: ['support-lead'] } };
    const { page } = await open('/sessions/refund-held?step=12', {}, [session]);
    const panel = page.locator('.detail');
    await panel.getByLabel('Your name').fill('Mira Holm');
    await panel.getByLabel('Your role').fill('intern');
    await panel.getByRole('button', { name: 'Refuse…' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Refuse' }).click();
    await page.getByText('The role intern may not answer this hold.').waitFor();
    await panel.getByText('Waiting for an answer').waitFor();
  });

  test('a stop is given with a reason, shown on every page, and lifted', async () => {
    const { page, server, faults } = await open('/');
    await page.getByRole('button', { name: 'Stop…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Stop agents' });
    await dialog.getByRole('textbox', { name: /^Agent/ }).fill('support-*');
    const give = dialog.getByRole('button', { name: 'Stop agent support-*' });
    await give.click();
    assert.equal(server.stops.length, 0, 'not without a reason and a name');
    await dialog.getByRole('textbox', { name: /^Reason/ }).fill('refunds run away');
    await dialog.getByLabel('Your name').fill('ann');
    assert.deepEqual(await violations(page), []);
    await give.click();
    const banner = page.getByRole('region', { name: 'Stops in force' });
    await banner.getByText('refunds run away').waitFor();
    assert.deepEqual(
      server.stops.map(({ agent, tool, reason, by }) => ({ agent, tool, reason, by })),
      [{ agent: 'support-*', tool: null, reason: 'refunds run away', by: 'ann' }],
    );
    assert.deepEqual(await violations(page), []);
    await page.getByText('My order A-1001').first().click();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await banner.getByRole('button', { name: 'Lift…' }).click();
    const question = page.getByRole('dialog', { name: 'Let agent support-* go on?' });
    assert.equal(await question.getByLabel('Your name').inputValue(), 'ann');
    await question.getByRole('button', { name: 'Lift the stop' }).click();
    await banner.waitFor({ state: 'detached' });
    assert.equal(server.stops[0]?.lifted?.by, 'ann');
    assert.deepEqual(faults, []);
  });

  test('the keyboard alone reaches everything', async () => {
    const { page, faults } = await open('/');
    const { keyboard } = page;
    await page.getByRole('grid').waitFor();
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await keyboard.press('/');
    await keyboard.type('jkn?');
    const search = page.getByRole('searchbox', { name: 'Search sessions' });
    assert.equal(await search.inputValue(), 'jkn?', 'a field keeps its letters');
    await page.getByText('No session matches').waitFor();
    await keyboard.press('Escape');
    await page.getByRole('grid').waitFor();

    await keyboard.press('Shift+Tab');
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('j');
    await keyboard.press('k');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Work through the open orders of the night' }).waitFor();
    await page.getByRole('listbox').waitFor();
    await keyboard.press('ArrowDown');
    await selected(page, 0);
    await keyboard.press('j');
    await keyboard.press('ArrowDown');
    await selected(page, 2);
    await keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.className'), 'detail');
    await keyboard.press('Escape');
    await page.locator('.detail').waitFor({ state: 'detached' });
    await keyboard.press('u');
    await page.getByRole('heading', { name: 'Sessions' }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('steps that arrive while watching: followed at the end, counted elsewhere', async () => {
    const session = plainSessions(1)[0]!;
    const first = session.rows![0]!.step;
    const at = (seq: number) =>
      makeRow({ ...first, id: `s-${seq}`, seq, time: first.time + seq, content: `line ${seq}` });
    session.rows = Array.from({ length: 60 }, (_, seq) => at(seq));
    session.summary = { ...session.summary, steps: 60, state: 'open' };
    const { page, faults, server } = await open(`/sessions/${session.summary.id}`, {}, [session]);
    const list = page.getByRole('listbox', { name: 'Steps, 60' });
    await list.getByText('line 3', { exact: true }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    server.appendStep(session.summary.id, at(60));
    const below = page.getByRole('button', { name: '1 new step below' });
    await below.waitFor();
    await page.getByText('line 0', { exact: true }).waitFor();
    await below.click();
    await page.getByText('line 60', { exact: true }).waitFor();
    await below.waitFor({ state: 'detached' });
    server.appendStep(session.summary.id, at(61));
    await page.getByText('line 61', { exact: true }).waitFor();
    await until(() => inView(page.locator('#step-61')));
    assert.deepEqual(faults, []);
  });

  test('the theme follows the system until one is chosen, and the choice is kept', async () => {
    const { page, faults } = await open('/', { scheme: 'dark' });
    await page.getByRole('grid').waitFor();
    const dark = await background(page);
    await page.getByRole('radio', { name: 'light theme' }).click();
    const light = await background(page);
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('grid').waitFor();
    assert.equal(await background(page), light);
    await page.getByRole('radio', { name: 'system theme' }).click();
    assert.equal(await background(page), dark);
    assert.deepEqual(faults, []);
  });

  test('an empty store says how to begin; a search without hits how to widen it', async () => {
    const { page, faults } = await open('/', {}, []);
    await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    await page.getByText('/v1/sessions -H').waitFor();
    await page.goto('/?text=nothing');
    await page.getByRole('heading', { name: 'No session matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear search and filters' }).click();
    await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('a server that is away is said to be, and comes back by itself', async () => {
    const { page, server } = await open('/');
    await page.getByRole('grid').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    server.setAway(true);
    await page.getByText('Server away, retrying').waitFor();
    await page.getByRole('grid').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'The server does not answer' }).waitFor();
    server.setAway(false);
    await page.getByRole('grid').waitFor({ timeout: 20_000 });
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 20_000 });
  });

  test('what does not exist is said in words', async () => {
    const { page } = await open('/sessions/no-such');
    await page.getByText('There is no session no-such.').waitFor();
    await page.goto('/no/such/page');
    await page.getByRole('heading', { name: 'No such page' }).waitFor();
    await page.goto('/sessions/refund-held?step=99');
    await page.getByText('There is no step 99: the session has 13.').waitFor();
  });

  test('hostile content is shown as what it is', async () => {
    const { page, faults } = await open('/sessions/awkward?step=1');
    await page.locator('.detail').getByText('alice⟨U+202E⟩gnp.exe⟨U+200B⟩').waitFor();
    await page.goto('/sessions/awkward?step=0');
    await page.locator('.detail').getByText('<img src=x onerror=alert(1)>').waitFor();
    await page.goto('/sessions/awkward?step=2');
    await page.getByRole('button', { name: '… show all 20,000 characters' }).click();
    await page.getByRole('button', { name: 'Show less' }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('a spec is read part by part, at the rule a decision names, and its digest is checked', async () => {
    const { page, faults } = await open('/sessions/refund-held?step=6');
    await page.getByRole('link', { name: 'identity-first' }).click();
    await page.getByRole('heading', { name: 'support-refunds' }).waitFor();
    await page.locator('#rule-identity-first[data-target]').waitFor();
    await page.getByText('checked in this browser').waitFor();
    await page.getByRole('tab', { name: 'Canonical text' }).click();
    await page.getByText('{"default":"deny","interlock":1').waitFor();
    assert.deepEqual(faults, []);
  });

  const PLACES: readonly (readonly [string, string, string])[] = [
    ['the list', '/', '[role=grid] .row'],
    ['an empty search', '/?text=nothing', '.notice'],
    ['a denied step', '/sessions/refund-held?step=6', '.rule'],
    ['a held step', '/sessions/refund-held?step=12', '.answer'],
    ['an unguarded step', '/sessions/refund-held?step=11', '.span-table'],
    ['a transformed step', '/sessions/refund-held?step=9', '.diff'],
    ['long and deep data', '/sessions/awkward?step=3', '.json'],
    ['a long session', '/sessions/ten-thousand', '.timeline-rows .step-summary'],
    ['a spec', `/specs/${encodeURIComponent(SPEC_DIGEST)}`, '.spec-item'],
  ];
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1440, 390]) {
      test(`WCAG 2.2 AA and no sideways scrolling, ${scheme}, ${width} px wide`, async () => {
        const { page, faults } = await open('/', { scheme, width });
        for (const [name, path, ready] of PLACES) {
          await page.goto(path);
          await page.locator(ready).first().waitFor();
          assert.deepEqual(await violations(page), [], name);
          assert.ok(
            await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
            `${name} is too wide`,
          );
        }
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
        assert.deepEqual(await violations(page), [], 'the shortcuts');
        assert.deepEqual(faults, []);
      });
    }
  }
});

function everySession() {
  return [refundSession(), longSession(), awkwardSession(), ...plainSessions(120)];
}

function refundStep(seq: number) {
  const last = refundSession().rows!.at(-1)!.step;
  return { ...last, seq, id: `refund-held-${seq}`, time: last.time + 1000 };
}

/** Waits until the step is selected and inside the visible part of the list. */
async function selected(page: Page, seq: number): Promise<void> {
  const row = page.locator(`#step-${seq}[aria-selected=true]`);
  await row.waitFor();
  await until(() => inView(row));
}

async function inView(row: Locator): Promise<boolean> {
  const [box, list] = await Promise.all([row.boundingBox(), row.page().getByRole('listbox').boundingBox()]);
  if (!box || !list) return false;
  return box.y >= list.y - 1 && box.y + box.height <= list.y + list.height + 1;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never came true: ${holds}`);
}

async function focusedRole(page: Page): Promise<unknown> {
  return page.evaluate('document.activeElement.getAttribute("role")');
}

async function background(page: Page): Promise<unknown> {
  return page.evaluate('getComputedStyle(document.body).backgroundColor');
}

/** What axe-core finds against WCAG 2.2 A and AA and its own best practices, each as one readable line. */
async function violations(page: Page): Promise<unknown> {
  await page.evaluate(axe);
  return page.evaluate(`axe
    .run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    .then((found) => found.violations.flatMap((v) => v.nodes.map((node) => v.id + ': ' + node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? ''))))`);
}
