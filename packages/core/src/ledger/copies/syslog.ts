// Owns an entry as a syslog line (RFC 5424): what is searched for as structured data, the exact entry as its text.

import { auditFacility, ownElement, syslogLine, syslogSeverity } from '../../syslog.ts';
import {
  type CopiedEntry,
  failureOf,
  gravityOf,
  kindOf,
  millisecondsOf,
  policyOf,
  requestOf,
  statusOf,
  targetOf,
} from './copied-entry.ts';

/**
 * One line without its line feed. Behind the mark that begins the text stand the entry's bytes: canonical JSON has no
 * line feed, and a control that it leaves as it is (U+007F to U+009F) stays as it is here too.
 */
export function syslogCopy(copied: CopiedEntry): string {
  const { entry, text, index, leaf } = copied;
  const target = targetOf(entry);
  const params: readonly (readonly [string, string | undefined])[] = [
    ['index', String(index)],
    ['leaf', leaf],
    ['id', entry.id],
    ['log', entry.log],
    ['kind', kindOf(entry)],
    ['op', 'op' in entry ? entry.op : undefined],
    ['status', statusOf(entry)],
    ['actor', entry.actor.id],
    ['actor_kind', entry.actor.kind],
    ['req', requestOf(entry)],
    ['provider', target?.provider],
    ['model', target?.model],
    ['resource', target?.resource],
    ['decision', policyOf(entry)?.decision],
    ['err', failureOf(entry)?.code],
  ];
  const head = syslogLine({
    facility: auditFacility,
    severity: syslogSeverity[gravityOf(entry)],
    // A time of day that there is not has no form in RFC 5424.
    timestamp: millisecondsOf(entry.ts) === 0 ? '-' : entry.ts,
    hostname: entry.node,
    app: 'countersign',
    process: entry.boot,
    kind: entry.type,
    data: [
      {
        id: ownElement('entry'),
        params: params.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
      },
    ],
    message: '',
  });
  return `${head}${text}`;
}
