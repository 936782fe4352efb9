// Owns a signed checkpoint as one syslog message, from which the exact note can be made again.

import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { toBase64 } from '@countersign/core/ledger/encoding';
import { auditFacility, syslogLine, syslogSeverity } from '@countersign/core/syslog';

export type Sender = { readonly node: string; readonly now: () => number };

/**
 * The message (RFC 5424), without framing. Its text is `origin=… size=… root=… key=… signature=…`: the lines of the
 * note without what they have in common. It stands in the text because collectors keep that, while their usual files
 * leave structured data out; and it is short enough for the 480 bytes that every receiver takes (RFC 5426 section 3.2).
 * Throws a RangeError for what is no signed checkpoint.
 */
export function syslogNote(note: string, { node, now }: Sender): string {
  const signed = parseSignedCheckpoint(note);
  const [signature] = signed?.note.signatures ?? [];
  if (signed === undefined || signature === undefined) throw new RangeError('this is no signed checkpoint');
  const { origin, size, root } = signed.checkpoint;
  const payload = toBase64(Uint8Array.of(...signature.id, ...signature.payload));
  return syslogLine({
    facility: auditFacility,
    severity: syslogSeverity.informational,
    timestamp: new Date(now()).toISOString(),
    hostname: node,
    app: 'countersign',
    process: '',
    kind: 'checkpoint',
    data: [],
    message: `origin=${origin} size=${size} root=${toBase64(root)} key=${signature.name} signature=${payload}`,
  });
}
