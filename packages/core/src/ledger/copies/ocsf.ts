// Owns an entry as a line of OCSF: the attributes of every event, who acted, and the exact entry beside them.

import type { Entry } from '../entry.ts';
import {
  type CopiedEntry,
  failureOf,
  type Gravity,
  gravityOf,
  kindOf,
  millisecondsOf,
  policyOf,
  requestOf,
  statusOf,
  summaryOf,
} from './copied-entry.ts';
import { classify } from './ocsf-classes.ts';
import { userOf } from './ocsf-user.ts';

/** The version of the schema that the lines are written to. */
export const ocsfVersion = '1.8.0';

const severities: { readonly [G in Gravity]: number } = {
  informational: 1,
  warning: 2,
  error: 3,
  critical: 5,
};

/** 1 success, 2 failure, 0 unknown, 99 other, with its own word. */
function statusFields(entry: Entry): object {
  const status = statusOf(entry);
  const detail = failureOf(entry)?.code ?? policyOf(entry)?.reason;
  const more = { status_code: status, status_detail: detail };
  switch (status) {
    case 'ok':
      return { status_id: 1, ...more };
    case 'denied':
    case 'refused':
    case 'failed':
    case 'upstream_error':
      return { status_id: 2, ...more };
    case 'unknown':
      return { status_id: 0, ...more };
    case 'cancelled':
    case 'cut':
      return { status_id: 99, status, ...more };
    default:
      return statusWithout(entry, more);
  }
}

/** Of an entry that has no status: refused credentials failed, an intent has not ended, the others were done. */
function statusWithout(entry: Entry, more: object): object {
  if (entry.type === 'refused_credentials') return { status_id: 2, ...more };
  return 'phase' in entry ? { status_id: 99, status: 'intent', ...more } : { status_id: 1, ...more };
}

/** Who acted, the session, what policy said, and the one nearest to the request of those who act for somebody. */
function actorOf(entry: Entry): object {
  const { actor } = entry;
  const policy = policyOf(entry);
  const hasSession = actor.session !== undefined || actor.iss !== undefined;
  return {
    user: { ...userOf(actor.id, actor.kind), ...belongingsOf(actor) },
    session: hasSession ? { uid: actor.session, issuer: actor.iss } : undefined,
    app_uid: actor.act?.[0]?.id,
    authorizations:
      policy === undefined
        ? undefined
        : [
            {
              decision: policy.decision,
              policy: { uid: policy.hash, version: String(policy.version), desc: policy.rules.join(' ') },
            },
          ],
  };
}

function belongingsOf({ org, teams, cred }: Entry['actor']): object {
  return {
    programmatic_credentials: cred === undefined ? undefined : [{ uid: cred }],
    org: org === undefined ? undefined : { uid: org },
    groups: teams?.map((uid) => ({ uid, type: 'team' })),
  };
}

function metadataOf({ entry, index }: CopiedEntry, profiles: readonly string[]): object {
  return {
    version: ocsfVersion,
    product: { name: 'Countersign', vendor_name: 'Countersign' },
    profiles: profiles.length === 0 ? undefined : profiles,
    uid: entry.id,
    correlation_uid: requestOf(entry),
    event_code: kindOf(entry),
    log_name: entry.log,
    log_version: String(entry.v),
    original_time: entry.ts,
    sequence: index,
    tenant_uid: entry.actor.org,
  };
}

/**
 * One line without its line feed. `metadata.sequence` is the entry's place. `unmapped` has its leaf hash and, as a JSON
 * value, its exact bytes: nothing of it is lost, and the line alone can be proven.
 */
export function ocsfCopy(copied: CopiedEntry): string {
  const { entry, text, leaf } = copied;
  const { uid, name, activity, activityName, profiles, withoutActor, more } = classify(entry);
  const event = {
    category_uid: Math.floor(uid / 1000),
    class_uid: uid,
    class_name: name,
    activity_id: activity,
    activity_name: activityName,
    type_uid: uid * 100 + activity,
    time: millisecondsOf(entry.ts),
    severity_id: severities[gravityOf(entry)],
    ...statusFields(entry),
    message: summaryOf(entry),
    metadata: metadataOf(copied, profiles ?? []),
    actor: withoutActor ? undefined : actorOf(entry),
    ...more,
  };
  return `${JSON.stringify(event).slice(0, -1)},"unmapped":{"entry":${text},"leaf_hash":"${leaf}"}}`;
}
