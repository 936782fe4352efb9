// Owns how a call's record says where it came from: by the entry beside which its client is sealed.

import type { RequestContent } from '@countersign/core/ledger/assemble';
import { clientBytes, clientOf, knownClient, noteClient } from '../../services/subjects/clients.ts';
import { sealContent } from '../../services/subjects/sealed-content.ts';
import type { Client, SubjectKey } from '../../services/subjects/subject-key.ts';
import type { Sidecar } from '../../stores/secrets.ts';
import type { GatewayDeps } from '../deps.ts';
import type { CallEntry } from '../entries.ts';

/** What an intent says of its client, and what is sealed with it where that is the first such entry. */
export type ClientRecord = {
  readonly parts: Pick<RequestContent, 'client' | 'client_c'>;
  readonly sidecar: Sidecar | undefined;
  /** To be called once the entry is durable. */
  readonly note: () => void;
};

const nothingKept: ClientRecord = { parts: {}, sidecar: undefined, note: () => {} };

function firstRecord(deps: GatewayDeps, entry: CallEntry, key: SubjectKey, client: Client): ClientRecord {
  const { orgId } = entry.asked.authenticated.snapshot;
  const bytes = clientBytes(client);
  return {
    parts: { client: entry.id, client_c: deps.commitments.commit(key, entry.id, 'client', bytes) },
    sidecar: {
      entryId: entry.id,
      purpose: 'client',
      subjectId: entry.decided.actor.principalId,
      sealed: sealContent(key.object, orgId, entry.id, 'client', bytes),
    },
    note: () => noteClient(key, client, entry.id),
  };
}

/** How the client of `entry` is recorded. A subject without a key (a person who was erased) has none. */
export function clientRecord(deps: GatewayDeps, entry: CallEntry, key: SubjectKey | undefined): ClientRecord {
  const { call, authenticated } = entry.asked;
  if (key === undefined || authenticated.snapshot.organization().clientMode === 'none') return nothingKept;
  const client = clientOf(call.address, call.header('user-agent'));
  const known = knownClient(key, client);
  if (known === undefined) return firstRecord(deps, entry, key, client);
  return { parts: { client: known }, sidecar: undefined, note: nothingKept.note };
}
