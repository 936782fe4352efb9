// Owns changes of the organization itself: content and client modes, ceilings, default price, retention, hold, networks.

import type { organizationUpdate } from '@countersign/contract/directory-operations';
import type { Organization } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { parseExtension } from '@countersign/core/policy/extensions';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';
import { organizationViewOf } from './organization-view.ts';

function checkNetworks(networks: Organization['networks']): void {
  const names = new Set<string>();
  for (const { name, cidrs } of networks) {
    if (names.has(name))
      throw new AppError('invalid_request', `two networks are named \`${name}\`: join them`);
    names.add(name);
    const wrong = cidrs.find((cidr) => parseExtension('ip', cidr) === undefined);
    if (wrong !== undefined) {
      throw new AppError(
        'invalid_request',
        `\`${wrong.slice(0, 64)}\` is no address range: write it as \`192.0.2.0/24\` or \`2001:db8::/32\``,
      );
    }
  }
}

/** Changes what the body names. */
export const updateOrganization: Command<typeof organizationUpdate> = async (view, ctx, { body }) => {
  demand(ctx.actor, 'organization.update', 'organization');
  const { state: before } = await view.need('organization', ctx.orgId);
  checkNetworks(body.networks ?? []);
  const state: Organization = {
    ...before,
    contentMode: body.contentMode ?? before.contentMode,
    contentByLabel: body.contentByLabel ?? before.contentByLabel,
    clientMode: body.clientMode ?? before.clientMode ?? 'sealed',
    outputCeiling: body.outputCeiling ?? before.outputCeiling,
    defaultPrice: body.defaultPrice ?? before.defaultPrice,
    minimumRetentionDays: body.minimumRetentionDays ?? before.minimumRetentionDays,
    legalHold: body.legalHold ?? before.legalHold,
    networks: body.networks ?? before.networks,
  };
  const changes = difference(before, changed({ kind: 'organization', id: before.id, state }));
  const head = await view.head();
  const version = changes.length > 0 ? ctx.nextVersion : head.version;
  return { response: organizationViewOf(state, head, version), changes };
};
