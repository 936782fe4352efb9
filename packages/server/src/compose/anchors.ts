// Owns the anchors that checkpoints are pushed to over the network: which there are, and what is told of them.

import { type CheckpointPush, pushCheckpoints } from '../jobs/push-checkpoints.ts';
import type { Config } from '../platform/config/schema.ts';
import { readSyslogUrl } from '../platform/config/syslog-url.ts';
import type { Egress } from '../platform/egress/egress.ts';
import type { Log } from '../platform/log/log.ts';
import type { Registry } from '../platform/metrics/registry.ts';
import type { Anchor } from '../upstreams/anchors/anchor.ts';
import { createSyslog } from '../upstreams/anchors/syslog.ts';
import { createWebhook } from '../upstreams/anchors/webhook.ts';
import type { Hearing } from './start-threads.ts';

export type AnchorsDeps = {
  readonly config: Config;
  readonly egress: Egress;
  readonly log: Log;
  readonly metrics: Registry;
};

export type Anchors = {
  /** For the threads; without it where there is no anchor, so that they tell nothing. */
  readonly hear: Pick<Hearing, 'onCheckpoints'>;
  /** Tries once more what is left, side by side, and then no more. */
  readonly close: (limitMs: number) => Promise<void>;
};

/** How often checkpoints are pushed to an anchor at most, and how long it is left alone while it fails. In milliseconds. */
const intervalMs = 5_000;
const mostPauseMs = 300_000;
/** What one exchange may take. */
const timeoutMs = 10_000;

function anchorsOf({ config, egress }: AnchorsDeps): readonly Anchor[] {
  const { checkpointWebhook: url, checkpointWebhookToken: token, checkpointSyslog } = config;
  const webhook = url === undefined ? [] : [createWebhook({ url, token, egress, timeoutMs })];
  const place = checkpointSyslog === undefined ? undefined : readSyslogUrl(checkpointSyslog);
  if (place === undefined) return webhook;
  return [...webhook, createSyslog({ place, egress, timeoutMs, node: config.nodeName, now: Date.now })];
}

type Told = { readonly of: (anchor: Anchor) => CheckpointPush };

/** Pushes whose trouble is a line of the log when it begins and when it ends, and metrics meanwhile. */
function telling({ log, metrics }: AnchorsDeps): Told {
  const pushes = metrics.counter({
    name: 'countersign_checkpoint_pushes_total',
    help: 'checkpoints that an anchor has taken (sent), and tries at which it took not all (failed)',
    labels: ['anchor', 'outcome'],
  });
  const failing = metrics.gauge({
    name: 'countersign_checkpoint_push_failing',
    help: '1 while an anchor does not take what is pushed to it',
    labels: ['anchor'],
  });
  return {
    of(anchor) {
      const { name } = anchor;
      const state = failing.with({ anchor: name });
      const counted = {
        sent: pushes.with({ anchor: name, outcome: 'sent' }),
        failed: pushes.with({ anchor: name, outcome: 'failed' }),
      };
      return pushCheckpoints({
        anchor,
        intervalMs,
        mostPauseMs,
        clock: () => performance.now(),
        random: Math.random,
        onFailing(error) {
          state.set(1);
          log.warn(
            { anchor: name, error },
            'checkpoints are not taken: they are pushed again until they are',
          );
        },
        onWorking() {
          state.set(0);
          log.info({ anchor: name }, 'checkpoints are taken again');
        },
        count: (outcome) => counted[outcome].inc(),
      });
    },
  };
}

/** The anchors of these settings, ready to be told of checkpoints. */
export function composeAnchors(deps: AnchorsDeps): Anchors {
  const anchors = anchorsOf(deps);
  if (anchors.length === 0) return { hear: {}, close: async () => {} };
  const told = telling(deps);
  const pushes = anchors.map((anchor) => told.of(anchor));
  return {
    hear: {
      onCheckpoints: (grown) => {
        for (const push of pushes) push.note(grown);
      },
    },
    close: async (limitMs) => {
      await Promise.all(pushes.map((push) => push.close(limitMs)));
    },
  };
}
