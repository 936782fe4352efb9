// Owns the one-time set-up over HTTP: open only while there is no organization, and only with the printed token.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '@countersign/core/errors';
import { readBody } from '../http/read-body.ts';
import { closedPage, donePage, type FormValues, formPage, type ReachedAt } from './page.ts';

export type SetupFace = {
  /** True while the store has no organization and this is the printed token. Constant time. */
  readonly isOpen: (token: string) => boolean;
  /** Makes the organization. Throws AppError; the token then works again. */
  readonly init: (token: string, values: FormValues) => Promise<Parameters<typeof donePage>[0]>;
  readonly urls: ReachedAt;
};

export const setupPaths = ['/setup'] as const;

const security = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, security);
  response.end(body);
}

async function post(face: SetupFace, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams(Buffer.from(await readBody(request, 16_384)).toString('utf8'));
  const token = form.get('token') ?? '';
  const values: FormValues = {
    slug: form.get('slug') ?? '',
    email: form.get('email') ?? '',
    name: form.get('name') ?? '',
  };
  if (!face.isOpen(token)) {
    send(response, 404, closedPage());
    return;
  }
  try {
    send(response, 200, donePage(await face.init(token, values), face.urls));
  } catch (error) {
    const message = error instanceof AppError ? error.message : 'something went wrong here: see the log';
    send(response, 400, formPage(token, values, face.urls.models, message));
  }
}

/** Serves `/setup`; false for any other path. */
export function serveSetupPath(face: SetupFace, request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname !== '/setup') return false;
  if (request.method === 'POST') {
    post(face, request, response).catch(() => send(response, 400, closedPage()));
    return true;
  }
  const token = url.searchParams.get('token') ?? '';
  if (request.method !== 'GET' || !face.isOpen(token)) send(response, 404, closedPage());
  else send(response, 200, formPage(token, { slug: '', email: '', name: '' }, face.urls.models, undefined));
  return true;
}
