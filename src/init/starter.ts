// The starter spec of a project: a contract for each tool, a few rules that hold for any agent, and examples that show them. What is
// guessed says so. Text only; the command line checks it and runs its examples before anybody sees it.
import { stringify } from 'yaml';
import type { Json, JsonObject } from '../step/types.ts';
import { type Argument, amountOf, commandOf, recipientsOf } from './arguments.ts';
import { type Guess, guessEffect } from './effects.ts';
import { exampleArgs } from './example.ts';
import type { FoundTool } from './types.ts';

/** Over this much a person is asked; nobody knows the right number but the reader. */
const HOLD_OVER = 100;
const CHANGES_AN_HOUR = 100;
const DESCRIPTION_MAX = 160;
const MARKED = {
  name: 'its name',
  description: 'its description',
  server: 'what its server says',
  nothing: 'nothing',
};

interface Known extends FoundTool {
  readonly guess: Guess;
  readonly recipients: readonly Argument[];
  readonly amount: Argument | null;
  readonly command: Argument | null;
}

/** `name` is the spec's and the agent's; the text is YAML that `spec fmt` lays out. */
export function starterSpec(name: string, tools: readonly FoundTool[]): string {
  const known = tools.map((tool) => knownOf(tool));
  const rules = [
    ...commands(known),
    ...recipients(known),
    ...amounts(known),
    ...waits(known),
    ...runaway(known),
  ];
  const parts = [
    `# What ${name} may do. Made by \`interlock init\`: effects are guessed from names, so review each line that says so,
# then take the mark away. Nothing else is needed: \`interlock spec test\` runs the examples below.
interlock: 1
name: ${name}
# A tool that does not stand here is denied.
default: deny`,
    `tools:\n${known.map(contract).join('\n')}`,
  ];
  if (rules.length > 0) parts.push(`rules:\n${rules.join('\n')}`);
  parts.push(`tests:\n${examples(known).join('\n')}`);
  return `${parts.join('\n\n')}\n`;
}

/** A name for a spec and an agent: letters, digits, `-`. */
export function specName(of: string | null): string {
  const name = (of ?? '')
    .slice(0, 200)
    .toLowerCase()
    .replace(/^@[^/]*\//, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return name === '' ? 'agent' : name;
}

function knownOf(tool: FoundTool): Known {
  const guess = guessEffect(tool.name, tool.description, tool.hints);
  const goesOut = guess.effect === 'send' || guess.pays;
  return {
    ...tool,
    guess,
    recipients: goesOut ? recipientsOf(tool.input) : [],
    amount: goesOut ? amountOf(tool.input) : null,
    command: guess.effect === 'execute' ? commandOf(tool.input) : null,
  };
}

function contract({ name, description, input, at, guess }: Known): string {
  const told = MARKED[guess.from];
  const lines = [
    `  # ${placeOf(at)}`,
    `  ${flow(name)}:`,
    `    effect: ${guess.effect} # guessed from ${told}: review`,
  ];
  if (!guess.reversible) lines.push('    reversible: false');
  if (description !== null) lines.splice(2, 0, `    description: ${flow(shortened(description))}`);
  if (input !== null) lines.push(`    input: ${flow(input)}`);
  return lines.join('\n');
}

/** Line 0 is the whole file: a server named there told it. */
function placeOf({ file, line }: Known['at']): string {
  return line === 0 ? file : `${file}:${line}`;
}

function shortened(text: string): string {
  const line = text.trim().split(/\s*\n/, 1)[0]!;
  return line.length > DESCRIPTION_MAX ? `${line.slice(0, DESCRIPTION_MAX - 1)}…` : line;
}

/** YAML on one line; texts in quotes only where they need them. */
function flow(value: Json): string {
  return stringify(value, {
    collectionStyle: 'flow',
    aliasDuplicateObjects: false,
    lineWidth: 0,
    defaultStringType: 'PLAIN',
  }).trimEnd();
}

const APPROVE = 'approve: { by: [reviewer], expires: 24h }';

function onAll(tools: readonly Known[]): string {
  return flow(tools.map(({ name }) => `call ${name}`));
}

function commands(tools: readonly Known[]): string[] {
  return tools
    .filter((tool) => tool.command !== null)
    .map(({ name, command }) => {
      const does = `shell(args.${command!.name})`;
      return `  - id: ${idOf(name)}-only-looks
    on: ${flow(`call ${name}`)}
    # More about commands: the cookbook, and pack:coding.
    hold: size(${does}.unknown) > 0 || size(${does}.writes) > 0 || size(${does}.hosts) > 0
    ${APPROVE}
    because: This command changes files, reaches another machine, or cannot be understood before it runs.`;
    });
}

function recipients(tools: readonly Known[]): string[] {
  return tools
    .filter((tool) => tool.recipients.length > 0)
    .map(({ name, recipients: to }) => {
      const each = to.map((argument) =>
        given(argument, `origin(args.${argument.name}).within(["user", "trusted"])`),
      );
      return `  - id: ${idOf(name)}-goes-where-the-user-said
    on: ${flow(`call ${name}`)}
    require: ${flow(each.join(' && '))}
    otherwise: hold
    ${APPROVE}
    because: The address comes from elsewhere than the user's own words.
    # Say \`trust: trusted\` on the output of tools that may choose addresses too, such as your own address book.
    repair: Ask the user for the address.
    controls: [owasp-agentic:ASI01, owasp-llm:LLM01]`;
    });
}

function given({ name, optional }: Argument, condition: string): string {
  return optional ? `(!has(args.${name}) || ${condition})` : condition;
}

function amounts(tools: readonly Known[]): string[] {
  return tools
    .filter((tool) => tool.amount !== null)
    .map(({ name, amount }) => {
      const over = `args.${amount!.name} > ${HOLD_OVER}`;
      return `  - id: ${idOf(name)}-over-${HOLD_OVER}
    on: ${flow(`call ${name}`)}
    hold: ${flow(amount!.optional ? `!has(args.${amount!.name}) || ${over}` : over)} # the limit is a guess: review
    ${APPROVE}
    because: More than ${HOLD_OVER} needs a person.`;
    });
}

/** What cannot be undone and no nearer rule looks at. */
function waiting(tools: readonly Known[]): Known[] {
  return tools.filter(
    (tool) =>
      !tool.guess.reversible && tool.recipients.length === 0 && tool.amount === null && tool.command === null,
  );
}

function waits(tools: readonly Known[]): string[] {
  const waitFor = waiting(tools);
  if (waitFor.length === 0) return [];
  return [
    `  - id: cannot-be-undone
    on: ${onAll(waitFor)}
    hold: true
    ${APPROVE}
    because: This cannot be undone, so a person looks at it first.
    controls: [owasp-agentic:ASI02]`,
  ];
}

function runaway(tools: readonly Known[]): string[] {
  const effects = ['write', 'send', 'delete', 'execute'].filter((effect) =>
    tools.some((tool) => tool.guess.effect === effect),
  );
  if (effects.length === 0) return [];
  return [
    `  - id: no-runaway
    on: ${flow(effects.map((effect) => `call effect:${effect}`))}
    limit: { count: ${CHANGES_AN_HOUR}, window: 1h }
    because: ${CHANGES_AN_HOUR} changes in an hour look like a loop.`,
  ];
}

function idOf(tool: string): string {
  return tool.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 60);
}

/** One example of each kind that the spec has. */
function examples(tools: readonly Known[]): string[] {
  const made: string[] = [];
  const read = tools.find((tool) => tool.guess.effect === 'read');
  if (read !== undefined) {
    made.push(example('what only reads goes ahead', [call(read.name, exampleArgs(read.input), 'allow')]));
  }
  made.push(example('a tool that is not known is denied', [call(unknownName(tools), {}, 'deny')]));
  const sends = tools.find((tool) => tool.recipients.length > 0);
  if (sends !== undefined) made.push(sendExample(sends));
  const pays = tools.find((tool) => tool.amount !== null);
  if (pays !== undefined) made.push(payExample(pays));
  const waits = waiting(tools)[0];
  if (waits !== undefined) made.push(waitExample(waits));
  const runs = tools.find((tool) => tool.command !== null);
  if (runs !== undefined) made.push(runExample(runs));
  return made;
}

function unknownName(tools: readonly Known[]): string {
  const names = new Set(tools.map((tool) => tool.name));
  let name = 'another_tool';
  while (names.has(name)) name = `${name}_2`;
  return name;
}

const KNOWN = 'ada@example.com';
const ASKED = flow({ input: `Please send it to ${KNOWN}.` });
const OTHER = 'mallory@example.net';

/** Arguments with every recipient at `address`. */
function sentTo(tool: Known, address: string, amount: number): JsonObject {
  const to = tool.recipients
    .filter((argument, i) => !argument.optional || i === 0)
    .map(({ name, schema }): [string, Json] => [name, schema.type === 'array' ? [address] : address]);
  return exampleArgs(tool.input, {
    ...Object.fromEntries(to),
    ...(tool.amount && { [tool.amount.name]: amount }),
  });
}

function sendExample(tool: Known): string {
  return example('an address is the choice of the user', [
    ASKED,
    call(tool.name, sentTo(tool, KNOWN, 1), 'allow'),
    call(tool.name, sentTo(tool, OTHER, 1), 'hold', `${idOf(tool.name)}-goes-where-the-user-said`),
  ]);
}

function payExample(tool: Known): string {
  return example('much money waits for a person', [
    ASKED,
    call(tool.name, sentTo(tool, KNOWN, 1), 'allow'),
    call(tool.name, sentTo(tool, KNOWN, HOLD_OVER + 1), 'hold', `${idOf(tool.name)}-over-${HOLD_OVER}`),
  ]);
}

function waitExample(tool: Known): string {
  return example('what cannot be undone waits for a person', [
    call(tool.name, exampleArgs(tool.input), 'hold', 'cannot-be-undone'),
    '{ approve: { by: reviewer@example.com }, role: reviewer, expect: allow }',
  ]);
}

function runExample(tool: Known): string {
  const name = tool.command!.name;
  return example('a command that only looks goes ahead', [
    call(tool.name, exampleArgs(tool.input, { [name]: 'git status' }), 'allow'),
    call(
      tool.name,
      exampleArgs(tool.input, { [name]: 'rm -r build' }),
      'hold',
      `${idOf(tool.name)}-only-looks`,
    ),
  ]);
}

function example(name: string, steps: readonly string[]): string {
  return `  - name: ${name}\n    steps:\n${steps.map((step) => `      - ${step}`).join('\n')}`;
}

function call(tool: string, args: JsonObject, expect: string, rule?: string): string {
  return flow({ call: tool, args, expect, ...(rule !== undefined && { rule }) });
}
