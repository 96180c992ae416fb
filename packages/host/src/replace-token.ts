// Owns the one edit that heddle makes to a user's host.toml: a new token, every other byte as it was.

import { asError, HeddleError } from '@heddle/wire';
import { mintToken, readConfigText } from './load-config.ts';
import { replacePrivateFile } from './private-file.ts';
import { readToml } from './toml-document.ts';

/**
 * Mints a token and writes it in the place of the old one; comments, order and line ends stay. The file is
 * replaced whole (0600), so a reader sees the old text or the new one.
 * @returns the new token, 64 hex digits
 * @throws HeddleError `config_invalid` when the file can't be read or written, is not TOML, or has no token.
 */
export async function replaceToken(file: string): Promise<string> {
  const text = await readConfigText(file);
  const range = readToml(text, file).rangeOf(['token']);
  if (range === undefined) {
    throw new HeddleError('config_invalid', `${file} has no "token" that could be replaced`, {
      hint: 'Add this line at the top, above the first [table]: token = ""',
    });
  }
  const token = mintToken();
  try {
    await replacePrivateFile(file, `${text.slice(0, range[0])}"${token}"${text.slice(range[1])}`);
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('config_invalid', `can't write ${file}: ${cause.message}`, { cause, hint: 'The old token is still valid.' });
  }
  return token;
}
