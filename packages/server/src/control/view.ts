// Owns what a command sees of its transaction: reads, scoped to one organization.

import type { Role } from '@countersign/core/access/permissions';
import type { ObjectKind } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { OrgId, PrincipalId, UserId } from '@countersign/core/ids';
import type { Opener } from '../platform/sealer/sealer.ts';
import { readEntries } from '../services/ledger/read-tiles.ts';
import type { Profile } from '../services/subjects/profile.ts';
import { readProfile } from '../services/subjects/profiles.ts';
import { type OpenedContent, readContent } from '../services/subjects/sealed-content.ts';
import { type ErasureRequest, findErasureRequest } from '../stores/bookkeeping.ts';
import { type Head, readHead } from '../stores/heads.ts';
import { listAll, listAssignedRole, listHolders, listMembers } from '../stores/object-lists.ts';
import { findByUniqueKey, findObject, listByOwner, type Stored } from '../stores/objects.ts';
import { findRecord } from '../stores/records.ts';
import type { RecordRow, Tx } from '../stores/schema.ts';
import { findSubjectByEmail } from '../stores/secrets.ts';
import { lastTraceAt } from '../stores/traces.ts';

export type View = {
  readonly find: <K extends ObjectKind>(kind: K, id: string) => Promise<Stored<K> | undefined>;
  /** Like `find`; refuses with `not_found` when there is none. */
  readonly need: <K extends ObjectKind>(kind: K, id: string) => Promise<Stored<K>>;
  readonly findByKey: <K extends ObjectKind>(kind: K, uniqueKey: string) => Promise<Stored<K> | undefined>;
  readonly listOwned: <K extends ObjectKind>(kind: K, owner: string) => Promise<readonly Stored<K>[]>;
  /** Everything of one kind: for kinds of which an organization has hundreds. */
  readonly listAll: <K extends ObjectKind>(kind: K) => Promise<readonly Stored<K>[]>;
  readonly membersOf: (teamId: string) => Promise<readonly Stored<'membership'>[]>;
  /** Who holds this role in the whole organization. */
  readonly holdersOf: (role: Role) => Promise<readonly Stored<'roleAssignment'>[]>;
  /** Who holds this role anywhere. */
  readonly assignedRole: (role: Role) => Promise<readonly Stored<'roleAssignment'>[]>;
  /** The head of the organization's log, before this command. */
  readonly head: () => Promise<Head>;
  readonly profileOf: (id: PrincipalId) => Promise<Profile | undefined>;
  readonly userByEmail: (email: string) => Promise<string | undefined>;
  readonly erasureRequest: (id: UserId) => Promise<ErasureRequest | undefined>;
  /** When a person's newest record or sealed content was made, in milliseconds since 1970. */
  readonly lastTraceOf: (id: PrincipalId) => Promise<number | undefined>;
  /** By the id of its entry, or of its request. */
  readonly recordOf: (id: string) => Promise<RecordRow | undefined>;
  readonly contentOf: (recordId: string) => Promise<OpenedContent | undefined>;
};

/** The view of one organization through a transaction. */
export function viewOf(tx: Tx, orgId: OrgId, opener: Opener, emailIndex: (email: string) => string): View {
  return {
    find: (kind, id) => findObject(tx, orgId, kind, id),
    async need(kind, id) {
      const found = await findObject(tx, orgId, kind, id);
      if (found === undefined) throw new AppError('not_found', `there is no ${nameOf(kind)} \`${id}\``);
      return found;
    },
    findByKey: (kind, uniqueKey) => findByUniqueKey(tx, orgId, kind, uniqueKey),
    listOwned: (kind, owner) => listByOwner(tx, orgId, kind, owner),
    listAll: (kind) => listAll(tx, orgId, kind),
    membersOf: (teamId) => listMembers(tx, orgId, teamId),
    holdersOf: (role) => listHolders(tx, orgId, role),
    assignedRole: (role) => listAssignedRole(tx, orgId, role),
    async head() {
      const head = await readHead(tx, orgId);
      if (head === undefined) throw new AppError('internal', 'the organization has no log');
      return head;
    },
    profileOf: (id) => readProfile(tx, orgId, opener, id),
    userByEmail: (email) => findSubjectByEmail(tx, orgId, emailIndex(email)),
    erasureRequest: (id) => findErasureRequest(tx, orgId, id),
    lastTraceOf: (id) => lastTraceAt(tx, orgId, id),
    recordOf: (id) => findRecord(tx, orgId, id),
    contentOf: (recordId) =>
      readContent(tx, orgId, opener, recordId, async (index) => {
        const [bytes] = await readEntries(tx, orgId, index, index + 1);
        return Buffer.from(bytes ?? new Uint8Array(0)).toString('utf8');
      }),
  };
}

/** `roleAssignment` as people read it: `role assignment`. */
export function nameOf(kind: ObjectKind): string {
  return kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
