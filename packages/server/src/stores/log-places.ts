// Owns where the entries of a log stand among the rows of its organization: those of a closed log below 0.

/** What one log has room for, and where the first closed one begins: both far within what a number holds. */
const room = 2 ** 40;
const lowest = -(2 ** 50);

/** Below every place. */
export const leastIndex = lowest;

/** Where the closed log of this number (from 1) begins: the rows of a later one come behind. */
export function baseOf(number: number): number {
  return lowest + (number - 1) * room;
}

/** Of which closed log a row is, 0 for the current one, and its entry's place there. */
export function placeOf(index: number): { readonly number: number; readonly place: number } {
  if (index >= 0) return { number: 0, place: index };
  const number = Math.floor((index - lowest) / room) + 1;
  return { number, place: index - baseOf(number) };
}
