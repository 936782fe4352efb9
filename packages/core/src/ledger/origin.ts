// Owns what an origin says: of whose log it is, and which of their logs in a row.

/** `<public host>/<organization id>`, and behind it the number of a log that continues another one. */
const form = /^(?<base>.*\/(?<org>[^/]*[^/0-9][^/]*))(?:\/(?<number>[1-9][0-9]{0,5}))?$/;

/** The id of the organization, or of the installation, whose log this is; undefined for an origin of another form. */
export function ownerOfOrigin(origin: string): string | undefined {
  return form.exec(origin)?.groups?.org;
}

/** The origin of the owner's first log, and the number of this one: 1 for the first. */
export function partsOfOrigin(origin: string): { readonly first: string; readonly number: number } {
  const { base = origin, number = '1' } = form.exec(origin)?.groups ?? {};
  return { first: base, number: Number(number) };
}

/**
 * The origin of the log that continues this one: the first is followed by `<origin>/2`, that by `/3`. `used` is the
 * largest number that is known to be taken, by a log that was lost.
 */
export function nextOrigin(origin: string, used = 0): string {
  const { first, number } = partsOfOrigin(origin);
  return `${first}/${Math.max(number, used) + 1}`;
}
