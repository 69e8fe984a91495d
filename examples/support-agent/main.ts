// The example beside a running server: `node examples/support-agent/main.ts [--url URL]`.
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Interlock } from '../../src/sdk/index.ts';
import { freshNotebook, runSupportAgent } from './agent.ts';
import { chooseModel } from './model.ts';
import { openShop } from './shop.ts';

const { values } = parseArgs({ options: { url: { type: 'string', default: 'http://127.0.0.1:7070' } } });
const interlock = Interlock.connect(values.url);
try {
  await runSupportAgent({
    interlock,
    model: chooseModel(process.env),
    shop: openShop(),
    notebook: freshNotebook(`example-${randomUUID().slice(0, 8)}`),
    save: async () => {},
    say: console.log,
  });
} finally {
  await interlock.close();
}
