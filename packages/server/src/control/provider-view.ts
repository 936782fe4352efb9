// Owns how a provider is shown: whether it has a key, never the key or its commitment.

import type { providerView } from '@countersign/contract/model-operations';
import type { Provider } from '@countersign/core/directory/objects';
import type { z } from 'zod';

/** The view of a provider. */
export function providerViewOf(state: Provider): z.infer<typeof providerView> {
  const { keyCommitment, ...shown } = state;
  return { ...shown, hasKey: keyCommitment !== undefined };
}
