// Owns the installation of a checked policy as the organization's next version.

import type { policyPublish } from '@countersign/contract/policy-operations';
import { AppError } from '@countersign/core/errors';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Installs what the publish worker has checked. Refuses to run without that check, or with one of another text. */
export const publishPolicy: Command<typeof policyPublish> = async (_view, ctx, { body, prepared }) => {
  demand(ctx.actor, 'policy.publish', 'organization');
  if (prepared?.kind !== 'policy' || prepared.text !== body.text)
    throw new AppError('internal', 'a policy came without its check');
  const { text, hash, compiled, warnings } = prepared;
  const version = ctx.nextVersion;
  return {
    response: { version, hash, warnings: [...warnings] },
    changes: [changed({ kind: 'policy', id: ctx.orgId, state: { id: ctx.orgId, version, hash } })],
    secrets: [{ kind: 'policy_text', version, hash, text, compiled }],
    entry: { type: 'management', policyText: text },
  };
};
