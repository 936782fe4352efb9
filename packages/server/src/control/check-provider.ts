// Owns what a provider must be, and the commitment to its key.

import type { Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { CommandContext } from './command.ts';
import { demandPlainUrl } from './plain-url.ts';

/** Visible ASCII: what fits into a header (RFC 9110 section 5.5). */
const keyForm = /^[\x21-\x7e]+$/;

/** SHA-256(id ‖ 0x00 ‖ key): proves which key was in use, opens nothing. Throws for a key that no header carries. */
export function commitmentOf(ctx: Pick<CommandContext, 'sha256Hex'>, id: string, apiKey: string): string {
  if (!keyForm.test(apiKey))
    throw new AppError('invalid_request', '`apiKey` holds characters that no header carries: copy it again');
  return ctx.sha256Hex(`${id}\u0000${apiKey}`);
}

/** Which addresses may be called is decided where they are dialled; here only what the kind needs. */
export function checkProvider(provider: Pick<Provider, 'kind' | 'baseUrl' | 'keyCommitment'>): void {
  if (provider.kind === 'sandbox') {
    if (provider.baseUrl !== undefined || provider.keyCommitment !== undefined)
      throw new AppError('invalid_request', 'the sandbox is built in: leave `baseUrl` and `apiKey` out');
    return;
  }
  if (provider.baseUrl === undefined)
    throw new AppError(
      'invalid_request',
      'a provider of this kind needs its `baseUrl`: the address of its API',
    );
  demandPlainUrl('baseUrl', provider.baseUrl);
}
