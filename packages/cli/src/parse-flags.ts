// Owns the reading of a command's words: node:util parseArgs under the command's own flags.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Command, type Flags, flagsOf } from './command.ts';
import { UsageError } from './machine.ts';
import { nearest } from './nearest.ts';

export type ParsedWords = {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly json: boolean;
  readonly help: boolean;
};

type Values = { readonly [name: string]: string | boolean | (string | boolean)[] | undefined };

function flagsFrom(values: Values): Flags {
  return {
    text: (name) => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    list: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    toggle: (name) => {
      const value = values[name];
      return typeof value === 'boolean' ? value : undefined;
    },
  };
}

/** A switch with its value beside it, as parseArgs takes it: `--hold=false` is `--no-hold`. */
function plainSwitch(command: Command, word: string): string {
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(word) ?? [];
  const flag = flagsOf(command).find((one) => one.kind === 'switch' && one.name === name);
  if (flag === undefined) return word;
  if (value === 'true') return `--${flag.name}`;
  if (value === 'false') return `--no-${flag.name}`;
  throw new UsageError(
    `\`--${flag.name}\` takes \`true\` or \`false\`, not \`${value}\`: say \`--${flag.name}\` or \`--no-${flag.name}\``,
  );
}

/** The words up to `--` with their switches plain; what follows it is no flag. */
function plainSwitches(command: Command, words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  const flags = end < 0 ? words : words.slice(0, end);
  return [...flags.map((word) => plainSwitch(command, word)), ...words.slice(flags.length)];
}

/** What a word that is one too many may have been meant as: `--hold false` says a switch's value apart. */
function extraHint(command: Command, words: readonly string[], extra: string): string {
  const before = words[words.indexOf(extra) - 1]?.replace(/^--(?:no-)?/, '');
  const flag = flagsOf(command).find(({ kind, name }) => kind === 'switch' && name === before);
  if (flag === undefined || !/^(?:true|false)$/.test(extra)) return '';
  return `: say \`--${flag.name}\` or \`--no-${flag.name}\``;
}

function wordsOf(command: Command, words: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const { name, kind } of flagsOf(command)) {
    options[name] = { type: kind === 'switch' ? 'boolean' : 'string', multiple: kind === 'list' };
  }
  try {
    return parseArgs({
      args: [...plainSwitches(command, words)],
      options,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const unknown = /^Unknown option '(--?[^']+)'/.exec(error.message)?.[1];
    if (unknown === undefined) throw new UsageError(lowered(error.message));
    const near = nearest(
      unknown.replace(/^-+/, ''),
      flagsOf(command).flatMap(({ name, negatable }) => (negatable === true ? [name, `no-${name}`] : [name])),
    );
    throw new UsageError(
      `unknown flag \`${unknown}\`${near === undefined ? '' : `, did you mean \`--${near}\`?`}`,
    );
  }
}

/** Node's sentence in our form: lower case, no full stop. */
function lowered(message: string): string {
  const first = message.split('\n')[0] ?? '';
  return first.charAt(0).toLowerCase() + first.slice(1).replace(/\.$/, '');
}

/** Refuses a flag of one value that is given twice: of two answers the last would pass for both. */
function checkRepeats(command: Command, tokens: ReturnType<typeof wordsOf>['tokens']): void {
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const isOne = flagsOf(command).some(({ name, kind }) => name === token.name && kind === 'text');
    if (isOne && seen.has(token.name))
      throw new UsageError(`\`--${token.name}\` takes one value and is given twice`);
    seen.add(token.name);
  }
}

/** The arguments and flags of a command. Throws a UsageError for what it does not know or lacks. */
export function parseWords(command: Command, words: readonly string[]): ParsedWords {
  const parsed = wordsOf(command, words);
  const flags = flagsFrom(parsed.values);
  const help = flags.toggle('help') === true;
  const json = flags.toggle('json') === true;
  const args = parsed.positionals;
  if (help) return { args, flags, json, help };
  checkRepeats(command, parsed.tokens);
  const needed = command.positionals.filter(({ required }) => required);
  const missing = needed[args.length];
  if (missing !== undefined) throw new UsageError(`\`${missing.name}\` is missing`);
  const extra = args[command.positionals.length];
  if (extra !== undefined && command.positionals.at(-1)?.repeated !== true)
    throw new UsageError(`\`${extra}\` is one word too many${extraHint(command, words, extra)}`);
  for (const { name, required } of command.flags) {
    if (required === true && parsed.values[name] === undefined)
      throw new UsageError(`\`--${name}\` is missing`);
  }
  return { args, flags, json, help };
}
