// The HTTP door in front of servers that do what servers do, and what they should not.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { event, events, json, messages, paid, pay, within } from '../testing/door.ts';
import type { Body } from '../testing/setup.ts';
import { DENIED, HEADER_MISMATCH, PARSE_ERROR, UNAVAILABLE } from '../wire/message.ts';

test('answers come back as they are, as one message and as events', () =>
  within(
    (_, body, response) => {
      if (body.id === 1) json(response, paid(1), { 'x-server': 'yes' });
      else {
        events(response, ': hi\n\n', event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} }));
        response.end(event(paid(2), '7'));
      }
    },
    async (s) => {
      const one = await s.post('a', pay(1));
      assert.equal(one.headers.get('x-server'), 'yes');
      assert.equal(await one.text(), JSON.stringify(paid(1)));
      const many = await s.post('a', pay(2));
      assert.equal(
        await many.text(),
        `: hi\n\n${event({ jsonrpc: '2.0', method: 'notifications/progress', params: {} })}${event(paid(2), '7')}`,
      );
      assert.match(
        JSON.stringify(await messages(await s.post('a', pay(3)))),
        /Two payments/,
        'calls without a session of the server are one session',
      );
      assert.equal(s.received.length, 2);
    },
  ));

test('each session that a server gives out has a history of its own; one that a client invents has not', () =>
  within(
    (_, body, response) => {
      const session = body.method === 'initialize' ? { 'mcp-session-id': `s${body.id}` } : {};
      json(
        response,
        body.method === 'initialize' ? { jsonrpc: '2.0', id: body.id, result: {} } : paid(body.id),
        session,
      );
    },
    async (s) => {
      const isPaid = async (id: number, session: string, server = 'a') =>
        (await messages(await s.post(server, pay(id), { 'mcp-session-id': session })))[0].result.isError !==
        true;
      for (const id of [1, 2]) await (await s.post('a', { id, method: 'initialize', params: {} })).text();
      for (const session of ['s1', 's2'])
        assert.deepEqual([await isPaid(3, session), await isPaid(4, session)], [true, true]);
      assert.equal(await isPaid(5, 's1'), false);
      assert.deepEqual(
        [await isPaid(6, 'x1'), await isPaid(7, 'x2'), await isPaid(8, 'x3')],
        [true, true, false],
        'made-up sessions share one history',
      );
      assert.equal(await isPaid(9, 's1', 'b'), false, 'a session of one server is none of another');
    },
  ));

test('servers share a session where the client names it', () =>
  within(
    (_, body, response) => json(response, paid(body.id)),
    async (s) => {
      const shared = { 'x-interlock-session': 'conversation-1' };
      const isError = async (server: string, id: number) =>
        (await messages(await s.post(server, pay(id), shared)))[0].result.isError === true;
      assert.deepEqual(
        [await isError('a', 1), await isError('b', 2), await isError('a', 3)],
        [false, false, true],
      );
      assert.equal((await s.engine.session('conversation-1'))?.agent.name, 'mcp');
      assert.equal(s.received[0]?.headers['x-interlock-session'], undefined);
      assert.equal(s.received[1]?.headers.authorization, 'Bearer held');
    },
  ));

test('a server that fails is an error with the id of the request, and never a denial', () =>
  within(
    (_, body, response) => {
      switch (body.params.arguments.how) {
        case 'cut':
          events(response, ': open\n\n');
          setTimeout(() => response.destroy(), 20);
          break;
        case 'end':
          events(response, ': open\n\n');
          response.end();
          break;
        case 'html':
          response.writeHead(200, { 'content-type': 'text/html' }).end('<p>secret</p>');
          break;
        case 'redirect':
          response.writeHead(302, { location: 'http://127.0.0.1:1/around' }).end();
          break;
        case 'gzip':
          response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
          response.end(gzipSync(JSON.stringify(paid(body.id))));
          break;
        case 'half':
          response
            .writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
            .write('{"jsonrpc":');
          setTimeout(() => response.destroy(), 20);
          break;
        case 'never':
          break;
        case 'nothing':
          response.writeHead(200).end();
          break;
        case 'other':
          json(response, paid(99));
          break;
        case 'huge':
          json(response, { ...paid(body.id), x: 'x'.repeat(17 << 20) });
      }
    },
    async (s) => {
      const kept: string[] = [];
      for (const how of [
        'cut',
        'end',
        'html',
        'redirect',
        'gzip',
        'half',
        'never',
        'nothing',
        'other',
        'huge',
      ]) {
        const session = { 'x-interlock-session': how };
        const response = await s.post('a', pay(7, { arguments: { how } }), session);
        assert.equal(response.headers.get('location'), null);
        const got = (await messages(response)).at(-1);
        assert.deepEqual(
          [got.id, got.error?.code, got.error?.data.interlock.error],
          [7, UNAVAILABLE, 'upstream-failed'],
          how,
        );
        assert.doesNotMatch(JSON.stringify(got), /secret|paid/);
        const { steps } = await s.engine.steps(how, { from: 2, limit: 10 });
        if (steps[0]?.step.error === undefined) kept.push(how);
      }
      // Only where the server surely did nothing is the place in a limit given back.
      assert.deepEqual(kept, ['cut', 'end', 'html', 'gzip', 'half', 'never', 'nothing', 'other', 'huge']);
    },
  ));

test('a server that cannot be reached gives its place in a limit back', () =>
  within(
    (_, body, response) => json(response, paid(body.id)),
    async (s) => {
      for (let id = 1; id <= 3; id++) {
        const response = await s.post('gone', pay(id));
        assert.equal(response.status, 502);
        assert.match(((await response.json()) as Body).error.message, /ECONNREFUSED/);
      }
      assert.deepEqual(await s.outcomes(), ['upstream-failed', 'upstream-failed', 'upstream-failed']);
      assert.equal((await messages(await s.post('a', pay(9))))[0].result.isError, undefined);
    },
  ));

test('a refusal of the transport reaches the client, with what it asks for', () =>
  within(
    (_, __, response) =>
      void response
        .writeHead(401, { 'www-authenticate': 'Bearer scope="x"', 'content-type': 'text/plain' })
        .end('no token'),
    async (s) => {
      const response = await s.post('a', pay(1));
      assert.equal(response.status, 401);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer scope="x"');
      assert.deepEqual(await response.json(), { error: 'no token' });
      assert.deepEqual(await s.outcomes(), ['upstream-failed']);
    },
  ));

test('what is no message reaches nobody', () =>
  within(
    (_, body, response) => json(response, paid(body?.id ?? 0)),
    async (s) => {
      const status = async (response: Promise<Response>) => {
        const { status, ...rest } = await response.then(async (r) => ({
          status: r.status,
          body: (await r.json()) as Body,
        }));
        return [status, rest.body.error.code];
      };
      assert.deepEqual(await status(s.post('a', '{"jsonrpc"')), [400, PARSE_ERROR]);
      assert.equal((await s.post('a', `[${JSON.stringify({ jsonrpc: '2.0', ...pay(1) })}]`)).status, 400);
      assert.equal((await s.post('a', pay(1), { 'content-type': 'text/plain' })).status, 415);
      assert.equal((await s.post('a', { ...pay(1), x: 'x'.repeat(5 << 20) })).status, 413);
      assert.equal((await s.post('nowhere', pay(1))).status, 404);
      const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
      const headers = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'page',
      };
      assert.deepEqual(await status(s.post('a', pay(1, { _meta }), headers)), [400, HEADER_MISMATCH]);
      assert.equal((await s.post('a', pay(1), { origin: 'http://evil.example' })).status, 403);
      assert.equal(s.received.length, 0);
    },
  ));

test('a name that was rebound to this machine is refused', () =>
  within(
    (_, body, response) => json(response, paid(body?.id ?? 0)),
    async (s) => {
      const status = await new Promise((resolve) => {
        const options = { port: s.port, path: '/mcp/a', method: 'POST', headers: { host: 'evil.example' } };
        httpRequest(options, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).end('{}');
      });
      assert.equal(status, 403);
    },
  ));

test('a request for sampling that is denied is answered to the server, and the client never sees it', () =>
  within(
    (_, body, response) => {
      if (body.method === undefined) {
        response.writeHead(202).end();
        return;
      }
      const ask = {
        jsonrpc: '2.0',
        id: 's1',
        method: 'sampling/createMessage',
        params: { messages: [], maxTokens: 1 },
      };
      events(response, event(ask), 'event: endpoint\ndata: http://127.0.0.1:1/around\n\n');
      setTimeout(() => response.end(event(paid(body.id))), 100);
    },
    async (s) => {
      const got = await messages(await s.post('a', pay(1)));
      assert.deepEqual(got, [paid(1)]);
      assert.equal(s.received[1]?.body.id, 's1');
      assert.equal(s.received[1]?.body.error.code, DENIED);
    },
  ));

test('an answer that comes by a resumed stream is decided, and again passes as it was', () =>
  within(
    (request, body, response) => {
      if (request.method === 'GET') {
        events(response);
        response.end(event(paid(5), '2'));
      } else if (body.method === 'initialize') {
        json(response, { jsonrpc: '2.0', id: body.id, result: {} }, { 'mcp-session-id': 's' });
      } else {
        events(response, 'id: 1\nretry: 10\ndata:\n\n');
        response.end();
      }
    },
    async (s) => {
      await (await s.post('a', { id: 1, method: 'initialize', params: {} })).text();
      const session = { 'mcp-session-id': 's' };
      assert.equal(await (await s.post('a', pay(5), session)).text(), 'id: 1\nretry: 10\ndata:\n\n');
      for (let i = 0; i < 2; i++) {
        const resumed = await fetch(s.url('/mcp/a'), {
          headers: { ...session, accept: 'text/event-stream', 'last-event-id': '1' },
        });
        assert.equal(await resumed.text(), event(paid(5), '2'));
      }
      assert.equal(s.received[2]?.headers['last-event-id'], '1');
      assert.deepEqual(await s.outcomes(), ['paid'], 'recorded once');
    },
  ));

test('the result of a task that a call began comes by another request', () =>
  within(
    (_, body, response) => {
      const content = [{ type: 'text', text: 'paid' }];
      if (body.method === 'tools/call')
        json(response, {
          jsonrpc: '2.0',
          id: body.id,
          result: { resultType: 'task', taskId: 't', status: 'working' },
        });
      else
        json(response, {
          jsonrpc: '2.0',
          id: body.id,
          result: { taskId: 't', status: 'completed', result: { content } },
        });
    },
    async (s) => {
      assert.equal((await messages(await s.post('a', pay(1))))[0].result.taskId, 't');
      const get = { id: 2, method: 'tasks/get', params: { taskId: 't' } };
      for (let i = 0; i < 2; i++)
        assert.equal((await messages(await s.post('a', get)))[0].result.result.content[0].text, 'paid');
      assert.deepEqual(await s.outcomes(), ['paid'], 'polling records it once');
      const other = await s.post('b', get);
      assert.equal(
        (await messages(other))[0].error.code,
        UNAVAILABLE,
        'a task of one server is none of another',
      );
    },
  ));

test('a held call tells its progress on a stream, and the answer follows on it', () =>
  within(
    (_, body, response) => json(response, paid(body.id)),
    async (s) => {
      const response = await s.post('a', pay(1, { arguments: { big: true }, _meta: { progressToken: 'p' } }));
      assert.match(response.headers.get('content-type') ?? '', /event-stream/);
      const [hold] = await s.transport.holds({});
      assert.equal(s.received.length, 0);
      await s.transport.answerHold(hold!.id, { approve: true, by: 'user:bob', role: 'lead' });
      const got = await messages(response);
      assert.equal(got[0].method, 'notifications/progress');
      assert.deepEqual(got.at(-1), paid(1));
    },
  ));

test('rewritten arguments are rewritten in the headers that mirror them', () =>
  within(
    (_, body, response) => {
      const inputSchema = {
        type: 'object',
        properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
      };
      json(
        response,
        body.method === 'tools/list'
          ? { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'page', inputSchema }] } }
          : paid(body.id),
      );
    },
    async (s) => {
      await (await s.post('a', { id: 1, method: 'tools/list' })).text();
      const params = { name: 'page', arguments: { region: 'us' } };
      await (await s.post('a', { id: 2, method: 'tools/call', params }, { 'mcp-param-region': 'us' })).text();
      assert.equal(s.received[1]?.body.params.arguments.region, 'eu');
      assert.equal(s.received[1]?.headers['mcp-param-region'], 'eu');
    },
  ));

test('a client that goes away takes its request with it', () =>
  within(
    (request, _, response) => {
      events(response, ': open\n\n');
      request.socket.once('close', () => closed.resolve());
    },
    async (s) => {
      const stop = new AbortController();
      const response = await fetch(s.url('/mcp/a'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', ...pay(1) }),
        signal: stop.signal,
      });
      await response.body?.getReader().read();
      stop.abort();
      await closed.promise;
    },
  ));
const closed = Promise.withResolvers<void>();

test('an event is one message to every client: none is hidden in the text of another', () =>
  within(
    (_, body, response) => {
      const ask = { jsonrpc: '2.0', id: 7, method: 'sampling/createMessage', params: {} };
      const text = `paid\u2028\u2028data: ${JSON.stringify(ask)}\u2028\u2028`;
      events(response, event({ jsonrpc: '2.0', id: body.id, result: { content: [{ type: 'text', text }] } }));
      response.end();
    },
    async (s) => {
      const text = await (await s.post('a', pay(1))).text();
      // As Python's `splitlines` reads, which some clients read events by.
      const lines = text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
      const data = lines.filter((line) => line.startsWith('data:'));
      assert.equal(data.length, 1);
      assert.match(JSON.parse(data[0]!.slice(5)).result.content[0].text, /sampling/);
    },
  ));
