// Owns the flags that take verifier keys, a log's and those of witnesses: as text, or in a file that was kept.

import { existsSync } from 'node:fs';
import { parseVerifierKey, signatureTypes } from '@countersign/core/ledger/note';
import { nodeVerifying } from '@countersign/sdk/ledger/node-verifying';
import type { Flag, Invocation } from './command.ts';
import { readFilled } from './input-file.ts';
import { type Machine, UsageError } from './machine.ts';

export const vkeyFlag: Flag = {
  name: 'vkey',
  kind: 'text',
  value: 'KEY|@FILE',
  description: "the log's verifier key, received earlier and apart from what it checks",
};

/** What a flag takes, for people. */
type Wanted = {
  readonly flag: 'vkey' | 'former-vkey' | 'witness';
  readonly type: number;
  readonly whose: string;
};

const logKey: Wanted = { flag: 'vkey', type: signatureTypes.ed25519, whose: 'verifier key of a log' };
const witnessKey: Wanted = {
  flag: 'witness',
  type: signatureTypes.cosignature,
  whose: 'verifier key of a witness',
};

function keyText(machine: Machine, given: string, { flag, type, whose }: Wanted): string {
  const isFile = given.startsWith('@');
  const text = isFile ? readFilled(machine, given.slice(1), `a ${whose} belongs in it`) : given;
  if (parseVerifierKey(nodeVerifying, text.trim())?.type === type) return text;
  if (isFile) throw new UsageError(`\`${given.slice(1)}\` holds no ${whose}: name the file that was kept`);
  const hint = existsSync(given) ? `: to read it from that file, say \`--${flag} @${given}\`` : ', or @FILE';
  throw new UsageError(`\`--${flag}\` takes a ${whose}, and \`${given}\` is none${hint}`);
}

/** The key that a flag gives; undefined without the flag. Throws a UsageError for what is no key of a log. */
export function givenVkey(
  { flags, machine }: Invocation,
  flag: 'vkey' | 'former-vkey' = 'vkey',
): string | undefined {
  const given = flags.text(flag);
  return given === undefined ? undefined : keyText(machine, given, { ...logKey, flag });
}

/** The keys of logs that `--vkey` gives, where it may be repeated. Throws a UsageError for what is no key of a log. */
export function givenVkeys({ flags, machine }: Invocation): readonly string[] {
  return flags.list('vkey').map((given) => keyText(machine, given, logKey));
}

/** The keys that `--witness` gives. Throws a UsageError for what is no key of a witness. */
export function givenWitnesses({ flags, machine }: Invocation): readonly string[] {
  return flags.list('witness').map((given) => keyText(machine, given, witnessKey));
}
