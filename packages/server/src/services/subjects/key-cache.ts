// Owns subjects' keys in memory: unsealed once, forgotten when the subject is erased.

import type { OrgId, PrincipalId } from '@countersign/core/ids';
import type { Opener } from '../../platform/sealer/sealer.ts';
import { subjectKeyBinding } from './bindings.ts';
import { type SubjectKey, subjectKeyOf } from './subject-key.ts';

export type SubjectKeys = {
  /** At once if it is in memory. Undefined for a subject without a key: an erased one. */
  readonly get: (orgId: OrgId, id: PrincipalId) => SubjectKey | undefined | Promise<SubjectKey | undefined>;
  readonly forget: (orgId: OrgId, id: string) => void;
};

/** A bounded cache; the key that was asked for longest ago goes first. */
export function createSubjectKeys(deps: {
  readonly opener: Opener;
  readonly load: (orgId: OrgId, id: PrincipalId) => Promise<Uint8Array | undefined>;
  readonly maxKeys: number;
}): SubjectKeys {
  /** By the subject alone: no name is made of both for each call. An id is one organization's, and is held to it. */
  const keys = new Map<string, { readonly orgId: OrgId; readonly key: SubjectKey }>();
  const loading = new Map<string, Promise<SubjectKey | undefined>>();

  async function load(
    orgId: OrgId,
    id: PrincipalId,
    isWanted: () => boolean,
  ): Promise<SubjectKey | undefined> {
    const sealed = await deps.load(orgId, id);
    if (sealed === undefined) return undefined;
    const key = subjectKeyOf(deps.opener.open(sealed, subjectKeyBinding(orgId, id)));
    // INVARIANT: what was forgotten while it loaded stays forgotten, also where it was asked for again meanwhile.
    if (isWanted()) keys.set(id, { orgId, key });
    const [oldest] = keys.keys();
    if (keys.size > deps.maxKeys && oldest !== undefined) keys.delete(oldest);
    return key;
  }

  return {
    get(orgId, id) {
      const known = keys.get(id);
      if (known?.orgId === orgId) return known.key;
      const name = `${orgId} ${id}`;
      const underway = loading.get(name);
      if (underway !== undefined) return underway;
      const isWanted = (): boolean => loading.get(name) === started;
      const started: Promise<SubjectKey | undefined> = load(orgId, id, isWanted).finally(() => {
        if (isWanted()) loading.delete(name);
      });
      loading.set(name, started);
      return started;
    },
    forget(orgId, id) {
      const name = `${orgId} ${id}`;
      if (keys.get(id)?.orgId === orgId) keys.delete(id);
      loading.delete(name);
    },
  };
}
