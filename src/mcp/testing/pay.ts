// For tests: a spec about payments, and a guard under a spec for as long as a test takes.
import { type SetUp, type SetUpOptions, setUp } from './setup.ts';

export const PAY = {
  tools: {
    pay: {
      effect: 'write',
      input: {
        type: 'object',
        required: ['amount'],
        properties: { amount: { type: 'number' }, to: { type: 'string' } },
      },
    },
    page: { effect: 'read', trust: 'untrusted' },
    'resources/read': { effect: 'read' },
  },
  rules: [
    {
      id: 'small',
      on: 'call pay',
      require: 'args.amount <= 100',
      because: 'At most 100.',
      repair: 'Pay 100 or less.',
    },
    { id: 'two', on: 'call pay', limit: { count: 2 }, because: 'Two payments.' },
  ],
};

export async function within(spec: object | null, options: SetUpOptions, work: (s: SetUp) => Promise<void>) {
  const s = await setUp(spec, options);
  try {
    await work(s);
  } finally {
    await s.close();
  }
}
