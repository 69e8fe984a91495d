// The syntax tree of CEL, in the shape of google/cel-spec's syntax.proto: macros are written out as comprehensions, operators are
// calls (`_+_`, `!_`, `_?_:_`, `_[_]`, `@in`).

export interface Expr {
  exprKind:
    | { case: 'constExpr'; value: Constant }
    | { case: 'identExpr'; value: { name: string } }
    | { case: 'selectExpr'; value: { operand?: Expr; field: string; testOnly: boolean } }
    | { case: 'callExpr'; value: { target?: Expr; function: string; args: Expr[] } }
    | { case: 'listExpr'; value: { elements: Expr[] } }
    | { case: 'structExpr'; value: { messageName: string; entries: Entry[] } }
    | { case: 'comprehensionExpr'; value: Comprehension };
}

export interface Constant {
  constantKind:
    | { case: 'nullValue'; value: 0 }
    | { case: 'boolValue'; value: boolean }
    | { case: 'int64Value'; value: bigint }
    | { case: 'uint64Value'; value: bigint }
    | { case: 'doubleValue'; value: number }
    | { case: 'stringValue'; value: string }
    | { case: 'bytesValue'; value: Uint8Array };
}

export interface Entry {
  keyKind: { case: 'mapKey'; value: Expr } | { case: 'fieldKey'; value: string };
  value: Expr;
}

export interface Comprehension {
  iterVar: string;
  /** Of macros with two variables, which this grammar does not have: always empty. */
  iterVar2: string;
  iterRange?: Expr;
  accuVar: string;
  accuInit?: Expr;
  loopCondition?: Expr;
  loopStep?: Expr;
  result?: Expr;
}
