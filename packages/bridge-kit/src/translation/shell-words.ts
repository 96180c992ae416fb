// Owns how words are written for whoever splits a line as a shell does: people's shells, and clients that take the
// command of an item apart. Pure.

/** A word: plain where it can be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : inQuotes(word);
}

/**
 * A script as the `command` of an item or a question, in the form that codex gives its own (`/bin/bash -lc '…'`).
 * Clients look for the script in there; the Codex TUI splits what has another form into words and quotes them anew, so
 * that `a > b; c` is shown as `a '>' 'b;' c` (0.169, tried). Agents' tools are made for bash, whatever shell they take for it.
 */
export function bashLine(script: string): string {
  return `bash -lc ${inQuotes(script)}`;
}

function inQuotes(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
