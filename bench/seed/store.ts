// Owns writing into an embedded store as the server itself would: its migrations, committer, commands and sealer.

import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import { keyCreate } from '@countersign/contract/access-operations';
import { type Permission, permissions } from '@countersign/core/access/permissions';
import type { Change } from '@countersign/core/directory/objects';
import { type Id, type IdKind, makeId, makeRequestId, type OrgId } from '@countersign/core/ids';
import {
  type InstallationDeps,
  openInstallation,
  runInit,
  systemActor,
} from '@countersign/server/compose/installation';
import type { ThreadKeys } from '@countersign/server/compose/threads';
import type {
  CommandActor,
  CommandOutcome,
  Prepared,
  SecretWrite,
} from '@countersign/server/control/command';
import type { Initialized } from '@countersign/server/control/init-organization';
import { type RunDeps, runCommand } from '@countersign/server/control/run-command';
import { viewOf } from '@countersign/server/control/view';
import { writeSecret } from '@countersign/server/control/write-secret';
import { openDatabase } from '@countersign/server/platform/db/open';
import { type MigrationTables, migrate } from '@countersign/server/platform/migrate/migrate';
import { createSealer } from '@countersign/server/platform/sealer/sealer';
import { type Committer, createCommitter } from '@countersign/server/services/ledger/committer';
import { createProjector } from '@countersign/server/services/ledger/projector';
import { migrations } from '@countersign/server/stores/migrations/list';
import type { Tables } from '@countersign/server/stores/schema';
import type { SeedTools } from './objects.ts';

export type StoreOptions = {
  readonly directory: string;
  /** Host and port that the ledger's origin names. */
  readonly publicHost: string;
  readonly masterKeys: ThreadKeys;
};

export type CheckedPolicy = Extract<Prepared, { readonly kind: 'policy' }>;

export type SeedStore = {
  readonly orgId: OrgId;
  readonly committer: Committer;
  /** Writes changes and what is sealed beside them, in as many management entries as they need. */
  readonly apply: (changes: readonly Change[], secrets: readonly SecretWrite[]) => Promise<void>;
  readonly publish: (policy: CheckedPolicy) => Promise<void>;
  /** Brings the projection of records up to the ledger's end. */
  readonly project: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Characters of changes that one entry takes: it may have 65,535 bytes in all. */
const changesPerEntry = 48_000;

const node = 'bench-seed';
const boot = 'bench-seed';

const bytes = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

/** Parts changes so that each part fits into one entry. */
export function partChanges(changes: readonly Change[]): readonly (readonly Change[])[] {
  const parts: Change[][] = [];
  let size = changesPerEntry;
  for (const change of changes) {
    const length = JSON.stringify(change).length;
    if (size + length > changesPerEntry) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(change);
    size += length;
  }
  return parts;
}

function ownerOf(made: Initialized): CommandActor {
  const everywhere: ReadonlySet<Permission> = new Set(permissions);
  return {
    principalId: made.ownerId,
    person: made.ownerId,
    keyId: undefined,
    authority: { workspaceId: made.workspaceId, inWorkspace: new Set(), everywhere },
    entryActor: systemActor,
  };
}

/** Ids and randomness for objects and records. */
export const seedTools: SeedTools = {
  newId: <K extends IdKind>(kind: K): Id<K> => makeId(kind, Date.now(), bytes(10)),
  randomBytes: bytes,
  sha256Hex,
};

/** As writer.ts derives it: the server finds profiles by this index. */
function emailIndexer(indexKey: Uint8Array): (email: string) => string {
  const key = createSecretKey(indexKey);
  return (email) => createHmac('sha256', key).update(email.trim().toLowerCase()).digest('hex');
}

async function openParts(options: StoreOptions) {
  const storage = { kind: 'sqlite', directory: options.directory } as const;
  const forMigration = await openDatabase<MigrationTables>(storage, 'migrate');
  await migrate(forMigration, migrations).finally(forMigration.close);
  const database = await openDatabase<Tables>(storage, 'write');
  const { db } = database;
  const sealer = createSealer(options.masterKeys);
  const onCheckpoint = (): void => {};
  const committer = createCommitter({
    db,
    locksRows: false,
    sealer,
    now: Date.now,
    onCheckpoint,
    onAltered: () => {},
  });
  const bare = {
    db,
    committer,
    sealer,
    now: Date.now,
    randomBytes: bytes,
    sha256Hex,
    node,
    boot,
    publicHost: options.publicHost,
  };
  const emailIndex = emailIndexer((await openInstallation(bare)).indexKey);
  const common = {
    ...bare,
    writeSecret: (...[tx, orgId, secret, ctx]: Parameters<RunDeps['writeSecret']>) =>
      writeSecret({ sealer, emailIndex }, tx, orgId, secret, ctx),
  } satisfies InstallationDeps;
  const deps: RunDeps = {
    ...common,
    withLog: committer.withLog,
    view: (tx, orgId) => viewOf(tx, orgId, sealer, emailIndex),
  };
  return { database, common, deps };
}

type Growing = { readonly made: Initialized; version: number };

/** Many changes in one entry: the transaction, the entry and the version are the server's own. */
async function runChanges(
  deps: RunDeps,
  organization: Growing,
  outcome: Pick<CommandOutcome<object>, 'changes' | 'secrets'> & { readonly policyText?: string },
): Promise<void> {
  const { policyText, ...written } = outcome;
  const entry = { type: 'management', ...(policyText === undefined ? {} : { policyText }) } as const;
  const bound = { operation: keyCreate, run: async () => ({ response: {}, ...written, entry }) };
  const result = await runCommand(deps, bound, {
    orgId: organization.made.organizationId,
    requestId: makeRequestId(Date.now(), bytes(10)),
    operation: keyCreate.id,
    actor: ownerOf(organization.made),
    version: organization.version,
    idempotencyKey: undefined,
    client: undefined,
    params: null,
    query: null,
    body: null,
    prepared: null,
  });
  if (result.kind === 'stale') throw new Error('the store was changed by somebody else');
  organization.version = result.version;
}

/** Opens a new store and makes its organization under this policy. */
export async function openSeedStore(options: StoreOptions, policy: CheckedPolicy): Promise<SeedStore> {
  const { database, common, deps } = await openParts(options);
  const owner = { slug: 'bench', ownerEmail: 'owner@example.com', ownerName: 'Owner' };
  const { initialized } = await runInit(common, { ...owner, policy });
  const orgId: OrgId = initialized.organizationId;
  const organization: Growing = { made: initialized, version: 1 };
  return {
    orgId,
    committer: common.committer,
    async apply(changes, secrets) {
      for (const [i, part] of partChanges(changes).entries())
        await runChanges(deps, organization, { changes: part, secrets: i === 0 ? secrets : [] });
    },
    async publish({ hash: policyHash, text, compiled }) {
      const version = organization.version + 1;
      await runChanges(deps, organization, {
        changes: [{ kind: 'policy', id: orgId, state: { id: orgId, version, hash: policyHash } }],
        secrets: [{ kind: 'policy_text', version, hash: policyHash, text, compiled }],
        policyText: text,
      });
    },
    project: () => createProjector(common.db).drain(orgId),
    close: database.close,
  };
}
