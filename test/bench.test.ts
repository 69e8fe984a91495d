// The benchmarks that check what they measure run, at a tiny size. No timings here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

for (const [name, args, says] of [
  ['dejavu', ['--events', '500', '--rounds', '1'], /the one violation found, at event 506/],
  ['memory', ['--sessions', '5', '--states', '20'], /5 live sessions of 11 steps/],
  [
    'field',
    ['--here', '--rules', '10', '--rounds', '1', '--steps', '10', '--budget', '5'],
    /10 rules, history/,
  ],
  [
    'gateway',
    ['--here', '--only', 'interlock', '--seconds', '0.1', '--rounds', '1', '--streams', '0'],
    /50 connections/,
  ],
  ['mcp', ['--calls', '5', '--rounds', '1', '--work', '0'], /http, a tool with an effect/],
] as const)
  test(`bench/${name}.ts runs`, { concurrency: true }, async () => {
    const { stdout } = await run(process.execPath, [`bench/${name}.ts`, ...args]);
    assert.match(stdout, says);
  });
