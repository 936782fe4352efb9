// Owns the form of a command, and the text that says how it is used.

import type { ExitCode, Machine } from './machine.ts';

export type Flag = {
  /** Without the dashes: `expires-in-seconds`. */
  readonly name: string;
  /** `switch` is on or off, `text` takes a value, `list` takes one each time it is given. */
  readonly kind: 'switch' | 'text' | 'list';
  /** A switch whose off means something: `--no-NAME` says it. */
  readonly negatable?: boolean;
  /** What stands for the value in the usage: `NAME`. */
  readonly value?: string;
  readonly description: string;
  /** Lines below it that show what its value looks like. */
  readonly form?: readonly string[];
  readonly required?: boolean;
};

export type Positional = {
  readonly name: string;
  readonly required: boolean;
  readonly description: string;
  /** True for the last one where more may follow it. */
  readonly repeated?: boolean;
};

/** Flags as given. Asking for a flag that the command does not declare gives nothing. */
export type Flags = {
  readonly text: (name: string) => string | undefined;
  readonly list: (name: string) => readonly string[];
  /** Undefined where the switch was not given at all. */
  readonly toggle: (name: string) => boolean | undefined;
};

export type Invocation = {
  readonly args: readonly string[];
  readonly flags: Flags;
  /** True for `--json`: the answer is JSON on standard output. */
  readonly json: boolean;
  readonly machine: Machine;
};

export type Command = {
  /** One or two words: `who`, `keys create`. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** False where the answer has a form of its own: help does not show `--json` then. */
  readonly answersInJson?: false;
  /** Without `countersign`: `keys create --name ci`. */
  readonly examples: readonly string[];
  readonly run: (invocation: Invocation) => Promise<ExitCode>;
};

/** Lists in the columns of the API's CSV, which do not depend on what is in the list. */
export const csvFlag: Flag = {
  name: 'csv',
  kind: 'switch',
  description: 'answer in CSV, in the same columns as the API',
};

const jsonFlag: Flag = { name: 'json', kind: 'switch', description: 'answer in JSON' };
const helpFlag: Flag = { name: 'help', kind: 'switch', description: 'show this text' };

/** Every flag that a command takes, with those that all take. */
export function flagsOf(command: Command): readonly Flag[] {
  return [...command.flags, jsonFlag, helpFlag];
}

function shownFlags(command: Command): readonly Flag[] {
  return flagsOf(command).filter((flag) => flag !== jsonFlag || command.answersInJson !== false);
}

function flagUsage({ name, kind, value, negatable }: Flag): string {
  if (kind !== 'switch') return `--${name} ${value ?? 'VALUE'}`;
  return negatable === true ? `--[no-]${name}` : `--${name}`;
}

/** The first line of the usage: the command with what it needs. */
export function synopsis(command: Command): string {
  const words = command.positionals.map(({ name, required, repeated }) => {
    const word = repeated === true ? `${name}...` : name;
    return required ? word : `[${word}]`;
  });
  const needed = command.flags.filter(({ required }) => required === true).map(flagUsage);
  return ['countersign', command.name, ...words, ...needed, '[flags]'].join(' ');
}

const often = '(may be repeated)';

/** The whole help of a command. */
export function helpText(command: Command): string {
  const rows = [
    ...command.positionals.map(
      ({ name, description, repeated }) =>
        [name, repeated === true ? `${description} ${often}` : description] as const,
    ),
    ...shownFlags(command).flatMap((flag) => {
      const right = [flag.description, ...(flag.kind === 'list' ? [often] : [])]
        .filter((part) => part !== '')
        .join(' ');
      const [first = '', ...below] = [...(right === '' ? [] : [right]), ...(flag.form ?? [])];
      return [[flagUsage(flag), first] as const, ...below.map((line) => ['', line] as const)];
    }),
  ];
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return [
    `${command.name}: ${command.summary}`,
    '',
    `usage: ${synopsis(command)}`,
    '',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()),
    '',
    'examples:',
    ...command.examples.map((example) => `  countersign ${example}`),
    '',
  ].join('\n');
}
