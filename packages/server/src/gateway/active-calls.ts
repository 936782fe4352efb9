// Owns the calls on their way, so that those whose credential has ended are cut within a second.

import { AppError } from '@countersign/core/errors';
import type { Credential } from '@countersign/core/identity/actor';
import { resolveActor } from '@countersign/core/identity/resolve';
import type { OrgId } from '@countersign/core/ids';
import { type Bag, type Bagged, createBag } from '../platform/bag/bag.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { Cut } from './steps/forwarding.ts';

/** A call on its way. `slot` is its place among the others, `decidedMs` when it was decided, since 1970. */
export type ActiveCall = Bagged & {
  readonly credential: Credential;
  readonly decidedMs: number;
  readonly cut: (cut: Cut) => void;
};

export type ActiveCalls = {
  readonly add: (orgId: OrgId, call: ActiveCall) => void;
  readonly remove: (orgId: OrgId, call: ActiveCall) => void;
  /**
   * Cuts what the organization's newest version no longer lets live. Each credential is held against that version as of
   * the call's own decision: what ends by itself meanwhile ends no answer, whether or not something else has changed.
   */
  readonly review: (snapshot: OrgSnapshot) => void;
  /** Cuts every call of every organization. */
  readonly cutAll: (cut: Cut) => void;
  readonly count: () => number;
};

/** An empty table of calls. */
export function createActiveCalls(): ActiveCalls {
  const calls = new Map<OrgId, Bag<ActiveCall>>();
  let count = 0;
  return {
    add(orgId, call) {
      const own = calls.get(orgId) ?? createBag<ActiveCall>();
      if (own.size() === 0) calls.set(orgId, own);
      own.add(call);
      count += 1;
    },
    remove(orgId, call) {
      if (calls.get(orgId)?.remove(call) === true) count -= 1;
    },
    review(snapshot) {
      for (const call of calls.get(snapshot.orgId)?.items() ?? []) {
        const resolution = resolveActor(
          snapshot.directory,
          call.credential,
          'models',
          call.decidedMs,
          snapshot.standing,
        );
        if (resolution.ok) continue;
        const error = new AppError(
          'authentication_failed',
          'the credential was revoked while the answer ran: get a new one',
        );
        call.cut({ status: 'cut', error });
      }
    },
    cutAll(cut) {
      for (const own of calls.values()) for (const call of own.items()) call.cut(cut);
    },
    count: () => count,
  };
}
