// The shop behind the examples: one order, and what was refunded of it. The tools know nothing of Interlock.
export const ORDER = { id: 'A-1', total: 60 };
export const SPEC = new URL('./desk.yaml', import.meta.url).pathname;
export const INSTRUCTIONS = 'You handle refunds of a shop.';

export interface Refund {
  readonly id: string;
  readonly amount: number;
}

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
export const ORDER_ID = {
  type: 'object' as const,
  properties: { id: text },
  required: ['id'],
  additionalProperties: true as const,
};
export const REFUND = { ...ORDER_ID, properties: { id: text, amount: number }, required: ['id', 'amount'] };

export interface Shop {
  readonly refunds: readonly Refund[];
  readonly getOrder: (order: { id: string }) => Promise<object>;
  readonly refund: (refund: Refund) => Promise<object>;
}

export function openShop(): Shop {
  const refunds: Refund[] = [];
  return {
    refunds,
    getOrder: async ({ id }) => (id === ORDER.id ? ORDER : { error: 'no such order' }),
    refund: async (refund) => {
      refunds.push(refund);
      return { refunded: refund.amount };
    },
  };
}

/** Where the model is and what it is asked: an OpenAI-compatible or Anthropic address. */
export interface Setting {
  readonly baseURL: string;
  readonly apiKey: string;
  readonly model: string;
  readonly ask: string;
  readonly shop: Shop;
}
