// Owns the peer to compare with: installed on demand beside the benchmark, never a dependency of the project.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './context.ts';
import { freePort, waitUntilReady } from './processes.ts';
import type { Server } from './servers.ts';

export const peerName = '@portkey-ai/gateway';

const folder = join(import.meta.dirname, '.peer');
const entry = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js');
const installMs = 180_000;

async function install(context: Context): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: 'bench-peer',
    private: true,
    dependencies: { [peerName]: '^1.15.0' },
    // Its streams break under later versions of the adapter.
    overrides: { '@hono/node-server': '1.13.8' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  const installed = context.processes.run({
    name: 'npm install',
    command: 'npm',
    args: ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--loglevel=error'],
    cwd: folder,
    cpu: undefined,
  });
  const timer = setTimeout(() => context.processes.killAll(), installMs);
  await installed.finally(() => clearTimeout(timer));
}

/** Starts the peer, or says why it cannot be measured. */
export async function startPeer(
  context: Context,
  mock: Server,
): Promise<Server | { readonly skipped: string }> {
  try {
    if (!existsSync(entry)) await install(context);
    const port = await freePort();
    const running = context.processes.start({
      name: 'peer',
      command: process.execPath,
      args: [entry, '--headless', `--port=${port}`],
      env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' },
      cwd: folder,
      cpu: context.pinning.gateway,
    });
    await waitUntilReady(running, port, '/', 30_000);
    const headers = [
      'x-portkey-provider: openai',
      `x-portkey-custom-host: http://127.0.0.1:${mock.port}/v1`,
      'authorization: Bearer sk-mock-0000000000000000000000000000',
    ];
    return { name: 'peer', port, running, loadFlags: headers.flatMap((line) => ['-H', line]), callers: 1 };
  } catch (error) {
    const why = error instanceof Error ? error.message.trim().split('\n').slice(-3).join(' ') : 'unknown';
    return { skipped: `${peerName} could not be installed or started: ${why}` };
  }
}
