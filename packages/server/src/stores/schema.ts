// Owns the types of every table: each has `org_id`, each is read and written only in this room.

import type { Kysely, Transaction } from 'kysely';

/** A governed object in its recorded state: the same JSON that its ledger entry carries. */
export type ObjectsTable = {
  org_id: string;
  kind: string;
  id: string;
  /** The organization's version that made this state. */
  version: number;
  /** Milliseconds since 1970 at which the object was made. */
  created_at: number;
  state: string;
  /** What must be unique among the organization's objects of this kind: a name, an issuer and its audience. */
  unique_key: string | null;
  /** To whom or what it belongs: a key's principal, an agent's owner, a model's provider. */
  owner_key: string | null;
};

/** The head of an organization's ledger, which carries the one number. The row that every commit locks. */
export type HeadsTable = {
  org_id: string;
  /** `organization` or `installation`. */
  log_kind: string;
  version: number;
  size: number;
  /** The Merkle frontier: 32 bytes for each set bit of `size`, left to right. */
  frontier: Uint8Array;
  checkpoint: string;
  origin: string;
  verifier_key: string;
  sealed_signing_key: Uint8Array;
  /** Entries below this index are in `records`. */
  projected: number;
};

/** Committed entries as one blob per batch: (u16 big-endian length, bytes) each, the shape that tiles have. */
export type EntryBundlesTable = {
  org_id: string;
  first_index: number;
  entry_count: number;
  bytes: Uint8Array;
};

/** Which entry made which version: how a snapshot advances by the changes since. */
export type ChangesTable = { org_id: string; version: number; entry_index: number };

/** Full tiles of hashes (256 of 32 bytes); partial ones follow from the bundles. */
export type TilesTable = { org_id: string; level: number; tile: number; hashes: Uint8Array };

/** What each witness cosigned last of a log, by the witness's verifier key. */
export type CosignaturesTable = {
  org_id: string;
  witness_key: string;
  /** The log's origin: what was cosigned of another log counts for nothing. */
  origin: string;
  size: number;
  /** The checkpoint as the log signed it. */
  checkpoint: string;
  /** The witness's line under it, with its line feed. */
  signature: string;
};

/** The newest checkpoint of a log that as many witnesses have cosigned as must, with all their lines. */
export type CosignedCheckpointsTable = { org_id: string; origin: string; size: number; checkpoint: string };

/** Which actors have records in [first_index, end_index): marks of their ids, each between spaces. */
export type RecordBlocksTable = { org_id: string; first_index: number; end_index: number; actors: string };

/**
 * Calls whose entries both lie in [first_index, …], in one step of the projection: where, and what they are looked for
 * by. `end_index` is behind the last intent.
 */
export type RecordPacksTable = {
  org_id: string;
  first_index: number;
  end_index: number;
  /** The least and greatest ids of the records, and of their requests. */
  first_id: string;
  last_id: string;
  first_request: string;
  last_request: string;
  /** The earliest and latest intent, in milliseconds since 1970. */
  first_at: number;
  last_at: number;
  /** Lines, each a letter for what it is and what it holds: see `packMarks`. */
  marks: string;
  /** See `pack-places.ts`. */
  places: Uint8Array;
};

/** The queryable projection of calls and management entries that are in no pack; rebuilt from the bundles at will. */
export type RecordsTable = {
  org_id: string;
  /** The intent's (or the only) entry's index. */
  entry_index: number;
  outcome_index: number | null;
  id: string;
  request_id: string | null;
  /** Milliseconds since 1970. */
  at: number;
  type: string;
  event: string | null;
  actor_id: string;
  workspace_id: string | null;
  application_id: string | null;
  model: string | null;
  decision: string | null;
  /** Labels between spaces, so that ` pii ` finds one. */
  labels: string | null;
  status: string | null;
  /** The run of the process that wrote the intent: the sweeper closes those of former ones. */
  boot: string | null;
  /** The rest of what the intent says, as JSON. */
  detail: string;
  /** What the outcome says, as JSON. */
  outcome: string | null;
};

/** A record, of one organization. */
export type RecordRow = Omit<RecordsTable, 'org_id'>;

/** What usage is counted for beside the day: written once, when it first occurs. */
export type UsageDimensionsTable = {
  org_id: string;
  /** 1, 2, 3 … within an organization. */
  dimension_id: number;
  /** All that follows in one string, which names it. */
  dimensions: string;
  user_id: string | null;
  key_id: string | null;
  /** Sorted, between spaces. */
  team_ids: string;
  workspace_id: string | null;
  cost_centre: string | null;
  model: string | null;
  model_id: string | null;
  application_id: string | null;
};

/** Tokens and money by day: what `/usage` groups and what budgets restart from. Small rows: each call adds to one. */
export type UsageDailyTable = {
  org_id: string;
  /** Days since 1970-01-01 UTC. */
  day: number;
  dimension_id: number;
  requests: number;
  estimated: number;
  input_tokens: number;
  output_tokens: number;
  cached_tokens: number;
  reasoning_tokens: number;
  cost_nanos: bigint;
};

/** A person's (or other principal's) own key and sealed profile. Erasing the row's secrets erases the person. */
export type SubjectsTable = {
  org_id: string;
  subject_id: string;
  sealed_key: Uint8Array | null;
  sealed_profile: Uint8Array | null;
  /** HMAC of the lower-cased address under the installation's key: finds, opens nothing. */
  email_index: string | null;
};

/** Content and network particulars of one entry, sealed under the subject's key. */
export type SidecarsTable = {
  org_id: string;
  entry_id: string;
  purpose: string;
  subject_id: string;
  sealed: Uint8Array;
};

/** Every published policy: its text, and its JSON form as the publish worker checked it. */
export type PoliciesTable = { org_id: string; version: number; hash: string; text: string; compiled: string };

export type ProviderKeysTable = { org_id: string; provider_id: string; sealed: Uint8Array };

/** Ids that a provider gave out, with whose they are. */
export type ProviderObjectsTable = {
  org_id: string;
  provider_id: string;
  model_id: string;
  external_id: string;
  kind: string;
  owner_id: string;
  workspace_id: string;
  entry_id: string;
  created_at: number;
};

export type IdempotencyTable = {
  org_id: string;
  principal_id: string;
  idempotency_key: string;
  /** SHA-256 of operation, parameters and body: the same key with another request is a conflict. */
  request_hash: string;
  response: string;
  created_at: number;
};

/** When a key was last used, to the minute. */
export type KeyUsesTable = { org_id: string; key_id: string; last_used_at: number };

export type ErasureRequestsTable = {
  org_id: string;
  user_id: string;
  requested_by: string;
  reason: string;
  created_at: number;
};

/** One row: which log is the installation's, and the digest of the set-up link until it is used. */
export type InstallationTable = {
  org_id: string;
  setup_digest: string | null;
  /** The key of the HMACs that index addresses, sealed. */
  sealed_index_key: Uint8Array;
  created_at: number;
};

/** A log that was closed when another one went on in its place. Its rows lie below place 0 (see log-places.ts). */
export type ClosedLogsTable = {
  org_id: string;
  /** 1, 2, 3 … */
  number: number;
  origin: string;
  verifier_key: string;
  checkpoint: string;
  size: number;
  /** Entries that the log which continues it began with. */
  begun_size: number;
  archive: string;
  closed_at: number;
  /** Null of logs that were closed before there were such notes. */
  succession: string | null;
};

/** One row on the embedded store: its journal, and the first frame of it that is not taken in. */
export type JournalPlacesTable = { journal_id: Uint8Array; next_sequence: number; next_offset: number };

export type Tables = {
  objects: ObjectsTable;
  heads: HeadsTable;
  entry_bundles: EntryBundlesTable;
  changes: ChangesTable;
  tiles: TilesTable;
  records: RecordsTable;
  cosignatures: CosignaturesTable;
  cosigned_checkpoints: CosignedCheckpointsTable;
  record_blocks: RecordBlocksTable;
  record_packs: RecordPacksTable;
  usage_dimensions: UsageDimensionsTable;
  usage_daily: UsageDailyTable;
  subjects: SubjectsTable;
  sidecars: SidecarsTable;
  policies: PoliciesTable;
  provider_keys: ProviderKeysTable;
  provider_objects: ProviderObjectsTable;
  idempotency: IdempotencyTable;
  key_uses: KeyUsesTable;
  erasure_requests: ErasureRequestsTable;
  installation: InstallationTable;
  journal_places: JournalPlacesTable;
  closed_logs: ClosedLogsTable;
};

/** Where a store function reads or writes: a transaction, or the reader's own connection. */
export type Store = Kysely<Tables> | Transaction<Tables>;
export type Tx = Transaction<Tables>;
