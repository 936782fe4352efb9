// Owns the names of the variables that clients read, which may stand in a server's environment too.

/** Read by the command line; a server must not refuse them as unknown. */
export const clientVariables = [
  'COUNTERSIGN_URL',
  'COUNTERSIGN_KEY',
  'COUNTERSIGN_KEY_FILE',
  'COUNTERSIGN_MANAGEMENT_KEY',
] as const;
