// Owns the rule that what a token issuer's claims gave, only that issuer takes away.

import { AppError } from '@countersign/core/errors';
import type { TokenIssuerId } from '@countersign/core/ids';
import type { View } from './view.ts';

/** Throws `conflict` for what an issuer gave, as long as that issuer is trusted. */
export async function demandDirect(view: View, source: 'direct' | TokenIssuerId): Promise<void> {
  if (source === 'direct') return;
  const issuer = await view.find('tokenIssuer', source);
  if (issuer === undefined) return;
  throw new AppError(
    'conflict',
    `this comes from the token issuer \`${issuer.state.name}\`: change it there, or change the issuer's maps`,
  );
}
