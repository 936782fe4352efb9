// Owns `npm run demo`: the tour in its order, on a throw-away store, and whether all of it was as claimed.

import { createScript, type Script } from './script.ts';
import { budget, revocation } from './step-limits.ts';
import { controlledInformation, nobody, setUp, twoPeople } from './step-people.ts';
import { keepCheckpoint, replay, verifyOffline, whoDidIt } from './step-proof.ts';

async function tour(say: Script): Promise<void> {
  const scene = await setUp(say);
  try {
    const people = await twoPeople(scene);
    await nobody(scene);
    const { record } = await controlledInformation(scene);
    const kept = await keepCheckpoint(scene);
    await budget(scene, people.bob);
    await revocation(scene, people.carol);
    await whoDidIt(scene, record, kept);
    const directory = await verifyOffline(scene, kept, people);
    await replay(scene, directory, kept);
  } finally {
    scene.outside.close();
    scene.house.close();
  }
}

async function main(): Promise<number> {
  const started = performance.now();
  const write = (text: string): void => {
    process.stdout.write(text);
  };
  // NO_COLOR is an agreement among programs: https://no-color.org
  const say = createScript(write, process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '');
  // The folder is removed when the process ends, whatever ends it.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)
    process.once(signal, () => process.exit(code));
  write(
    'Countersign in nine steps. Everything is on this machine: a throw-away store, nothing leaves loopback.\n',
  );
  await tour(say);
  const { claims, broken } = say.tally();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (broken.length === 0) {
    write(`\n${claims} claims, all of them as stated, in ${seconds} s. Nothing is left behind.\n`);
    write('Your own: `npm start`, then README.md\n');
    return 0;
  }
  write(
    `\n${broken.length} of ${claims} claims did not hold:\n${broken.map((text) => `  ${text}\n`).join('')}`,
  );
  return 1;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`\nthe demo broke off: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
