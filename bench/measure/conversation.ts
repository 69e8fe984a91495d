// A customer's conversation with the agent of examples/support-agent: ten steps, of other people and orders each time.
import type { Proposal } from '../../src/engine/types.ts';

export function conversation(n: number): Proposal[] {
  const customer_id = `C-${10_000 + n}`;
  const order_id = `A-${500_000 + n}`;
  const email = `customer${n}@mail${n % 97}.example`;
  const amount = 10 + (n % 80);
  const note = `Left with the neighbour at number ${n % 200}, who signed for it; box ${n} dented.`;
  return [
    {
      kind: 'input',
      name: 'user',
      content: `Hello, my order ${order_id} arrived broken. I would like ${amount} back please, and write to me at ${email}.`,
    },
    ...call('verify_identity', 'c1', { customer_id }, { ok: true }),
    ...call('get_order', 'c2', { order_id }, { id: order_id, customer_id, total: 95, note }),
    ...call('refund', 'c3', { customer_id, order_id, amount }, { refund_id: `R-${n}`, amount }),
    ...call('send_email', 'c4', { to: email, subject: 'Your refund', body: `We sent ${amount} back.` }, null),
    { kind: 'output', name: 'assistant', content: `I have refunded ${amount} and written to you.` },
  ];
}

function call(
  name: string,
  callId: string,
  args: NonNullable<Proposal['args']>,
  result: NonNullable<Proposal['result']> | null,
): Proposal[] {
  return [
    { kind: 'tool.call', name, callId, args },
    { kind: 'tool.result', name, callId, result },
  ];
}
