// Owns making foreign text safe for a terminal: what an agent or a log line says must not move the cursor, set
// colours or ring.

import { stripVTControlCharacters } from 'node:util';

/** Keeps line ends and tabs; every other control character goes, and escape sequences go whole. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[^\P{Cc}\n\t]/gu, '');
}
