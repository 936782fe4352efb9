// Owns the comparison of the state that a log begins with and that at which the former one ended.

import type { Directory } from '@countersign/core/directory/directory';
import { type ObjectKind, objectSchemas } from '@countersign/core/directory/objects';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { Report } from './difference.ts';

const isKind = (kind: string): kind is ObjectKind => Object.hasOwn(objectSchemas, kind);
const kinds = Object.keys(objectSchemas).filter(isKind);

/** A state as text. A policy is published anew, under a version of its own. */
function textOf(directory: Directory, kind: ObjectKind, id: string): string {
  if (kind !== 'policy') return canonicalJson({ state: directory.tables[kind].get(id) ?? null });
  return canonicalJson({ hash: directory.tables.policy.get(id)?.hash ?? null });
}

/** Reports each object that is not as it was, and a version that the former log can have had. */
export function compareStates(begun: Directory, former: Directory, report: Report): void {
  if (begun.at.version <= former.at.version)
    report('state_differs', `version ${begun.at.version}`, `beyond version ${former.at.version}`);
  for (const kind of kinds) {
    const ids = new Set([...begun.tables[kind].keys(), ...former.tables[kind].keys()]);
    for (const id of ids) {
      const [now, then] = [textOf(begun, kind, id), textOf(former, kind, id)];
      if (now !== then) report('state_differs', `${kind} ${id}: ${now}`, then);
    }
  }
}
