// Owns what an origin says: of whose log it is, and which of their logs in a row.

/** `<public host>/<organization id>`, and behind it the number of a log that continues another one. */
const form = /^(?<base>.*\/(?<org>[^/]*[^/0-9][^/]*))(?:\/(?<number>[1-9][0-9]{0,5}))?$/;

/** The id of the organization, or of the installation, whose log this is; undefined for an origin of another form. */
export function ownerOfOrigin(origin: string): string | undefined {
  return form.exec(origin)?.groups?.org;
}

/** The origin of the log that continues this one: the first is followed by `<origin>/2`, that by `/3`. */
export function nextOrigin(origin: string): string {
  const { base = origin, number } = form.exec(origin)?.groups ?? {};
  return `${base}/${number === undefined ? 2 : Number(number) + 1}`;
}
