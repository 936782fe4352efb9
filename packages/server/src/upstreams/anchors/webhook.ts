// Owns pushing checkpoints to a webhook: one POST for each, with the signed note as its body, verbatim.

import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import type { Secret } from '../../platform/config/secret.ts';
import type { Egress } from '../../platform/egress/egress.ts';
import { EgressError } from '../../platform/egress/egress-error.ts';
import type { Anchor } from './anchor.ts';

export type WebhookOptions = {
  readonly url: string;
  readonly token: Secret | undefined;
  readonly egress: Pick<Egress, 'postText'>;
  /** Milliseconds for one request, from the name to the end of the answer. */
  readonly timeoutMs: number;
};

/** What the note says, where a receiver finds it without reading the note. */
function describing(note: string): Readonly<Record<string, string>> {
  const signed = parseSignedCheckpoint(note);
  if (signed === undefined) return {};
  const { origin, size } = signed.checkpoint;
  return { 'x-countersign-origin': origin, 'x-countersign-size': String(size) };
}

/** The webhook as an anchor. Of its answers only the status counts: 2xx is taken. */
export function createWebhook({ url, token, egress, timeoutMs }: WebhookOptions): Anchor {
  const { host } = new URL(url);
  const send = (note: string, signal: AbortSignal): Promise<number> =>
    egress.postText(url, {
      text: note,
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        ...describing(note),
        ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
      },
      timeoutMs,
      signal,
    });
  return {
    name: 'webhook',
    async push(notes, onTaken, signal) {
      for (const note of notes) {
        const status = await send(note, signal);
        if (status < 200 || status > 299) throw new EgressError('invalid', `\`${host}\` answered ${status}`);
        onTaken();
      }
    },
  };
}
