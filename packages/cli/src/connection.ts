// Owns the way to a server: its address, the key, and the flags and variables that name them.

import { type Client, createClient } from '@countersign/sdk/client/client';
import type { Flag, Invocation } from './command.ts';
import { readFilled } from './input-file.ts';
import { FailedError, UsageError } from './machine.ts';

const defaultUrl = 'http://127.0.0.1:7070';

/** Flags of every command that asks a server. */
export const connectionFlags: readonly Flag[] = [
  {
    name: 'url',
    kind: 'text',
    value: 'URL',
    description: `the server (COUNTERSIGN_URL, else ${defaultUrl})`,
  },
  {
    name: 'key',
    kind: 'text',
    value: 'KEY',
    description: 'a management key; others on this machine may see it (better: COUNTERSIGN_KEY)',
  },
  {
    name: 'key-file',
    kind: 'text',
    value: 'FILE',
    description: 'a file that holds the key (COUNTERSIGN_KEY_FILE)',
  },
  { name: 'timeout', kind: 'text', value: 'SECONDS', description: 'how long one answer may take (30)' },
];

function urlOf({ flags, machine }: Invocation): string {
  // An empty variable is what a script leaves that had nothing to put there.
  const text = flags.text('url') ?? (machine.env.COUNTERSIGN_URL || defaultUrl);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new UsageError(
      `\`${text}\` is no http or https URL: give the server's, such as ${defaultUrl}, by --url or COUNTERSIGN_URL`,
    );
  const url = new URL(text);
  const isNear = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !isNear)
    machine.err(`warning: the key travels unencrypted to \`${url.hostname}\`, use https\n`);
  return text.replace(/\/+$/, '');
}

function keyOf({ flags, machine }: Invocation): string {
  const given = flags.text('key');
  const file = flags.text('key-file');
  if (given !== undefined && file !== undefined)
    throw new UsageError('give `--key` or `--key-file`, not both');
  const { COUNTERSIGN_KEY, COUNTERSIGN_MANAGEMENT_KEY, COUNTERSIGN_KEY_FILE } = machine.env;
  const text = given ?? (file === undefined ? (COUNTERSIGN_KEY ?? COUNTERSIGN_MANAGEMENT_KEY) : undefined);
  const path = file ?? COUNTERSIGN_KEY_FILE;
  const key =
    text ?? (path === undefined ? undefined : readFilled(machine, path, 'a management key belongs in it'));
  if (key !== undefined && key.trim() !== '') return key.trim();
  throw new FailedError('there is no key: set COUNTERSIGN_KEY to a management key, or give --key-file FILE');
}

/** A client from the flags and variables of this call. */
export function connect(invocation: Invocation): Client {
  const seconds = Number(invocation.flags.text('timeout') ?? '30');
  if (!(seconds > 0 && seconds <= 86_400)) throw new UsageError('`--timeout` takes seconds, such as 30');
  return createClient({
    baseUrl: urlOf(invocation),
    key: keyOf(invocation),
    timeoutMs: Math.ceil(seconds * 1000),
  });
}
