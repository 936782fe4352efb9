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
import type { CommandActor, Prepared, SecretWrite } from '@countersign/server/control/command';
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
  readonly tools: SeedTools;
  readonly committer: Committer;
  /** Makes the organization under this policy. Once, and first. */
  readonly init: (policy: CheckedPolicy) => Promise<Initialized>;
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
  const committer = createCommitter({ db, locksRows: false, sealer, now: Date.now, onCheckpoint });
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

/** Opens a new store. */
export async function openSeedStore(options: StoreOptions): Promise<SeedStore> {
  const { database, common, deps } = await openParts(options);
  const known: { made: Initialized | undefined; version: number } = { made: undefined, version: 1 };

  function organization(): Initialized {
    if (known.made === undefined) throw new Error('the store has no organization yet');
    return known.made;
  }

  async function run(
    changes: readonly Change[],
    secrets: readonly SecretWrite[],
    policyText: string | undefined,
  ): Promise<void> {
    const made = organization();
    const orgId: OrgId = made.organizationId;
    const entry =
      policyText === undefined
        ? ({ type: 'management' } as const)
        : ({ type: 'management', policyText } as const);
    // Many changes in one entry: the transaction, entry and version are the server's own.
    const bound = { operation: keyCreate, run: async () => ({ response: {}, changes, secrets, entry }) };
    const result = await runCommand(deps, bound, {
      orgId,
      requestId: makeRequestId(Date.now(), bytes(10)),
      operation: keyCreate.id,
      actor: ownerOf(made),
      version: known.version,
      idempotencyKey: undefined,
      params: null,
      query: null,
      body: null,
      prepared: null,
    });
    if (result.kind === 'stale') throw new Error('the store was changed by somebody else');
    known.version = result.version;
  }

  return {
    tools: {
      newId: <K extends IdKind>(kind: K): Id<K> => makeId(kind, Date.now(), bytes(10)),
      randomBytes: bytes,
      sha256Hex,
    },
    committer: common.committer,
    async init(policy) {
      const { initialized } = await runInit(common, {
        slug: 'bench',
        ownerEmail: 'owner@example.com',
        ownerName: 'Owner',
        policy,
      });
      known.made = initialized;
      return initialized;
    },
    async apply(changes, secrets) {
      for (const [i, part] of partChanges(changes).entries())
        await run(part, i === 0 ? secrets : [], undefined);
    },
    async publish({ hash: policyHash, text, compiled }) {
      const orgId = organization().organizationId;
      const version = known.version + 1;
      const change: Change = { kind: 'policy', id: orgId, state: { id: orgId, version, hash: policyHash } };
      await run([change], [{ kind: 'policy_text', version, hash: policyHash, text, compiled }], text);
    },
    project: () => createProjector(common.db).drain(organization().organizationId),
    close: database.close,
  };
}
