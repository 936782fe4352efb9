// Owns opening the store of a configuration: keys, threads, the first organization. The server and the CLI share it.

import { randomBytes } from 'node:crypto';
import { objectName } from '@countersign/core/directory/scalars';
import { AppError } from '@countersign/core/errors';
import { issueText } from '@countersign/core/issue-text';
import type { LogPolicy } from '@countersign/core/ledger/log-policy';
import { isPlainText } from '@countersign/core/plain-text';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { z } from 'zod';
import type { Prepared } from '../control/command.ts';
import type { Config } from '../platform/config/schema.ts';
import {
  defaultPolicyCheckLimits,
  type KnownNames,
  openPolicyChecker,
  type PolicyChecker,
  problemText,
  wordsOf,
} from '../services/policy/publish.ts';
import { loadMasterKeys, type MasterKeys } from './master-keys.ts';
import { type Hearing, startThreads, type Threads } from './start-threads.ts';
import type { Founded } from './threads.ts';

export type Store = {
  readonly threads: Threads;
  readonly masterKeys: MasterKeys;
  readonly policies: PolicyChecker;
  readonly boot: string;
  readonly close: (limitMs: number) => Promise<void>;
};

/** Opens the configured store. Throws `storage_unavailable` if another process holds it. */
export async function openStore(config: Config, hear: Hearing, witnesses?: LogPolicy): Promise<Store> {
  const masterKeys = loadMasterKeys(config);
  const boot = randomBytes(8).toString('hex');
  const url = config.databaseUrl?.reveal();
  const threads = await startThreads(
    {
      storage: url === undefined ? { kind: 'sqlite', directory: config.dataDir } : { kind: 'postgres', url },
      masterKeys: masterKeys.keys,
      publicHost: new URL(config.publicUrl).host,
      node: config.nodeName,
      boot,
      checkpointFile: config.checkpointFile,
      tellsCheckpoints: hear.onCheckpoints !== undefined,
      logCheckMs: config.ledgerCheckMinutes * 60_000,
      heldFiles: config.heldCheckpoint === undefined ? [] : [config.heldCheckpoint],
      witnesses,
    },
    hear,
  );
  const policies = openPolicyChecker({
    limits: defaultPolicyCheckLimits,
    randomSeed: () => randomBytes(4).readUInt32BE(),
  });
  return {
    threads,
    masterKeys,
    policies,
    boot,
    close: async (limitMs) => {
      await policies.close();
      await threads.close(limitMs);
    },
  };
}

/** A checked policy, ready to install. Throws `policy_invalid` with every problem as a field. */
export async function preparePolicy(
  policies: PolicyChecker,
  text: string,
  known: KnownNames,
): Promise<Extract<Prepared, { readonly kind: 'policy' }>> {
  const result = await policies.check(text, known);
  if (result.ok) {
    const warnings = result.warnings.map(problemText);
    return { kind: 'policy', text, hash: result.hash, compiled: result.compiled, warnings };
  }
  const fields = result.problems.map((problem) => ({
    path: `${problem.line}:${problem.column}`,
    message: wordsOf(problem),
  }));
  const [first] = result.problems;
  const told = first === undefined ? 'the policy was refused' : problemText(first);
  throw new AppError('policy_invalid', told, { fields });
}

export type InitValues = { readonly slug: string; readonly ownerEmail: string; readonly ownerName: string };

const initSchema = z.object({
  slug: objectName,
  ownerEmail: z.email().max(254),
  ownerName: z.string().max(200).refine(isPlainText, 'must be one line without control characters'),
});

/** Makes the first organization, with the default policy. Throws `invalid_request` or `already_set_up`. */
export async function initFirst(
  store: Pick<Store, 'threads' | 'policies'>,
  values: InitValues,
): Promise<Founded> {
  const parsed = initSchema.safeParse(values);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AppError(
      'invalid_request',
      `\`${issue?.path.join('.') ?? ''}\` ${issue === undefined ? 'is not valid' : issueText(issue)}`,
    );
  }
  const policy = await preparePolicy(store.policies, defaultPolicyText, { labels: [], models: [] });
  // Records name people: whoever gives no name is called by what their address begins with.
  const { ownerEmail, ownerName } = parsed.data;
  const named = {
    ownerName: ownerName.trim() === '' ? ownerEmail.slice(0, ownerEmail.indexOf('@')) : ownerName,
  };
  return store.threads.writer.call('init', { ...parsed.data, ...named, policy });
}
