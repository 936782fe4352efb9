// Owns the set-up token of an empty store, and the face that takes it once.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Config } from '../platform/config/schema.ts';
import { serveSetupPath, setupPaths } from '../protocols/setup/serve.ts';
import type { Face } from './face.ts';
import { initFirst, type Store } from './store.ts';

export type Setup = {
  readonly isOpen: (token: string) => boolean;
  readonly token: string | undefined;
  readonly done: () => void;
};

/** The set-up token: kept as a digest in memory, made anew at each start on an empty store. */
export function createSetup(store: Store): Setup {
  const token = store.threads.installation.hasOrganization
    ? undefined
    : randomBytes(24).toString('base64url');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  let expected = token === undefined ? undefined : digest(token);
  return {
    token,
    isOpen: (given) => expected !== undefined && timingSafeEqual(digest(given), expected),
    done: () => {
      expected = undefined;
    },
  };
}

export function setupFace(
  setup: Setup,
  store: Store,
  { publicUrl, managementPublicUrl }: Pick<Config, 'publicUrl' | 'managementPublicUrl'>,
): Face {
  const face: Parameters<typeof serveSetupPath>[0] = {
    isOpen: setup.isOpen,
    urls: { models: publicUrl, management: managementPublicUrl },
    init: async (_token, { slug, email, name }) => {
      const made = await initFirst(store, { slug, ownerEmail: email, ownerName: name });
      setup.done();
      return made;
    },
  };
  return {
    name: 'setup',
    guard: 'setup-token',
    paths: setupPaths,
    serve: (request, response) => serveSetupPath(face, request, response),
  };
}
