// Owns the operator's list of witnesses: read and tried before anything else is opened.

import { readFileSync } from 'node:fs';
import { type LogPolicy, parseWitnessList } from '@countersign/core/ledger/log-policy';
import { webProblem } from '../platform/config/anchor-problems.ts';
import { ConfigError } from '../platform/config/load.ts';
import type { Config } from '../platform/config/schema.ts';
import { sha256, utf8 } from '../services/ledger/crypto.ts';
import type { Witness } from '../services/witnesses/ask-witness.ts';

export type Witnesses = {
  /** The file as it was read: names, keys and how many must agree. */
  readonly policy: LogPolicy;
  readonly list: readonly Witness[];
};

/** A note has room for 64 signatures, of which one is the log's. */
const maxWitnesses = 32;

const setting = '`witnesses` (COUNTERSIGN_WITNESSES)';

function refuse(why: string): ConfigError {
  return new ConfigError([`${setting}: ${why}`]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw refuse(`\`${path}\` cannot be read (${code}); check the path and its permissions`);
  }
}

/** The witness's submission prefix without a slash at its end; undefined for what is no plain web address. */
function prefixOf(text: string): string | undefined {
  const url = URL.parse(text);
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === null || !isWeb || url.username !== '' || url.password !== '') return undefined;
  return url.search === '' && url.hash === '' ? url.href.replace(/\/+$/, '') : undefined;
}

/** The witnesses of the settings; undefined without the setting. Throws a ConfigError if the file cannot be used. */
export function readWitnesses({ witnesses: path, egressAllow }: Config): Witnesses | undefined {
  if (path === undefined) return undefined;
  const parsed = parseWitnessList({ sha256, utf8 }, read(path));
  if (!parsed.ok) throw refuse(`line ${parsed.line} of \`${path}\` cannot be used: ${parsed.reason}`);
  const { policy } = parsed;
  if (policy.witnesses.length > maxWitnesses)
    throw refuse(`\`${path}\` names ${policy.witnesses.length} witnesses; name ${maxWitnesses} at most`);
  const list = policy.witnesses.map(({ name, key, url }): Witness => {
    if (url === undefined)
      throw refuse(
        `witness \`${name}\` in \`${path}\` has no URL; write where it is asked after its key, or take it out`,
      );
    const prefix = prefixOf(url);
    if (prefix === undefined)
      throw refuse(
        `the URL of witness \`${name}\` in \`${path}\` is no web address; write \`https://\`, a host and a path`,
      );
    const problem = webProblem(`${setting}: witness \`${name}\` in \`${path}\``, prefix, egressAllow);
    if (problem !== undefined) throw new ConfigError([problem]);
    return { name, key, url: prefix };
  });
  return { policy, list };
}
