// Owns the beginning: the installation's own log on an empty store, and the first organization.

import type { Change } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Id, type IdKind, makeEntryId, makeId, makeRequestId, type OrgId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { decodeEntry } from '@countersign/core/ledger/entry';
import type { Kysely } from 'kysely';
import type { CommandContext, SecretWrite } from '../control/command.ts';
import { type InitInput, initOrganization } from '../control/init-organization.ts';
import { managementEntries } from '../control/management-entry.ts';
import { isWildcard } from '../platform/config/fields.ts';
import type { Sealer } from '../platform/sealer/sealer.ts';
import type { Committer } from '../services/ledger/committer.ts';
import { indexKeyBinding } from '../services/subjects/bindings.ts';
import { insertInstallation, readInstallation, setSetupDigest } from '../stores/bookkeeping.ts';
import { insertVersion } from '../stores/entries.ts';
import { listHeads, readHead } from '../stores/heads.ts';
import { writeChange } from '../stores/objects.ts';
import type { Tables, Tx } from '../stores/schema.ts';
import type { Founded, InstallationState } from './threads.ts';

export type InstallationDeps = {
  readonly db: Kysely<Tables>;
  readonly committer: Committer;
  readonly sealer: Sealer;
  readonly publicHost: string;
  readonly node: string;
  readonly boot: string;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly sha256Hex: (text: string) => string;
  readonly writeSecret: (tx: Tx, orgId: OrgId, secret: SecretWrite, ctx: CommandContext) => Promise<void>;
};

/** The `actor` of what the software does by itself. */
export const systemActor = { id: 'system', kind: 'system' } as const;

/** Opens the installation's log if there is none, and says how far set-up has come. */
export async function openInstallation(
  deps: Omit<InstallationDeps, 'writeSecret'>,
): Promise<InstallationState> {
  const known = await readInstallation(deps.db);
  if (known === undefined) await createInstallation(deps);
  const installation = await readInstallation(deps.db);
  if (installation === undefined) throw new AppError('internal', 'the installation was not recorded');
  const heads = await listHeads(deps.db);
  const own = await readHead(deps.db, installation.orgId);
  if (own === undefined) throw new AppError('internal', 'the installation has no log');
  return {
    origin: own.origin,
    indexKey: deps.sealer.open(installation.sealedIndexKey, indexKeyBinding(installation.orgId)),
    installationId: installation.orgId,
    setupDigest: installation.setupDigest,
    hasOrganization: heads.some(({ log_kind }) => log_kind === 'organization'),
  };
}

/** INVARIANT: the public host is in the origin of a log for ever, so one that nobody can reach is not taken. */
function demandPublicHost(publicHost: string): void {
  if (!isWildcard(new URL(`http://${publicHost}`).hostname)) return;
  throw new AppError(
    'invalid_request',
    `the origin of every ledger would be \`${publicHost}/org_…\` for ever, which nobody can reach: set COUNTERSIGN_PUBLIC_URL to the URL by which others reach this server`,
  );
}

async function createInstallation(deps: Omit<InstallationDeps, 'writeSecret'>): Promise<void> {
  demandPublicHost(deps.publicHost);
  const nowMs = deps.now();
  const id = makeId('org', nowMs, deps.randomBytes(10));
  const origin = `${deps.publicHost}/${id}`;
  await deps.committer.withNewLog(id, { kind: 'installation', origin }, async (tx, log) => {
    const indexKey = deps.sealer.seal(deps.randomBytes(32), indexKeyBinding(id));
    await insertInstallation(tx, id, indexKey, nowMs);
    await log.append([logOpened(deps, log.head, nowMs)], 0);
  });
}

/** The first entry of a log; `continued` says which checkpoint it cites, and the version at which it goes on. */
export function logOpened(
  deps: Pick<InstallationDeps, 'node' | 'boot' | 'randomBytes'>,
  head: { readonly origin: string; readonly verifierKey: string },
  nowMs: number,
  continued?: { readonly previous: string; readonly version: number },
): Uint8Array {
  const text = canonicalJson({
    v: 1,
    id: makeEntryId(nowMs, deps.randomBytes(10)),
    log: head.origin,
    ts: new Date(nowMs).toISOString(),
    node: deps.node,
    boot: deps.boot,
    sv: continued?.version ?? 0,
    type: 'log_opened',
    actor: systemActor,
    opened: {
      origin: head.origin,
      vkey: head.verifierKey,
      ...(continued === undefined ? {} : { previous: continued.previous }),
    },
  });
  const decoded = decodeEntry(text);
  if (!decoded.ok) throw new AppError('internal', `the opening entry does not fit: ${decoded.reason}`);
  return Buffer.from(text, 'utf8');
}

function initContext(deps: InstallationDeps, orgId: OrgId): CommandContext {
  const nowMs = deps.now();
  const workspaceId = makeId('workspace', nowMs, deps.randomBytes(10));
  return {
    orgId,
    requestId: makeRequestId(nowMs, deps.randomBytes(10)),
    actor: {
      principalId: makeId('user', nowMs, deps.randomBytes(10)),
      person: undefined,
      keyId: undefined,
      authority: { workspaceId, inWorkspace: new Set(), everywhere: new Set() },
      entryActor: systemActor,
    },
    nowMs,
    nextVersion: 1,
    newId: <K extends IdKind>(kind: K): Id<K> => makeId(kind, nowMs, deps.randomBytes(10)),
    randomBytes: deps.randomBytes,
    sha256Hex: deps.sha256Hex,
  };
}

/** Makes the first organization. Throws `already_set_up` when there is one, `invalid_request` without a public host. */
export async function runInit(
  deps: InstallationDeps,
  input: InitInput,
): Promise<{ readonly initialized: Founded; readonly changes: readonly Change[] }> {
  const state = await openInstallation(deps);
  if (state.hasOrganization) {
    throw new AppError('already_set_up', 'this store has its organization already: use its management key');
  }
  demandPublicHost(deps.publicHost);
  const orgId = makeId('org', deps.now(), deps.randomBytes(10));
  const ctx = initContext(deps, orgId);
  const outcome = initOrganization(ctx, input);
  const log = { kind: 'organization', origin: `${deps.publicHost}/${orgId}` } as const;
  await deps.committer.withNewLog(orgId, log, async (tx, opened) => {
    for (const change of outcome.changes) await writeChange(tx, orgId, 1, ctx.nowMs, change);
    for (const secret of outcome.secrets ?? []) await deps.writeSecret(tx, orgId, secret, ctx);
    const entries = managementEntries(
      { node: deps.node, boot: deps.boot, origin: opened.head.origin, version: 0 },
      {
        request: { actor: ctx.actor, requestId: ctx.requestId },
        audit: 'organization.init',
        outcome,
        entryIds: { now: ctx.nowMs, next: () => makeEntryId(ctx.nowMs, deps.randomBytes(10)) },
      },
    );
    const first = await opened.append([logOpened(deps, opened.head, ctx.nowMs), ...entries.bytes], 1);
    await insertVersion(tx, orgId, 1, first + 1);
    await setSetupDigest(tx, null);
  });
  return { initialized: { ...outcome.response, origin: log.origin }, changes: outcome.changes };
}
