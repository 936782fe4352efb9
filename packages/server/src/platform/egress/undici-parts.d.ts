// Owns the types of the two parts of undici that are loaded by themselves: its index brings 3 MB of heap that nobody uses.

declare module 'undici/lib/dispatcher/client.js' {
  // biome-ignore lint/style/noDefaultExport: undici's file is CommonJS, and is what it exports
  export { Client as default } from 'undici';
}

declare module 'undici/lib/core/errors.js' {
  // biome-ignore lint/style/noDefaultExport: undici's file is CommonJS, and is what it exports
  export { errors as default } from 'undici';
}
