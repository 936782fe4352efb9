// Owns the type of the part of undici that is loaded by itself: its index brings 3 MB of heap that nobody uses.

declare module 'undici/lib/core/errors.js' {
  // biome-ignore lint/style/noDefaultExport: undici's file is CommonJS, and is what it exports
  export { errors as default } from 'undici';
}
