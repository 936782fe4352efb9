// Owns where a journal stands, in memory that the thread which appends and the one which takes in share.

import { frameUnit } from './frame.ts';

/** Where the next frame is: its number, which never comes again, and its place in the file, in bytes. */
export type JournalPlace = { readonly sequence: number; readonly offset: number };

export type JournalMarks = {
  /** The oldest frame that is kept. */
  readonly kept: () => JournalPlace;
  readonly setKept: (place: JournalPlace) => void;
  /** Behind the last frame that is durable. */
  readonly written: () => JournalPlace;
  readonly setWritten: (place: JournalPlace) => void;
  readonly isInDoubt: () => boolean;
  readonly setInDoubt: (isInDoubt: boolean) => void;
};

const offsetBits = 24n;
const offsetMask = (1n << offsetBits) - 1n;

/** Number and place in one cell, so that nobody sees one without the other. */
function pack({ sequence, offset }: JournalPlace): bigint {
  return (BigInt(sequence) << offsetBits) | BigInt(offset / frameUnit);
}

function unpack(cell: bigint): JournalPlace {
  return { sequence: Number(cell >> offsetBits), offset: Number(cell & offsetMask) * frameUnit };
}

/** The memory of a journal that starts at a place with nothing in it. */
export function makeMarks(start: JournalPlace): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT);
  const marks = openMarks(memory);
  marks.setKept(start);
  marks.setWritten(start);
  return memory;
}

/**
 * Marks over memory that `makeMarks` has made, in this thread or another. INVARIANT: each is stored behind what it is
 * about. A thread that loads what another has stored by Atomics sees all that the other had done before (ECMA-262,
 * memory model: what synchronizes with it happens before it). So whoever finds a frame written finds its bytes, and
 * whoever finds it released writes over it when the other has done with them.
 */
export function openMarks(memory: SharedArrayBuffer): JournalMarks {
  const cells = new BigInt64Array(memory);
  return {
    kept: () => unpack(Atomics.load(cells, 0)),
    setKept: (place) => void Atomics.store(cells, 0, pack(place)),
    written: () => unpack(Atomics.load(cells, 1)),
    setWritten: (place) => void Atomics.store(cells, 1, pack(place)),
    isInDoubt: () => Atomics.load(cells, 2) !== 0n,
    setInDoubt: (isInDoubt) => void Atomics.store(cells, 2, isInDoubt ? 1n : 0n),
  };
}
