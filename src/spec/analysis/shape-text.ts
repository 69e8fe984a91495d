// The words of a key that a history view is kept by, from the shape under which the view knows it. Pure.

interface Shape {
  readonly exprKind?: { readonly case?: string; readonly value?: Record<string, unknown> };
}

/** `args.customer_id` for a selection from the remembered step; another expression with its parts it is `…`. */
export function textOfShape(json: string): string {
  const text = textOf(JSON.parse(json) as Shape);
  return text.startsWith('$.') ? text.slice(2) : text;
}

function textOf({ exprKind }: Shape): string {
  const value = exprKind?.value ?? {};
  switch (exprKind?.case) {
    case 'identExpr':
      return String(value.name);
    case 'selectExpr':
      return `${textOf(value.operand as Shape)}.${String(value.field)}`;
    case 'callExpr': {
      const target = value.target as Shape | undefined;
      const args = (value.args as Shape[]).map(textOf).map((arg) => arg.replace(/^\$\./, ''));
      const name = String(value.function);
      if (name === '_[_]') return `${args[0]}[${args[1]}]`;
      return /^\w+$/.test(name) && !name.startsWith('_')
        ? `${target === undefined ? '' : `${textOf(target)}.`}${name}(${args.join(', ')})`
        : '…';
    }
    case 'constExpr': {
      const constant = (value.constantKind as { value?: unknown } | undefined)?.value;
      return JSON.stringify(constant) ?? '…';
    }
    default:
      return '…';
  }
}
