// Owns making a store to measure against: `node bench/seed.ts '<JSON of SeedRequest>'` prints one line of JSON.

import { readFileSync, writeFileSync } from 'node:fs';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { loadMasterKeys } from '@countersign/server/compose/master-keys';
import type { SecretWrite } from '@countersign/server/control/command';
import { loadConfig } from '@countersign/server/platform/config/load';
import { openPolicyChecker, problemText } from '@countersign/server/services/policy/publish';
import { z } from 'zod';
import { providerKey, seedObjects } from './seed/objects.ts';
import { policyText } from './seed/policy-text.ts';
import { seedRecords } from './seed/records.ts';
import { type CheckedPolicy, openSeedStore, seedTools } from './seed/store.ts';

const seedRequest = z.strictObject({
  directory: z.string().min(1),
  publicHost: z.string().min(1),
  mockPort: z.number().int(),
  keys: z.number().int().positive(),
  policies: z.number().int().positive(),
  records: z.number().int().nonnegative(),
  /** Gets one `authorization` header line for each key. */
  keyLines: z.string().min(1),
});

const labels = ['project_name'];

async function checkText(text: string): Promise<CheckedPolicy> {
  const limits = { timeoutMs: 120_000, heapMegabytes: 1024, concurrent: 1, waiting: 1 };
  const checker = openPolicyChecker({ limits, randomSeed: () => 1 });
  const result = await checker.check(text, { labels, models: [] });
  await checker.close();
  if (!result.ok)
    throw new Error(`the seeded policy is refused: ${result.problems.map(problemText).join('; ')}`);
  const { hash, compiled, warnings } = result;
  return { kind: 'policy', text, hash, compiled, warnings: warnings.map(problemText) };
}

async function seed(request: z.infer<typeof seedRequest>): Promise<void> {
  const { directory, publicHost } = request;
  const { config } = loadConfig({ COUNTERSIGN_DATA_DIR: directory }, (path) => readFileSync(path, 'utf8'));
  const first = await checkText(defaultPolicyText);
  const options = { directory, publicHost, masterKeys: loadMasterKeys(config).keys };
  const store = await openSeedStore(options, first);
  try {
    const seeded = seedObjects(seedTools, request.keys, request.mockPort);
    const profiles = seeded.people.map(({ id, email, name }): SecretWrite => {
      return { kind: 'subject', id, profile: { email, name } };
    });
    const key: SecretWrite = { kind: 'provider_key', id: seeded.providerId, key: providerKey };
    await store.apply(seeded.changes, [...profiles, key]);
    const teams = seeded.teams.map(({ id }) => id);
    await store.publish(await checkText(policyText(request.policies, { teams, models: seeded.models })));
    const { orgId, committer } = store;
    const place = { orgId, origin: `${publicHost}/${orgId}`, tools: seedTools };
    await seedRecords(committer, place, seeded, request.records);
    await store.project();
    const lines = seeded.keys.map(({ text }) => `authorization: Bearer ${text}\n`);
    writeFileSync(request.keyLines, lines.join(''), { mode: 0o600 });
  } finally {
    await store.close();
  }
}

const started = performance.now();
const argument: unknown = JSON.parse(process.argv[2] ?? 'null');
const request = seedRequest.parse(argument);
await seed(request);
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seconds: Number(seconds.toFixed(1)) })}\n`);
