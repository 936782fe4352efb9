// Owns what cannot be among the settings of pushed checkpoints: said at the start, not by a receiver that stays empty.

import { couldBeDialled } from '../egress/allow-list.ts';
import type { Config } from './schema.ts';
import { readSyslogUrl } from './syslog-url.ts';

type Anchors = Pick<
  Config,
  'checkpointWebhook' | 'checkpointWebhookToken' | 'checkpointSyslog' | 'egressAllow'
>;

function refusal(what: string, host: string, secure: string, isTls: boolean): string {
  return isTls
    ? `${what}: \`${host}\` is not on the public internet; list it in COUNTERSIGN_EGRESS_ALLOW`
    : `${what}: \`${host}\` may not be reached without TLS; use ${secure}, or list it in COUNTERSIGN_EGRESS_ALLOW`;
}

/** Why a web address may not be called; undefined where it may, as far as its text tells. `what` names it. */
export function webProblem(
  what: string,
  address: string,
  egressAllow: Anchors['egressAllow'],
): string | undefined {
  const url = URL.parse(address);
  if (url === null) return undefined;
  const isTls = url.protocol === 'https:';
  const port = Number(url.port || (isTls ? 443 : 80));
  if (couldBeDialled({ host: url.hostname, port, isTls }, egressAllow)) return undefined;
  return refusal(what, url.hostname, 'https', isTls);
}

function webhookProblem({ checkpointWebhook, egressAllow }: Anchors): string | undefined {
  return checkpointWebhook === undefined
    ? undefined
    : webProblem('`checkpointWebhook`', checkpointWebhook, egressAllow);
}

function syslogProblem({ checkpointSyslog, egressAllow }: Anchors): string | undefined {
  const place = checkpointSyslog === undefined ? undefined : readSyslogUrl(checkpointSyslog);
  if (place === undefined) return undefined;
  const isTls = place.transport === 'tls';
  if (couldBeDialled({ ...place, isTls }, egressAllow)) return undefined;
  return refusal('`checkpointSyslog`', place.host, 'tls', isTls);
}

/** Each problem in one sentence; none where the settings can be. */
export function anchorProblems(anchors: Anchors): readonly string[] {
  const found = [webhookProblem(anchors), syslogProblem(anchors)];
  if (anchors.checkpointWebhookToken !== undefined && anchors.checkpointWebhook === undefined) {
    found.push(
      '`checkpointWebhookToken` is of `checkpointWebhook`, which is not set; set it too, or remove this',
    );
  }
  return found.filter((problem) => problem !== undefined);
}
