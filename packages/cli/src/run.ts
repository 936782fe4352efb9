// Owns one run of the command line: which command is meant, and what its end is to the shell.

import { AppError } from '@countersign/core/errors';
import { ProblemError } from '@countersign/sdk/client/client-errors';
import { type Command, helpText, synopsis } from './command.ts';
import { type ExitCode, FailedError, type Machine, UsageError } from './machine.ts';
import { nearest } from './nearest.ts';
import { parseWords } from './parse-flags.ts';
import { cliReference } from './reference.ts';
import { safeLine, safeLines } from './safe-text.ts';
import { readVersion } from './version.ts';

function groupsOf(commands: readonly Command[]): ReadonlyMap<string, readonly Command[]> {
  return Map.groupBy(commands, ({ name }) => name.split(' ')[0] ?? '');
}

function overview(commands: readonly Command[]): string {
  const rows = [...groupsOf(commands)].map(([group, members]) => {
    const verbs = members.flatMap(({ name }) => name.split(' ')[1] ?? []);
    const [first] = members;
    return [group, verbs.length === 0 ? (first?.summary ?? '') : verbs.join(' | ')] as const;
  });
  const width = Math.max(...rows.map(([group]) => group.length));
  return [
    'countersign: an identity-aware gateway to models whose record proves itself',
    '',
    'usage: countersign VERB [flags], `countersign VERB --help` for each, and `countersign --version`',
    '',
    ...rows.map(([group, what]) => `  ${group.padEnd(width)}  ${what}`),
    '',
    'examples:',
    '  countersign init --org acme --owner alice@example.com',
    '  countersign usage --group-by user,model',
    '  countersign ledger export ./audit && countersign ledger verify ./audit',
    '',
  ].join('\n');
}

function groupHelp(members: readonly Command[]): string {
  const lines = members.map((command) => `  ${synopsis(command)}\n      ${command.summary}`);
  return `usage:\n${lines.join('\n')}\n`;
}

type Found =
  | { readonly kind: 'command'; readonly command: Command; readonly words: readonly string[] }
  | { readonly kind: 'help'; readonly text: string; readonly code: ExitCode }
  | { readonly kind: 'unknown'; readonly message: string; readonly text: string };

function find(commands: readonly Command[], words: readonly string[]): Found {
  const [first = '', second = ''] = words;
  if (words.length === 0) return { kind: 'help', text: overview(commands), code: 2 };
  if (first === 'help' && second === '--markdown')
    return { kind: 'help', text: cliReference(commands), code: 0 };
  if (first === 'help' || first === '--help' || first === '-h')
    return { kind: 'help', text: overview(commands), code: 0 };
  if (first === '--version') return { kind: 'help', text: `countersign ${readVersion()}\n`, code: 0 };
  if (first.startsWith('-'))
    return { kind: 'unknown', message: 'the verb comes first, then its flags', text: overview(commands) };
  const both = commands.find(({ name }) => name === `${first} ${second}`);
  if (both !== undefined) return { kind: 'command', command: both, words: words.slice(2) };
  const members = groupsOf(commands).get(first);
  if (members === undefined) {
    const near = nearest(first, [...groupsOf(commands).keys()]);
    const hint = near === undefined ? '' : `, did you mean \`${near}\`?`;
    return { kind: 'unknown', message: `unknown verb \`${first}\`${hint}`, text: overview(commands) };
  }
  const alone = members.find(({ name }) => name === first);
  const isFlag = second === '' || second.startsWith('-');
  if (alone !== undefined && (isFlag || alone.positionals.length > 0))
    return { kind: 'command', command: alone, words: words.slice(1) };
  if (second === '--help' || second === '-h') return { kind: 'help', text: groupHelp(members), code: 0 };
  if (isFlag) return { kind: 'unknown', message: `\`${first}\` needs a verb`, text: groupHelp(members) };
  const near = nearest(
    second,
    members.flatMap(({ name }) => name.split(' ')[1] ?? []),
  );
  const hint = near === undefined ? '' : `, did you mean \`${first} ${near}\`?`;
  return { kind: 'unknown', message: `unknown verb \`${first} ${second}\`${hint}`, text: groupHelp(members) };
}

/** A failure in sentences for people. Nothing of it acts on a terminal. */
function failureText(error: unknown): string {
  if (error instanceof ProblemError) {
    // What the sentence says already is not said again.
    const isSaid = error.fields.length === 1 && error.detail.includes(error.fields[0]?.message ?? '');
    const fields = (isSaid ? [] : error.fields).map(
      ({ path, message }) => `  \`${safeLine(path)}\`: ${safeLine(message)}\n`,
    );
    const what = `refused: ${safeLine(error.detail)} (code \`${error.code}\`, request \`${safeLine(error.requestId)}\`)`;
    return `${what}\n${fields.join('')}`;
  }
  return `failed: ${safeLines(error instanceof Error ? error.message : String(error))}\n`;
}

async function invoke(command: Command, words: readonly string[], machine: Machine): Promise<ExitCode> {
  try {
    const { args, flags, json, help } = parseWords(command, words);
    if (help) {
      machine.out(helpText(command));
      return 0;
    }
    return await command.run({ args, flags, json, machine });
  } catch (error) {
    // What the contract refuses before anything is sent was written wrongly.
    const isUsage =
      error instanceof UsageError || (error instanceof AppError && error.code === 'invalid_request');
    if (isUsage) {
      machine.err(`${safeLines(error.message)}\nusage: ${synopsis(command)}\n`);
      machine.err(`see \`countersign ${command.name} --help\`\n`);
      return 2;
    }
    if (error instanceof Error && !(error instanceof FailedError) && isFault(error)) throw error;
    machine.err(failureText(error));
    return 1;
  }
}

/** Faults of our own are shown whole: hiding them behind a sentence would help nobody. */
function isFault(error: Error): boolean {
  return error instanceof TypeError || error instanceof ReferenceError;
}

/** Runs the command that `words` name. Answers on standard output, failures on standard error. */
export async function run(
  commands: readonly Command[],
  words: readonly string[],
  machine: Machine,
): Promise<ExitCode> {
  const found = find(commands, words);
  if (found.kind === 'command') return invoke(found.command, found.words, machine);
  if (found.kind === 'help') {
    (found.code === 0 ? machine.out : machine.err)(found.text);
    return found.code;
  }
  machine.err(`${safeLine(found.message)}\n${found.text}`);
  return 2;
}
