// Owns the flag `--vkey`: a log's verifier key as text, or in a file that was kept.

import { existsSync } from 'node:fs';
import { parseVerifierKey, signatureTypes } from '@countersign/core/ledger/note';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import type { Flag, Invocation } from './command.ts';
import { UsageError } from './machine.ts';
import { readFile } from './schema-flags.ts';

export const vkeyFlag: Flag = {
  name: 'vkey',
  kind: 'text',
  value: 'KEY|@FILE',
  description: "the log's verifier key, received earlier and apart from what it checks",
};

function isKey(text: string): boolean {
  return parseVerifierKey(nodeVerifying, text.trim())?.type === signatureTypes.ed25519;
}

/** The key that `--vkey` gives; undefined without the flag. Throws a UsageError for what is no key of a log. */
export function givenVkey({ flags, machine }: Invocation): string | undefined {
  const given = flags.text('vkey');
  if (given === undefined) return undefined;
  const text = given.startsWith('@') ? readFile(machine, given.slice(1)) : given;
  if (isKey(text)) return text;
  if (given.startsWith('@')) throw new UsageError(`\`${given.slice(1)}\` holds no verifier key of a log`);
  const hint = existsSync(given) ? `: to read it from that file, say \`--vkey @${given}\`` : ', or @FILE';
  throw new UsageError(`\`--vkey\` takes a verifier key, and \`${given}\` is none${hint}`);
}
