// What the tables say about a program. Data only.

/** What a word means to a program: a file it reads or writes (or both), a URL, `host:path`, a host, a setting. */
export type Role = 'read' | 'write' | 'both' | 'url' | 'remote-read' | 'remote-write' | 'host' | 'text';

export interface Program {
  /** Options that take a value, and what the value is. Options that are not listed stand alone. */
  readonly options?: Readonly<Record<string, Role>>;
  readonly operands: Role;
  /** The first operand, where it differs: a pattern, a mode. An option of `firstUnless` takes its place. */
  readonly first?: Role;
  readonly firstUnless?: readonly string[];
  /** The last of two or more operands, where it differs: a target. */
  readonly last?: Role;
  /** With one of these options, operands are this instead. */
  readonly instead?: readonly [options: readonly string[], role: Role];
  /** Without operands it works on the folder it is in. */
  readonly here?: 'read' | 'write';
  /** Options that let it run programs or write files that the table cannot tell. */
  readonly beyond?: readonly string[];
}
