#!/usr/bin/env node
// Hands what a coding agent told its hook to who decides, and what that answers back: `interlock-hook.cjs AGENT [--refuse]`.
// Starts the resident process when there is none; interlock-hook.sh asks one that is there without this program.
// Holds no policy and needs nothing beside it but config.json: `interlock hook install` puts copies of both there, so that
// a package that is gone cannot open the guard. No answer is a denial. CommonJS, which starts quicker.
'use strict';
const { readFileSync, mkdirSync, openSync, statSync, truncateSync } = require('node:fs');
const { join } = require('node:path');

/** Shorter than the time that agents are told to give a hook: they go on when it is over. */
const ANSWER_MS = 100_000;
const START_MS = 20_000;
const RETRY_MS = 25;
const BYTES_MAX = 16 * 1024 * 1024;
const LOG_BYTES_MAX = 1024 * 1024;
/** The resident is not there yet, or no more. */
const ABSENT = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET'];

const agent = process.argv[2] ?? '';
const home = __dirname;

/** What is said where no decision could be had, in the words of the agent. */
function refusal(event, why) {
  const because = `Interlock could not decide, so this does not count as allowed: ${why}`;
  const call = event === 'PreToolUse' || event === 'BeforeTool';
  const result = event === 'PostToolUse' || event === 'PostToolUseFailure' || event === 'AfterTool';
  if (!call && !result) return { systemMessage: because };
  if (agent === 'gemini-cli') return { decision: 'deny', reason: because };
  if (call)
    return {
      hookSpecificOutput: {
        hookEventName: event,
        permissionDecision: 'deny',
        permissionDecisionReason: because,
      },
    };
  const blocked = { decision: 'block', reason: because };
  return agent === 'claude-code' ? { ...blocked, continue: false, stopReason: because } : blocked;
}

function readInput() {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let size = 0;
    process.stdin.on('data', (chunk) => {
      size += chunk.length;
      if (size <= BYTES_MAX) chunks.push(chunk);
    });
    process.stdin.once('error', reject);
    process.stdin.once('end', () =>
      size <= BYTES_MAX
        ? resolve(Buffer.concat(chunks))
        : reject(new Error(`the event has ${size} bytes, at most ${BYTES_MAX} are taken`)),
    );
  });
}

function ask(config, body) {
  const { protocol, hostname, port } = config.url ? new URL(config.url) : { protocol: 'http:' };
  const http = require(protocol === 'https:' ? 'node:https' : 'node:http');
  const place = config.url ? { hostname, port } : { socketPath: config.socket, host: 'localhost' };
  const key = config.key ? { authorization: `Bearer ${config.key}` } : {};
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        ...place,
        method: 'POST',
        path: `/hooks/${agent}`,
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...key },
      },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`it answered ${response.statusCode}: ${text.slice(0, 300)}`));
        });
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** In the background, outliving this process and the agent. */
function startResident(config) {
  const { spawn } = require('node:child_process');
  const log = join(home, 'resident.log');
  mkdirSync(home, { recursive: true });
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) truncateSync(log);
  const out = openSync(log, 'a', 0o600);
  const [program, ...args] = config.start;
  const child = spawn(program, [...args, '--home', home], { detached: true, stdio: ['ignore', out, out] });
  child.once('error', () => {});
  child.unref();
}

async function askOrStart(config, body) {
  const until = Date.now() + START_MS;
  for (let started = false; ; ) {
    try {
      return await ask(config, body);
    } catch (error) {
      const absent = !config.url && ABSENT.includes(error.code);
      if (!absent || !config.start || Date.now() > until) throw error;
      if (!started) startResident(config);
      started = true;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Only a refusal needs it; what has no name is taken for a call. */
function eventOf(body) {
  try {
    const { hook_event_name: name } = JSON.parse(body.toString('utf8'));
    if (typeof name === 'string') return name;
  } catch {}
  return agent === 'gemini-cli' ? 'BeforeTool' : 'PreToolUse';
}

let body = Buffer.alloc(0);

function answer(text) {
  process.stdout.write(text, () => process.exit(0));
}

function refuse(why) {
  answer(JSON.stringify(refusal(eventOf(body), why)));
}

async function main() {
  body = await readInput();
  if (process.argv[3] === '--refuse') throw new Error('it did not answer');
  const config = JSON.parse(readFileSync(join(home, 'config.json'), 'utf8'));
  answer(await askOrStart(config, body));
}

setTimeout(refuse, ANSWER_MS, 'no answer came in time').unref();
main().catch((error) => refuse(error instanceof Error ? error.message : String(error)));
