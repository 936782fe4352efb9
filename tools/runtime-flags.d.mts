// Owns the types of runtime-flags.mjs, which an old Node has to read as it is.

export const serverFlags: readonly string[];
export const serverEnvironment: Readonly<Record<string, string>>;
