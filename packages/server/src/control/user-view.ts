// Owns how a person is shown: the recorded state with the name and address that lie sealed beside the log.

import type { userView } from '@countersign/contract/directory-operations';
import type { User } from '@countersign/core/directory/objects';
import type { z } from 'zod';
import type { Profile } from '../services/subjects/profile.ts';

/** Members of a person's view that no replay may keep: they lie in the clear nowhere. */
export const personalMembers = ['email', 'name'] as const;

/** The view of a person; without a profile once erased. */
export function userViewOf(state: User, profile: Profile | undefined): z.infer<typeof userView> {
  return {
    ...state,
    ...(profile?.email === undefined ? {} : { email: profile.email }),
    ...(profile?.name === undefined ? {} : { name: profile.name }),
  };
}
