// Owns putting the pieces of a body together.

const nothing = new Uint8Array(0);

/** Pieces as one; a single piece is not copied. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length > 1 ? Buffer.concat(pieces) : (pieces[0] ?? nothing);
}
