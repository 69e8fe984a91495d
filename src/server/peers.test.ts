// Stops over several nodes: given on one, in force on those that follow it; lifted the same way; caught up with after a silence.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunningServer, startServer } from './server.ts';

const SPEC = 'interlock: 1\nname: open\ndefault: allow\ntools: { pay: { effect: write } }\n';
const everybody = { agent: null, version: null, tool: null, tenant: null };

describe('nodes that follow each other', () => {
  let dir: string;
  const nodes: RunningServer[] = [];

  function start(name: string, port: number, peers: readonly string[]): Promise<RunningServer> {
    return startServer({
      port,
      otlpPort: null,
      dataDir: join(dir, name),
      specFiles: [join(dir, 'spec.yaml')],
      peers,
    });
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'interlock-peers-'));
    await writeFile(join(dir, 'spec.yaml'), SPEC);
    nodes.push(await start('a', 0, []));
    nodes.push(await start('b', 0, [nodes[0]!.url]));
    nodes.push(await start('c', 0, [nodes[0]!.url, nodes[1]!.url]));
  });
  after(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await rm(dir, { recursive: true, force: true });
  });

  async function verdict(node: RunningServer): Promise<string> {
    const { id } = await node.engine.openSession({ agent: { name: 'payer' } });
    const { decision } = await node.engine.decide(id, { kind: 'tool.call', name: 'pay', args: {} });
    return decision.rules[0]?.rule === '$stopped' ? 'stopped' : decision.verdict;
  }

  async function until(node: RunningServer, wanted: string): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      if ((await verdict(node)) === wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail(`it never became ${wanted}`);
  }

  it('stop and let go together', async () => {
    const [a, b, c] = nodes as [RunningServer, RunningServer, RunningServer];
    for (const node of nodes) assert.equal(await verdict(node), 'allow');
    const { id } = await a.engine.stop({ ...everybody, agent: 'pay*', reason: 'drill', by: 'user:op' });
    for (const node of [a, b, c]) await until(node, 'stopped');
    await a.engine.liftStop(id, 'user:op');
    for (const node of [a, b, c]) await until(node, 'allow');
    const [known] = await c.engine.stops({});
    assert.deepEqual([known!.id, known!.by, known!.lifted!.by], [id, 'user:op', 'user:op']);
  });

  it('catch up after a silence, say who is away, and never bring back what was lifted', async () => {
    const [a, b] = nodes as [RunningServer, RunningServer];
    const { url, port } = a;
    const { id } = await a.engine.stop({ ...everybody, reason: 'drill', by: 'user:op' });
    await until(b, 'stopped');
    await a.close();
    // Lifted on the follower while the first is away.
    await b.engine.liftStop(id, 'user:op');
    assert.equal(await verdict(b), 'allow');
    for (let tries = 0; ; tries++) {
      const health = (await (await fetch(`${b.url}/v1/health`)).json()) as {
        peers: { url: string; state: string }[];
      };
      if (health.peers.some((peer) => peer.url === url && peer.state === 'unreachable')) break;
      assert.ok(tries < 200, 'a peer that is away is said');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    nodes[0] = await start('a', port, []);
    const second = await nodes[0].engine.stop({ ...everybody, tool: 'pay', reason: 'again', by: 'user:op' });
    await until(b, 'stopped');
    await nodes[0].engine.liftStop(second.id, 'user:op');
    await until(b, 'allow');
  });

  it('hear of an old stop that is in force, and of its end, however many were given and lifted since', async () => {
    const { engine, url, close } = await start('old', 0, []);
    const { id } = await engine.stop({ ...everybody, agent: 'pay*', reason: 'old', by: 'user:op' });
    for (const count of [900, 101]) {
      const others = Array.from({ length: count }, (_, i) => ({
        ...everybody,
        agent: `x${i}`,
        reason: 'r',
        by: 'u',
      }));
      const given = await Promise.all(others.map((stop) => engine.stop(stop)));
      await Promise.all(given.map((stop) => engine.liftStop(stop.id, 'u')));
    }
    const late = await start('late', 0, [url]);
    try {
      await until(late, 'stopped');
      await engine.liftStop(id, 'user:op');
      await until(late, 'allow');
    } finally {
      await late.close();
      await close();
    }
  });
});
