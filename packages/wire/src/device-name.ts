// Owns what a device may be called: what it says of itself is shown in terminals and on other devices.

/** In characters as JavaScript counts them. */
export const MAX_DEVICE_NAME_LENGTH = 64;

/** Control characters, line and paragraph separators, and marks that turn the direction of what follows. */
const unsafe = /[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** The name without what could disturb a terminal and without spaces around it; it may be empty then. */
export function cleanDeviceName(name: string): string {
  return name.replaceAll(unsafe, '').trim();
}
